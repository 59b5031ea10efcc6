"""The alerts that a backtest compares: the stream's, from Postgres, and those of a replay."""

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
    """One alert; windows are given by their numbers."""

    keyword: str
    opened: int
    last: int
    """Number of its last unusual window."""
    posts: int
    """Distinct posts of its unusual windows."""
    peak_score: float
    """Their highest score, as the 32-bit float that is stored."""
    label: str | None = None
    """What a user labelled it."""
    alert_id: UUID | None = None

    @property
    def figures(self) -> tuple[int, int, float]:
        """Last window, posts and peak score."""
        return self.last, self.posts, self.peak_score


def summarize(keyword: str, alert: TrackedAlert) -> AlertSummary:
    """Return the figures of a replayed alert."""
    posts, peak = sum(window.posts for window in alert.windows), max(window.score for window in alert.windows)
    return AlertSummary(keyword, alert.opened, alert.last, posts, float(np.float32(peak)))


def live_alerts(cursor: Cursor, first: datetime, before: datetime) -> list[AlertSummary]:
    """Return the confirmed alerts that the stream opened from `first` and before `before`.

    Their windows from `before` on do not count. Withdrawn alerts, and those whose first window is not closed
    yet, are left out.
    """
    cursor.execute(query("live_alerts"), {"first": first, "before": before})
    return [
        AlertSummary(
            keyword,
            opened=window_number(opened),
            last=window_number(last),
            posts=posts,
            peak_score=float(np.float32(peak)),
            label=label,
            alert_id=UUID(str(alert_id)),
        )
        for alert_id, keyword, opened, last, posts, peak, label in cursor.fetchall()
    ]


def unfinished_alerts(
    cursor: Cursor, start: datetime, rule: LifecycleRule
) -> Iterator[tuple[str, TrackedAlert]]:
    """Yield the newest alert before `start` of each keyword, if it may still run or cool down at `start`.

    Alerts are the stream's, by keyword, without their windows from `start` on.
    """
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
    for keyword, tracked in windows.items():
        yield keyword, Alert(tuple(tracked))
