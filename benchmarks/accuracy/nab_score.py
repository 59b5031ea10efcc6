"""Scoring of the Numenta Anomaly Benchmark: from detections in a labelled series to its score.

After Lavin and Ahmad 2015, "Evaluating Real-Time Anomaly Detection Algorithms", section III, and the
benchmark's published code. Each labelled window counts once, by its earliest detection: nearly 1 at its left
edge, 0 at its right edge, -fn_weight without a detection. Each detection elsewhere costs up to fp_weight,
less just after a window.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import BadInputError
from detection.arrays import Flags

PROBATION, PROBATION_ROWS = 0.15, 750
"""The first 15 % of a series, at most 750 rows: detectors may learn, and nothing counts."""
_FAR_AFTER = 3.0

Times = NDArray[np.datetime64]
Window = tuple[Any, Any]
"""First and last time of a labelled window, numpy datetimes."""


@dataclass(frozen=True)
class Profile:
    """The weights of a benchmark profile for found windows, false detections and missed windows."""

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
    """The score of detections in one or several series; scores of several series add up."""

    raw: dict[str, float]
    """Score by profile, before normalisation."""
    windows: int
    """Labelled windows that count."""
    found: int
    """Labelled windows with a detection."""
    false_alerts: int
    """Detections outside all windows, after probation."""

    def __add__(self, other: "SeriesScore") -> "SeriesScore":
        raw = {name: self.raw[name] + other.raw[name] for name in self.raw}
        return SeriesScore(
            raw,
            self.windows + other.windows,
            self.found + other.found,
            self.false_alerts + other.false_alerts,
        )

    def normalised(self, profile: Profile) -> float:
        """Return 100 for a perfect detector, 0 for one that never detects; NaN without labelled windows."""
        null, perfect = -profile.false_negative * self.windows, profile.true_positive * self.windows
        return 100 * (self.raw[profile.name] - null) / (perfect - null) if self.windows else float("nan")


def scaled_sigmoid(position: float) -> float:
    """Return the value of a detection at `position` relative to a window.

    -1 is its left edge, 0 its right edge, 1 a width after it. 2/(1 + exp(5*position)) - 1, and -1 more than
    three widths after.

    >>> round(scaled_sigmoid(-1.0), 5), scaled_sigmoid(0.0), scaled_sigmoid(3.1)
    (0.98661, 0.0, -1.0)
    """
    return -1.0 if position > _FAR_AFTER else float(2 / (1 + np.exp(5 * position)) - 1)


def probation_rows(rows: int) -> int:
    """Return how many rows at the beginning of a series do not count.

    >>> probation_rows(100), probation_rows(15_000)
    (15, 750)
    """
    return min(int(PROBATION * rows), PROBATION_ROWS)


def score_series(times: Times, detected: Flags, windows: Sequence[Window]) -> SeriesScore:
    """Score the detections `detected` [N] at the ascending `times` [N] of a series with labelled `windows`.

    Raises BadInputError if the edges of a window are not times of the series.
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
        pairs = zip(counted, inside, strict=True)
        found = sum(_window_score(window, hits_inside, profile) for window, hits_inside in pairs)
        raw[profile.name] = found + profile.false_positive * sum(_cost(hit, edges) for hit in outside)
    return SeriesScore(raw, windows=len(counted), found=sum(map(bool, inside)), false_alerts=len(outside))


def _edges(times: Times, window: Window) -> tuple[int, int]:
    left, right = (int(np.searchsorted(times, edge)) for edge in window)
    if right >= len(times) or times[left] != window[0] or times[right] != window[1] or right < left:
        raise BadInputError(
            f"The labelled window {window[0]} to {window[1]} does not begin and end at rows of its series. "
            f"Correct the label."
        )
    return left, right


def _window_score(window: tuple[int, int], hits: list[int], profile: Profile) -> float:
    """Score a window by its earliest hit, which is worth most: the sigmoid falls from left to right."""
    if not hits:
        return -profile.false_negative
    left, right = window
    position = -(right - hits[0] + 1) / (right - left + 1)
    return profile.true_positive * scaled_sigmoid(position) / scaled_sigmoid(-1.0)


def _cost(hit: int, edges: list[tuple[int, int]]) -> float:
    windows_before = [(left, right) for left, right in edges if right < hit]
    if not windows_before:
        return -1.0
    left, right = windows_before[-1]
    return scaled_sigmoid((hit - right) / max(right - left, 1))
