"""Laws of the backtest on posts without servers: what a file may change, how alerts pair, what fits."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batch.backtest.alerts import AlertSummary
from batch.backtest.command import app
from batch.backtest.difference import Change, describe, pair_alerts, write_pairs
from batch.backtest.rule import read_rule
from core.errors import BadInputError
from tests.factories import settings_without_servers

SETTINGS = settings_without_servers(alerts_per_day=5)


def an_alert(
    keyword: str,
    opened: int,
    last: int,
    *,
    posts: int = 20,
    peak_score: float = 7.0,
    label: str | None = None,
) -> AlertSummary:
    return AlertSummary(keyword, opened, last, posts, peak_score, label)


def a_rule(folder: Path, text: str) -> Path:
    path = folder / "rule.toml"
    path.write_text(text)
    return path


def test_a_file_changes_what_it_names_and_a_threshold_replaces_a_budget(tmp_path: Path) -> None:
    rule = read_rule(SETTINGS, a_rule(tmp_path, "threshold = 5.0\nmin_posts = 12\n"))
    settings = rule.settings
    assert (settings.threshold, settings.min_posts) == (5.0, 12)
    assert (settings.alerts_per_day, settings.quiet_windows) == (None, 4)
    assert (str(rule), rule.new_budgets) == ("threshold = 5.0, min_posts = 12", {})


def test_only_a_changed_budget_is_derived_again(tmp_path: Path) -> None:
    assert read_rule(SETTINGS, a_rule(tmp_path, "alerts_per_day = 8")).new_budgets == {"discovery": 8.0}
    assert read_rule(SETTINGS, a_rule(tmp_path, "min_posts = 12")).new_budgets == {}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "treshold = 5",
            "sets treshold, which a backtest cannot change. "
            "It can change threshold, min_posts, cool_down_windows",
        ),
        ("threshold = 5\nalerts_per_day = 3", "sets both threshold and alerts_per_day"),
        ("threshold = 3", "threshold: Input should be greater than or equal to 4.25"),
        ("min_posts = 'ten'", "min_posts: Input should be a valid integer"),
        ("min_posts", "cannot be read"),
    ],
)
def test_a_file_that_cannot_be_used_is_rejected_with_the_reason(
    tmp_path: Path, text: str, sentence: str
) -> None:
    with pytest.raises(BadInputError, match=sentence):
        read_rule(SETTINGS, a_rule(tmp_path, text))


def test_alerts_pair_by_window_then_by_overlap_and_the_rest_is_new_or_gone() -> None:
    live = [
        an_alert("cola", 10, 14),
        an_alert("cola", 30, 31),
        an_alert("tea", 10, 12),
        an_alert("milk", 10, 12),
    ]
    replayed = [
        an_alert("cola", 12, 13),
        an_alert("cola", 30, 40),
        an_alert("tea", 9, 10),
        an_alert("milk", 13, 14),
    ]
    changes = [(pair.either.keyword, pair.change, pair.windows_later) for pair in pair_alerts(live, replayed)]
    assert changes == [
        ("tea", Change.EARLIER, -1),
        ("milk", Change.GONE, None),
        ("cola", Change.LATER, 2),
        ("milk", Change.NEW, None),
        ("cola", Change.SAME, 0),
    ]


def test_the_report_counts_only_labels_of_live_alerts() -> None:
    live = [
        an_alert("cola", 10, 14, label="real"),
        an_alert("tea", 10, 14, label="real"),
        an_alert("milk", 10, 14, label="spam"),
    ]
    replayed = [an_alert("cola", 10, 14, posts=21), an_alert("milk", 11, 14), an_alert("new", 11, 14)]
    lines = list(describe(pair_alerts(live, replayed), days=2))
    assert lines[:4] == [
        "live            3 alerts, 1.5 a day",
        "replayed        3 alerts, 1.5 a day",
        "1 same, 0 earlier, 1 later, 1 new, 1 gone; 1 of the same with other figures",
        "precision 0.50 (1 of 2) of the labelled alerts that are found, live 0.67 (2 of 3); "
        "recall 0.50 (1 of 2) of those labelled real",
    ]
    assert "  later by 1    1970-01-01 02:45  milk: 20 posts, score 7.0, labelled spam" in lines


def test_the_file_has_one_row_per_pair_with_both_sides(tmp_path: Path) -> None:
    out = tmp_path / "alerts.csv"
    write_pairs(out, pair_alerts([an_alert("cola, diet", 4, 5, label="real")], [an_alert("tea", 4, 4)]))
    assert out.read_text().splitlines()[1:] == [
        'gone,"cola, diet",,real,,1970-01-01T01:00:00Z,1970-01-01T01:15:00Z,20,7.0,,,,',
        "new,tea,,,,,,,,1970-01-01T01:00:00Z,1970-01-01T01:00:00Z,20,7.0",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "Give counts of a file .* or days of the archive"),
        (["--counts", "a.csv"], "Give counts of a file .* or days of the archive"),
        (["--counts", "a.csv", "--from", "2026-01-01"], "--counts and --from cannot be combined"),
        (
            ["--from", "2026-01-01", "--to", "2026-01-02", "--cool-down", "8"],
            "--cool-down and --from cannot be combined",
        ),
        (["--from", "2026-01-01"], "both ends"),
    ],
)
def test_options_of_both_commands_cannot_be_combined(arguments: list[str], sentence: str) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert re.search(sentence, result.output)
