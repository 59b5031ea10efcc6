"""The archive query: every Kafka record, byte for byte, into the Iceberg table `lake.tiktok.raw_posts`, exactly once."""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from core.records import IDENTITY_SCHEMA, parse_records
from core.settings import Settings
from core.spark import CATALOG, RAW_POSTS
from streaming.source import read_records

QUERY = "archive"

CREATE_RAW_POSTS = f"""
CREATE TABLE IF NOT EXISTS {RAW_POSTS} (
    value      binary    COMMENT 'the record, byte for byte',
    key        binary    COMMENT 'its Kafka key: the post id',
    topic      string    COMMENT 'Kafka topic',
    partition  int       COMMENT 'Kafka partition',
    offset     bigint    COMMENT 'Kafka offset',
    kafka_time timestamp COMMENT 'when Kafka took the record',
    event_time timestamp COMMENT 'time_stamp of the post; null where the record was refused'
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


def create_archive(spark: SparkSession) -> None:
    """Create namespace and table where they are not there yet."""
    spark.sql(f"CREATE NAMESPACE IF NOT EXISTS {CATALOG}.tiktok")
    spark.sql(CREATE_RAW_POSTS)


def archive_rows(records: DataFrame, *, settings: Settings) -> DataFrame:
    """Kafka records as rows of the archive; `event_time` is null for what is refused and for other topics than the posts'."""
    parsed = records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=settings.future_minutes)
    event_time = F.when(F.col("topic") == settings.posts_topic, F.col("event_time")).alias("event_time")
    return parsed.select("value", "key", "topic", "partition", "offset", "kafka_time", event_time)


def start_archive(spark: SparkSession, settings: Settings, *, checkpoint: str, once: bool = False) -> StreamingQuery:
    """Start the query; `once` drains what Kafka holds now and ends. One commit, so one snapshot, a batch."""
    topics = [settings.posts_topic, settings.rejected_topic]
    writer = (
        read_records(spark, settings, topics=topics)
        .transform(archive_rows, settings=settings)
        .writeStream.queryName(QUERY)
        .format("iceberg")
        .outputMode("append")
        .option("fanout-enabled", "true")
        .option("checkpointLocation", checkpoint)
    )
    trigger = writer.trigger(availableNow=True) if once else writer.trigger(processingTime=f"{settings.archive_trigger_seconds} seconds")
    return trigger.toTable(RAW_POSTS)
