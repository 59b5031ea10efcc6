"""The archive query: every Kafka record, byte for byte, exactly once, into `lake.tiktok.raw_posts`."""

from uuid import uuid4

from pyspark.sql import SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from archive.table import archive_rows
from core.catalog import RAW_POSTS
from core.settings import Settings
from streaming.resume import offsets_after_archive
from streaming.session import background_tasks
from streaming.source import read_records

QUERY = "archive"


def start_archive(
    spark: SparkSession, settings: Settings, *, checkpoint: str, accept_loss: bool = False, once: bool = False
) -> StreamingQuery:
    """Start the query; each batch is one commit and so one snapshot.

    `once` drains what Kafka holds now, with all cores, and ends. With a new checkpoint the query starts after
    what the archive already holds. `accept_loss` resumes after records that Kafka has deleted. Every start
    writes to a new folder: Iceberg names a file by query, batch and task, so a batch repeated after a kill
    would otherwise overwrite committed files.
    """
    topics = [settings.posts_topic, settings.rejected_topic]
    folder = f"{settings.warehouse}/tiktok/raw_posts/data/{uuid4().hex}"
    spark.sql(f"ALTER TABLE {RAW_POSTS} SET TBLPROPERTIES ('write.data.path' = '{folder}')")
    starting_offsets = offsets_after_archive(spark, settings, topics=topics, checkpoint=checkpoint)
    records = read_records(
        spark, settings, topics=topics, starting_offsets=starting_offsets, accept_loss=accept_loss
    )
    tasks = None if once else background_tasks(settings.spark_master)
    writer = (
        (records.coalesce(tasks) if tasks else records)
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
