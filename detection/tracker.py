"""Track the alerts of many keywords across judged days; for replays of whole days."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Flags, Floats
from detection.lifecycle import ACTIVE_THRESHOLD_RATIO, Alert, LifecycleRule, decide
from detection.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class TrackedWindow:
    """A closed window as `detection.lifecycle.decide` reads it."""

    number: int
    posts: int
    score: float
    threshold_ratio: float
    anomalous: bool
    closed: bool = True


TrackedAlert = Alert[TrackedWindow]


class AlertTracker:
    """Applies `decide` day after day; keywords are integers, and a day's keywords may come in any batches."""

    def __init__(self, rule: LifecycleRule) -> None:
        self._rule = rule
        self._latest: dict[int, TrackedAlert] = {}
        self._running: set[int] = set()

    def add_day(
        self, keywords: NDArray[np.int64], first_window: int, posts: Floats, verdicts: Verdicts
    ) -> Iterator[tuple[int, TrackedAlert]]:
        """Add a day of some keywords, `posts` and `verdicts` [K, n] from `first_window`; yield ended alerts.

        Windows below half a threshold keep no alert active and count as quiet, like absent ones.
        """
        quiet_before = first_window + posts.shape[1]
        active: Flags = verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO
        opening: Flags = np.any(verdicts.anomalous, axis=1)
        for row in np.flatnonzero(np.any(active, axis=1)):
            keyword = int(keywords[row])
            if opening[row] or keyword in self._running:
                windows = [
                    TrackedWindow(
                        number=first_window + int(column),
                        posts=int(posts[row, column]),
                        score=float(verdicts.score[row, column]),
                        threshold_ratio=float(verdicts.threshold_ratio[row, column]),
                        anomalous=bool(verdicts.anomalous[row, column]),
                    )
                    for column in np.flatnonzero(active[row, :])
                ]
                yield from self.follow(keyword, windows, quiet_before)

    def close(self, quiet_before: int) -> Iterator[tuple[int, TrackedAlert]]:
        """End a day: no further windows come before `quiet_before`. Yield alerts that ended."""
        for keyword in sorted(self._running):
            yield from self.follow(keyword, [], quiet_before)

    def running(self) -> Iterator[tuple[int, TrackedAlert]]:
        """Yield the alerts that have not ended."""
        for keyword in sorted(self._running):
            yield keyword, self._latest[keyword]

    def resume(self, keyword: int, alert: TrackedAlert) -> None:
        """Start with `alert` as the newest of `keyword`; it is running unless it is resolved."""
        self._latest[keyword] = alert
        if not alert.resolved:
            self._running.add(keyword)

    def follow(
        self, keyword: int, windows: list[TrackedWindow], quiet_before: int
    ) -> Iterator[tuple[int, TrackedAlert]]:
        """Add the active windows of one keyword, later than those before; yield alerts that ended."""
        for alert in decide(self._rule, self._latest.get(keyword), windows, quiet_before=quiet_before):
            self._latest[keyword] = alert
            if alert.resolved:
                self._running.discard(keyword)
                yield keyword, alert
            else:
                self._running.add(keyword)
