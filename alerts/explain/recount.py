"""Count keywords in archived posts as the stream counted them, to check what is stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.table import Span, read_archive
from core.keywords import ALL_POSTS
from core.settings import Settings
from core.windows import window_number
from detection.window_counts import COLUMNS, count_keywords_per_window, first_deliveries


@dataclass(frozen=True, slots=True)
class Recount:
    """Counts from the archive."""

    counts: dict[tuple[str, int], dict[str, Any]]
    """Columns of `live_counts` by keyword and window number."""
    total_posts: dict[int, int]
    """Distinct posts of all keywords by window number; a window without posts is absent."""

    def since(self, start: datetime) -> "Recount":
        """Return the counts of the windows from `start` on."""
        first = window_number(start)
        return Recount(
            counts={at: count for at, count in self.counts.items() if at[1] >= first},
            total_posts={number: posts for number, posts in self.total_posts.items() if number >= first},
        )


def recount(
    spark: SparkSession, settings: Settings, keywords: Sequence[str], spans: Sequence[Span]
) -> Recount:
    """Count `keywords`, and all posts, in the windows of `spans` in a single scan of the archive."""
    # The stream keeps the first delivery of a post in a window; a batch would keep any.
    records = read_archive(spark, settings, spans).transform(
        first_deliveries, future_minutes=settings.future_minutes
    )
    counted = count_keywords_per_window(
        records,
        lateness_minutes=settings.lateness_minutes,
        future_minutes=settings.future_minutes,
        phrases=sorted({keyword for keyword in keywords if " " in keyword}),
    )
    wanted = counted.where(F.col("keyword").isin([*sorted(set(keywords)), ALL_POSTS])).select(*COLUMNS)
    rows = wanted.toArrow().to_pylist()
    return Recount(
        counts={
            (row["keyword"], window_number(row["window_start"])): row
            for row in rows
            if row["keyword"] != ALL_POSTS
        },
        total_posts={
            window_number(row["window_start"]): row["posts"] for row in rows if row["keyword"] == ALL_POSTS
        },
    )
