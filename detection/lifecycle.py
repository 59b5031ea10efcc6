"""Lifecycle: turn the judged windows of one keyword into its alerts: opened, ongoing, resolved or withdrawn.

An alert is a run of unusual windows of one keyword. Decisions follow from the windows alone, in order of
event time: however the posts arrived, in however many batches and with however many restarts, the alerts are
the same once their windows are closed. Until then an alert is provisional.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Generic, Protocol, TypeVar

import numpy as np

from detection.arrays import Floats


def as_real(number: float) -> float:
    """Round `number` as a column of type real does.

    Decisions use only such numbers, so that what is stored does not depend on which windows a batch judged
    itself and which it read back.

    >>> as_real(14.57145730543548)
    14.571457
    """
    return float(str(np.float32(number)))


def as_reals(numbers: Floats) -> list[float]:
    """Round each of `numbers` as `as_real` does.

    >>> as_reals(np.array([14.57145730543548, np.inf]))
    [14.571457, inf]
    """
    rounded: list[float] = numbers.astype(np.float32).astype(str).astype(float).tolist()
    return rounded


@dataclass(frozen=True, slots=True)
class JudgedWindow:
    """One window of one keyword: the counts, what they were compared with, and the verdict."""

    number: int
    """Number of the window, as `core.windows.window_number` gives it."""
    posts: int
    total_posts: int | None
    ratio: float
    expected: float
    scale: float
    score: float
    hourly_posts: int
    """Posts of this window and the three before it, windows of fewer than 3 posts counting as none."""
    hourly_expected: float
    hourly_spread: float
    hourly_score: float
    threshold: float
    threshold_ratio: float
    """max(score/threshold, hourly_score/hourly_threshold); from 1 on the window may be an anomaly."""
    anomalous: bool
    """Whether the window or its hourly window is an anomaly with enough authors."""
    statistics_as_of: date | None
    """Last day that the statistics were learned from; None on a first day."""
    authors_bitmap: int
    hourly_authors_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int
    suppressed_by: str | None = None
    """Why an anomaly by its count raises no alert: `few authors`, `calendar` or `clock change`."""
    closed: bool = False
    past_posts: int | None = None
    """On a first day: posts of the keyword in the earlier windows that it was compared with."""
    past_total_posts: int | None = None
    """Posts of all keywords in those."""
    past_since: datetime | None = None
    """Start of the first window of the past."""
    moved_hours: int = 0
    """Hours by which clocks went forward, if profile and traffic were moved by them; else 0."""


class DecidableWindow(Protocol):
    """What decisions read of a window."""

    @property
    def number(self) -> int:
        """Number of the window."""

    @property
    def threshold_ratio(self) -> float:
        """How far its scores reach towards their thresholds."""

    @property
    def anomalous(self) -> bool:
        """Whether it is an anomaly."""

    @property
    def closed(self) -> bool:
        """Whether its figures are final."""


W = TypeVar("W", bound=DecidableWindow)


@dataclass(frozen=True, slots=True)
class Alert(Generic[W]):
    """A run of unusual windows of one keyword; `windows` are those that keep it active, in order."""

    windows: tuple[W, ...]
    resolved: bool = False

    @property
    def opened(self) -> int:
        """Number of the window that opened the alert."""
        return self.windows[0].number

    @property
    def last(self) -> int:
        """Number of its last unusual window."""
        return self.windows[-1].number

    @property
    def threshold_ratio(self) -> float:
        """Highest threshold ratio of its windows."""
        return max(window.threshold_ratio for window in self.windows)

    @property
    def provisional(self) -> bool:
        """Whether its first window is still open, so that the alert may be withdrawn."""
        return not self.windows[0].closed


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """When a keyword may open its next alert and when an alert ends, in windows."""

    cool_down_windows: int = 16
    quiet_windows: int = 4


ACTIVE_THRESHOLD_RATIO = 0.5
"""Threshold ratio from which a window keeps an alert active: half a threshold."""


@dataclass(slots=True)
class _AlertRun(Generic[W]):
    """The alerts of one keyword while its windows are processed in order."""

    rule: LifecycleRule
    latest: Alert[W] | None
    changed: list[Alert[W]] = field(default_factory=list)

    def add(self, window: W) -> None:
        self.resolve_if_quiet(before=window.number)
        if self.latest is not None and not self.latest.resolved:
            if window.threshold_ratio >= ACTIVE_THRESHOLD_RATIO:
                self.update(replace(self.latest, windows=(*self.latest.windows, window)))
        elif window.anomalous and self.may_open(window):
            self.latest = Alert((window,))
            self.changed.append(self.latest)

    def resolve_if_quiet(self, *, before: int) -> None:
        """Resolve the running alert if `quiet_windows` windows passed between its last one and `before`."""
        running = self.latest
        if running is not None and not running.resolved and before - running.last > self.rule.quiet_windows:
            self.update(replace(running, resolved=True))

    def may_open(self, window: W) -> bool:
        last = self.latest
        return (
            last is None
            or window.number - last.opened > self.rule.cool_down_windows
            or window.threshold_ratio >= 2 * last.threshold_ratio
        )

    def update(self, alert: Alert[W]) -> None:
        if self.changed and self.changed[-1] is self.latest:
            self.changed[-1] = alert
        else:
            self.changed.append(alert)
        self.latest = alert


def decide(
    rule: LifecycleRule, confirmed: Alert[W] | None, windows: Iterable[W], *, quiet_before: int
) -> list[Alert[W]]:
    """Return the alerts that `windows` open, continue or resolve, in order; unchanged alerts are left out.

    `confirmed` is the keyword's newest alert as of its closed windows, None if there is none. `windows` are
    the later ones, in any order; an absent window is quiet, and no further ones are expected before the
    window `quiet_before`.

    An alert opens on an anomalous window while none is running, if either the newest alert opened more than
    `cool_down_windows` before or the threshold ratio is at least twice that alert's peak. It stays active
    while the threshold ratio is at least a half, and is resolved after `quiet_windows` windows below that.
    """
    run = _AlertRun(rule, confirmed)
    for window in sorted(windows, key=lambda w: w.number):
        run.add(window)
    run.resolve_if_quiet(before=quiet_before)
    return run.changed


def severity(threshold_ratio: float) -> str:
    """Return notable below twice the threshold, strong below four times, extreme from there on.

    >>> severity(1.2), severity(2.0), severity(4.0)
    ('notable', 'strong', 'extreme')
    """
    return "notable" if threshold_ratio < 2 else "strong" if threshold_ratio < 4 else "extreme"
