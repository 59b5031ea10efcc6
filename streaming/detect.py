"""The detect query: Kafka to live counts to alerts, early, while windows are still open."""

import logging
from collections.abc import Callable
from datetime import datetime
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.streaming.query import StreamingQuery

from core.keywords import ALL_POSTS
from core.score import smallest_active_posts
from core.settings import Settings
from sql.connection import transaction
from streaming.counts import count_keywords_per_window
from streaming.decision import apply_counts, lock_detection
from streaming.judge import KeywordCount
from streaming.source import read_records

QUERY = "detect"
_COLUMNS = (
    "window_start", "keyword", "posts", "authors_bitmap", "texts_bitmap", "first_post_at", "first_post_id", "latest_post_id",
    "top_post_id", "top_likes", "last_post_at",
)  # fmt: skip

LEDGER_BATCHES = 1_000
"""Batches that the ledger keeps; Spark repeats the newest one only."""

log = logging.getLogger(__name__)


def start_detect(
    spark: SparkSession, settings: Settings, *, checkpoint: str, starting_offsets: str = "earliest", once: bool = False
) -> StreamingQuery:
    """Start the query; `once` takes what Kafka holds now and ends."""
    counts = read_records(spark, settings, topics=[settings.posts_topic], starting_offsets=starting_offsets).transform(
        count_keywords_per_window, lateness_minutes=settings.lateness_minutes, future_minutes=settings.future_minutes
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
    """What foreachBatch calls: the changed counts of one batch to Postgres, in one transaction, once."""

    def write_batch(counts: DataFrame, batch_id: int) -> None:
        query_id = UUID(counts.sparkSession.sparkContext.getLocalProperty("sql.streaming.queryId"))
        keywords, totals = _collect(counts, at_least=smallest_active_posts(settings.threshold))
        last_post_at = max((last for _, last in totals), default=None)
        with transaction(settings, application_name="groundswell detect") as cursor:
            lock_detection(cursor)
            if not _enter_in_ledger(cursor, query_id, batch_id, last_post_at):
                log.info("batch %s was committed before the restart and is not repeated", batch_id)
                return
            apply_counts(
                cursor,
                settings,
                counts=keywords,
                posts_by_window={total.window_start: total.posts for total, _ in totals},
                last_post_at=last_post_at,
            )

    return write_batch


def _collect(counts: DataFrame, *, at_least: int) -> tuple[list[KeywordCount], list[tuple[KeywordCount, datetime]]]:
    """The rows that could matter, and the totals of the windows with their newest event time."""
    rows = (
        counts.where(F.col("window_start").isNotNull() & ((F.col("posts") >= at_least) | (F.col("keyword") == ALL_POSTS)))
        .select(*_COLUMNS)
        .toArrow()
    )
    keywords, totals = [], []
    for count, last_post_at in _keyword_counts(rows):
        if count.keyword == ALL_POSTS:
            totals.append((count, last_post_at))
        else:
            keywords.append(count)
    return keywords, totals


def _keyword_counts(rows: pa.Table) -> list[tuple[KeywordCount, datetime]]:
    columns = [rows.column(name).to_pylist() for name in _COLUMNS]
    return [(KeywordCount(*row[:-1]), row[-1]) for row in zip(*columns, strict=True)]


def _enter_in_ledger(cursor: Cursor, query_id: UUID, batch_id: int, last_post_at: datetime | None) -> bool:
    """Note the batch as done, as part of the transaction that does it; false where it was done before."""
    cursor.execute("DELETE FROM detect_batches WHERE query_id = %s AND batch_id < %s", (query_id, batch_id - LEDGER_BATCHES))
    cursor.execute(
        "INSERT INTO detect_batches (query_id, batch_id, max_event_time) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        (query_id, batch_id, last_post_at),
    )
    return cursor.rowcount == 1
