"""Decide: from the judged windows of one keyword to its incidents, opened, ongoing, resolved or withdrawn.

Decisions follow from the windows alone, in order of event time: however the posts arrived, in how many batches and with
however many restarts, the incidents are the same once their windows are closed. What still may change is provisional.
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
    posts60: int
    """Posts of the last hour: of this window and the three before it, each counted only where it holds 3 or more."""
    expected60: float
    spread60: float
    score60: float
    threshold: float
    strength: float
    """How far the scores reach to their thresholds: max(score/threshold, score60/threshold60); 1 and more may alarm."""
    anomalous: bool
    """Whether one of the two looks, at the window and at the hour, finds an anomaly with people behind it."""
    statistics_as_of: date | None
    """Day of the statistics, None where there were none."""
    authors_bitmap: int
    authors60_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int
    veto: str | None = None
    """Why it is no anomaly though its count alone would be: `few authors` or `calendar`."""
    closed: bool = False


class Verdict(Protocol):
    """What decisions need to know of a window; its `number`, its `strength` and whether it is `anomalous` and `closed`."""

    @property
    def number(self) -> int: ...
    @property
    def strength(self) -> float: ...
    @property
    def anomalous(self) -> bool: ...
    @property
    def closed(self) -> bool: ...


W = TypeVar("W", bound=Verdict)


@dataclass(frozen=True, slots=True)
class Incident(Generic[W]):
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
    def strength(self) -> float:
        """Highest strength of its windows."""
        return max(window.strength for window in self.windows)

    @property
    def provisional(self) -> bool:
        """Whether the window that opened it is still open, so that it may be withdrawn."""
        return not self.windows[0].closed


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """When an incident opens again and ends, in windows."""

    cool_down_windows: int = 16
    quiet_windows: int = 4


ACTIVE_STRENGTH = 0.5
"""Strength from which a window keeps an incident going: half a threshold."""


@dataclass(slots=True)
class _Walk(Generic[W]):
    rule: LifecycleRule
    latest: Incident[W] | None
    incidents: list[Incident[W]] = field(default_factory=list)

    def step(self, window: W) -> None:
        self.end_if_quiet(before=window.number)
        if self.latest is not None and not self.latest.resolved:
            if window.strength >= ACTIVE_STRENGTH:
                self.replace(replace(self.latest, windows=(*self.latest.windows, window)))
        elif window.anomalous and self.may_open(window):
            self.latest = Incident((window,))
            self.incidents.append(self.latest)

    def end_if_quiet(self, *, before: int) -> None:
        """Resolve the running incident where `quiet_windows` windows without it lie between its last and `before`."""
        running = self.latest
        if running is not None and not running.resolved and before - running.last > self.rule.quiet_windows:
            self.replace(replace(running, resolved=True))

    def may_open(self, window: W) -> bool:
        last = self.latest
        return last is None or window.number - last.opened > self.rule.cool_down_windows or window.strength >= 2 * last.strength

    def replace(self, incident: Incident[W]) -> None:
        if self.incidents and self.incidents[-1] is self.latest:
            self.incidents[-1] = incident
        else:
            self.incidents.append(incident)
        self.latest = incident


def decide(rule: LifecycleRule, confirmed: Incident[W] | None, windows: Iterable[W], *, quiet_before: int) -> list[Incident[W]]:
    """The incidents that `windows` open or continue, in order; those that did not change are not among them.

    `confirmed` is the keyword's newest incident as its closed windows made it, None where there was none. `windows` are
    the later ones, in any order; a window that is absent is quiet. Nothing is expected any more in windows numbered
    below `quiet_before`. An incident opens on an anomalous window where none is running and either the newest opened
    more than `cool_down_windows` before or the strength is twice its peak; it goes on while the strength is at least
    a half, and is resolved after `quiet_windows` windows without one.
    """
    walk = _Walk(rule, confirmed)
    for window in sorted(windows, key=lambda w: w.number):
        walk.step(window)
    walk.end_if_quiet(before=quiet_before)
    return walk.incidents


def severity(strength: float) -> str:
    """notable below twice the threshold, strong below four times, extreme above.

    >>> severity(1.2), severity(2.0), severity(4.0)
    ('notable', 'strong', 'extreme')
    """
    return "notable" if strength < 2 else "strong" if strength < 4 else "extreme"
