"""Wait until the next post is due."""

import time
from collections.abc import Callable

from producer.connecting import StopEvent, Stopped
from producer.schedule import Schedule

SECONDS_BETWEEN_CHECKS = 0.2
SHORTEST_WAIT_SECONDS = 0.002


class Pacer:
    """Waits for posts to become due until `stop` is set; `lag_seconds` is how late the last post was."""

    def __init__(self, schedule: Schedule, stop: StopEvent) -> None:
        self.is_paced = schedule.is_paced
        self.lag_seconds = 0.0
        self._schedule = schedule
        self._stop = stop

    def wait_until_due(self, event_seconds: float, check: Callable[[], None]) -> None:
        """Wait until a post with this event time is due; raises Stopped.

        `check` is called at least every 0.2 s during a wait.
        """
        if self.is_paced:
            self._wait_until(self._schedule.due(event_seconds), check)
        if self._stop.is_set():
            raise Stopped

    def _wait_until(self, due: float, check: Callable[[], None]) -> None:
        while (remaining := due - time.monotonic()) > SHORTEST_WAIT_SECONDS:
            check()
            if self._stop.wait(min(remaining, SECONDS_BETWEEN_CHECKS)):
                raise Stopped
        self.lag_seconds = max(-remaining, 0.0)
