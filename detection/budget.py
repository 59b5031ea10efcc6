"""Budget: from the candidate windows of the last days to the threshold for a number of alerts a day."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Floats
from detection.lifecycle import ACTIVE_THRESHOLD_RATIO, LifecycleRule, decide
from detection.score import rule_for
from detection.tracker import TrackedWindow
from detection.verdicts import judge

LOWEST_THRESHOLD, HIGHEST_THRESHOLD, STEP = 4.25, 8.0, 0.05
REPLAYED_DAYS = 7


@dataclass(frozen=True)
class CandidateWindows:
    """Windows of several days that belong to alerts at `LOWEST_THRESHOLD`, as arrays of equal length."""

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
    """A threshold and the number of alerts that it opens in the replayed days."""

    threshold: float
    alerts: int


def threshold_within(
    windows: CandidateWindows, *, alerts: float, min_posts: int, rule: LifecycleRule
) -> BudgetedThreshold:
    """Return the smallest threshold from 4.25 to 8 that opens at most `alerts`; 8 if none does.

    Steps are .05. Every higher threshold must stay within the budget too, so that a dip between two steps is
    not the answer.
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
    """Count the alerts that `threshold` opens."""
    return sum(
        len(decide(rule, None, of_keyword, quiet_before=0))
        for of_keyword in tracked_windows(windows, threshold, min_posts=min_posts).values()
    )


def tracked_windows(
    windows: CandidateWindows, threshold: float, *, min_posts: int
) -> dict[str, list[TrackedWindow]]:
    """Return the windows that belong to alerts at `threshold`, by keyword; only keywords with an anomaly."""
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
        window = TrackedWindow(
            number=int(windows.number[i]),
            posts=int(windows.posts[i]),
            score=float(verdicts.score[i]),
            threshold_ratio=float(verdicts.threshold_ratio[i]),
            anomalous=bool(verdicts.anomalous[i]),
        )
        by_keyword.setdefault(windows.keyword[i], []).append(window)
    return {
        keyword: of_keyword
        for keyword, of_keyword in by_keyword.items()
        if any(window.anomalous for window in of_keyword)
    }
