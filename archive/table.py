"""The archive `lake.tiktok.raw_posts`: its table, records as its rows, and reading spans of event time."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.spans import Span, merged, no_archive
from core.catalog import CATALOG, RAW_POSTS
from core.records import IDENTITY_SCHEMA, parse_records
from core.settings import Settings

SPLIT_BYTES = 4 * 1024 * 1024
"""Compressed bytes per task: small enough that a day of 20,000 posts keeps two cores busy."""

CREATE_RAW_POSTS = f"""
CREATE TABLE IF NOT EXISTS {RAW_POSTS} (
    value      binary    COMMENT 'the record, byte for byte',
    key        binary    COMMENT 'its Kafka key: the post id',
    topic      string    COMMENT 'Kafka topic',
    partition  int       COMMENT 'Kafka partition',
    offset     bigint    COMMENT 'Kafka offset',
    kafka_time timestamp COMMENT 'when Kafka received the record',
    event_time timestamp COMMENT 'time_stamp of the post; null where the record was rejected'
)
USING iceberg
PARTITIONED BY (days(event_time))
TBLPROPERTIES (
    'format-version' = '2',
    'write.parquet.compression-codec' = 'zstd',
    'write.distribution-mode' = 'none',
    'write.metadata.delete-after-commit.enabled' = 'true',
    'write.metadata.previous-versions-max' = '20'
)
"""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def create_archive(spark: SparkSession) -> None:
    """Create namespace and table if they do not exist."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.tiktok")
    spark.sql(CREATE_RAW_POSTS)


def archive_rows(records: DataFrame, *, settings: Settings) -> DataFrame:
    """Return Kafka records as rows of the archive.

    `event_time` is null for rejected records and for records of other topics than the posts'.
    """
    parsed = records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=settings.future_minutes)
    event_time = F.when(F.col("topic") == settings.posts_topic, F.col("event_time")).alias("event_time")
    return parsed.select("value", "key", "topic", "partition", "offset", "kafka_time", event_time)


def is_rejected(settings: Settings) -> Column:
    """Return whether an archived record was rejected: of the posts or rejected topic, and no event time.

    Records of any other topic have no event time either, but nothing has rejected them.
    """
    topics = [settings.posts_topic, settings.rejected_topic]
    return F.col("topic").isin(topics) & F.col("event_time").isNull()


def read_archive(spark: SparkSession, settings: Settings, spans: Iterable[Span]) -> DataFrame:
    """Return the archived records of the posts' topic with an event time in one of `spans`.

    Grain: one row per record, as delivered. Reads only partitions and files that overlap a span. A record may
    appear twice after a repair of the archive, and a post may have been delivered more than once: callers
    that count have to deduplicate. Raises NotReadyError if there is no archive yet.
    """
    _require_archive(spark)
    return (
        spark.read.option("split-size", str(SPLIT_BYTES))
        .option("file-open-cost", str(SPLIT_BYTES // 4))
        .table(RAW_POSTS)
        .where(_within(merged(spans)) & (F.col("topic") == settings.posts_topic))
    )


def archived_span(spark: SparkSession) -> Span | None:
    """Return the event times of the oldest and the newest archived post, both included; None without posts.

    Iceberg answers from metadata. Raises NotReadyError if there is no archive yet.
    """
    _require_archive(spark)
    times = [
        F.unix_micros(edge("event_time")).alias(name) for name, edge in (("oldest", F.min), ("newest", F.max))
    ]
    [row] = spark.table(RAW_POSTS).select(*times).collect()
    return (
        None
        if row.oldest is None
        else (_EPOCH + timedelta(microseconds=row.oldest), _EPOCH + timedelta(microseconds=row.newest))
    )


def _require_archive(spark: SparkSession) -> None:
    if not spark.catalog.tableExists(RAW_POSTS):
        raise no_archive()


def _within(spans: list[Span]) -> Column:
    event_time = F.col("event_time")
    return reduce(
        or_, ((event_time >= F.lit(start)) & (event_time < F.lit(end)) for start, end in spans), F.lit(False)
    )
