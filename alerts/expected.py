"""Expected posts of live counts, from their statistics or their past: pure functions that return arrays."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from alerts.live_counts import LiveCount
from alerts.past import NOTHING, Past
from alerts.traffic import ExpectedTraffic
from core.windows import WINDOW
from detection import score as rule
from detection.arrays import Flags, Floats, Integers
from detection.dominant import ratio_by_others
from detection.first_day import (
    OVERDISPERSION,
    RECENT_WINDOWS,
    PastWindows,
    first_day_expected,
    first_day_hourly_spread,
    first_day_overdispersion,
    first_day_ratio,
    first_day_scale,
)
from detection.traffic_baseline import hour_shares


@dataclass(frozen=True, slots=True)
class Compared:
    """What the counts of one day are compared with."""

    traffic: ExpectedTraffic
    posts: Mapping[datetime, int]
    """Traffic by window start, of the windows of the counts and the three before each."""
    beside: Mapping[datetime, float]
    """Highest traffic ratio by window start, where a dominant keyword has taken off."""
    past: Past | None
    """The past; None if statistics suffice."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What counts are compared with; arrays parallel to the counts."""

    ratio: Floats
    expected: Floats
    hourly_expected: Floats
    scale: Floats
    hourly_spread: Floats
    first_day: Flags
    """Whether the window is judged by those before it, for want of statistics."""
    learning: Flags
    """Whether there are neither statistics nor enough windows before it, so that it is not judged."""
    past: PastWindows | None
    """What windows of a first day are judged by; None if statistics cover all hours."""


@dataclass(frozen=True, slots=True)
class _InWindow:
    """What is expected in one window of each hourly window."""

    expected: Floats
    ratio: Floats
    ready: Flags
    """Whether it can be judged by its past."""
    first_day: Flags
    by_past: Floats
    """Expected posts by its past; the posts themselves where there is too little of it."""
    past_ratio: Floats
    past: PastWindows | None


def expectation(counts: Sequence[LiveCount], compared: Compared) -> Expectation:
    """Return what `counts` of one day are compared with, as `detection.judge_day` does for a whole day."""
    in_windows = _InWindows(counts, compared)
    hour = [in_windows.window(back) for back in range(rule.WINDOWS_PER_HOUR)]
    own = hour[0]
    spread = _or_default((count.hourly_spread for count in counts), rule.DEFAULT_HOURLY_SPREAD)
    overdispersion = (
        np.full(len(counts), OVERDISPERSION) if own.past is None else first_day_overdispersion(own.past)
    )
    past_scale = first_day_scale(own.past_ratio, own.by_past, overdispersion)
    past_spread = first_day_hourly_spread(
        past_scale,
        np.sum([window.past_ratio for window in hour], axis=0),
        np.sum([window.by_past for window in hour], axis=0),
        overdispersion,
    )
    by_past = own.first_day | in_windows.unlearned
    return Expectation(
        ratio=own.ratio,
        expected=own.expected,
        hourly_expected=np.sum([window.expected for window in hour], axis=0),
        scale=np.where(by_past, past_scale, in_windows.scale),
        hourly_spread=np.where(by_past, past_spread, spread),
        first_day=own.first_day,
        learning=by_past & ~own.ready,
        past=own.past,
    )


