"""The detect query: Kafka to live counts to alerts, early, while windows are still open."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.streaming.query import StreamingQuery

from alerts.step import apply_counts, load_clock, lock_detection
from core.settings import Settings
from core.windows import window_number
from detection.window_counts import posts_to_count
from sql.connection import query, transaction
from streaming.counted_posts import CountedPosts
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
    counted: CountedPosts,
    starting_offsets: str = "earliest",
    phrases: Sequence[str] = (),
    accept_loss: bool = False,
    once: bool = False,
) -> StreamingQuery:
    """Start the query, which counts keywords and the watched `phrases`, on top of what it has `counted`.

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
    posts = records.transform(posts_to_count, future_minutes=settings.future_minutes, phrases=phrases)
    writer = (
        posts.writeStream.queryName(QUERY)
        .option("checkpointLocation", checkpoint)
        .foreachBatch(batch_writer(settings, counted))
    )
    if once:
        return writer.trigger(availableNow=True).start()
    return writer.trigger(processingTime=f"{settings.detect_trigger_seconds} seconds").start()


def batch_writer(settings: Settings, counted: CountedPosts) -> Callable[[DataFrame, int], None]:
    """Return the foreachBatch function, which counts each batch once and applies it in one transaction."""

    def write_batch(posts: DataFrame, batch_id: int) -> None:
        ledger = UUID(posts.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId")), batch_id
        with short_interruption():
            batch = posts.toArrow()
        with (
            counted.batch(batch_id) as counting,
            transaction(settings, application_name="groundswell detect") as cursor,
        ):
            lock_detection(cursor)
            if _is_done(cursor, *ledger):
                log.info("batch %s was committed before the restart and is not repeated", batch_id)
                return
            closed_until = load_clock(cursor).closed_until
            changed = counting.count(batch_id, batch, window_number(closed_until))
            _enter_in_ledger(cursor, *ledger, changed.last_post_at)
            apply_counts(cursor, settings, changed)
            counting.wait_until_written()

    return write_batch


def _is_done(cursor: Cursor, query_id: UUID, batch_id: int) -> bool:
    cursor.execute("SELECT FROM detect_batches WHERE query_id = %s AND batch_id = %s", (query_id, batch_id))
    return cursor.rowcount == 1


def _enter_in_ledger(cursor: Cursor, query_id: UUID, batch_id: int, last_post_at: datetime | None) -> None:
    """Record the batch as done, in the transaction that does it."""
    cursor.execute(
        query("forget_detect_batches"), {"query_id": query_id, "before": batch_id - LEDGER_BATCHES}
    )
    cursor.execute(
        query("insert_detect_batch"),
        {"query_id": query_id, "batch_id": batch_id, "last_post_at": last_post_at},
    )
