"""A book of alerts: judged days of many keywords in, their alerts out as they end; for replays of whole days."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.lifecycle import ACTIVE_THRESHOLD_RATIO, Alert, LifecycleRule, decide
from detection.verdicts import Flags, Floats, Verdicts


@dataclass(frozen=True, slots=True)
class TrackedWindow:
    """A closed window as `detection.lifecycle.decide` takes it."""

    number: int
    posts: int
    score: float
    threshold_ratio: float
    anomalous: bool
    closed: bool = True


TrackedAlert = Alert[TrackedWindow]


class AlertTracker:
    """Follows alerts from day to day by `decide`; keywords are named by numbers, and a day's keywords come in any batches."""

    def __init__(self, rule: LifecycleRule) -> None:
        self._rule = rule
        self._latest: dict[int, TrackedAlert] = {}
        self._running: set[int] = set()

    def take(
        self, keywords: NDArray[np.int64], first_window: int, posts: Floats, verdicts: Verdicts
    ) -> Iterator[tuple[int, TrackedAlert]]:
        """Take a day of some keywords, `posts` and `verdicts` [K, n] from the window `first_window`; yields alerts that ended.

        Windows below half a threshold keep nothing going and are quiet, like absent ones.
        """
        quiet_before = first_window + posts.shape[1]
        active: Flags = verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO
        opening: Flags = np.any(verdicts.anomalous, axis=1)
        for row in np.flatnonzero(np.any(active, axis=1)):
            keyword = int(keywords[row])
            if opening[row] or keyword in self._running:
                places = np.flatnonzero(active[row, :])
                windows = [
                    TrackedWindow(
                        first_window + int(place),
                        int(posts[row, place]),
                        float(verdicts.score[row, place]),
                        float(verdicts.threshold_ratio[row, place]),
                        bool(verdicts.anomalous[row, place]),
                    )
                    for place in places
                ]
                yield from self.follow(keyword, windows, quiet_before)

    def close(self, quiet_before: int) -> Iterator[tuple[int, TrackedAlert]]:
        """End a day: nothing more comes before the window `quiet_before`. Yields alerts that ended."""
        for keyword in sorted(self._running):
            yield from self.follow(keyword, [], quiet_before)

    def running(self) -> Iterator[tuple[int, TrackedAlert]]:
        """Alerts that have not ended."""
        for keyword in sorted(self._running):
            yield keyword, self._latest[keyword]

    def resume(self, keyword: int, alert: TrackedAlert) -> None:
        """Begin with `alert` as the newest of `keyword`; it is running unless it is resolved."""
        self._latest[keyword] = alert
        if not alert.resolved:
            self._running.add(keyword)

    def follow(
        self, keyword: int, windows: list[TrackedWindow], quiet_before: int
    ) -> Iterator[tuple[int, TrackedAlert]]:
        """Take the active windows of one keyword, later than those before; yields alerts that ended."""
        for alert in decide(self._rule, self._latest.get(keyword), windows, quiet_before=quiet_before):
            self._latest[keyword] = alert
            if alert.resolved:
                self._running.discard(keyword)
                yield keyword, alert
            else:
                self._running.add(keyword)
