"""A simulated week and the next day, through every command a user runs.

Bursts alert, habits do not, and nothing is lost.
"""

import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ndjson
import pytest

from core.settings import Settings
from sql.connection import transaction
from streaming.progress import EndOffsets
from tests.kafka_posts import REPOSITORY, environment, run_streaming_once

FIRST_DAY = date(2026, 1, 5)
HISTORY_DAYS = 7
LIVE_DAY = FIRST_DAY + timedelta(days=HISTORY_DAYS)
POSTS_A_DAY = 6_000
SEED = 7


def run(settings: Settings, *arguments: str) -> str:
    """Run `python -m ARGUMENTS` as a user does; return what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=900,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the simulated posts are."""
    return tmp_path_factory.mktemp("simulated")


def lines_by_day(folder: Path) -> list[int]:
    return [path.read_bytes().count(b"\n") for path in sorted(folder.glob("posts-*.ndjson"))]


@pytest.fixture(scope="module")
def truth(module_settings: Settings, folder: Path) -> list[dict[str, Any]]:
    """The labelled events of the live day, after all posts were processed."""
    settings = module_settings.model_copy(update={"max_offsets_per_trigger": 6_000})
    options = f"--start {FIRST_DAY} --days {HISTORY_DAYS + 1} --posts-per-day {POSTS_A_DAY} --seed {SEED}"
    run(settings, "producer", "simulate", *options.split(), "--out", str(folder))
    *history, live = sorted(str(path) for path in folder.glob("posts-*.ndjson"))
    run(settings, "batch", "import", *history)
    days = ("--from", str(FIRST_DAY), "--to", str(LIVE_DAY - timedelta(days=1)))
    run(settings, "batch", *days, "--steps", "load,trends,statistics,checks", "--assume-complete")
    run(settings, "producer", live, "--clock", "original", "--no-resume")
    run_streaming_once(settings, folder / "streaming.log")
    run(settings, "streaming.finish")
    with (folder / "truth.ndjson").open() as lines:
        return [event for event in ndjson.load(lines) if event["day"] == str(LIVE_DAY)]


def alerted_keywords(settings: Settings, begin: datetime, end: datetime) -> set[str]:
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT keyword FROM anomaly_alerts WHERE status <> 'withdrawn' "
            "AND opened_window > %s - interval '15 minutes' AND opened_window <= %s",
            (begin, end),
        )
        return {keyword for (keyword,) in cursor.fetchall()}


def alerted(settings: Settings, event: dict[str, Any]) -> bool:
    begin, end = (datetime.fromtimestamp(event[name], UTC) for name in ("start", "end"))
    return bool(set(event["keywords"]) & alerted_keywords(settings, begin, end))


def test_every_organic_burst_has_its_alert(truth: list[dict[str, Any]], module_settings: Settings) -> None:
    bursts = [event for event in truth if event["must_alert"]]
    assert len(bursts) >= 6
    assert [event["keyword"] for event in bursts if not alerted(module_settings, event)] == []


def test_habits_and_spam_have_no_alert(truth: list[dict[str, Any]], module_settings: Settings) -> None:
    others = [event for event in truth if event["must_alert"] is False and event["kind"] != "outage"]
    assert {"habit", "spam"} <= {event["kind"] for event in others}
    assert [(event["kind"], event["keyword"]) for event in others if alerted(module_settings, event)] == []


def test_the_live_day_has_at_most_three_alerts_beyond_the_labelled_events(
    truth: list[dict[str, Any]], module_settings: Settings
) -> None:
    begin = datetime.combine(LIVE_DAY, datetime.min.time(), UTC)
    labelled = {keyword for event in truth for keyword in event["keywords"]}
    assert len(alerted_keywords(module_settings, begin, begin + timedelta(days=1)) - labelled) <= 3


@pytest.mark.usefixtures("truth")
def test_what_was_produced_is_archived_offset_by_offset(
    module_settings: Settings, folder: Path, spark_for
) -> None:
    # An imported line has a partition below 0.
    ends = EndOffsets(module_settings)
    expected = {
        (p.topic, p.partition): end
        for p, end in ends.end_offsets([module_settings.posts_topic, module_settings.rejected_topic]).items()
        if end
    }
    ends.close()
    archived = spark_for(module_settings).sql(
        "SELECT topic, partition, count(*) AS records, count(DISTINCT offset) AS offsets, "
        "max(offset) + 1 AS until FROM lake.tiktok.raw_posts WHERE partition >= 0 GROUP BY topic, partition"
    )
    rows = {(row.topic, row.partition): (row.records, row.offsets, row.until) for row in archived.collect()}
    assert rows == {partition: (end, end, end) for partition, end in expected.items()}
    assert sum(expected.values()) == lines_by_day(folder)[-1]


@pytest.mark.usefixtures("truth")
def test_every_line_of_the_history_is_archived(module_settings: Settings, folder: Path, spark_for) -> None:
    imported = spark_for(module_settings).table("lake.tiktok.raw_posts").where("partition < 0")
    assert imported.count() == sum(lines_by_day(folder)[:-1]) > HISTORY_DAYS * POSTS_A_DAY * 0.9


@pytest.mark.usefixtures("truth")
def test_every_rejected_record_is_a_row(module_settings: Settings, spark_for) -> None:
    rejected = spark_for(module_settings).table("lake.tiktok.raw_posts").where("event_time IS NULL").count()
    with transaction(module_settings) as cursor:
        cursor.execute("SELECT count(*), count(*) FILTER (WHERE reason = '') FROM rejected_records")
        assert cursor.fetchone() == (rejected, 0)
    assert rejected > 0
