"""Deliver records to Kafka, acknowledged by all replicas, waiting while the broker is away."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from kafka.errors import KafkaError, MessageSizeTooLargeError

from core.errors import SettingsError
from core.settings import Settings
from producer.connecting import ACCESS_ERRORS, Say, StopEvent, Stopped, connect_producer
from producer.resume import Position

MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""Bounds memory while the broker is away."""
SECONDS_TO_FLUSH_AFTER_STOP = 10.0
SECONDS_BETWEEN_ARRIVALS = 0.002
"""Kafka's times are in milliseconds."""
SECONDS_UNTIL_AWAY = 3.0
"""After this long without an acknowledgement the broker is reported as away."""


class Record(NamedTuple):
    """A Kafka record: topic, key and value."""

    topic: str
    key: bytes
    value: bytes


class Sent(NamedTuple):
    """A record in flight, and the position reached once it and all before it are acknowledged."""

    future: Any
    record: Record
    position: Position


class Delivery:
    """Sends records in order and tracks what Kafka has acknowledged.

    `acknowledged` is the position reached, `delivered` the number of records by topic.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        stop: StopEvent,
        say: Say,
        replace_too_large: Callable[[Record, Position], Record],
    ) -> None:
        """Connect, waiting as long as it takes; raises NotReadyError, SettingsError, or Stopped.

        `replace_too_large` returns what to send in place of a record that the broker finds too large.
        """
        self._servers = settings.kafka_bootstrap_servers
        self._stop = stop
        self._say = say
        self._replace_too_large = replace_too_large
        self._in_flight: deque[Sent] = deque()
        self._in_flight_bytes = 0
        self._away = False
        self.acknowledged: Position | None = None
        self.delivered: dict[str, int] = {}
        self.delivered_bytes = 0
        self._producer = connect_producer(settings, stop=stop, say=say)
        self._answered_at = time.monotonic()

    def send(self, record: Record, position: Position) -> None:
        """Send a record; blocks while too much is in flight. Raises Stopped."""
        self._in_flight.append(Sent(self._producer.put(*record), record, position))
        self._in_flight_bytes += len(record.value)
        while self._in_flight_bytes > MAX_IN_FLIGHT_BYTES:
            if self._stop.is_set():
                raise Stopped
            self.settle(wait_seconds=0.2)

    def settle(self, *, wait_seconds: float = 0.0) -> None:
        """Process acknowledgements and errors, after waiting up to `wait_seconds` for the oldest record."""
        in_flight = self._in_flight
        if wait_seconds and in_flight and not in_flight[0].future.is_done:
            with suppress(KafkaError):
                in_flight[0].future.get(timeout=wait_seconds)
        if not in_flight or in_flight[0].future.succeeded():
            self._note_answer()
        while in_flight and in_flight[0].future.is_done:
            sent = in_flight.popleft()
            self._in_flight_bytes -= len(sent.record.value)
            if sent.future.exception is None:
                self._count(sent)
            else:
                self._resend(sent)
        if time.monotonic() - self._answered_at > SECONDS_UNTIL_AWAY and not self._away:
            self._away = True
            self._say(f"Kafka at {self._servers} does not answer; waiting for it.")

    def _count(self, sent: Sent) -> None:
        topic = sent.record.topic
        self.acknowledged = sent.position
        self.delivered[topic] = self.delivered.get(topic, 0) + 1
        self.delivered_bytes += len(sent.record.value)

    def _note_answer(self) -> None:
        self._answered_at = time.monotonic()
        if self._away:
            self._away = False
            self._say(f"Kafka at {self._servers} answers again.")

    def flush(self, check: Callable[[], None]) -> None:
        """Wait until everything in flight is acknowledged: what follows arrives later by Kafka's clock.

        `check` is called while waiting. Raises Stopped.
        """
        while self._in_flight:
            if self._stop.is_set():
                raise Stopped
            with suppress(KafkaError):
                self._producer.flush(timeout=0.2)
            self.settle()
            check()
        time.sleep(SECONDS_BETWEEN_ARRIVALS)

    def finish(self, check: Callable[[], None]) -> int:
        """Wait for everything in flight; return how many records were not acknowledged.

        Once a stop is requested, wait no more than ten seconds. `check` is called while waiting.
        """
        deadline = None
        while self._in_flight and (deadline is None or time.monotonic() < deadline):
            if deadline is None and self._stop.is_set():
                deadline = time.monotonic() + SECONDS_TO_FLUSH_AFTER_STOP
            with suppress(KafkaError):
                self._producer.flush(timeout=0.2)
            self.settle()
            check()
        self._producer.close(timeout=5 if not self._in_flight else 0)
        return len(self._in_flight)

    def _resend(self, sent: Sent) -> None:
        error, record = sent.future.exception, sent.record
        if isinstance(error, ACCESS_ERRORS):
            raise SettingsError(
                f"Kafka at {self._servers} does not accept posts: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
            ) from error
        if isinstance(error, MessageSizeTooLargeError):
            record = self._replace_too_large(record, sent.position)
        # First in the queue again, so that the acknowledged position does not pass it.
        future = self._producer.put(*record)
        self._in_flight.appendleft(Sent(future, record, sent.position))
        self._in_flight_bytes += len(record.value)
