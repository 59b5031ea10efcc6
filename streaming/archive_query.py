"""The archive query: every Kafka record, byte for byte, into the Iceberg table `lake.tiktok.raw_posts`, exactly once."""

from uuid import uuid4

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from archive.table import archive_rows
from core.catalog import RAW_POSTS
from core.settings import Settings
from streaming.resume import offsets_behind_archive
from streaming.source import read_records

QUERY = "archive"


def start_archive(
    spark: SparkSession, settings: Settings, *, checkpoint: str, accept_loss: bool = False, once: bool = False
) -> StreamingQuery:
    """Start the query; `once` drains what Kafka holds now and ends. One commit, so one snapshot, a batch.

    With a new checkpoint it begins behind what the archive holds. `accept_loss` goes on behind records that Kafka has thrown away.
    Every start writes into a folder of its own: Iceberg names a file by query, batch and task, so a batch that is repeated after a
    kill would write over files that are committed.
    """
    topics = [settings.posts_topic, settings.rejected_topic]
    folder = f"{settings.warehouse}/tiktok/raw_posts/data/{uuid4().hex}"
    spark.sql(f"ALTER TABLE {RAW_POSTS} SET TBLPROPERTIES ('write.data.path' = '{folder}')")
    starting_offsets = offsets_behind_archive(spark, settings, topics=topics, checkpoint=checkpoint)
    writer = (
        read_records(
            spark, settings, topics=topics, starting_offsets=starting_offsets, accept_loss=accept_loss
        )
        .transform(archive_rows, settings=settings)
        .writeStream.queryName(QUERY)
        .format("iceberg")
        .outputMode("append")
        .option("fanout-enabled", "true")
        .option("checkpointLocation", checkpoint)
    )
    trigger = (
        writer.trigger(availableNow=True)
        if once
        else writer.trigger(processingTime=f"{settings.archive_trigger_seconds} seconds")
    )
    return trigger.toTable(RAW_POSTS)
