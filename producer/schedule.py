"""When the next post is due: at a rate, or at a multiple of the speed at which the posts were created."""

import math

LARGEST_STEP_SECONDS = 86_400.0
STEPS_IN_A_ROW = 20


class Schedule:
    """Due times by the running maximum of event time, so that late posts are sent at once and stall nothing.

    A post more than a day ahead of all earlier ones counts as an error and is sent at once; after twenty in a
    row the gap counts as real and is skipped, and time continues from there.
    """

    def __init__(self, *, speed: float | None, rate: float | None, started: float) -> None:
        """`speed`: event seconds per second; `rate`: posts per second; `started`: seconds of any clock."""
        self._speed = speed
        self._rate = rate
        self._started = started
        self._posts = 0
        self._latest: float | None = None
        self._passed_seconds = 0.0
        self._ahead = 0

    @property
    def is_paced(self) -> bool:
        """Whether posts are ever delayed: False if `speed` and `rate` are None."""
        return self._speed is not None or self._rate is not None

    @property
    def latest_seconds(self) -> float:
        """Running maximum of event time, errors excluded; the earliest there is before the first post."""
        return -math.inf if self._latest is None else self._latest

    def due(self, event_seconds: float) -> float:
        """Return when the next post, created at `event_seconds`, is due, on the clock of `started`."""
        due = self._started
        if self._rate is not None:
            due = max(due, self._started + self._posts / self._rate)
        if self._speed is not None:
            self._advance(event_seconds)
            due = max(due, self._started + self._passed_seconds / self._speed)
        self._posts += 1
        return due

    def _advance(self, event_seconds: float) -> None:
        latest = event_seconds if self._latest is None else self._latest
        step = event_seconds - latest
        if step > LARGEST_STEP_SECONDS:
            self._ahead += 1
            if self._ahead >= STEPS_IN_A_ROW:
                self._latest, self._ahead = event_seconds, 0
            return
        self._ahead = 0
        self._passed_seconds += max(step, 0.0)
        self._latest = max(latest, event_seconds)
