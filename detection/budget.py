"""Budget: from the windows that might have alarmed in the last days to the threshold that keeps alerts within a number a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.lifecycle import ACTIVE_THRESHOLD_RATIO, LifecycleRule, decide
from detection.score import rule_for
from detection.tracker import TrackedWindow
from detection.verdicts import Floats, judge

LOWEST_THRESHOLD, HIGHEST_THRESHOLD, STEP = 4.25, 8.0, 0.05
REPLAYED_DAYS = 7


@dataclass(frozen=True)
class CandidateWindows:
    """Windows of some days, arrays of one length: those that `LOWEST_THRESHOLD` would count to alerts."""

    keyword: Sequence[str]
    number: NDArray[np.int64]
    posts: Floats
    expected: Floats
    scale: Floats
    hourly_posts: Floats
    hourly_expected: Floats
    hourly_spread: Floats
    authors: Floats
    hourly_authors: Floats


@dataclass(frozen=True, slots=True)
class BudgetedThreshold:
    """A threshold and the alerts that it opens in the replayed days."""

    threshold: float
    alerts: int


def threshold_within(
    windows: CandidateWindows, *, alerts: float, min_posts: int, rule: LifecycleRule
) -> BudgetedThreshold:
    """The smallest threshold, in steps of .05 from 4.25 to 8, that opens at most `alerts`; 8 where none does.

    All higher ones must keep within it too, so that a dip between two steps is not taken for the answer.
    """
    chosen: BudgetedThreshold | None = None
    for step in reversed(range(round((HIGHEST_THRESHOLD - LOWEST_THRESHOLD) / STEP) + 1)):
        threshold = round(LOWEST_THRESHOLD + step * STEP, 2)
        opened = alerts_at(windows, threshold, min_posts=min_posts, rule=rule)
        if chosen is not None and opened > alerts:
            return chosen
        chosen = BudgetedThreshold(threshold, opened)
        if opened > alerts:
            return chosen
    assert chosen is not None
    return chosen


def alerts_at(windows: CandidateWindows, threshold: float, *, min_posts: int, rule: LifecycleRule) -> int:
    """How many alerts `threshold` opens."""
    return sum(
        len(decide(rule, None, found, quiet_before=0))
        for found in tracked_windows(windows, threshold, min_posts=min_posts).values()
    )


def tracked_windows(
    windows: CandidateWindows, threshold: float, *, min_posts: int
) -> dict[str, list[TrackedWindow]]:
    """The windows that `threshold` counts to alerts, by keyword, of keywords with an anomaly among them."""
    verdicts = judge(
        windows.posts,
        windows.expected,
        hourly_posts=windows.hourly_posts,
        hourly_expected=windows.hourly_expected,
        scale=windows.scale,
        hourly_spread=windows.hourly_spread,
        anomaly_rule=rule_for(threshold, min_posts),
        authors=windows.authors,
        hourly_authors=windows.hourly_authors,
    )
    by_keyword: dict[str, list[TrackedWindow]] = {}
    for i in np.flatnonzero(verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO).tolist():
        score, threshold_ratio, anomalous = (
            float(values[i]) for values in (verdicts.score, verdicts.threshold_ratio, verdicts.anomalous)
        )
        window = TrackedWindow(
            int(windows.number[i]), int(windows.posts[i]), score, threshold_ratio, bool(anomalous)
        )
        by_keyword.setdefault(windows.keyword[i], []).append(window)
    return {
        keyword: found for keyword, found in by_keyword.items() if any(window.anomalous for window in found)
    }
