"""Laws of outputs: none is an input or another output, however it is written; devices may be given twice."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from batch.backtest.command import app
from core.errors import BadInputError
from core.outputs import reject_overwriting
from producer.cli import app as producer

COUNTS = "window_start,keyword,posts\n2026-01-05T00:00:00Z,tea,5\n2026-01-05T00:15:00Z,tea,6\n"


@pytest.mark.parametrize(
    "options",
    [
        ["--counts", "counts.csv", "--out", "counts.csv"],
        ["--counts", "counts.csv", "--out", "folder/../counts.csv"],
        ["--counts", "counts.csv", "--out", "link.csv"],
        ["--counts", "link.csv", "--out", "counts.csv"],
        ["--counts", "counts.csv", "--out", "hard.csv"],
        ["--counts", "counts.csv", "--out", "scores.csv", "--alerts", "counts.csv"],
        ["--counts", "counts.csv", "--out", "scores.csv", "--alerts", "scores.csv"],
        ["--counts", "counts.csv", "--out", "scores.csv", "--alerts", "folder/../scores.csv"],
        ["--from", "2026-01-05", "--to", "2026-01-05", "--config", "rule.toml", "--out", "rule.toml"],
    ],
)
def test_a_backtest_that_would_overwrite_a_file_is_rejected_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("rule.toml").write_text("threshold = 8.5\n")
    Path("counts.csv").write_text(COUNTS)
    Path("link.csv").symlink_to("counts.csv")
    Path("hard.csv").hardlink_to("counts.csv")
    files = sorted(Path().iterdir())
    result = CliRunner().invoke(app, options)
    assert (result.exit_code, "would be overwritten" in result.output) == (1, True)
    assert (Path("counts.csv").read_text(), sorted(Path().iterdir())) == (COUNTS, files)


def test_the_message_names_the_file_and_both_options(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(BadInputError, match=re.escape(f"{path} is both --alerts and --out")):
        reject_overwriting({}, {"--alerts": path, "--out": path})


def test_devices_and_options_that_were_not_given_are_no_files(tmp_path: Path) -> None:
    reject_overwriting(
        {"--counts": tmp_path / "a"}, {"--out": Path("/dev/null"), "--alerts": Path("/dev/null"), "--x": None}
    )


@pytest.mark.parametrize(
    "options",
    [
        ["--state", "posts.ndjson"],
        ["--summary-json", "folder/../posts.ndjson"],
        ["--state", "new.json", "--summary-json", "new.json"],
    ],
)
def test_a_replay_that_would_overwrite_a_file_is_rejected_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("KAFKA_BOOTSTRAP_SERVERS", "POSTGRES_HOST", "POSTGRES_PASSWORD", "S3_BUCKET"):
        monkeypatch.setenv(f"GROUNDSWELL_{name}", "unused")
    Path("folder").mkdir()
    Path("posts.ndjson").write_text("{}\n")
    result = CliRunner().invoke(producer, ["posts.ndjson", *options])
    assert result.exit_code == 1
    assert "which would be overwritten. Give two paths." in result.stderr
    assert Path("posts.ndjson").read_text() == "{}\n"
    assert not Path("new.json").exists()
