"""Laws of `groundswell explain`: every figure of every alert follows from archive and statistics."""

import random
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import pytest

from alerts.explain.explanation import Explanation, explain
from alerts.explain.load import find_alerts
from alerts.explain.text import explanation_lines
from alerts.step import FAR
from batch.run import Step
from core.errors import BadInputError
from core.settings import Settings
from deploy.local.layout import layout_for
from sql.connection import transaction
from tests.archived import archive_posts, run_batch
from tests.bursts_world import HEAVY, MIDNIGHT, WORDS, bursts, heavy, usual_posts, values
from tests.factories import a_post
from tests.kafka_posts import REPOSITORY, drain_topics, environment, let_time_decide, send


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """A stack that learned an ordinary day and detected sixty bursts in seven hours around midnight.

    Detection ran in several batches.
    """
    rng = random.Random(12)
    settings = module_settings.model_copy(
        update={
            "threshold": 4.25,
            "max_offsets_per_trigger": 2_000,
            "spark_jars_dir": str(layout_for().jars / "spark"),
        }
    )
    archive_posts(
        spark_for(settings),
        settings,
        values(rng, usual_posts(rng, MIDNIGHT - timedelta(days=1), 96), 10**6),
        first_offset=10**9,
    )
    run_batch(spark_for(settings), settings, [date(2026, 1, 5)], [Step.STATISTICS])
    live = MIDNIGHT + timedelta(hours=20)
    send(
        settings,
        values(rng, [*usual_posts(rng, live, 28), *bursts(rng, live, 28), *heavy(rng, HEAVY)], 10**9),
    )
    drain_topics(spark_for(settings), settings)
    let_time_decide(settings, FAR)
    return settings


def run(settings: Settings, *arguments: str, options: Iterable[str] = ()) -> subprocess.CompletedProcess[str]:
    """Run `python -m ARGUMENTS` as a user does; `options` are Python's."""
    return subprocess.run(
        [sys.executable, *options, "-m", *arguments],
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=600,
    )


@pytest.fixture(scope="module")
def explanations(world: Settings) -> list[Explanation]:
    """The explanations of all alerts."""
    return list(explain(world, find_alerts(world, [], every=True)))


@contextmanager
def changed(settings: Settings, statement: str, undo: str) -> Iterator[None]:
    """Change Postgres for the time of the block, and undo it afterwards."""
    with transaction(settings) as cursor:
        cursor.execute(statement)
    try:
        yield
    finally:
        with transaction(settings) as cursor:
            cursor.execute(undo)


def one(settings: Settings, name: str) -> Explanation:
    (explanation,) = explain(settings, find_alerts(settings, [name], every=False))
    return explanation


def test_all_stored_figures_of_fifty_alerts_match_exactly(explanations: list[Explanation]) -> None:
    assert len(explanations) >= 50
    assert [explanation.problem for explanation in explanations if explanation.problem] == []
    wrong = [
        (e.stored.keyword, str(d))
        for e in explanations
        if e.comparison is not None
        for d in e.comparison.differences
    ]
    assert wrong == []
    assert all(e.comparison is not None and e.comparison.figures >= 40 for e in explanations)


def test_the_explained_alerts_have_all_kinds_of_figures(explanations: list[Explanation]) -> None:
    windows = [window for e in explanations for window in e.stored.windows]
    assert {window["statistics_as_of"] for window in windows} == {date(2026, 1, 5)}
    assert {e.stored.alert["opened_by"] for e in explanations} == {"window", "hour"}
    assert {e.stored.alert["origin"] for e in explanations} == {"organic", "one text", None}
    assert any(
        e.stored.alert["opened_window"] < MIDNIGHT + timedelta(days=1) <= e.stored.alert["last_window"]
        for e in explanations
    )
    assert any(window["expected"] > 1 for window in windows)
    assert {e.stored.keyword for e in explanations if e.stored.alert["opened_window"] == HEAVY} >= {
        "avalanche",
        WORDS[2],
    }
    assert any(window["scale"] > 1 for window in windows)
    assert any(window["hourly_posts"] > window["posts"] for window in windows)


def test_a_stored_figure_that_does_not_follow_is_reported(
    world: Settings, explanations: list[Explanation]
) -> None:
    stored = explanations[0].stored
    start = stored.windows[0]["window_start"].isoformat()
    where = f"WHERE alert_id = '{stored.alert['alert_id']}' AND window_start = '{start}'"
    with changed(
        world,
        f"UPDATE alert_windows SET total_posts = total_posts + 1, moved_hours = 1 {where}",
        f"UPDATE alert_windows SET total_posts = total_posts - 1, moved_hours = 0 {where}",
    ):
        explanation = one(world, str(stored.alert["alert_id"]))
    assert not explanation.matches
    assert explanation.comparison is not None
    columns = sorted(difference.column for difference in explanation.comparison.differences)
    assert columns == ["moved_hours", "total_posts"]
    lines = list(explanation_lines(explanation, world))
    assert any(line.startswith("  Mismatch: 2 of ") for line in lines)
    assert any(line.startswith("  Clocks had just changed: 1 of its ") for line in lines)


