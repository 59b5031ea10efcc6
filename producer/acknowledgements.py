"""Follow what Kafka has acknowledged: save the position, update the status line, and conclude the run."""

import time
from collections import Counter

from producer.clocks import Clock
from producer.delivery import Delivery
from producer.pacing import SECONDS_BETWEEN_CHECKS, Pacer
from producer.progress import StatusLine
from producer.resume import SavedProgress, StateFile
from producer.summary import SendSummary

SECONDS_BETWEEN_UPDATES = 1.0


class ReplayStatus:
    """Shows a replay's posts, posts per second, lag and rejected lines, once a second."""

    def __init__(self, line: StatusLine, pacer: Pacer, rejected: Counter[str], *, started: float) -> None:
        """`rejected`: lines by reason; `started`: when the run started, in monotonic seconds."""
        self._line = line
        self._pacer = pacer
        self._rejected = rejected
        self._shown_at = started
        self._shown_posts = 0

    def update(self, now: float, posts: int) -> None:
        """Show `posts`, the number delivered so far; `now` in monotonic seconds."""
        seconds = now - self._shown_at
        if seconds < SECONDS_BETWEEN_UPDATES:
            return
        speed = (posts - self._shown_posts) / seconds
        self._shown_at, self._shown_posts = now, posts
        lag = f", {self._pacer.lag_seconds:.1f} s behind schedule" if self._pacer.is_paced else ""
        rejected = f", {self._rejected.total():,} rejected" if self._rejected else ""
        self._line.show(f"{posts:,} posts, {speed:,.0f}/s{lag}{rejected}")


class Acknowledgements:
    """Settles the delivery and saves the position that it has reached, a few times a second."""

    def __init__(
        self,
        delivery: Delivery,
        posts_topic: str,
        state: StateFile | None,
        clock: Clock,
        status: ReplayStatus,
    ) -> None:
        """`state` None: nothing is saved; `clock`: its attributes are saved with the position."""
        self._delivery = delivery
        self._posts_topic = posts_topic
        self._state = state
        self._clock = clock
        self._status = status
        self._next_check = 0.0

    @property
    def _posts(self) -> int:
        return self._delivery.delivered.get(self._posts_topic, 0)

    def check(self) -> None:
        """Settle, save and show, unless the last check was less than 0.2 s ago."""
        now = time.monotonic()
        if now < self._next_check:
            return
        self._next_check = now + SECONDS_BETWEEN_CHECKS
        self._delivery.settle()
        self._save()
        self._status.update(now, self._posts)

    def _save(self) -> None:
        if self._state and self._delivery.acknowledged:
            clock = self._clock
            self._state.save(
                SavedProgress(self._delivery.acknowledged, clock.shift_microseconds, clock.handed_in_ms)
            )

    def finish(self, summary: SendSummary) -> None:
        """Flush and complete the summary; save the position, or delete it if everything was sent."""
        summary.not_acknowledged = self._delivery.finish(self.check)
        summary.sent = self._posts
        summary.bytes = self._delivery.delivered_bytes
        summary.finished = summary.finished and not summary.not_acknowledged
        if self._state and summary.finished:
            self._state.forget()
        elif self._state:
            self._save()
