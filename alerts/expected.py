"""Expected posts of live counts, from their statistics and traffic: pure functions that return arrays."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from alerts.live_counts import LiveCount
from alerts.traffic import ExpectedTraffic
from core.windows import WINDOW
from detection import score as rule
from detection.arrays import Flags, Floats
from detection.traffic_baseline import hour_shares


@dataclass(frozen=True, slots=True)
class Baselines:
    """Statistics of the keywords of counts, or defaults; arrays parallel to the counts."""

    level: Floats
    scale: Floats
    hourly_spread: Floats
    has_profile: Flags
    """Whether the keyword has an hour profile of its own."""
    deviation: Floats
    """The keyword's own deviation in the window's hour."""
    deviation_before: Floats
    """The same for the hour of day in which the hourly window began."""


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of counts: the distinct starts in order, and the index of each count's start among them."""

    starts: Sequence[datetime]
    index: NDArray[np.int64]

    def floats(self, value: Callable[[datetime], float]) -> Floats:
        """Return `value` of each count's start, called once per distinct start."""
        return np.array([value(start) for start in self.starts], dtype=float)[self.index]

    def flags(self, value: Callable[[datetime], bool]) -> Flags:
        """Return the same for a condition."""
        return np.array([value(start) for start in self.starts], dtype=bool)[self.index]


def baselines_of(counts: Sequence[LiveCount]) -> Baselines:
    """Return the statistics that `counts` were loaded with."""
    return Baselines(
        level=_or_default((count.level for count in counts), rule.DEFAULT_LEVEL),
        scale=rule.scale(
            _or_default((count.variance for count in counts), rule.DEFAULT_VARIANCE),
            _or_default((count.dispersion for count in counts), rule.DEFAULT_DISPERSION),
        ),
        hourly_spread=_or_default((count.hourly_spread for count in counts), rule.DEFAULT_HOURLY_SPREAD),
        has_profile=np.array([count.deviation is not None for count in counts], dtype=bool),
        deviation=_or_default((count.deviation for count in counts), 0.0),
        deviation_before=_or_default((count.deviation_before for count in counts), 0.0),
    )


def windows_of(counts: Sequence[LiveCount]) -> Windows:
    """Return the windows of `counts`."""
    starts = sorted({count.window_start for count in counts})
    position = {start: i for i, start in enumerate(starts)}
    return Windows(starts, np.array([position[count.window_start] for count in counts], dtype=np.int64))


def traffic_ratio(
    windows: Windows, traffic: ExpectedTraffic, posts: Mapping[datetime, int], *, back: int = 0
) -> Floats:
    """Return the traffic ratio of the window `back` windows before each count's own; `posts` is by start."""
    return windows.floats(lambda start: traffic.ratio(posts, start - back * WINDOW))


def expected_posts(
    baselines: Baselines,
    windows: Windows,
    traffic: ExpectedTraffic,
    posts: Mapping[datetime, int],
    *,
    back: int = 0,
) -> Floats:
    """Return the posts expected of each count's keyword in the window `back` windows before its own."""
    shares = hour_shares(traffic.expected_posts)
    same_hour = windows.flags(lambda start: (start - back * WINDOW).hour == start.hour)
    return rule.expected_posts(  # type: ignore[no-any-return]
        baselines.level,
        np.where(same_hour, baselines.deviation, baselines.deviation_before),
        baselines.has_profile,
        windows.floats(lambda start: float(shares[(start - back * WINDOW).hour])),
        traffic_ratio(windows, traffic, posts, back=back),
    )


def expected_hourly_posts(
    baselines: Baselines, windows: Windows, traffic: ExpectedTraffic, posts: Mapping[datetime, int]
) -> Floats:
    """Return the posts expected in each count's hourly window, its four windows summed oldest first."""
    total = np.zeros(len(windows.index))
    for back in reversed(range(rule.WINDOWS_PER_HOUR)):
        total += expected_posts(baselines, windows, traffic, posts, back=back)
    return total


def _or_default(values: Iterable[float | None], default: float) -> Floats:
    return np.array([default if value is None else value for value in values], dtype=float)
