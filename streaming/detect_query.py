"""The detect query: Kafka to live counts to alerts, early, while windows are still open."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from alerts.step import apply_counts, lock_detection
from core.settings import Settings
from detection.window_counts import collect_counts, count_keywords_per_window
from sql.connection import query, transaction
from streaming.failures import short_interruption
from streaming.source import read_records

QUERY = "detect"

LEDGER_BATCHES = 1_000
"""Batches that the ledger keeps; Spark repeats only the newest one."""

log = logging.getLogger(__name__)


def start_detect(
    spark: SparkSession,
    settings: Settings,
    *,
    checkpoint: str,
    starting_offsets: str = "earliest",
    phrases: Sequence[str] = (),
    accept_loss: bool = False,
    once: bool = False,
) -> StreamingQuery:
    """Start the query, which counts keywords and the watched `phrases`.

    `once` drains what Kafka holds now and ends. `accept_loss` resumes after records that Kafka deleted before
    they were counted.
    """
    records = read_records(
        spark,
        settings,
        topics=[settings.posts_topic],
        starting_offsets=starting_offsets,
        accept_loss=accept_loss,
    )
    counts = records.transform(
        count_keywords_per_window,
        lateness_minutes=settings.lateness_minutes,
        future_minutes=settings.future_minutes,
        phrases=phrases,
    )
    writer = (
        counts.writeStream.queryName(QUERY)
        .outputMode("update")
        .option("checkpointLocation", checkpoint)
        .foreachBatch(batch_writer(settings))
    )
    if once:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{settings.detect_trigger_seconds} seconds").start()


def batch_writer(settings: Settings) -> Callable[[DataFrame, int], None]:
    """Return the foreachBatch function, applying each batch's changed counts once, in one transaction."""

    def write_batch(counts: DataFrame, batch_id: int) -> None:
        query_id = UUID(counts.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        with short_interruption():
            changed = collect_counts(counts)
        with transaction(settings, application_name="groundswell detect") as cursor:
            lock_detection(cursor)
            if not _enter_in_ledger(cursor, query_id, batch_id, changed.last_post_at):
                log.info("batch %s was committed before the restart and is not repeated", batch_id)
                return
            apply_counts(cursor, settings, changed)

    return write_batch


def _enter_in_ledger(cursor: Cursor, query_id: UUID, batch_id: int, last_post_at: datetime | None) -> bool:
    """Record the batch as done, in the transaction that does it; returns False if it already was."""
    cursor.execute(
        query("forget_detect_batches"), {"query_id": query_id, "before": batch_id - LEDGER_BATCHES}
    )
    cursor.execute(
        query("insert_detect_batch"),
        {"query_id": query_id, "batch_id": batch_id, "last_post_at": last_post_at},
    )
    return cursor.rowcount == 1
