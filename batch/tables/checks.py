"""Step `checks`: whether a day's tables are what the archive says, and whether the day was like those before; rows of quality_checks."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import reduce
from operator import or_

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.days import read_archived_day, taken_between, usable_deliveries
from batch.days import command
from core.catalog import FROM_KAFKA, RAW_POSTS
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from sql.connection import query, transaction

USUAL_DAYS = 14
"""Days before by which a share is usual."""
LEAST_BAND = 0.02
"""A share may always differ from its mean by so much, and by four standard deviations."""
BUSY_POSTS = 20.0
"""Posts that an hour usually has at least where none at all is worth telling."""


@dataclass(frozen=True, slots=True)
class QualityCheck:
    """One row of quality_checks."""

    name: str
    value: float
    expected: str
    passed: bool
    blocking: bool

    def __str__(self) -> str:
        return f"{self.name} is {self.value:g}, expected is {self.expected}"


def check_day(spark: SparkSession, settings: Settings, day: date) -> list[QualityCheck]:
    """QualityCheck `day` and keep the results; raises NotReadyError where it was not loaded."""
    figures = {"day": day, "usual_days": USUAL_DAYS, "least_band": LEAST_BAND, "busy_posts": BUSY_POSTS}
    with transaction(settings, application_name="groundswell checks") as cursor:
        cursor.execute(query("loaded_days"), {"days": [day]})
        if cursor.fetchone() is None:
            raise NotReadyError(
                f"{day} is not loaded yet: there is nothing to check. Run: {command(day, day)} --steps load,trends,checks"
            )
    figures |= archived_offsets(spark.table(RAW_POSTS), day_start(day), day_start(day + ONE_DAY))
    figures |= _archived_posts(read_archived_day(spark, settings, day), settings)
    with transaction(settings, application_name="groundswell checks") as cursor:
        cursor.execute(query("replace_quality_checks"), figures)
        return [QualityCheck(*row) for row in cursor.fetchall()]


def archived_offsets(archive: DataFrame, start: datetime, end: datetime) -> dict[str, int]:
    """Offsets from the first to the last that Kafka took in a time, in every partition; those archived, and those archived twice.

    Offsets follow one another without a gap where the producer has no transactions, as ours. Negative partitions are imports.
    """
    ends = (
        archive.where(taken_between(start, end) & F.expr(FROM_KAFKA))
        .groupBy("topic", "partition")
        .agg(F.min("offset"), F.max("offset"))
        .collect()
    )
    if not ends:
        return {"kafka_offsets": 0, "archived_offsets": 0, "archived_twice": 0}
    between = reduce(
        or_,
        (
            (F.col("topic") == topic) & (F.col("partition") == place) & F.col("offset").between(first, last)
            for topic, place, first, last in ends
        ),
    )
    records, archived = (
        archive.where(between)
        .agg(F.count(F.lit(1)), F.count_distinct("topic", "partition", "offset"))
        .collect()[0]
    )
    offsets = sum(last - first + 1 for _, _, first, last in ends)
    return {"kafka_offsets": offsets, "archived_offsets": archived, "archived_twice": records - archived}


def _archived_posts(records: DataFrame, settings: Settings) -> dict[str, int]:
    """Distinct usable ids among a day's records, and distinct pairs of id and window."""
    usable = usable_deliveries(records, settings)
    posts, in_windows = usable.agg(
        F.count_distinct("post_id"), F.count_distinct("post_id", "window")
    ).collect()[0]
    return {"archived_posts": posts, "archived_in_windows": in_windows}
