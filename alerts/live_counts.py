"""Live counts in Postgres: what a batch counted goes in by COPY; what may be an anomaly comes out with its statistics."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor

from core.windows import WINDOW
from detection.score import WINDOWS_PER_HOUR
from detection.window_counts import COLUMNS
from sql.arrow import copy_batch
from sql.connection import query

EARLIER = (WINDOWS_PER_HOUR - 1) * WINDOW
"""How far before a window the last hour begins."""
_CREATE_BATCH = "CREATE TEMPORARY TABLE batch_counts (LIKE live_counts INCLUDING DEFAULTS) ON COMMIT DROP"

OF_BATCH = """
AND (hours.keyword, hours.window_start) IN (SELECT keyword, window_start FROM batch_counts)
AND (hours.posts >= %(min_posts)s OR hours.hourly_posts >= 2 * %(min_posts)s OR hours.keyword = ANY (%(keywords)s))
"""
"""Counts that the batch changed and that could be anomalies at either look, or whose keyword is among `keywords`."""
OF_WINDOWS = "AND (hours.posts >= %(min_posts)s OR hours.hourly_posts >= 2 * %(min_posts)s)"
"""All counts that could be anomalies at either look."""
OF_KEYWORDS = "AND hours.keyword = ANY (%(keywords)s)"
"""All counts of `keywords`."""


class LiveCount(NamedTuple):
    """One keyword in one window so far, with the hour that ends there and the keyword's statistics (None: it has none)."""

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
    level: float | None
    variance: float | None
    dispersion: float | None
    hourly_spread: float | None
    deviation: float | None
    """The keyword's own deviation in the window's hour, None where it has no profile."""
    deviation_before: float | None
    """The same in the hour in which the last hour began."""


def keep(cursor: Cursor, counts: pa.Table) -> None:
    """Keep `counts` (columns `COLUMNS`); they stand in the temporary table batch_counts until the transaction ends."""
    cursor.execute(_CREATE_BATCH)
    if counts.num_rows:
        for batch in counts.select(COLUMNS).combine_chunks().to_batches():
            copy_batch(cursor, "batch_counts", batch)
        cursor.execute(query("keep_live_counts"))


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
    """Counts under one of the conditions above, of windows that start from `first` and before `before`."""
    parameters = {
        "first": first,
        "before": before,
        "as_of": as_of,
        "min_posts": min_posts,
        "keywords": sorted(keywords),
    }
    cursor.execute(query("counts_to_judge") + condition, parameters)
    return [LiveCount(*row) for row in cursor.fetchall()]


def forget(cursor: Cursor, closed_until: datetime) -> None:
    """Forget the windows that are closed and no longer part of the last hour of an open one."""
    cursor.execute("DELETE FROM live_counts WHERE window_start < %s", (closed_until - EARLIER,))


def days(cursor: Cursor, *, first: datetime, before: datetime) -> list[date]:
    """The days, in order, in which kept counts lie whose windows start from `first` and before `before`."""
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
