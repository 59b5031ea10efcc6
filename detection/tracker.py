"""A book of incidents: judged days of many keywords in, their incidents out as they end; for replays of whole days."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.lifecycle import ACTIVE_STRENGTH, Incident, LifecycleRule, decide
from detection.verdicts import Flags, Floats, Verdicts


@dataclass(frozen=True, slots=True)
class BookedWindow:
    """A closed window as `detection.lifecycle.decide` takes it."""

    number: int
    posts: int
    score: float
    strength: float
    anomalous: bool
    closed: bool = True


BookedIncident = Incident[BookedWindow]


class IncidentBook:
    """Follows incidents from day to day by `decide`; keywords are named by numbers, and a day's keywords come in any batches."""

    def __init__(self, rule: LifecycleRule) -> None:
        self._rule = rule
        self._latest: dict[int, BookedIncident] = {}
        self._running: set[int] = set()

    def take(
        self, keywords: NDArray[np.int64], first_window: int, posts: Floats, verdicts: Verdicts
    ) -> Iterator[tuple[int, BookedIncident]]:
        """Take a day of some keywords, `posts` and `verdicts` [K, n] from the window `first_window`; yields incidents that ended.

        Windows below half a threshold keep nothing going and are quiet, like absent ones.
        """
        quiet_before = first_window + posts.shape[1]
        active: Flags = verdicts.strength >= ACTIVE_STRENGTH
        opening: Flags = np.any(verdicts.anomalous, axis=1)
        for row in np.flatnonzero(np.any(active, axis=1)):
            keyword = int(keywords[row])
            if opening[row] or keyword in self._running:
                places = np.flatnonzero(active[row, :])
                windows = [
                    BookedWindow(
                        first_window + int(place),
                        int(posts[row, place]),
                        float(verdicts.score[row, place]),
                        float(verdicts.strength[row, place]),
                        bool(verdicts.anomalous[row, place]),
                    )
                    for place in places
                ]
                yield from self.follow(keyword, windows, quiet_before)

    def close(self, quiet_before: int) -> Iterator[tuple[int, BookedIncident]]:
        """End a day: nothing more comes before the window `quiet_before`. Yields incidents that ended."""
        for keyword in sorted(self._running):
            yield from self.follow(keyword, [], quiet_before)

    def running(self) -> Iterator[tuple[int, BookedIncident]]:
        """Incidents that have not ended."""
        for keyword in sorted(self._running):
            yield keyword, self._latest[keyword]

    def resume(self, keyword: int, incident: BookedIncident) -> None:
        """Begin with `incident` as the newest of `keyword`; it is running unless it is resolved."""
        self._latest[keyword] = incident
        if not incident.resolved:
            self._running.add(keyword)

    def follow(self, keyword: int, windows: list[BookedWindow], quiet_before: int) -> Iterator[tuple[int, BookedIncident]]:
        """Take the active windows of one keyword, later than those before; yields incidents that ended."""
        for incident in decide(self._rule, self._latest.get(keyword), windows, quiet_before=quiet_before):
            self._latest[keyword] = incident
            if incident.resolved:
                self._running.discard(keyword)
                yield keyword, incident
            else:
                self._running.add(keyword)
