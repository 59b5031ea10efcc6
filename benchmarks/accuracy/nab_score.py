"""Scoring of the Numenta Anomaly Benchmark: detections in a labelled series in, its score out.

After Lavin and Ahmad 2015, "Evaluating Real-Time Anomaly Detection Algorithms", section III, and the benchmark's
published code. Each labelled window counts once, by its earliest detection: nearly 1 at its left edge, 0 at its right one,
-fn_weight where nothing was detected. Each detection elsewhere costs up to fp_weight, less just after a window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInputError

PROBATION, PROBATION_ROWS = 0.15, 750
"""The first 15 % of a series, and at most 750 rows, in which detectors may learn and nothing counts."""
_FAR_BEHIND = 3.0

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Times = NDArray[np.datetime64]
Window = tuple[Any, Any]
"""First and last time of a labelled window, numpy datetimes."""


@dataclass(frozen=True)
class Profile:
    """What a benchmark profile makes of found windows, false detections and missed windows."""

    name: str
    true_positive: float
    false_positive: float
    false_negative: float


STANDARD = Profile("standard", 1.0, 0.11, 1.0)
LOW_FALSE_POSITIVES = Profile("reward_low_FP_rate", 1.0, 0.22, 1.0)
LOW_FALSE_NEGATIVES = Profile("reward_low_FN_rate", 1.0, 0.11, 2.0)
PROFILES = (STANDARD, LOW_FALSE_POSITIVES, LOW_FALSE_NEGATIVES)


@dataclass(frozen=True)
class SeriesScore:
    """What detections in one or several series are worth; scores of several series add up."""

    raw: dict[str, float]
    """Score by profile, before normalisation."""
    windows: int
    """Labelled windows that count."""
    found: int
    """Those of them with a detection."""
    false_alarms: int
    """Detections outside of all windows and of probation."""

    def __add__(self, other: "SeriesScore") -> "SeriesScore":
        raw = {name: self.raw[name] + other.raw[name] for name in self.raw}
        return SeriesScore(
            raw,
            self.windows + other.windows,
            self.found + other.found,
            self.false_alarms + other.false_alarms,
        )

    def normalised(self, profile: Profile) -> float:
        """100 for a perfect detector, 0 for one that never detects; NaN without labelled windows."""
        null, perfect = -profile.false_negative * self.windows, profile.true_positive * self.windows
        return 100 * (self.raw[profile.name] - null) / (perfect - null) if self.windows else float("nan")


def scaled_sigmoid(position: float) -> float:
    """What a detection at `position` relative to a window is worth: -1 its left edge, 0 its right edge, 1 a width behind it.

    2/(1 + exp(5*position)) - 1, and -1 from more than three widths behind.

    >>> round(scaled_sigmoid(-1.0), 5), scaled_sigmoid(0.0), scaled_sigmoid(3.1)
    (0.98661, 0.0, -1.0)
    """
    return -1.0 if position > _FAR_BEHIND else float(2 / (1 + np.exp(5 * position)) - 1)


def probation_rows(rows: int) -> int:
    """Rows at the beginning of a series that do not count.

    >>> probation_rows(100), probation_rows(15_000)
    (15, 750)
    """
    return min(int(PROBATION * rows), PROBATION_ROWS)


def score_series(times: Times, detected: Flags, windows: Sequence[Window]) -> SeriesScore:
    """The score of detections `detected` [N] at the ascending `times` [N] of a series with labelled `windows`.

    Raises BadInputError where a window's edges are no times of the series.
    """
    edges = sorted(_edges(times, window) for window in windows)
    probation = probation_rows(len(times))
    counted = [(left, right) for left, right in edges if right >= probation]
    hits = np.flatnonzero(detected)
    hits = hits[hits >= probation]
    inside = [[int(hit) for hit in hits if left <= hit <= right] for left, right in counted]
    outside = [int(hit) for hit in hits if not any(left <= hit <= right for left, right in edges)]
    raw = {}
    for profile in PROFILES:
        found = sum(
            _window_score(window, of_it, profile) for window, of_it in zip(counted, inside, strict=True)
        )
        raw[profile.name] = found + profile.false_positive * sum(_cost(hit, edges) for hit in outside)
    return SeriesScore(raw, windows=len(counted), found=sum(map(bool, inside)), false_alarms=len(outside))


def _edges(times: Times, window: Window) -> tuple[int, int]:
    left, right = (int(np.searchsorted(times, edge)) for edge in window)
    if right >= len(times) or times[left] != window[0] or times[right] != window[1] or right < left:
        raise BadInputError(
            f"The labelled window {window[0]} to {window[1]} does not begin and end at rows of its series. Correct it."
        )
    return left, right


def _window_score(window: tuple[int, int], hits: list[int], profile: Profile) -> float:
    """The earliest hit is worth most: the sigmoid falls from left to right."""
    if not hits:
        return -profile.false_negative
    left, right = window
    position = -(right - hits[0] + 1) / (right - left + 1)
    return profile.true_positive * scaled_sigmoid(position) / scaled_sigmoid(-1.0)


def _cost(hit: int, edges: list[tuple[int, int]]) -> float:
    behind = [(left, right) for left, right in edges if right < hit]
    if not behind:
        return -1.0
    left, right = behind[-1]
    return scaled_sigmoid((hit - right) / max(right - left, 1))
