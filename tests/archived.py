"""Fills an archive without Kafka, by the archive query's own transform, and runs the batch on it."""

import json
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any

from pyspark.sql import SparkSession

from archive.table import archive_rows, create_archive
from batch.run import Batch, Step
from core.catalog import RAW_POSTS
from core.settings import Settings

TABLE_STEPS = (Step.LOAD, Step.TRENDS, Step.STATISTICS, Step.EVIDENCE)
RECORDS = "value binary, key binary, topic string, partition int, offset bigint, kafka_time timestamp"
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)
KAFKA_TIME = datetime(2026, 6, 1, tzinfo=UTC)


def archive_posts(
    spark: SparkSession,
    settings: Settings,
    posts: Sequence[dict[str, Any] | bytes],
    *,
    first_offset: int = 0,
    partition: int = 0,
    topic: str | None = None,
    kafka_time: datetime | None = None,
) -> None:
    """Append `posts` (posts, or bytes as is) in one commit, with offsets from `first_offset` on.

    They arrive at `kafka_time` or, without it, at their event times.
    """
    create_archive(spark)
    rows = [
        (
            _value(post),
            None,
            topic or settings.posts_topic,
            partition,
            first_offset + place,
            kafka_time or _arrival(post),
        )
        for place, post in enumerate(posts)
    ]
    records = spark.createDataFrame(rows, RECORDS)
    archive_rows(records, settings=settings).writeTo(RAW_POSTS).append()


def _arrival(post: dict[str, Any] | bytes) -> datetime:
    """Return the event time of a post, at most KAFKA_TIME, which is also when all other records arrive."""
    with suppress(ValueError, TypeError, KeyError, OverflowError, RecursionError):
        seconds = (json.loads(post) if isinstance(post, bytes) else post)["time_stamp"]
        arrival = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(float(seconds) * 1e6))
        return min(max(arrival, EARLIEST), KAFKA_TIME)
    return KAFKA_TIME


def _value(post: dict[str, Any] | bytes) -> bytes:
    return post if isinstance(post, bytes) else json.dumps(post).encode()


def run_batch(
    spark: SparkSession,
    settings: Settings,
    days: Sequence[date],
    steps: Sequence[Step] = TABLE_STEPS,
    *,
    start_over: bool = False,
) -> list[str]:
    """Run `groundswell batch --assume-complete` for `days` in the tests' Spark; return what it prints."""
    batch = Batch(settings, session=lambda: spark, now=lambda: datetime.now(UTC), assume_complete=True)
    if start_over:
        batch.start_over(days, steps)
    return list(batch.run_days(days, steps))
