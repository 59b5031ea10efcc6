"""Step `checks`: compare a day with the archive and with earlier days, into quality_checks."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.days import read_archived_day, taken_between, usable_deliveries
from batch.days import command, loaded_days
from batch.tables.partitions import partition_name
from core.catalog import FROM_KAFKA, RAW_POSTS
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from sql.connection import query, transaction

USUAL_DAYS = 14
"""Number of earlier days that define what is usual for a share."""
LEAST_BAND = 0.02
"""Least deviation from its mean that a share is allowed; otherwise four standard deviations."""
BUSY_POSTS = 20.0
"""Expected posts from which an hour without any post is reported."""


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One row of quality_checks; the columns that `replace_quality_checks.sql` returns."""

    name: str
    value: float
    expected: str
    passed: bool
    blocking: bool

    def __str__(self) -> str:
        return f"{self.name} is {self.value:g} (expected {self.expected})"


def check_day(spark: SparkSession, settings: Settings, day: date) -> list[QualityCheck]:
    """Check `day` and store the results; raises NotReadyError if it was not loaded or is no longer kept."""
    figures = {"day": day, "usual_days": USUAL_DAYS, "least_band": LEAST_BAND, "busy_posts": BUSY_POSTS}
    with transaction(settings, application_name="groundswell checks") as cursor:
        _check_there_is_something(cursor, day)
    figures |= archived_offsets(spark.table(RAW_POSTS), day_start(day), day_start(day + ONE_DAY))
    figures |= _archived_posts(read_archived_day(spark, settings, day), settings)
    with transaction(settings, application_name="groundswell checks") as cursor:
        cursor.execute(query("replace_quality_checks"), figures)
        return [QualityCheck(*row) for row in cursor.fetchall()]


def _check_there_is_something(cursor: Cursor, day: date) -> None:
    run = f"Run: {command(day, day)} --steps load,trends,checks"
    loaded = loaded_days(cursor, [day])
    if not loaded:
        raise NotReadyError(f"{day} has not been loaded yet, so there is nothing to check. {run}")
    cursor.execute("SELECT to_regclass(%s) IS NULL", (partition_name("post_stats", day),))
    (is_dropped,) = cursor.fetchone() or (False,)
    if is_dropped and loaded[0].posts:
        raise NotReadyError(
            f"The rows of {day} in post_stats are no longer kept (GROUNDSWELL_HISTORY_KEEP_DAYS), so there "
            f"is nothing to check. {run}"
        )


def archived_offsets(archive: DataFrame, start: datetime, end: datetime) -> dict[str, int]:
    """Count the offsets that Kafka took from `start` to `end`, those archived, and those archived twice.

    Kafka's offsets are those from the first to the last in each partition: they have no gaps as long as the
    producer uses no transactions, which ours does not. Negative partitions are imports and are left out.
    """
    spans = (
        archive.where(taken_between(start, end) & F.expr(FROM_KAFKA))
        .groupBy("topic", "partition")
        .agg(F.min("offset"), F.max("offset"))
        .collect()
    )
    if not spans:
        return {"kafka_offsets": 0, "archived_offsets": 0, "archived_twice": 0}
    in_spans = reduce(
        or_,
        (
            (F.col("topic") == topic)
            & (F.col("partition") == partition)
            & F.col("offset").between(first, last)
            for topic, partition, first, last in spans
        ),
    )
    records, archived = (
        archive.where(in_spans)
        .agg(F.count(F.lit(1)), F.count_distinct("topic", "partition", "offset"))
        .collect()[0]
    )
    offsets = sum(last - first + 1 for _, _, first, last in spans)
    return {"kafka_offsets": offsets, "archived_offsets": archived, "archived_twice": records - archived}


def _archived_posts(records: DataFrame, settings: Settings) -> dict[str, int]:
    """Count distinct usable ids among a day's records, and distinct pairs of id and window."""
    usable = usable_deliveries(records, settings)
    posts, in_windows = usable.agg(
        F.count_distinct("post_id"), F.count_distinct("post_id", "window")
    ).collect()[0]
    return {"archived_posts": posts, "archived_in_windows": in_windows}
