"""Budget: from the windows that might have alarmed in the last days to the threshold that keeps alerts within a number a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.lifecycle import ACTIVE_STRENGTH, LifecycleRule, decide
from detection.score import alarm_rule
from detection.tracker import BookedWindow
from detection.verdicts import Floats, judge

LOWEST_THRESHOLD, HIGHEST_THRESHOLD, STEP = 4.25, 8.0, 0.05
REPLAYED_DAYS = 7


@dataclass(frozen=True)
class CandidateWindows:
    """Windows of some days, arrays of one length: those that `LOWEST_THRESHOLD` would count to incidents."""

    keyword: Sequence[str]
    number: NDArray[np.int64]
    posts: Floats
    expected: Floats
    scale: Floats
    posts60: Floats
    expected60: Floats
    spread60: Floats
    authors: Floats
    authors60: Floats


@dataclass(frozen=True, slots=True)
class BudgetedThreshold:
    """A threshold and the incidents that it opens in the replayed days."""

    threshold: float
    incidents: int


def threshold_within(windows: CandidateWindows, *, incidents: float, floor: int, rule: LifecycleRule) -> BudgetedThreshold:
    """The smallest threshold, in steps of .05 from 4.25 to 8, that opens at most `incidents`; 8 where none does.

    All higher ones must keep within it too, so that a dip between two steps is not taken for the answer.
    """
    chosen: BudgetedThreshold | None = None
    for step in reversed(range(round((HIGHEST_THRESHOLD - LOWEST_THRESHOLD) / STEP) + 1)):
        threshold = round(LOWEST_THRESHOLD + step * STEP, 2)
        opened = incidents_at(windows, threshold, floor=floor, rule=rule)
        if chosen is not None and opened > incidents:
            return chosen
        chosen = BudgetedThreshold(threshold, opened)
        if opened > incidents:
            return chosen
    assert chosen is not None
    return chosen


def incidents_at(windows: CandidateWindows, threshold: float, *, floor: int, rule: LifecycleRule) -> int:
    """How many incidents `threshold` opens."""
    return sum(len(decide(rule, None, found, quiet_before=0)) for found in booked_windows(windows, threshold, floor=floor).values())


def booked_windows(windows: CandidateWindows, threshold: float, *, floor: int) -> dict[str, list[BookedWindow]]:
    """The windows that `threshold` counts to incidents, by keyword, of keywords with an anomaly among them."""
    verdicts = judge(
        windows.posts, windows.expected, posts60=windows.posts60, expected60=windows.expected60, scale=windows.scale,
        spread60=windows.spread60, alarm=alarm_rule(threshold, floor), authors=windows.authors, authors60=windows.authors60,
    )  # fmt: skip
    by_keyword: dict[str, list[BookedWindow]] = {}
    for i in np.flatnonzero(verdicts.strength >= ACTIVE_STRENGTH).tolist():
        score, strength, anomalous = (float(values[i]) for values in (verdicts.score, verdicts.strength, verdicts.anomalous))
        window = BookedWindow(int(windows.number[i]), int(windows.posts[i]), score, strength, bool(anomalous))
        by_keyword.setdefault(windows.keyword[i], []).append(window)
    return {keyword: found for keyword, found in by_keyword.items() if any(window.anomalous for window in found)}
