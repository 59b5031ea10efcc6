"""The archive as batch reads it: the records of one day out of `lake.tiktok.raw_posts`."""

from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession

from core.archive import read_archive
from core.settings import Settings


def day_start(day: date) -> datetime:
    """Midnight in UTC with which `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_archived_day(spark: SparkSession, settings: Settings, day: date, *, evening: timedelta = timedelta(0)) -> DataFrame:
    """The archived records of the posts' topic with an event time in `day`, one row a record, as they were delivered.

    With `evening` also those of so much time before it. Reads one partition of the archive, or two. What batch makes of
    records does not change when one comes twice.
    """
    return read_archive(spark, settings, [(day_start(day) - evening, day_start(day + timedelta(days=1)))])


def has_posts(spark: SparkSession, settings: Settings, day: date) -> bool:
    """Whether the archive holds a post of `day`."""
    return bool(read_archived_day(spark, settings, day).select("offset").head(1))
