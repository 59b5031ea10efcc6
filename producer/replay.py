"""From inputs to Kafka: reads, checks, stamps and sends post by post, on schedule, and remembers how far it came."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from core.settings import Settings
from producer.clocks import Clock, ClockName
from producer.connecting import Stopped
from producer.delivery import Delivery, Record
from producer.posts import MICROSECONDS, NotAPost, read_record, usable_id, with_time_stamp
from producer.progress import StatusLine
from producer.rejects import rejected_record
from producer.resume import Position, SavedProgress, StateFile
from producer.schedule import Schedule
from producer.sources import MAX_LINE_BYTES, Input, Line
from producer.summary import SendSummary

LINES_BETWEEN_LOOKS = 200
SECONDS_BETWEEN_LOOKS = 0.2
SHORTEST_WAIT_SECONDS = 0.002
AHEAD_SECONDS = 300.0


@dataclass(frozen=True)
class ReplayPlan:
    """What to replay and how; `speed` and `rate` None mean as fast as possible, `limit` counts posts sent."""

    inputs: Sequence[Input]
    clock: ClockName
    start_at: float
    speed: float | None
    rate: float | None
    limit: int | None


class Replay:
    """One run over the inputs."""

    def __init__(
        self,
        plan: ReplayPlan,
        settings: Settings,
        *,
        state: StateFile | None,
        status: StatusLine,
        stop: threading.Event,
    ) -> None:
        """`state` None: nothing is remembered; `stop` is set to end the run early."""
        self._plan = plan
        self._settings = settings
        self._state = state
        self._status = status
        self._stop = stop
        self._begin = SavedProgress(Position(), None)
        self._posts = 0
        self._lag_seconds = 0.0
        self._next_look = 0.0
        self._shown = (time.monotonic(), 0)
        self.summary = SendSummary()

    def run(self) -> SendSummary:
        """Send everything; the summary says whether the end was reached. Raises what stands in the way, after a flush."""
        self._load()
        started = time.monotonic()
        delivery = None
        try:
            delivery = Delivery(self._settings, stop=self._stop, say=self._status.say, instead=self._instead)
            self._clock = Clock(
                self._plan.clock,
                start_at=self._plan.start_at,
                shift_microseconds=self._begin.shift_microseconds,
            )
            self._schedule = Schedule(speed=self._plan.speed, rate=self._plan.rate, started=time.monotonic())
            self._send_all(delivery)
            self.summary.finished = not self._stop.is_set()
        except Stopped:
            pass
        finally:
            if delivery:
                self._end(delivery)
            self.summary.seconds = time.monotonic() - started
        return self.summary

    def _load(self) -> None:
        if self._state is None:
            return
        progress, changed = self._state.load()
        if changed:
            self._status.say("The inputs have changed since an earlier run was stopped: starting over.")
        if progress:
            self._begin = progress
            place = progress.position
            self._status.say(
                f"Going on behind line {place.line:,} of {self._plan.inputs[place.input].name}, where an earlier run was stopped "
                "(--no-resume starts over)."
            )

    def _send_all(self, delivery: Delivery) -> None:
        begin = self._begin.position
        for number, source in enumerate(self._plan.inputs):
            if number < begin.input:
                continue
            first = begin if number == begin.input else Position(number)
            for line in source.lines(offset=first.offset, number=first.line, is_stopped=self._stop.is_set):
                self._send_line(delivery, source.name, line, Position(number, line.end, line.number))
                if self._posts == self._plan.limit:
                    return

    def _send_line(self, delivery: Delivery, file: str, line: Line, position: Position) -> None:
        self.summary.lines += 1
        if self.summary.lines % LINES_BETWEEN_LOOKS == 0:
            self._look(delivery)
        body = line.data.strip()
        if not body:
            self.summary.blank += 1
            return
        try:
            record = self._post(delivery, body, line.length)
        except NotAPost as error:
            self.summary.rejected[error.reason] += 1
            record = rejected_record(self._settings.rejected_topic, file, line, error)
        delivery.send(record, position)

    def _post(self, delivery: Delivery, body: bytes, length: int) -> Record:
        """The post in a line with its time, once it is due; raises NotAPost and Stopped."""
        if length > MAX_LINE_BYTES:
            raise NotAPost("longer than 10 MB", f"{length:,} bytes")
        post = read_record(body)
        post_id = usable_id(post)
        microseconds = self._clock.moment(post, post_id)
        if self._schedule.is_paced:
            self._wait(delivery, self._schedule.due(microseconds / MICROSECONDS))
            if self._plan.clock is ClockName.NOW:
                microseconds = self._clock.moment(post, post_id)
        elif self._stop.is_set():
            raise Stopped
        if microseconds > (time.time() + AHEAD_SECONDS) * MICROSECONDS:
            self.summary.ahead_of_clock += 1
        self._posts += 1
        return Record(self._settings.posts_topic, b"%d" % post_id, with_time_stamp(body, post, microseconds))

    def _wait(self, delivery: Delivery, due: float) -> None:
        while (rest := due - time.monotonic()) > SHORTEST_WAIT_SECONDS:
            self._look(delivery)
            self._stop.wait(min(rest, SECONDS_BETWEEN_LOOKS))
            if self._stop.is_set():
                raise Stopped
        self._lag_seconds = max(-rest, 0.0)
        if self._stop.is_set():
            raise Stopped

    def _look(self, delivery: Delivery) -> None:
        """Take note of what arrived, remember it, and show it; several times a second at most."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + SECONDS_BETWEEN_LOOKS
        delivery.settle()
        self._save(delivery)
        self._show(now, delivery)

    def _save(self, delivery: Delivery) -> None:
        if self._state and delivery.acknowledged:
            self._state.save(SavedProgress(delivery.acknowledged, self._clock.shift_microseconds))

    def _show(self, now: float, delivery: Delivery) -> None:
        arrived = delivery.arrived.get(self._settings.posts_topic, 0)
        then, before = self._shown
        if now - then < 1.0:
            return
        self._shown = (now, arrived)
        lag = f", {self._lag_seconds:.1f} s behind schedule" if self._schedule.is_paced else ""
        rejected = f", {self.summary.rejected.total():,} rejected" if self.summary.rejected else ""
        self._status.show(f"{arrived:,} posts, {(arrived - before) / (now - then):,.0f}/s{lag}{rejected}")

    def _instead(self, record: Record, position: Position) -> Record:
        """What goes to the topic of the rejected in place of a post that the posts' topic does not take."""
        error = NotAPost("larger than the topic takes", f"{len(record.value):,} bytes")
        self.summary.rejected[error.reason] += 1
        file = self._plan.inputs[position.input].name
        line = Line(position.line, record.value, len(record.value), position.offset)
        return rejected_record(self._settings.rejected_topic, file, line, error)

    def _end(self, delivery: Delivery) -> None:
        """Flush, and remember how far it came or, at the end of all, that there is nothing to go on with."""
        left = delivery.finish(lambda: self._look(delivery))
        self.summary.not_acknowledged = left
        self.summary.sent = delivery.arrived.get(self._settings.posts_topic, 0)
        self.summary.bytes = delivery.arrived_bytes
        self.summary.finished = self.summary.finished and not left
        if self._state and self.summary.finished:
            self._state.forget()
        elif self._state:
            self._save(delivery)
            place = delivery.acknowledged or self._begin.position
            self.summary.stopped_at = f"line {place.line:,} of {self._plan.inputs[place.input].name}"
