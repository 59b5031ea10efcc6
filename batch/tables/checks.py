"""Step `checks`: compare a day with the archive and with earlier days, into quality_checks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_
from typing import Any

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import Column, DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from archive.days import read_archived_days, taken_between, usable_deliveries
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
NO_OFFSETS = {"kafka_offsets": 0, "archived_offsets": 0, "archived_twice": 0}
NO_POSTS = {"archived_posts": 0, "archived_in_windows": 0}


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
    return compare_day(settings, day, lambda: archived_figures(spark, settings, [day])[day])


def compare_day(settings: Settings, day: date, archived: Callable[[], dict[str, int]]) -> list[QualityCheck]:
    """Check `day` by its figures from `archived_figures`, and store the results; raises NotReadyError."""
    figures = {"day": day, "usual_days": USUAL_DAYS, "least_band": LEAST_BAND, "busy_posts": BUSY_POSTS}
    with transaction(settings, application_name="groundswell checks") as cursor:
        _check_there_is_something(cursor, day)
    figures |= archived()
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


def archived_figures(
    spark: SparkSession, settings: Settings, days: Sequence[date]
) -> dict[date, dict[str, int]]:
    """Count what the archive holds of each of `days`, which are in order, in few passes over all of them."""
    taken = taken_between(day_start(days[0]), day_start(days[-1] + ONE_DAY))
    offsets = _offsets(spark.table(RAW_POSTS), taken, F.to_date("kafka_time"))
    posts = _posts(read_archived_days(spark, settings, days[0], days[-1]), settings)
    return {day: offsets.get(day, NO_OFFSETS) | posts.get(day, NO_POSTS) for day in days}


def archived_offsets(archive: DataFrame, start: datetime, end: datetime) -> dict[str, int]:
    """Count the offsets that Kafka took from `start` to `end`, those archived, and those archived twice.

    Kafka's offsets are those from the first to the last in each partition: they have no gaps as long as the
    producer uses no transactions, which ours does not. Negative partitions are imports and are left out.
    """
    return _offsets(archive, taken_between(start, end), F.lit("all")).get("all", NO_OFFSETS)


def _offsets(archive: DataFrame, taken: Column, group: Column) -> dict[Any, dict[str, int]]:
    """Count as `archived_offsets` does, by the values of `group` among the records that were `taken`."""
    spans = (
        archive.where(taken & F.expr(FROM_KAFKA))
        .groupBy(group.alias("span"), "topic", "partition")
        .agg(F.min("offset").alias("first"), F.max("offset").alias("last"))
    )
    found = spans.collect()
    if not found:
        return {}
    # Iceberg skips files by this condition, which it cannot do by the join.
    near = reduce(
        or_,
        (
            (F.col("topic") == topic) & (F.col("partition") == partition) & F.col("offset").between(*ends)
            for (topic, partition), ends in _ends(found).items()
        ),
    )
    counted = (
        archive.where(near)
        .join(F.broadcast(spans), ["topic", "partition"])
        .where(F.col("offset").between(F.col("first"), F.col("last")))
        .groupBy("span")
        .agg(F.count(F.lit(1)), F.count_distinct("topic", "partition", "offset"))
    )
    figures = {}
    for span, records, archived in counted.collect():
        offsets = sum(row["last"] - row["first"] + 1 for row in found if row.span == span)
        figures[span] = {
            "kafka_offsets": offsets,
            "archived_offsets": archived,
            "archived_twice": records - archived,
        }
    return figures


def _ends(spans: Sequence[Row]) -> dict[tuple[str, int], tuple[int, int]]:
    """Return the first and the last offset of each topic and partition."""
    ends: dict[tuple[str, int], tuple[int, int]] = {}
    for span in spans:
        key = span["topic"], span["partition"]
        first, last = ends.get(key, (span["first"], span["last"]))
        ends[key] = min(first, span["first"]), max(last, span["last"])
    return ends


def _posts(records: DataFrame, settings: Settings) -> dict[date, dict[str, int]]:
    """Count distinct usable ids among the records of each day, and distinct pairs of id and window."""
    counted = (
        usable_deliveries(records, settings)
        .groupBy("day")
        .agg(F.count_distinct("post_id"), F.count_distinct("post_id", "window"))
    )
    return {
        day: {"archived_posts": posts, "archived_in_windows": in_windows}
        for day, posts, in_windows in counted.collect()
    }
