"""Decide: from the judged windows of one keyword to its alerts, opened, ongoing, resolved or withdrawn.

Decisions follow from the windows alone, in order of event time: however the posts arrived, in how many batches and with
however many restarts, the alerts are the same once their windows are closed. What still may change is provisional.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

import numpy as np


def as_real(number: float) -> float:
    """`number` as a column of type real keeps it and gives it back.

    Windows are decided on such numbers only: what is stored then does not depend on which of them a batch had itself and
    which it read again.

    >>> as_real(14.57145730543548)
    14.571457
    """
    return float(str(np.float32(number)))


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One window of one keyword: what was counted, what it was judged by, and the verdict."""

    number: int
    """Number of the window, `core.windows.window_number`."""
    posts: int
    total_posts: int | None
    ratio: float
    expected: float
    scale: float
    score: float
    hourly_posts: int
    """Posts of the last hour: of this window and the three before it, each counted only where it holds 3 or more."""
    hourly_expected: float
    hourly_spread: float
    hourly_score: float
    threshold: float
    threshold_ratio: float
    """How far the scores reach to their thresholds: max(score/threshold, hourly_score/hourly_threshold); 1 and more may alarm."""
    anomalous: bool
    """Whether one of the two looks, at the window and at the hour, finds an anomaly with people behind it."""
    statistics_as_of: date | None
    """Day of the statistics, None where there were none."""
    authors_bitmap: int
    hourly_authors_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int
    suppressed_by: str | None = None
    """Why it is no anomaly though its count alone would be: `few authors` or `calendar`."""
    closed: bool = False


class DecidableWindow(Protocol):
    """What decisions need to know of a window; its `number`, its `threshold_ratio` and whether it is `anomalous` and `closed`."""

    @property
    def number(self) -> int: ...
    @property
    def threshold_ratio(self) -> float: ...
    @property
    def anomalous(self) -> bool: ...
    @property
    def closed(self) -> bool: ...


W = TypeVar("W", bound=DecidableWindow)


@dataclass(frozen=True, slots=True)
class Alert(Generic[W]):
    """A run of unusual windows of one keyword; `windows` are those that keep it going, in order."""

    windows: tuple[W, ...]
    resolved: bool = False

    @property
    def opened(self) -> int:
        """Number of the window that opened it."""
        return self.windows[0].number

    @property
    def last(self) -> int:
        """Number of the last window that was still unusual."""
        return self.windows[-1].number

    @property
    def threshold_ratio(self) -> float:
        """Highest threshold_ratio of its windows."""
        return max(window.threshold_ratio for window in self.windows)

    @property
    def provisional(self) -> bool:
        """Whether the window that opened it is still open, so that it may be withdrawn."""
        return not self.windows[0].closed


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """When an alert opens again and ends, in windows."""

    cool_down_windows: int = 16
    quiet_windows: int = 4


ACTIVE_THRESHOLD_RATIO = 0.5
"""Strength from which a window keeps an alert going: half a threshold."""


@dataclass(slots=True)
class _Walk(Generic[W]):
    rule: LifecycleRule
    latest: Alert[W] | None
    alerts: list[Alert[W]] = field(default_factory=list)

    def step(self, window: W) -> None:
        self.end_if_quiet(before=window.number)
        if self.latest is not None and not self.latest.resolved:
            if window.threshold_ratio >= ACTIVE_THRESHOLD_RATIO:
                self.replace(replace(self.latest, windows=(*self.latest.windows, window)))
        elif window.anomalous and self.may_open(window):
            self.latest = Alert((window,))
            self.alerts.append(self.latest)

    def end_if_quiet(self, *, before: int) -> None:
        """Resolve the running alert where `quiet_windows` windows without it lie between its last and `before`."""
        running = self.latest
        if running is not None and not running.resolved and before - running.last > self.rule.quiet_windows:
            self.replace(replace(running, resolved=True))

    def may_open(self, window: W) -> bool:
        last = self.latest
        return (
            last is None
            or window.number - last.opened > self.rule.cool_down_windows
            or window.threshold_ratio >= 2 * last.threshold_ratio
        )

    def replace(self, alert: Alert[W]) -> None:
        if self.alerts and self.alerts[-1] is self.latest:
            self.alerts[-1] = alert
        else:
            self.alerts.append(alert)
        self.latest = alert


def decide(
    rule: LifecycleRule, confirmed: Alert[W] | None, windows: Iterable[W], *, quiet_before: int
) -> list[Alert[W]]:
    """The alerts that `windows` open or continue, in order; those that did not change are not among them.

    `confirmed` is the keyword's newest alert as its closed windows made it, None where there was none. `windows` are
    the later ones, in any order; a window that is absent is quiet. Nothing is expected any more in windows numbered
    below `quiet_before`. An alert opens on an anomalous window where none is running and either the newest opened
    more than `cool_down_windows` before or the threshold_ratio is twice its peak; it goes on while the threshold_ratio is at least
    a half, and is resolved after `quiet_windows` windows without one.
    """
    walk = _Walk(rule, confirmed)
    for window in sorted(windows, key=lambda w: w.number):
        walk.step(window)
    walk.end_if_quiet(before=quiet_before)
    return walk.alerts


def severity(threshold_ratio: float) -> str:
    """Notable below twice the threshold, strong below four times, extreme above.

    >>> severity(1.2), severity(2.0), severity(4.0)
    ('notable', 'strong', 'extreme')
    """
    return "notable" if threshold_ratio < 2 else "strong" if threshold_ratio < 4 else "extreme"
