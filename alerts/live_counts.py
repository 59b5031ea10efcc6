"""Live counts in Postgres: counts of a batch go in by COPY, possible anomalies come out with statistics."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor

from alerts.beside import delete_dominant, save_dominant
from core.windows import ONE_DAY, WINDOW, day_start
from detection.first_day import RECENT_WINDOWS
from detection.plain_counts import COLUMNS
from detection.score import WINDOWS_PER_HOUR
from sql.arrow import copy_batch
from sql.connection import query
from sql.rows import fetch_as

EARLIER = (WINDOWS_PER_HOUR - 1) * WINDOW
"""How long before a window its hourly window begins."""
EARLIER_IN_PAST = EARLIER + RECENT_WINDOWS * WINDOW
"""How long before a window, and the gap of its past, counts are needed by themselves on a first day."""

OF_WINDOWS = """
AND (
    hours.posts >= %(min_posts)s
    OR hours.hourly_posts >= 2 * %(min_posts)s
    OR hours.keyword = ANY (%(keywords)s)
)
"""
"""Counts that could be anomalies, by window or hour, or are of `keywords`."""
OF_BATCH = (
    "AND (hours.keyword, hours.window_start) IN (SELECT keyword, window_start FROM batch_counts)" + OF_WINDOWS
)
"""The same of the counts that the batch changed."""
OF_KEYWORDS = "AND hours.keyword = ANY (%(keywords)s)"
"""All counts of `keywords`."""


class LiveCount(NamedTuple):
    """One keyword in one window so far, with the hourly window and the keyword's statistics (None: none)."""

    keyword: str
    window_start: datetime
    posts: int
    authors_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int
    hourly_posts: int
    hourly_authors_bitmap: int
    posts_before: Sequence[int]
    """Posts in the three windows before, newest first; 0 for fewer than 3."""
    level: float | None
    variance: float | None
    dispersion: float | None
    hourly_spread: float | None
    deviation: float | None
    """The keyword's own deviation in the window's hour; None without an hour profile."""
    deviation_before: float | None
    """The same for the hour of day in which the hourly window began."""


def save(cursor: Cursor, counts: pa.Table) -> None:
    """Upsert `counts` (columns `COLUMNS`); batch_counts holds them too until the transaction ends.

    The traffic of their windows must have been saved.
    """
    cursor.execute(query("create_batch_counts"))
    if counts.num_rows:
        for batch in counts.select(COLUMNS).combine_chunks().to_batches():
            copy_batch(cursor, "batch_counts", batch)
        cursor.execute(query("upsert_live_counts"))
        save_dominant(cursor)


def load(
    cursor: Cursor,
    condition: str,
    *,
    first: datetime,
    before: datetime,
    as_of: date | None,
    min_posts: int,
    keywords: Iterable[str] = (),
) -> list[LiveCount]:
    """Return the counts under a condition from above, in windows from `first` to `before` (exclusive)."""
    parameters = {
        "first": first,
        "before": before,
        "as_of": as_of,
        "min_posts": min_posts,
        "keywords": sorted(keywords),
    }
    cursor.execute(query("counts_to_judge") + condition, parameters)
    return fetch_as(cursor, LiveCount)


def delete_closed(cursor: Cursor, closed_until: datetime, *, gap: int, into_past: bool) -> None:
    """Delete the counts of closed windows that no judgement of an open one needs by themselves.

    With `into_past` they are added to the past of windows without statistics, of which each ends `gap`
    windows before the window; else the past is deleted.
    """
    delete_dominant(cursor, closed_until - EARLIER)
    if into_past:
        before = closed_until - EARLIER_IN_PAST - gap * WINDOW
        first = day_start((closed_until - WINDOW).date() - ONE_DAY)
        cursor.execute(query("keep_past_counts"), {"before": before, "first": first})
    else:
        cursor.execute(query("delete_live_counts"), {"before": closed_until - EARLIER})


def days(cursor: Cursor, *, first: datetime, before: datetime) -> list[date]:
    """Return, in order, the days with live counts in windows from `first` to `before` (exclusive)."""
    cursor.execute(
        """
        SELECT DISTINCT window_start::date
        FROM traffic_windows
        WHERE window_start >= %s AND window_start < %s
          AND EXISTS (SELECT FROM live_counts WHERE live_counts.window_start = traffic_windows.window_start)
        ORDER BY 1
        """,
        (first, before),
    )
    return [row[0] for row in cursor.fetchall()]
