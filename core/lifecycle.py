"""Decide: from the judged windows of one keyword to its incidents, opened, ongoing, resolved or withdrawn.

Decisions follow from the windows alone, in order of event time: however the posts arrived, in how many batches and with
however many restarts, the incidents are the same once their windows are closed. What still may change is provisional.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from math import inf, log

DISTINCT_BITS = 64


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
    anomalous: bool
    statistics_as_of: date | None
    """Day of the statistics, None where there were none."""
    authors_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int
    vetoed: bool = False
    """Whether the count alone would be an anomaly, but too few authors stand behind it."""
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """A run of unusual windows of one keyword; `windows` are those that keep it going, in order."""

    windows: tuple[JudgedWindow, ...]
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
    def peak_score(self) -> float:
        """Highest score of its windows."""
        return max(window.score for window in self.windows)

    @property
    def provisional(self) -> bool:
        """Whether the window that opened it is still open, so that it may be withdrawn."""
        return not self.windows[0].closed


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """When an incident opens, goes on and ends; all in windows of 15 minutes and scores."""

    threshold: float
    cool_down_windows: int = 16
    quiet_windows: int = 4

    @property
    def active_score(self) -> float:
        """Score from which a window keeps an incident going: half the threshold."""
        return self.threshold / 2


@dataclass(slots=True)
class _Walk:
    rule: LifecycleRule
    latest: Incident | None
    incidents: list[Incident] = field(default_factory=list)

    def step(self, window: JudgedWindow) -> None:
        self.end_if_quiet(before=window.number)
        if self.latest is not None and not self.latest.resolved:
            if window.score >= self.rule.active_score:
                self.replace(replace(self.latest, windows=(*self.latest.windows, window)))
        elif window.anomalous and self.may_open(window):
            self.latest = Incident((window,))
            self.incidents.append(self.latest)

    def end_if_quiet(self, *, before: int) -> None:
        """Resolve the running incident where `quiet_windows` windows without it lie between its last and `before`."""
        running = self.latest
        if running is not None and not running.resolved and before - running.last > self.rule.quiet_windows:
            self.replace(replace(running, resolved=True))

    def may_open(self, window: JudgedWindow) -> bool:
        last = self.latest
        return last is None or window.number - last.opened > self.rule.cool_down_windows or window.score >= 2 * last.peak_score

    def replace(self, incident: Incident) -> None:
        if self.incidents and self.incidents[-1] is self.latest:
            self.incidents[-1] = incident
        else:
            self.incidents.append(incident)
        self.latest = incident


def decide(rule: LifecycleRule, confirmed: Incident | None, windows: Iterable[JudgedWindow], *, quiet_before: int) -> list[Incident]:
    """The incidents that `windows` open or continue, in order; those that did not change are not among them.

    `confirmed` is the keyword's newest incident as its closed windows made it, None where there was none. `windows` are
    the later ones, in any order; a window that is absent is quiet. Nothing is expected any more in windows numbered
    below `quiet_before`. An incident opens on an anomalous window where none is running and either the newest opened
    more than `cool_down_windows` before or the score is twice its peak; it goes on while the score is at least half the
    threshold, and is resolved after `quiet_windows` windows without one.
    """
    walk = _Walk(rule, confirmed)
    for window in sorted(windows, key=lambda w: w.number):
        walk.step(window)
    walk.end_if_quiet(before=quiet_before)
    return walk.incidents


def severity(peak_score: float, threshold: float) -> str:
    """notable below twice the threshold, strong below four times, extreme above.

    >>> severity(7.0, 6.0), severity(12.0, 6.0), severity(24.0, 6.0)
    ('notable', 'strong', 'extreme')
    """
    times = peak_score / threshold
    return "notable" if times < 2 else "strong" if times < 4 else "extreme"


def estimate_distinct(bitmaps: Sequence[int], *, at_most: int) -> float:
    """Number of distinct things behind the OR of 64-bit `bitmaps` in which each set one hashed bit, and at most `at_most`.

    Linear counting (Whang, Vander-Zanden and Taylor 1990): -64*ln(z/64) with z zero bits. A full bitmap says only "300
    or more": it counts as half a zero bit.

    >>> estimate_distinct([0b1, 0b10], at_most=9), estimate_distinct([-1], at_most=5000)
    (2.0319, 310.5299)
    """
    zeros = max(_zero_bits(bitmaps), 0.5)
    return min(float(at_most), round(-DISTINCT_BITS * log(zeros / DISTINCT_BITS), 4))


def authors_or_infinity(bitmap: int) -> float:
    """Authors behind one `bitmap` as `estimate_distinct` has them, infinity where it is full: too many to tell.

    >>> authors_or_infinity(0b1011), authors_or_infinity(-1)
    (3.0726, inf)
    """
    return estimate_distinct([bitmap], at_most=DISTINCT_BITS**2) if _zero_bits([bitmap]) else inf


def _zero_bits(bitmaps: Sequence[int]) -> int:
    union = 0
    for bitmap in bitmaps:
        union |= bitmap & (2**DISTINCT_BITS - 1)
    return DISTINCT_BITS - union.bit_count()
