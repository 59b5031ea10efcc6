"""Laws of the audit: Kafka, archive, detection and batch add up; what does not is named with its place."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from alerts.step import FAR
from batch.audit import Audit, audit, lines_of
from core.catalog import RAW_POSTS
from core.settings import Settings
from sql.connection import transaction
from tests.archived import archive_posts, run_batch
from tests.integration.test_detection import a_value
from tests.kafka_posts import drain_topics, let_time_decide, send

MIDNIGHT = datetime.combine(datetime.now(UTC).date() - timedelta(days=1), datetime.min.time(), UTC)
DAY = MIDNIGHT.date()
TODAY = datetime.now(UTC).date()
ONE_PARTITION = "WHERE query = 'archive' AND partition = 1 AND %s IS NOT NULL"


@pytest.fixture(scope="module")
def lake(spark_for, module_settings: Settings) -> SparkSession:
    """Four hours of 80 posts: one twice, one again in another window, one late; two rejected; 5 imported."""
    spark: SparkSession = spark_for(module_settings)
    posts = [a_value(n, MIDNIGHT + timedelta(minutes=3 * n), "snow", author=n) for n in range(1, 81)]
    again, elsewhere = posts[0], a_value(2, MIDNIGHT + timedelta(hours=2), "snow", author=2)
    late = a_value(500, MIDNIGHT + timedelta(minutes=1), "snow", author=9)
    for values in ([*posts[:60], again, elsewhere, b"broken", b"[]"], posts[60:], [late]):
        send(module_settings, values)
        drain_topics(spark, module_settings)
    let_time_decide(module_settings, FAR)
    imported = [a_value(900 + n, MIDNIGHT + timedelta(hours=20), "snow", author=n) for n in range(5)]
    archive_posts(
        spark, module_settings, imported, first_offset=-1_000, partition=-7, kafka_time=datetime.now(UTC)
    )
    run_batch(spark, module_settings, [DAY])
    return spark


def found(lake: SparkSession, settings: Settings) -> Audit:
    """The audit of yesterday, when the posts happened, and today, when Kafka took them."""
    return audit(lake, settings, DAY, max(TODAY, datetime.now(UTC).date()))


def test_everything_adds_up(lake: SparkSession, module_settings: Settings) -> None:
    whole = found(lake, module_settings)
    assert (whole.kafka_offsets, whole.archived_offsets) == (85, 85)
    assert (whole.rejected, whole.rejected_rows) == (2, 2)
    (day,) = whole.days
    assert (day.day, day.records, day.imported, day.posts, day.loaded) == (DAY, 88, 5, 86, 86)
    assert (day.duplicates, day.counted, day.late) == (1, 81, 1)
    assert list(lines_of(whole))[-1].endswith(": nothing missing, nothing duplicated.")


@pytest.mark.parametrize(
    ("change", "undo", "problem"),
    [
        (
            "UPDATE traffic_windows SET posts = posts + 9 WHERE window_start = %s",
            "UPDATE traffic_windows SET posts = posts - 9 WHERE window_start = %s",
            "detection counted more posts than the archive holds in 1 windows (01:00)",
        ),
        (
            "UPDATE batch_days SET loaded_posts = 85 WHERE %s IS NOT NULL",
            "UPDATE batch_days SET loaded_posts = 86 WHERE %s IS NOT NULL",
            "85 posts were loaded, the archive holds 86; run groundswell batch",
        ),
        (
            "UPDATE rejected_records SET kafka_time = kafka_time - interval '9 days' WHERE %s IS NOT NULL",
            "UPDATE rejected_records SET kafka_time = kafka_time + interval '9 days' WHERE %s IS NOT NULL",
            "rejected_records has 0 rows of 2 rejected records",
        ),
        (
            f"UPDATE pipeline_progress SET end_offset = end_offset + 4 {ONE_PARTITION}",
            f"UPDATE pipeline_progress SET end_offset = end_offset - 4 {ONE_PARTITION}",
            "the archive query is 4 records behind Kafka",
        ),
    ],
)
def test_what_does_not_add_up_is_named(
    lake: SparkSession, module_settings: Settings, change: str, undo: str, problem: str
) -> None:
    for statement in (change, undo):
        with transaction(module_settings) as cursor:
            cursor.execute(statement, (MIDNIGHT + timedelta(hours=1),))
        if statement == change:
            (reported,) = found(lake, module_settings).problems()
    assert problem in reported


def test_records_that_the_archive_lost_or_doubled_are_counted(
    lake: SparkSession, module_settings: Settings
) -> None:
    record = lake.table(RAW_POSTS).where("partition = 1 AND offset = 3").collect()[0]
    lake.createDataFrame([record], lake.table(RAW_POSTS).schema).writeTo(RAW_POSTS).append()
    assert "1 records are in the archive twice" in list(found(lake, module_settings).problems())
    lake.sql(f"DELETE FROM {RAW_POSTS} WHERE partition = 1 AND offset = 3")
    assert "1 of 85 offsets are not in the archive" in list(found(lake, module_settings).problems())


def test_a_period_without_records_has_no_problems(lake: SparkSession, module_settings: Settings) -> None:
    assert list(audit(lake, module_settings, date(2020, 1, 1), date(2020, 1, 2)).problems()) == []