class _InWindows:
    """The windows of counts and of their hourly windows, and what is expected in them."""

    def __init__(self, counts: Sequence[LiveCount], compared: Compared) -> None:
        self._counts, self._compared, self._traffic = counts, compared, compared.traffic
        self._starts = sorted({count.window_start for count in counts})
        position = {start: i for i, start in enumerate(self._starts)}
        self._index: Integers = np.array([position[count.window_start] for count in counts], dtype=np.int64)
        self._rows = {keyword: row for row, keyword in enumerate({count.keyword: None for count in counts})}
        self._row: Integers = np.array([self._rows[count.keyword] for count in counts], dtype=np.int64)
        self._first = self._starts[0] - (rule.WINDOWS_PER_HOUR - 1 + RECENT_WINDOWS) * WINDOW
        """Start of the earliest window whose past is needed."""
        self._sums_of_past: Floats | None = None
        self._shares = hour_shares(self._traffic.expected_posts)
        self._level = _or_default((count.level for count in counts), rule.DEFAULT_LEVEL)
        self.unlearned: Flags = self._unlearned()
        """Whether nothing was learned about a count's keyword by the present keyword rule."""
        self._has_profile: Flags = np.array([count.deviation is not None for count in counts], dtype=bool)
        self._deviation = _or_default((count.deviation for count in counts), 0.0)
        self._deviation_before = _or_default((count.deviation_before for count in counts), 0.0)
        self.scale: Floats = rule.scale(
            _or_default((count.variance for count in counts), rule.DEFAULT_VARIANCE),
            _or_default((count.dispersion for count in counts), rule.DEFAULT_DISPERSION),
        )
        """Scale of each count's keyword, by statistics."""

    def window(self, back: int) -> _InWindow:
        """Return what is expected in the window `back` windows before that of each count."""
        ago = back * WINDOW
        total = self._floats(lambda start: float(self._compared.posts.get(start - ago, 0)))
        posts = np.array(
            [count.posts_before[back - 1] if back else count.posts for count in self._counts], dtype=float
        )
        normal, ratio = self._by_statistics(ago, posts, total)
        if self._compared.past is None:
            nowhere = np.zeros(len(posts), dtype=bool)
            return _InWindow(normal * ratio, ratio, nowhere, nowhere, normal, np.zeros_like(ratio), past=None)
        past = self._past_windows(self._compared.past, ago)
        by_past = np.where(past.ready, first_day_expected(past, posts, total), posts)
        past_ratio = np.where(past.ready, first_day_ratio(past, total), 0.0)
        covered = self._flags(lambda start: self._traffic.covers(start - ago)) & ~self.unlearned
        first_day = past.ready & ~covered
        chosen = first_day | self.unlearned
        return _InWindow(
            expected=np.where(chosen, by_past, normal * ratio),
            ratio=np.where(chosen, past_ratio, ratio),
            ready=past.ready,
            first_day=first_day,
            by_past=by_past,
            past_ratio=past_ratio,
            past=past,
        )

    def _unlearned(self) -> Flags:
        if self._traffic.known and self._traffic.same_rule:
            return np.zeros(len(self._counts), dtype=bool)
        return np.array(
            [count.level is None or not self._traffic.known for count in self._counts], dtype=bool
        )

    def _by_statistics(self, ago: timedelta, posts: Floats, total: Floats) -> tuple[Floats, Floats]:
        """Return the posts expected at normal traffic, and the traffic ratio."""
        known = self._traffic.known
        same_hour = self._flags(lambda start: (start - ago).hour == start.hour)
        normal = rule.expected_posts(
            self._level,
            np.where(same_hour, self._deviation, self._deviation_before),
            self._has_profile,
            self._floats(lambda start: float(self._shares[(start - ago).hour])),
            1.0,
        )
        expected_total = self._floats(
            lambda start: float(self._traffic.expected_posts[(start - ago).hour]) if known else 0.0
        )
        beside = self._floats(lambda start: self._compared.beside.get(start - ago, np.inf))
        return normal, ratio_by_others(posts, normal, self.scale, total, expected_total, beside)

    def _past_windows(self, past: Past, ago: timedelta) -> PastWindows:
        live, before = (self._live_sums(past, back) for back in (ago, ago + RECENT_WINDOWS * WINDOW))
        moved = np.array([past.moved.get(keyword, NOTHING) for keyword in self._rows], dtype=float)
        posts, squares = (moved[self._row] + live).T
        return PastWindows(
            posts=posts,
            total=self._floats(lambda start: float(past.total_posts(start - ago))),
            recent_posts=live[:, 0] - before[:, 0],
            recent_total=self._floats(lambda start: float(past.recent_total_posts(start - ago))),
            squares=squares,
            total_squares=self._floats(lambda start: float(past.total_squares(start - ago))),
            ready=self._flags(lambda start: past.ready(start - ago)),
        )

    def _live_sums(self, past: Past, ago: timedelta) -> Floats:
        """Return posts and squares [n, 2] of n counts' keywords in the past of the windows `ago` before."""
        column = [(start - ago - self._first) // WINDOW for start in self._starts]
        sums: Floats = self._sums(past)[self._row, np.array(column)[self._index]]
        return sums

    def _sums(self, past: Past) -> Floats:
        """Return live sums [K, n, 2] of K keywords in the past of each window from `_first` on."""
        if self._sums_of_past is None:
            windows = range((self._starts[-1] - self._first) // WINDOW + 1)
            starts = [self._first + number * WINDOW for number in windows]
            self._sums_of_past = past.live_sums(list(self._rows), starts)
        return self._sums_of_past

    def _floats(self, value: Callable[[datetime], float]) -> Floats:
        """Return `value` of each count's window start, called once per distinct start."""
        values: Floats = np.array([value(start) for start in self._starts], dtype=float)[self._index]
        return values

    def _flags(self, value: Callable[[datetime], bool]) -> Flags:
        """Return the same for a condition."""
        flags: Flags = np.array([value(start) for start in self._starts], dtype=bool)[self._index]
        return flags


def _or_default(values: Iterable[float | None], default: float) -> Floats:
    return np.array([default if value is None else value for value in values], dtype=float)
