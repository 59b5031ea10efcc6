"""The archive as the batch reads it: the records of one day of `lake.tiktok.raw_posts`."""

from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.table import read_archive
from core.catalog import IMPORTED, RAW_POSTS
from core.records import IDENTITY_SCHEMA, parse_records
from core.settings import Settings
from core.windows import ONE_DAY, WINDOW, day_start


def read_archived_day(
    spark: SparkSession, settings: Settings, day: date, *, lookback: timedelta = timedelta(0)
) -> DataFrame:
    """Return the archived posts with an event time in `day`, and in `lookback` before it.

    Grain: one row per record, as delivered. Reads one partition of the archive, or two. The batch's results
    do not depend on whether a record appears twice.
    """
    return read_archived_days(spark, settings, day, day, lookback=lookback)


def read_archived_days(
    spark: SparkSession, settings: Settings, first: date, last: date, *, lookback: timedelta = timedelta(0)
) -> DataFrame:
    """Return the archived posts from `first` to `last`, both included, and of `lookback` before them."""
    return read_archive(spark, settings, [(day_start(first) - lookback, day_start(last + ONE_DAY))])


def usable_deliveries(records: DataFrame, settings: Settings) -> DataFrame:
    """Return the usable deliveries as post_id, window (number), day (date), imported (came from a file)."""
    window = F.floor(F.unix_seconds("event_time") / int(WINDOW.total_seconds()))
    parsed = records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=settings.future_minutes)
    return parsed.where(F.col("post_id").isNotNull()).select(
        "post_id",
        window.alias("window"),
        F.to_date("event_time").alias("day"),
        F.expr(IMPORTED).alias("imported"),
    )


def taken_between(start: datetime, end: datetime) -> Column:
    """Return whether Kafka received the record at or after `start` and before `end`."""
    return (F.col("kafka_time") >= F.lit(start)) & (F.col("kafka_time") < F.lit(end))


def days_with_posts(spark: SparkSession) -> set[date]:
    """Return the days that have posts in the archive; Iceberg answers from metadata."""
    return set(records_by_day(spark))


def records_by_day(spark: SparkSession) -> dict[date, int]:
    """Return how many records each day with posts has in the archive; Iceberg answers from metadata."""
    days = (
        spark.table(f"{RAW_POSTS}.partitions")
        .where("record_count > 0 AND partition.event_time_day IS NOT NULL")
        .groupBy("partition.event_time_day")
        .agg(F.sum("record_count"))
        .collect()
    )
    return dict(map(tuple, days))


def has_posts(spark: SparkSession, settings: Settings, day: date) -> bool:
    """Return whether the archive has a post of `day`."""
    return bool(read_archived_day(spark, settings, day).select("offset").head(1))
