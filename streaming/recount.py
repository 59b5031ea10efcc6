"""Recount: what the archive holds of some keywords and spans of time, counted as the stream counts; for checks of what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from core.archive import Span, read_archive
from core.keywords import ALL_POSTS
from core.records import IDENTITY_SCHEMA, parse_records
from core.settings import Settings
from core.windows import WINDOW, window_number
from streaming.counts import count_keywords_per_window
from streaming.live_counts import COLUMNS


@dataclass(frozen=True, slots=True)
class Recount:
    """Counts out of the archive."""

    counts: dict[tuple[str, int], dict[str, Any]]
    """Columns of `live_counts` by keyword and window number."""
    total_posts: dict[int, int]
    """Distinct posts of all keywords by window number; a window without posts is absent."""


def recount(spark: SparkSession, settings: Settings, keywords: Sequence[str], spans: Sequence[Span]) -> Recount:
    """Count `keywords`, and all posts, in the windows of `spans`, all in one scan of the archive."""
    # The stream keeps the first delivery of a post in a window; a batch would keep any.
    records = read_archive(spark, settings, spans).transform(first_deliveries, future_minutes=settings.future_minutes)
    counted = count_keywords_per_window(
        records,
        lateness_minutes=settings.lateness_minutes,
        future_minutes=settings.future_minutes,
        phrases=sorted({keyword for keyword in keywords if " " in keyword}),
    )
    wanted = counted.where(F.col("keyword").isin([*sorted(set(keywords)), ALL_POSTS])).select(*COLUMNS)
    rows = wanted.toArrow().to_pylist()
    return Recount(
        counts={(row["keyword"], window_number(row["window_start"])): row for row in rows if row["keyword"] != ALL_POSTS},
        total_posts={window_number(row["window_start"]): row["posts"] for row in rows if row["keyword"] == ALL_POSTS},
    )


def first_deliveries(records: DataFrame, *, future_minutes: int) -> DataFrame:
    """Of the deliveries of a post in a window the one that Kafka took first: value, kafka_time; one row a post and window."""
    return (
        records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=future_minutes)
        .select(
            "post_id",
            F.floor(F.unix_seconds("event_time") / int(WINDOW.total_seconds())).alias("window"),
            F.struct("value", "kafka_time").alias("record"),
            F.struct("offset", "partition").alias("delivery"),
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("record", "delivery").alias("record"))
        .select("record.*")
    )
