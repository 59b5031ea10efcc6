"""Laws of the backtest on counts: neither order nor form matters; bad rows are named; any window works."""

import csv
import gzip
from datetime import UTC, datetime, timedelta, timezone
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from batch.backtest.command import app, backtest_counts
from core.errors import BadInputError
from detection.day_counts import DayCounts
from detection.judge_day import judge_day
from detection.learn import as_stored, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import seasonality_for
from detection.traffic_baseline import Traffic, day_traffic, learn_traffic

ANOMALY_RULE = rule_for(4.5, 10)
MONDAY = datetime(2026, 1, 5, tzinfo=UTC)


def run(path: Path, *, window: str = "15m") -> tuple[list[dict[str, str]], list[dict[str, str]]]:
    """Return the rows of scores and of alerts."""
    out, alerts = path.with_name("scores.csv"), path.with_name("alerts.csv")
    backtest_counts(path, out, alerts, seasonality_for(window), ANOMALY_RULE, LifecycleRule())
    return list(csv.DictReader(StringIO(out.read_text()))), list(csv.DictReader(StringIO(alerts.read_text())))


def a_file(
    folder: Path,
    rows: list[str],
    *,
    header: str = "window_start,keyword,posts,total_posts",
    name: str = "counts.csv",
) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def moment(number: int, minutes: int = 15) -> str:
    return (MONDAY + timedelta(minutes=minutes * number)).isoformat().replace("+00:00", "Z")


def some_counts(days: int = 6, keywords: int = 5) -> tuple[np.ndarray, np.ndarray]:
    """Return counts [days, K, 96] and totals [days, 96]; the last keyword has a burst on the last day."""
    random = np.random.default_rng(8)
    means = np.array([0.02, 0.6, 4.0, 30.0, 1.0])[:keywords]
    counts = random.poisson(means[None, :, None] * random.gamma(5, 0.2, (days, keywords, 96)))
    counts[-1, -1, 50:53] += 40
    return counts, random.integers(900, 1_100, (days, 96))


def rows_of(counts: np.ndarray, totals: np.ndarray, *, absent_zeros: bool = True) -> list[str]:
    return [
        f"{moment(day * 96 + window)},word{keyword},{counts[day, keyword, window]},{totals[day, window]}"
        for day in range(len(counts))
        for keyword in range(counts.shape[1])
        for window in range(96)
        if counts[day, keyword, window] or not absent_zeros
    ]


def test_the_walk_gives_what_judging_and_learning_day_by_day_gives(tmp_path: Path) -> None:
    counts, totals = some_counts()
    scores, _ = run(a_file(tmp_path, rows_of(counts, totals, absent_zeros=False)))
    by_row = {(row["window_start"], row["keyword"]): row for row in scores}
    assert len(by_row) == counts.size
    rows, traffic = default_rows(5), None
    before, total_before, seen = np.zeros((5, 96)), np.zeros(96), np.zeros(5, dtype=bool)
    for day in range(len(counts)):
        posts, total = counts[day].astype(float), totals[day].astype(float)
        judged = judge_day(DayCounts(posts, before, total, total_before), rows, traffic, ANOMALY_RULE)
        for keyword in range(5):
            for window in (0, 1, 50, 95):
                row = by_row[moment(day * 96 + window), f"word{keyword}"]
                actual = [float(row[name]) for name in ("expected", "scale", "score")]
                expected = [
                    judged.expected[keyword, window],
                    judged.scale[keyword, window],
                    judged.verdicts.score[keyword, window],
                ]
                assert actual == expected
                assert row["anomalous"] == str(bool(judged.verdicts.anomalous[keyword, window])).lower()
        seen |= posts.any(axis=1)
        exposure = day_traffic(total, traffic)
        fitted = as_stored(fit_day(posts, exposure, rows, traffic.history_days if traffic else 0.0))
        assert seen.all()
        rows = fitted
        learned = learn_traffic(traffic, total, exposure.learned_days)
        traffic = Traffic(learned.expected_posts.astype(np.float32).astype(float), learned.history_days)
        before, total_before = posts, total


def test_the_order_of_rows_changes_nothing(tmp_path: Path) -> None:
    rows = rows_of(*some_counts())
    in_order = run(a_file(tmp_path, rows))
    shuffled = [rows[n] for n in np.random.default_rng(1).permutation(len(rows))]
    assert run(a_file(tmp_path, shuffled)) == in_order


def test_a_keyword_gets_the_same_verdicts_alone_and_among_many(tmp_path: Path) -> None:
    rows = rows_of(*some_counts(), absent_zeros=False)
    scores, alerts = run(a_file(tmp_path, rows))
    alone = run(a_file(tmp_path, [row for row in rows if ",word4," in row]))
    assert alone == (
        [row for row in scores if row["keyword"] == "word4"],
        [row for row in alerts if row["keyword"] == "word4"],
    )


