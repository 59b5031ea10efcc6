"""The archive as everything reads it: the records of spans of event time out of `lake.tiktok.raw_posts`."""

from collections.abc import Iterable
from datetime import datetime
from functools import reduce
from operator import or_

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from core.errors import NotReadyError
from core.settings import Settings
from core.spark import RAW_POSTS

SPLIT_BYTES = 4 * 1024 * 1024
"""Compressed bytes that one task reads: small enough that a day of 20,000 posts keeps two cores busy."""

Span = tuple[datetime, datetime]
"""From the first moment, included, to the second, excluded; aware datetimes."""


def read_archive(spark: SparkSession, settings: Settings, spans: Iterable[Span]) -> DataFrame:
    """The archived records of the posts' topic with an event time in one of `spans`, one row a record, as they were delivered.

    Only partitions and files that reach into a span are read. A record may stand there twice after a repair of the
    archive, and a post may have been delivered more than once: who counts has to see to it. Raises NotReadyError where
    there is no archive yet.
    """
    if not spark.catalog.tableExists(RAW_POSTS):
        raise NotReadyError("There is no archive yet. Start the stream (python -m streaming), which makes it, and run this again.")
    return (
        spark.read.option("split-size", str(SPLIT_BYTES))
        .option("file-open-cost", str(SPLIT_BYTES // 4))
        .table(RAW_POSTS)
        .where(_within(merged(spans)) & (F.col("topic") == settings.posts_topic))
    )


def merged(spans: Iterable[Span]) -> list[Span]:
    """`spans` in order, those that overlap or touch made one.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(6)]
    >>> [(start.hour, end.hour) for start, end in merged([(at[4], at[5]), (at[0], at[2]), (at[1], at[3])])]
    [(0, 3), (4, 5)]
    """
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _within(spans: list[Span]) -> Column:
    event_time = F.col("event_time")
    return reduce(or_, ((event_time >= F.lit(start)) & (event_time < F.lit(end)) for start, end in spans), F.lit(False))
