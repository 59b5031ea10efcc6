"""Alerts as a backtest compares them: those of the stream out of Postgres, and those of a replay."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core.windows import WINDOW, window_number
from detection.lifecycle import Alert, LifecycleRule
from detection.tracker import TrackedAlert, TrackedWindow
from sql.connection import query


@dataclass(frozen=True, slots=True)
class AlertSummary:
    """One alert; windows by their numbers."""

    keyword: str
    opened: int
    last: int
    """Number of the last window that was still unusual."""
    posts: int
    """Distinct posts of its unusual windows."""
    peak_score: float
    """Highest score of them, as the 32-bit float that is stored."""
    label: str | None = None
    """What a person said of it."""
    alert_id: UUID | None = None

    @property
    def figures(self) -> tuple[int, int, float]:
        """Last window, posts and peak."""
        return self.last, self.posts, self.peak_score


def summary_of(keyword: str, alert: TrackedAlert) -> AlertSummary:
    """The alert that a replayed alert is."""
    posts, peak = sum(window.posts for window in alert.windows), max(window.score for window in alert.windows)
    return AlertSummary(keyword, alert.opened, alert.last, posts, float(np.float32(peak)))


def live_alerts(cursor: Cursor, first: datetime, before: datetime) -> list[AlertSummary]:
    """The confirmed alerts that the stream opened from `first` and before `before`, as far as their windows lie before that.

    Alerts that were withdrawn, and those whose first window is not closed yet, are left out.
    """
    cursor.execute(query("live_alerts"), {"first": first, "before": before})
    return [
        AlertSummary(
            keyword,
            window_number(opened),
            window_number(last),
            posts,
            float(np.float32(peak)),
            label,
            UUID(str(alert_id)),
        )
        for alert_id, keyword, opened, last, posts, peak, label in cursor.fetchall()
    ]


def unfinished_alerts(
    cursor: Cursor, start: datetime, rule: LifecycleRule
) -> Iterator[tuple[str, TrackedAlert]]:
    """By keyword the newest alert that the stream opened before `start`, where it may run or cool down then; cut at `start`."""
    cursor.execute(
        query("unfinished_alerts"),
        {
            "start": start,
            "opened": start - rule.cool_down_windows * WINDOW,
            "last": start - rule.quiet_windows * WINDOW,
        },
    )
    windows: dict[str, list[TrackedWindow]] = {}
    for keyword, begin, posts, score, threshold_ratio in cursor.fetchall():
        windows.setdefault(keyword, []).append(
            TrackedWindow(window_number(begin), posts, score, threshold_ratio, anomalous=True)
        )
    for keyword, found in windows.items():
        yield keyword, Alert(tuple(found))