def test_a_burst_is_one_alert_that_ends_after_four_quiet_windows(tmp_path: Path) -> None:
    _, alerts = run(a_file(tmp_path, rows_of(*some_counts())))
    last = [alert for alert in alerts if alert["opened_window"] >= moment(5 * 96)]
    assert [(a["keyword"], a["opened_window"], a["last_window"], a["resolved_window"]) for a in last] == [
        ("word4", moment(5 * 96 + 50), moment(5 * 96 + 55), moment(5 * 96 + 60))
    ]
    counts, _ = some_counts()
    assert int(last[0]["posts"]) == counts[5, 4, 50:56][counts[5, 4, 50:56] >= 3].sum()


def test_epoch_seconds_offsets_and_gz_give_the_same_as_utc(tmp_path: Path) -> None:
    rows = rows_of(*some_counts(days=2))
    plain = run(a_file(tmp_path, rows))
    epochs = [
        f"{datetime.fromisoformat(row.split(',')[0]).timestamp():.0f},{row.split(',', 1)[1]}" for row in rows
    ]
    assert run(a_file(tmp_path, epochs)) == plain
    tehran = timezone(timedelta(hours=3, minutes=30))
    offsets = [
        f"{datetime.fromisoformat(row.split(',')[0]).astimezone(tehran).isoformat()},{row.split(',', 1)[1]}"
        for row in rows
    ]
    assert "+03:30" in offsets[0]
    assert run(a_file(tmp_path, offsets)) == plain
    minutes = [f"{row[:16]}Z,{row.split(',', 1)[1]}" for row in rows]
    assert run(a_file(tmp_path, minutes)) == plain
    zipped = tmp_path / "counts.csv.gz"
    zipped.write_bytes(gzip.compress((tmp_path / "counts.csv").read_bytes()))
    assert run(zipped) == plain


def test_finer_rows_are_summed_to_windows(tmp_path: Path) -> None:
    whole = [f"{moment(n)},word,{30 + n % 7},{900}" for n in range(200)]
    thirds = [
        f"{moment(3 * n + third, 5)},word,{part},300"
        for n in range(200)
        for third, part in enumerate((10, 10 + n % 7, 10))
    ]
    assert run(a_file(tmp_path, thirds)) == run(a_file(tmp_path, whole))


def test_the_two_column_form_is_one_keyword_named_by_its_file(tmp_path: Path) -> None:
    rows = [f"{(MONDAY + timedelta(minutes=5 * n)):%Y-%m-%d %H:%M:%S},{20 + n % 5}" for n in range(288 * 3)]
    scores, _ = run(a_file(tmp_path, rows, header="timestamp,value", name="series.csv"))
    assert ({row["keyword"] for row in scores}, len(scores), scores[0]["posts"]) == ({"series"}, 288, "63")


def test_windows_that_a_series_does_not_have_are_not_learned(tmp_path: Path) -> None:
    steady = [f"{moment(n)},40" for n in range(96 * 4)]
    with_hole = [row for n, row in enumerate(steady) if not 96 * 2 + 20 <= n < 96 * 2 + 60]
    scores, _ = run(a_file(tmp_path, with_hole, header="timestamp,value"))
    assert float(scores[-1]["expected"]) == pytest.approx(40.0, rel=1e-5)


