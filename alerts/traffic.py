"""Traffic: posts of all keywords by window, how many are expected, and windows with ingest down."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core.keyword_rule import KEYWORD_RULE_VERSION
from detection.arrays import Floats
from detection.seasonality import HOURS
from detection.traffic_baseline import OUTAGE_RATIO
from sql.connection import query
from sql.rows import fetch_dicts, insert_rows


@dataclass(frozen=True, slots=True)
class ExpectedTraffic:
    """Expected posts per window by hour; all ones, with `known` false, where nothing was learned yet."""

    as_of: date | None
    expected_posts: Floats
    known: bool
    same_rule: bool = True
    """Whether they were learned by the present keyword rule; an older one did not count every keyword."""

    def ratio(self, posts: Mapping[datetime, int], start: datetime) -> float:
        """Return posts so far over the posts expected in the whole window that starts at `start`.

        1 where nothing is expected, 0 where the window has no posts at all.
        """
        if start not in posts:
            return 0.0
        expected = float(self.expected_posts[start.hour])
        return posts[start] / expected if self.known and expected > 0 else 1.0

    def covers(self, start: datetime) -> bool:
        """Return whether statistics say what to expect in the hour of the window that starts at `start`."""
        return self.known and bool(self.expected_posts[start.hour] > 0)

    @property
    def suffices(self) -> bool:
        """Whether statistics say what to expect of every keyword in every hour."""
        return self.known and self.same_rule and bool(np.all(self.expected_posts > 0))

    def degraded(self, posts: Mapping[datetime, int], start: datetime) -> bool | None:
        """Return whether a closed window has so few posts that ingest must have been down.

        None where nothing is expected in its hour.
        """
        return self.ratio(posts, start) < OUTAGE_RATIO if self.covers(start) else None


def expected_before(cursor: Cursor, day: date) -> ExpectedTraffic:
    """Return what windows of `day` are judged by: the newest complete statistics before that day."""
    cursor.execute(query("traffic_before_day"), {"day": day})
    hours = fetch_dicts(cursor)
    expected = np.array([hour["expected_posts"] for hour in hours], dtype=float)
    if len(hours) == HOURS and expected.mean() > 0:
        same_rule = hours[0]["keyword_rule"] == KEYWORD_RULE_VERSION
        return ExpectedTraffic(hours[0]["as_of"], expected, known=True, same_rule=same_rule)
    return ExpectedTraffic(as_of=None, expected_posts=np.ones(HOURS), known=False)


def save_traffic(cursor: Cursor, posts_by_window: Mapping[datetime, int]) -> None:
    """Upsert distinct posts of all keywords by window start."""
    insert_rows(
        cursor,
        "upsert_traffic_windows",
        ({"window_start": start, "posts": posts} for start, posts in sorted(posts_by_window.items())),
    )


def load_traffic(cursor: Cursor, *, first: datetime, before: datetime) -> dict[datetime, int]:
    """Return distinct posts of all keywords by window start, from `first` to `before` (exclusive).

    Windows without posts are absent.
    """
    cursor.execute(
        "SELECT window_start, posts FROM traffic_windows WHERE window_start >= %s AND window_start < %s",
        (first, before),
    )
    return dict(cursor.fetchall())


def mark_degraded(cursor: Cursor, *, first: datetime, before: datetime) -> list[datetime]:
    """Mark which windows from `first` to `before` had ingest down, and return the healthy ones in order.

    Windows in whose hour nothing is expected are neither marked nor returned.
    """
    posts = load_traffic(cursor, first=first, before=before)
    expected = {day: expected_before(cursor, day) for day in {start.date() for start in posts}}
    marks = {
        start: degraded
        for start in sorted(posts)
        if (degraded := expected[start.date()].degraded(posts, start)) is not None
    }
    if marks:
        cursor.execute(
            query("mark_degraded_windows"),
            {"window_starts": list(marks), "degraded": list(marks.values())},
        )
    return [start for start, degraded in marks.items() if not degraded]
