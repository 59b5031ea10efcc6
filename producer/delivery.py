"""Records into Kafka, acknowledged by all replicas: waits while the broker is away, and knows what has arrived."""

import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from kafka.errors import KafkaError, MessageSizeTooLargeError

from core.errors import SettingsError
from core.settings import Settings
from producer.connecting import REFUSALS, Say, Stop, Stopped, connect_producer
from producer.resume import Position

IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""What may be on its way at once: bounds memory while the broker is away."""
SECONDS_TO_FLUSH_AFTER_STOP = 10.0
SILENCE_SECONDS = 3.0
"""After so long without an acknowledgement the broker is said to be away."""


class Record(NamedTuple):
    """What is sent: the value, its key and its topic."""

    topic: str
    key: bytes
    value: bytes


class Sent(NamedTuple):
    """A record on its way, and the position that is reached once it and all before it have arrived."""

    future: Any
    record: Record
    position: Position


class Delivery:
    """Sends in order and tells what was acknowledged."""

    def __init__(
        self, settings: Settings, *, stop: Stop, say: Say, instead: Callable[[Record, Position], Record]
    ) -> None:
        """Connect, waiting as long as it takes; raises NotReadyError, SettingsError, or Stopped.

        `instead` gives what is sent in place of a record that the broker finds too large.
        """
        self._servers = settings.kafka_bootstrap_servers
        self._stop = stop
        self._say = say
        self._instead = instead
        self._on_the_way: deque[Sent] = deque()
        self._bytes_on_the_way = 0
        self._away = False
        self.acknowledged: Position | None = None
        self.arrived: dict[str, int] = {}
        self.arrived_bytes = 0
        self._producer = connect_producer(settings, stop=stop, say=say)
        self._heard = time.monotonic()

    def send(self, record: Record, position: Position) -> None:
        """Put a record on its way; blocks while too much is on its way already. Raises Stopped."""
        self._on_the_way.append(Sent(self._producer.put(*record), record, position))
        self._bytes_on_the_way += len(record.value)
        while self._bytes_on_the_way > IN_FLIGHT_BYTES:
            if self._stop.is_set():
                raise Stopped
            self.settle(wait_seconds=0.2)

    def settle(self, *, wait_seconds: float = 0.0) -> None:
        """Take note of what has arrived, after waiting for the oldest record at most so long."""
        on_the_way = self._on_the_way
        if wait_seconds and on_the_way and not on_the_way[0].future.is_done:
            with suppress(KafkaError):
                on_the_way[0].future.get(timeout=wait_seconds)
        if not on_the_way or on_the_way[0].future.succeeded():
            self._hear()
        while on_the_way and on_the_way[0].future.is_done:
            sent = on_the_way.popleft()
            self._bytes_on_the_way -= len(sent.record.value)
            if sent.future.exception is None:
                self._take_note(sent)
            else:
                self._send_again(sent)
        if time.monotonic() - self._heard > SILENCE_SECONDS and not self._away:
            self._away = True
            self._say(f"Kafka at {self._servers} does not answer; waiting for it.")

    def _take_note(self, sent: Sent) -> None:
        topic = sent.record.topic
        self.acknowledged = sent.position
        self.arrived[topic] = self.arrived.get(topic, 0) + 1
        self.arrived_bytes += len(sent.record.value)

    def _hear(self) -> None:
        self._heard = time.monotonic()
        if self._away:
            self._away = False
            self._say(f"Kafka at {self._servers} answers again.")

    def finish(self, look: Callable[[], None]) -> int:
        """Wait for everything on its way, but not for long once a stop is wished; returns how many did not arrive.

        `look` is called from time to time.
        """
        deadline = None
        while self._on_the_way and (deadline is None or time.monotonic() < deadline):
            if deadline is None and self._stop.is_set():
                deadline = time.monotonic() + SECONDS_TO_FLUSH_AFTER_STOP
            with suppress(KafkaError):
                self._producer.flush(timeout=0.2)
            self.settle()
            look()
        self._producer.close(timeout=5 if not self._on_the_way else 0)
        return len(self._on_the_way)

    def _send_again(self, sent: Sent) -> None:
        error, record = sent.future.exception, sent.record
        if isinstance(error, REFUSALS):
            raise SettingsError(
                f"Kafka at {self._servers} refuses to take posts: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
            ) from error
        if isinstance(error, MessageSizeTooLargeError):
            record = self._instead(record, sent.position)
        # First in the line again, so that the acknowledged position does not pass it.
        future = self._producer.put(*record)
        self._on_the_way.appendleft(Sent(future, record, sent.position))
        self._bytes_on_the_way += len(record.value)
