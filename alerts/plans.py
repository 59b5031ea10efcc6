"""Plans: what users configured in Postgres: watched keywords, the calendar and thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core.settings import Settings
from core.windows import WINDOW
from detection.arrays import Flags
from sql.connection import query

WATCHED_THRESHOLD = 4.5
"""Threshold of a watched keyword that has none of its own, without a budget."""


@dataclass(frozen=True, slots=True)
class Plans:
    """The watchlist and the calendar as of the transaction that loaded them."""

    watched: Mapping[str, float | None]
    """Own threshold by watched keyword; None: the threshold for all watched keywords."""
    drops: frozenset[str]
    """Watched keywords for which a drop is an alert too."""
    calendar: Mapping[str, Sequence[tuple[datetime, datetime]]]
    """Planned times, from and until, by keyword."""

    def planned(self, keywords: Sequence[str], starts: Sequence[datetime], *, windows: int) -> Flags:
        """Return whether the `windows` windows that end with each of `starts` overlap a planned time.

        `keywords` and `starts` are parallel; only planned times of the same keyword count.
        """
        back = (windows - 1) * WINDOW
        return np.array(
            [
                any(
                    begin < start + WINDOW and start - back < end
                    for begin, end in self.calendar.get(keyword, ())
                )
                for keyword, start in zip(keywords, starts, strict=True)
            ],
            dtype=bool,
        )


def load_plans(cursor: Cursor) -> Plans:
    """Load the current plans."""
    cursor.execute("SELECT keyword, threshold, drops FROM watchlist WHERE keyword IS NOT NULL")
    watched = cursor.fetchall()
    cursor.execute("SELECT keyword, starts_at, ends_at FROM calendar ORDER BY keyword, starts_at")
    calendar: dict[str, list[tuple[datetime, datetime]]] = {}
    for keyword, starts_at, ends_at in cursor.fetchall():
        calendar.setdefault(keyword, []).append((starts_at, ends_at))
    return Plans(
        watched={keyword: threshold for keyword, threshold, _ in watched},
        drops=frozenset(keyword for keyword, _, drops in watched if drops),
        calendar=calendar,
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of one day."""

    discovery: float
    watched: float

    def of(self, keyword: str, plans: Plans) -> float:
        """Return the score from which a window of `keyword` is an anomaly."""
        if keyword not in plans.watched:
            return self.discovery
        own = plans.watched[keyword]
        return self.watched if own is None else own


def load_thresholds(cursor: Cursor, settings: Settings, day: date) -> Thresholds:
    """Load the thresholds by which windows of `day` are judged.

    With a budget, those that the daily batch derived from it before `day`; else, or without any, the fixed
    ones.
    """
    cursor.execute(query("thresholds_before_day"), {"day": day})
    budgeted: dict[str, float] = dict(cursor.fetchall())
    discovery, watched = settings.threshold, WATCHED_THRESHOLD
    if settings.alerts_per_day:
        discovery = budgeted.get("discovery", discovery)
    if settings.watched_alerts_per_day:
        watched = budgeted.get("watched", watched)
    return Thresholds(discovery=discovery, watched=watched)