def test_statistics_that_are_no_longer_kept_are_reported(
    world: Settings, explanations: list[Explanation]
) -> None:
    gone = "UPDATE traffic_statistics SET as_of = as_of - 1000 WHERE as_of = '2026-01-05'"
    with changed(
        world, gone, "UPDATE traffic_statistics SET as_of = as_of + 1000 WHERE as_of < '2025-01-01'"
    ):
        explanation = one(world, str(explanations[-1].stored.alert["alert_id"]))
    assert not explanation.matches
    assert explanation.problem is not None
    assert "are no longer kept (GROUNDSWELL_STATISTICS_KEEP_DAYS)" in explanation.problem


def test_an_alert_of_an_older_rule_is_described_and_not_recomputed(
    world: Settings, explanations: list[Explanation]
) -> None:
    alert = explanations[0].stored.alert
    update = "UPDATE anomaly_alerts SET rule_version = '{}' WHERE alert_id = '{}'"
    with changed(
        world,
        update.format("keywords-1 score-2", alert["alert_id"]),
        update.format(alert["rule_version"], alert["alert_id"]),
    ):
        explanation = one(world, str(alert["alert_id"]))
    assert explanation.comparison is None
    assert "it was decided by keywords-1 score-2; this version recomputes" in "\n".join(
        explanation_lines(explanation, world)
    )


def test_an_alert_with_an_open_window_is_reported_as_provisional(
    world: Settings, explanations: list[Explanation]
) -> None:
    key = explanations[0].stored.alert["alert_id"]
    begin, end = (
        f"UPDATE alert_windows SET closed = {closed} WHERE alert_id = '{key}'" for closed in ("false", "true")
    )
    with changed(world, begin, end):
        explanation = one(world, str(key))
    assert explanation.matches
    assert any(
        "Provisional: a window is still open" in line for line in explanation_lines(explanation, world)
    )


def test_a_keyword_selects_its_newest_alert_and_the_command_exits_with_0(
    world: Settings, explanations: list[Explanation]
) -> None:
    newest = max(explanations, key=lambda explanation: explanation.stored.alert["opened_window"]).stored.alert
    done = run(world, "groundswell", "explain", f"#{newest['keyword'].upper()}")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"alert {newest['alert_id']}" in done.stdout
    assert "posts by" in done.stdout.splitlines()[1]
    assert "stored figures match the archive exactly." in done.stdout


def test_the_command_starts_neither_spark_nor_other_slow_libraries(
    world: Settings, explanations: list[Explanation]
) -> None:
    alert = str(explanations[0].stored.alert["alert_id"])
    done = run(world, "groundswell", "explain", alert, options=("-X", "importtime"))
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert done.returncode == 0
    assert "duckdb" in imported
    assert imported & {"pyspark", "py4j", "pyiceberg", "sqlalchemy", "pandas", "boto3"} == set()


def test_without_s3_the_figures_could_not_be_checked(
    world: Settings, explanations: list[Explanation]
) -> None:
    away = world.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    done = run(away, "groundswell", "explain", str(explanations[0].stored.alert["alert_id"]))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("S3 does not answer at http://127.0.0.1:9. Start it")


def test_an_alert_that_does_not_exist_exits_with_2_and_says_what_to_do(world: Settings) -> None:
    done = run(world, "groundswell", "explain", "nosuchword")
    assert (done.returncode, done.stdout) == (2, "")
    assert "There is no alert 'nosuchword'. `groundswell alerts` prints all" in done.stderr
    with pytest.raises(BadInputError, match=r"no alert 'the'\. the is not counted: function word \(en\)\. `"):
        find_alerts(world, ["the"], every=False)
    with pytest.raises(BadInputError, match="Give either alerts"):
        find_alerts(world, [], every=False)


def test_posts_that_arrived_too_late_to_be_counted_are_reported(
    world: Settings, explanations: list[Explanation], spark_for
) -> None:
    stored = explanations[-1].stored
    at = stored.windows[0]["window_start"].timestamp() + 60
    archive_posts(
        spark_for(world),
        world,
        [a_post(time_stamp=at, itemInfos={"id": "77", "text": "unrelated"})],
        first_offset=10**9,
    )
    explanation = one(world, str(stored.alert["alert_id"]))
    assert explanation.matches
    assert any(
        "The archive holds 1 more post in the alert's windows than was counted" in line
        for line in explanation_lines(explanation, world)
    )
    late = a_post(time_stamp=at, itemInfos={"id": "78", "text": stored.keyword})
    archive_posts(spark_for(world), world, [late], first_offset=10**9 + 1)
    explanation = one(world, str(stored.alert["alert_id"]))
    assert explanation.comparison is not None
    assert "posts" in {difference.column for difference in explanation.comparison.differences}
    assert any(
        "The archive holds 2 more posts in the alert's windows than were counted" in line
        for line in explanation_lines(explanation, world)
    )
