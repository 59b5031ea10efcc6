"""The past of live windows without statistics: what of the same day and the day before came before them."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import accumulate
from typing import NamedTuple

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core.settings import Settings
from core.windows import ONE_DAY, WINDOW, day_start
from detection.arrays import Floats
from detection.first_day import LEARNING_WINDOWS, RECENT_WINDOWS, past_gap
from sql.connection import query


class Sums(NamedTuple):
    """What windows have together."""

    posts: int
    squares: float
    """Sum of their squared posts; NaN if an older version, which did not keep it, summed them up."""


NOTHING = Sums(0, 0.0)


@dataclass(frozen=True, slots=True)
class RunningPosts:
    """Posts by window start, summed up from the first window on."""

    starts: Sequence[datetime]
    sums: Sequence[Sums]

    @classmethod
    def of(cls, posts: Mapping[datetime, int]) -> "RunningPosts":
        """Sum up `posts` by window start, in any order."""
        starts = sorted(posts)
        squares = accumulate(float(posts[start] ** 2) for start in starts)
        return cls(starts, list(map(Sums, accumulate(posts[start] for start in starts), squares)))

    def until(self, start: datetime) -> Sums:
        """Return the sums of the windows up to the one that starts at `start`, included."""
        return self.until_each([start])[0]

    def until_each(self, starts: Iterable[datetime]) -> list[Sums]:
        """Return the same for each of `starts`."""
        counts = (bisect_right(self.starts, start) for start in starts)
        return [self.sums[count - 1] if count else NOTHING for count in counts]


@dataclass(frozen=True, slots=True)
class Past:
    """Posts of all keywords and of some, in the windows of a day and the day before it."""

    gap: int
    """Windows by which the past of a window ends before it."""
    since: datetime | None
    """Start of the first window with posts; None if there is none."""
    traffic: RunningPosts
    moved: Mapping[str, Sums]
    """Sums by keyword over windows that have left `live_counts`; they are part of every past."""
    live: Mapping[str, RunningPosts]
    """Posts by keyword in the windows that are still there."""

    def extended(self, further: "Past") -> "Past":
        """Return this past with the keywords of `further`, of the same day, as well."""
        return replace(self, moved={**self.moved, **further.moved}, live={**self.live, **further.live})

    def ready(self, start: datetime) -> bool:
        """Return whether the past suffices to judge the window that starts at `start`."""
        long_enough = self.since is not None and start >= self.since + LEARNING_WINDOWS * WINDOW
        return long_enough and self.total_posts(start) > 0

    def total_posts(self, start: datetime) -> int:
        """Return the posts of all keywords in the past of the window that starts at `start`."""
        return self.traffic.until(start - self.gap * WINDOW).posts

    def total_squares(self, start: datetime) -> float:
        """Return the sum of their squares over the windows of that past."""
        return self.traffic.until(start - self.gap * WINDOW).squares

    def live_sums(self, keywords: Sequence[str], starts: Sequence[datetime]) -> Floats:
        """Return posts and squares [K, n, 2] of K keywords in the past of windows that start at n `starts`.

        Without those that have left `live_counts`.
        """
        ends = [start - self.gap * WINDOW for start in starts]
        nothing = RunningPosts([], [])
        sums = [self.live.get(keyword, nothing).until_each(ends) for keyword in keywords]
        return np.array(sums, dtype=float).reshape(len(keywords), len(ends), 2)

    def recent_total_posts(self, start: datetime) -> int:
        """Return the posts of all keywords in the newest two windows of that past."""
        return self.total_posts(start) - self.total_posts(start - RECENT_WINDOWS * WINDOW)


def load_past(cursor: Cursor, settings: Settings, day: date, keywords: Iterable[str]) -> Past:
    """Load the past of the windows of `day` for `keywords`, since detection last started afresh."""
    first, before = day_start(day - ONE_DAY), day_start(day + ONE_DAY)
    parameters = {"day": day, "first": first, "before": before, "keywords": sorted(set(keywords))}
    cursor.execute(query("traffic_of_past"), parameters)
    posts: dict[datetime, int] = dict(cursor.fetchall())
    cursor.execute(query("past_counts"), parameters)
    moved = {keyword: Sums(total, squares) for keyword, total, squares in cursor.fetchall()}
    cursor.execute(query("live_counts_of_past"), parameters)
    live: dict[str, dict[datetime, int]] = {}
    for keyword, start, count in cursor.fetchall():
        live.setdefault(keyword, {})[start] = count
    return Past(
        gap=past_gap(settings.lateness_minutes),
        since=min(posts, default=None),
        traffic=RunningPosts.of(posts),
        moved=moved,
        live={keyword: RunningPosts.of(counts) for keyword, counts in live.items()},
    )