@pytest.mark.parametrize(("window", "minutes"), [("5m", 5), ("30m", 30), ("1h", 60), ("2h", 120)])
def test_windows_of_other_lengths_find_a_burst_and_learn_the_mean(
    tmp_path: Path, window: str, minutes: int
) -> None:
    random = np.random.default_rng(3)
    per_day = 24 * 60 // minutes
    posts = random.poisson(20.0, 8 * per_day)
    posts[7 * per_day + per_day // 2] = 400
    rows = [f"{moment(n, minutes)},word,{count}" for n, count in enumerate(posts)]
    scores, alerts = run(a_file(tmp_path, rows, header="window_start,keyword,posts"), window=window)
    after_first_day = [a["opened_window"] for a in alerts if a["opened_window"] >= moment(per_day, minutes)]
    assert after_first_day == [moment(7 * per_day + per_day // 2, minutes)]
    assert np.mean([float(row["expected"]) for row in scores[-per_day:]]) == pytest.approx(20.0, rel=0.1)


def test_a_daily_series_learns_the_days_of_the_week(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    means = np.tile([100, 100, 100, 100, 100, 300, 300], 20)
    posts = random.poisson(means)
    posts[19 * 7 + 2] = 900
    rows = [f"{MONDAY + timedelta(days=n):%Y-%m-%d},{count}" for n, count in enumerate(posts)]
    scores, alerts = run(a_file(tmp_path, rows, header="timestamp,value"), window="1d")
    week = [float(row["expected"]) for row in scores[-7:]]
    np.testing.assert_allclose(week, means[:7], rtol=0.1)
    assert [a["opened_window"] for a in alerts if a["opened_window"] >= moment(7, 1_440)] == [
        moment(19 * 7 + 2, 1_440)
    ]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("yesterday,word,3,9", "not a time: yesterday"),
        (",word,3,9", "not a time"),
        ("2026-01-05T00:00:00Z,,3,9", "no keyword"),
        ("2026-01-05T00:00:00Z,word,,9", "not a count"),
        ("2026-01-05T00:00:00Z,word,-3,9", "not a count: -3"),
        ("2026-01-05T00:00:00Z,word,2.5,9", "not a count: 2.5"),
        ("2026-01-05T00:00:00Z,word,nan,9", "not a count: nan"),
        ("2026-01-05T00:00:00Z,word,3,many", "not a total of all posts: many"),
        ("2026-01-05T00:00:00Z,word,3,2", "not a total of all posts: 2"),
        ("2026-01-05T00:00:00Z,word,3,10", "total_posts is missing, or differs"),
        ("2026-01-05T00:00:00Z,word,3,", "total_posts is missing, or differs"),
        ("2026-01-05T00:00:00Z,word,3,9,7", "5 columns instead of 4"),
        ("2026-01-05T00:00:00Z,word,3", "3 columns instead of 4"),
        ("1767571200000,word,3,9", "not a time: 1767571200000"),
    ],
)
def test_a_bad_row_is_named_by_line_and_reason(tmp_path: Path, row: str, reason: str) -> None:
    path = a_file(tmp_path, ["2026-01-05T00:00:00Z,other,3,9", row, "2026-01-06T00:00:00Z,word,1,9"])
    with pytest.raises(BadInputError) as error:
        run(path)
    assert f"line 3: {reason}" in str(error.value)


def test_lines_are_counted_as_an_editor_counts_them(tmp_path: Path) -> None:
    rows = [
        "2026-01-05T00:00:00Z,one,1,9",
        "",
        '2026-01-05T00:00:00Z,"two\nlines",1,9',
        "2026-01-05T00:00:00Z,three,x,9",
    ]
    with pytest.raises(BadInputError, match="line 6: not a count: x"):
        run(a_file(tmp_path, rows))


@pytest.mark.parametrize(
    ("header", "reason"),
    [("when,word,posts", "line 1: the columns are"), ("", "line 1"), ("posts,posts,keyword", "line 1")],
)
def test_a_file_with_other_columns_is_rejected(tmp_path: Path, header: str, reason: str) -> None:
    with pytest.raises(BadInputError, match=reason):
        run(a_file(tmp_path, ["1,2,3"], header=header))


def test_a_file_that_is_empty_or_missing_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="no rows"):
        run(a_file(tmp_path, []))
    with pytest.raises(BadInputError, match="cannot be read"):
        run(tmp_path / "absent.csv")


@pytest.mark.parametrize("window", ["7m", "0m", "5h", "2d", "15", "quarter"])
def test_a_window_that_divides_no_day_is_rejected(window: str) -> None:
    with pytest.raises(BadInputError, match="not a usable window length"):
        seasonality_for(window)


def test_the_command_writes_both_files_and_a_summary(tmp_path: Path) -> None:
    path = a_file(tmp_path, rows_of(*some_counts()))
    arguments = ["--counts", str(path), "--out", str(tmp_path / "s.csv"), "--alerts", str(tmp_path / "a.csv")]
    result = CliRunner().invoke(app, arguments)
    assert (result.exit_code, "keywords over 6 days" in result.output) == (0, True)
    headers = [(tmp_path / name).read_text().splitlines()[0].replace('"', "") for name in ("s.csv", "a.csv")]
    assert headers == [
        "window_start,keyword,posts,expected,scale,score,anomalous",
        "keyword,opened_window,last_window,resolved_window,peak_score,posts",
    ]


def test_the_command_reports_a_bad_file_as_one_sentence(tmp_path: Path) -> None:
    path = a_file(tmp_path, ["2026-01-05,word,x,9"])
    result = CliRunner().invoke(app, ["--counts", str(path), "--out", str(tmp_path / "s.csv")])
    assert (result.exit_code, "line 2: not a count: x" in result.output) == (1, True)


def test_the_command_says_that_rows_are_further_apart_than_windows(tmp_path: Path) -> None:
    path = a_file(tmp_path, [f"{moment(n, 60)},word,{n % 5},9" for n in range(50)])
    result = CliRunner().invoke(app, ["counts", str(path), "--out", str(tmp_path / "s.csv")])
    assert result.exit_code == 0
    assert "every fourth window has rows" in result.stdout and "--window 1h" in result.stdout
