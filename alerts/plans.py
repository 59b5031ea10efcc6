"""Plans: what people told detection, as it stands in Postgres: watched keywords, the calendar, thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core.settings import Settings
from core.windows import WINDOW
from detection.verdicts import Flags
from sql.connection import query

WATCHED_THRESHOLD = 4.5
"""Threshold of a watched word that has none of its own, without a budget."""


@dataclass(frozen=True, slots=True)
class Plans:
    """What was told, as of the transaction that loaded it."""

    watched: Mapping[str, float | None]
    """Own threshold by watched keyword; None: the one of all watched words."""
    drops: frozenset[str]
    """Watched keywords for which a drop is an alert too."""
    calendar: Mapping[str, Sequence[tuple[datetime, datetime]]]
    """Planned times, from and until, by keyword."""

    def planned(self, keywords: Sequence[str], starts: Sequence[datetime], *, windows: int) -> Flags:
        """Whether the time of the `windows` windows that end with each of `starts` touches a planned time of its keyword."""
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
    """The plans as they stand now."""
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
        """Score from which a window of `keyword` alarms."""
        if keyword not in plans.watched:
            return self.discovery
        own = plans.watched[keyword]
        return self.watched if own is None else own


def load_thresholds(cursor: Cursor, settings: Settings, day: date) -> Thresholds:
    """What windows of `day` are judged by: the thresholds for a budget, where there is one and days were replayed for it."""
    cursor.execute(query("thresholds_before_day"), {"day": day})
    budgeted = dict(cursor.fetchall())
    return Thresholds(
        discovery=budgeted.get("discovery", settings.threshold)
        if settings.alerts_per_day
        else settings.threshold,
        watched=budgeted.get("watched", WATCHED_THRESHOLD)
        if settings.watched_alerts_per_day
        else WATCHED_THRESHOLD,
    )
