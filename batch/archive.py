"""The archive as batch reads it: the records of one day out of `lake.tiktok.raw_posts`."""

from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from core.settings import Settings
from core.spark import RAW_POSTS

SPLIT_BYTES = 4 * 1024 * 1024
"""Compressed bytes that one task reads: small enough that a day of 20,000 posts keeps two cores busy."""


def day_start(day: date) -> datetime:
    """Midnight in UTC with which `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_archived_day(spark: SparkSession, settings: Settings, day: date) -> DataFrame:
    """The archived records of the posts' topic with an event time in `day`, one row a record, as they were delivered.

    Reads one partition of the archive. A record may stand there twice after a repair of the archive: what batch makes
    of records does not change when one comes twice.
    """
    return (
        spark.read.option("split-size", str(SPLIT_BYTES))
        .option("file-open-cost", str(SPLIT_BYTES // 4))
        .table(RAW_POSTS)
        .where(
            (F.col("event_time") >= F.lit(day_start(day)))
            & (F.col("event_time") < F.lit(day_start(day + timedelta(days=1))))
            & (F.col("topic") == settings.posts_topic)
        )
    )


def has_posts(spark: SparkSession, settings: Settings, day: date) -> bool:
    """Whether the archive holds a post of `day`."""
    return bool(read_archived_day(spark, settings, day).select("offset").head(1))
