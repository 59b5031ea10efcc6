"""Laws of the checks: a day that matches the archive passes; what is lost, doubled or unusual is named."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.run import Step
from batch.tables.checks import QualityCheck, check_day
from core.errors import NotReadyError, QualityError
from core.settings import Settings
from sql.connection import transaction
from tests.archived import KAFKA_TIME, archive_posts, run_batch
from tests.factories import ABSENT, a_post

DAY = KAFKA_TIME.date()
BEFORE = [DAY - timedelta(days=back) for back in (3, 2, 1)]
STEPS = [Step.LOAD, Step.TRENDS, Step.STATISTICS, Step.CHECKS]
POSTS = 10


def posts_of(day: date, **infos: Any) -> list[dict[str, Any]]:
    midnight = KAFKA_TIME.timestamp() + (day - DAY).days * 86_400
    number = 1_000 * day.day
    return [
        a_post(time_stamp=midnight + n, itemInfos={"id": str(number + n), "text": "snow", **infos})
        for n in range(1, POSTS + 1)
    ]


@pytest.fixture(scope="module")
def lake(spark_for, module_settings: Settings) -> SparkSession:
    """Four days; Kafka took all records on the last of them. Offsets continue from day to day."""
    spark: SparkSession = spark_for(module_settings)
    for number, day in enumerate([*BEFORE, DAY]):
        plays = ABSENT if day == DAY else 100
        posts = posts_of(day, playCount=plays)
        archive_posts(spark, module_settings, posts, first_offset=number * POSTS, kafka_time=KAFKA_TIME)
    return spark


@pytest.fixture(scope="module")
def lines(lake: SparkSession, module_settings: Settings) -> list[str]:
    """What the batch prints for the four days."""
    return run_batch(lake, module_settings, [*BEFORE, DAY], STEPS)


def found(checks: list[QualityCheck]) -> dict[str, QualityCheck]:
    return {check.name: check for check in checks}


@contextmanager
def changed(settings: Settings, *statements: str) -> Iterator[None]:
    """Postgres with a change, which the second statement undoes."""
    change, undo = statements
    with transaction(settings) as cursor:
        cursor.execute(change)
    try:
        yield
    finally:
        with transaction(settings) as cursor:
            cursor.execute(undo)


def test_a_day_that_matches_the_archive_passes_and_every_check_is_a_row(
    lines: list[str], module_settings: Settings
) -> None:
    passed = [line for line in lines if " checks " in line and "passed" in line]
    assert [line.partition(",")[0] for line in passed[:2]] == [
        f"{day}  checks      15 of 15 passed" for day in BEFORE[:2]
    ]
    with transaction(module_settings) as cursor:
        cursor.execute(
            "SELECT day, count(*) FROM quality_checks WHERE passed AND blocking GROUP BY day ORDER BY day"
        )
        assert cursor.fetchall() == [(day, 7) for day in [*BEFORE, DAY]]
        cursor.execute(
            'SELECT value, expected FROM quality_checks WHERE day = %s AND "check" = %s',
            (DAY, "archived offsets"),
        )
        assert cursor.fetchall() == [(4.0 * POSTS, str(4 * POSTS))]


def test_a_share_of_nulls_outside_its_usual_band_is_reported_and_blocks_nothing(lines: list[str]) -> None:
    assert [line for line in lines if "unusual" in line] == [
        f"{DAY}  checks      unusual: share of unknown plays is 1 (expected 0.000 to 0.020)"
    ]


@pytest.mark.parametrize(
    ("change", "undo", "check"),
    [
        (
            "UPDATE posts SET post_id = post_id + 900000 WHERE post_id = 1001",
            "UPDATE posts SET post_id = 1001 WHERE post_id > 900000",
            "posts lost",
        ),
        (
            "UPDATE batch_days SET loaded_posts = 9 WHERE day = '2026-06-01'",
            "UPDATE batch_days SET loaded_posts = 10",
            "posts loaded",
        ),
        (
            "UPDATE daily_trends SET posts = 11 WHERE kind = 'all'",
            "UPDATE daily_trends SET posts = 10 WHERE kind = 'all'",
            "posts in trends",
        ),
    ],
)
@pytest.mark.usefixtures("lines")
def test_tables_that_differ_from_the_archive_are_named_with_day_and_check(
    lake: SparkSession, module_settings: Settings, change: str, undo: str, check: str
) -> None:
    with (
        changed(module_settings, change, undo),
        pytest.raises(QualityError, match=rf"^{DAY} failed its checks: {check} is"),
    ):
        run_batch(lake, module_settings, [DAY], [Step.CHECKS])
    assert found(check_day(lake, module_settings, DAY))[check].passed


@pytest.mark.usefixtures("lines")
def test_offsets_that_are_missing_or_twice_in_the_archive_are_found(
    lake: SparkSession, module_settings: Settings
) -> None:
    archive_posts(lake, module_settings, [b"again"], first_offset=4 * POSTS - 1)
    archive_posts(lake, module_settings, [b"after a gap of two"], first_offset=4 * POSTS + 2)
    checks = found(check_day(lake, module_settings, DAY))
    assert (checks["archived offsets"].value, checks["archived offsets"].expected) == (
        4 * POSTS + 1,
        str(4 * POSTS + 3),
    )
    assert (checks["records archived twice"].value, checks["records archived twice"].passed) == (1, False)


@pytest.mark.usefixtures("lines")
def test_a_day_whose_rows_are_no_longer_kept_is_one_sentence(
    lake: SparkSession, module_settings: Settings
) -> None:
    partition = f"post_stats_{BEFORE[0]:%Y%m%d}"
    change = f"ALTER TABLE post_stats DETACH PARTITION {partition}; ALTER TABLE {partition} RENAME TO aside"
    undo = (
        f"ALTER TABLE aside RENAME TO {partition}; "
        f"ALTER TABLE post_stats ATTACH PARTITION {partition} FOR VALUES IN ('{BEFORE[0]}')"
    )
    with (
        changed(module_settings, change, undo),
        pytest.raises(NotReadyError, match=rf"rows of {BEFORE[0]} in post_stats are no longer kept"),
    ):
        check_day(lake, module_settings, BEFORE[0])


def test_an_empty_day_passes_and_one_that_was_not_loaded_is_refused(
    lake: SparkSession, module_settings: Settings
) -> None:
    empty = DAY + timedelta(days=1)
    with pytest.raises(NotReadyError, match=f"{empty} has not been loaded yet, so there is nothing to check"):
        check_day(lake, module_settings, empty)
    run_batch(lake, module_settings, [empty], [Step.LOAD, Step.CHECKS])
    assert all(check.passed for check in check_day(lake, module_settings, empty) if check.blocking)
