"""Traffic: posts of all keywords by window, what the history expects of them, and windows in which ingest was down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from detection.learn import HOURS, OUTAGE_RATIO
from detection.verdicts import Floats
from sql.connection import query


@dataclass(frozen=True, slots=True)
class ExpectedTraffic:
    """Expected posts per window by hour; all ones and `known` false where nothing was learned yet."""

    as_of: date | None
    expected_posts: Floats
    known: bool

    def ratio(self, posts: Mapping[datetime, int], start: datetime) -> float:
        """How full the window is: posts so far over those expected in a whole one; 1 where nothing is expected, 0 where nothing came."""
        if start not in posts:
            return 0.0
        expected = float(self.expected_posts[start.hour])
        return posts[start] / expected if self.known and expected > 0 else 1.0

    def degraded(self, posts: Mapping[datetime, int], start: datetime) -> bool | None:
        """Whether so few posts came in the closed window that ingest must have been down; None where nothing is known of its hour."""
        known = self.known and self.expected_posts[start.hour] > 0
        return self.ratio(posts, start) < OUTAGE_RATIO if known else None


def expected_before(cursor: Cursor, day: date) -> ExpectedTraffic:
    """What windows of `day` are judged by: the newest complete statistics before it."""
    cursor.execute(query("traffic_before_day"), {"day": day})
    rows = cursor.fetchall()
    expected = np.array([row[2] for row in rows], dtype=float)
    known = len(rows) == HOURS and expected.mean() > 0
    return ExpectedTraffic(rows[0][0] if known else None, expected if known else np.ones(HOURS), known)


def save_traffic(cursor: Cursor, posts_by_window: Mapping[datetime, int]) -> None:
    """Upsert distinct posts of all keywords by window start."""
    if posts_by_window:
        execute_values(
            cursor, query("upsert_traffic_windows"), sorted(posts_by_window.items()), page_size=1000
        )


def load_traffic(cursor: Cursor, *, first: datetime, before: datetime) -> dict[datetime, int]:
    """Distinct posts of all keywords by start of the windows from `first` to `before`; a window without posts is absent."""
    cursor.execute(
        "SELECT window_start, posts FROM traffic_windows WHERE window_start >= %s AND window_start < %s",
        (first, before),
    )
    return dict(cursor.fetchall())


def mark_degraded(cursor: Cursor, *, first: datetime, before: datetime) -> list[datetime]:
    """Note of the windows from `first` to `before`, which close now, whether ingest was down; returns the good ones, in order."""
    posts = load_traffic(cursor, first=first, before=before)
    expected = {day: expected_before(cursor, day) for day in {start.date() for start in posts}}
    marks = {start: expected[start.date()].degraded(posts, start) for start in sorted(posts)}
    known = [(start, mark) for start, mark in marks.items() if mark is not None]
    if known:
        execute_values(
            cursor,
            "UPDATE traffic_windows SET degraded = marks.degraded FROM (VALUES %s) AS marks (window_start, degraded) "
            "WHERE traffic_windows.window_start = marks.window_start",
            known,
        )
    return [start for start, mark in marks.items() if mark is False]
