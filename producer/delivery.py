"""Deliver records to Kafka, acknowledged by all replicas, waiting while the broker is away."""

import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from confluent_kafka import KafkaError, Message

from core.errors import GroundswellError, NotReadyError, SettingsError
from core.settings import Settings
from producer.connecting import ACCESS_CODES, Say, StopEvent, Stopped, connect_producer
from producer.resume import Position

MAX_IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""Bounds memory while the broker is away."""
SECONDS_TO_FLUSH_AFTER_STOP = 10.0
SECONDS_BETWEEN_ARRIVALS = 0.002
"""Kafka's times are in milliseconds."""
SECONDS_UNTIL_AWAY = 3.0
"""After this long without an acknowledgement the broker is reported as away."""
ANY_PARTITION = -1


class Record(NamedTuple):
    """A Kafka record: topic, key and value."""

    topic: str
    key: bytes
    value: bytes


class Sent:
    """A record in flight, and the position reached once it and all before it are acknowledged.

    Called by the client with Kafka's answer. `alone`: nothing else was in flight when it was sent.
    """

    __slots__ = ("alone", "answered", "error", "position", "record")

    def __init__(self, record: Record, position: Position, *, alone: bool = False) -> None:
        self.record = record
        self.position = position
        self.alone = alone
        self.answered = False
        self.error: KafkaError | None = None

    def __call__(self, error: KafkaError | None, _: Message) -> None:
        """Note Kafka's answer; `error` None: all replicas have the record."""
        self.answered = True
        self.error = error


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
        self._denied: KafkaError | None = None
        self.acknowledged: Position | None = None
        self.delivered: dict[str, int] = {}
        self.delivered_bytes = 0
        self._producer = connect_producer(settings, stop=stop, say=say, on_denial=self._note_denial)
        self._produce = self._producer.produce
        self._answered_at = time.monotonic()

    def _note_denial(self, error: KafkaError) -> None:
        self._denied = error

    def send(self, record: Record, position: Position) -> None:
        """Send a record; blocks while too much is in flight. Raises as `settle` does, and Stopped."""
        sent = Sent(record, position)
        self._in_flight.append(sent)
        self._in_flight_bytes += len(record.value)
        self._produce(record.topic, record.value, record.key, ANY_PARTITION, sent)
        while self._in_flight_bytes > MAX_IN_FLIGHT_BYTES:
            if self._stop.is_set():
                raise Stopped
            self.settle(wait_seconds=0.2)

    def settle(self, *, wait_seconds: float = 0.0) -> None:
        """Process acknowledgements and errors, after waiting up to `wait_seconds` for one.

        Raises NotReadyError and SettingsError once Kafka takes nothing more.
        """
        self._producer.poll(wait_seconds)
        if self._denied:
            raise self._denial(self._denied)
        in_flight = self._in_flight
        if not in_flight or (in_flight[0].answered and not in_flight[0].error):
            self._note_answer()
        while in_flight and in_flight[0].answered:
            sent = in_flight.popleft()
            self._in_flight_bytes -= len(sent.record.value)
            if sent.error is None:
                self._count(sent)
            else:
                self._resend(sent, sent.error)
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
            self._producer.flush(0.2)
            self.settle()
            check()
        time.sleep(SECONDS_BETWEEN_ARRIVALS)

    def finish(self, check: Callable[[], None]) -> int:
        """Wait for everything in flight; return how many records were not acknowledged.

        Once a stop is requested, wait no more than ten seconds; once access is denied, not at all. `check` is
        called while waiting.
        """
        deadline = None
        while self._in_flight and not self._denied and (deadline is None or time.monotonic() < deadline):
            if deadline is None and self._stop.is_set():
                deadline = time.monotonic() + SECONDS_TO_FLUSH_AFTER_STOP
            self._producer.flush(0.2)
            self.settle()
            check()
        self._producer.purge()
        return len(self._in_flight)

    def _resend(self, sent: Sent, error: KafkaError) -> None:
        if error.code() in ACCESS_CODES or error.fatal():
            self._denied = error
            raise self._denial(error)
        record, too_large = sent.record, error.code() == KafkaError.MSG_SIZE_TOO_LARGE
        if too_large:
            self._drain()
            if sent.alone:
                record = self._replace_too_large(record, sent.position)
        # First in the queue again, so that the acknowledged position does not pass it.
        again = Sent(record, sent.position, alone=len(self._producer) == 0)
        self._in_flight.appendleft(again)
        self._in_flight_bytes += len(record.value)
        self._produce(record.topic, record.value, record.key, ANY_PARTITION, again)
        if too_large:
            self._drain()

    def _drain(self) -> None:
        """Wait until nothing is on its way: Kafka rejects a batch as a whole if one record is too large."""
        while len(self._producer) and not self._stop.is_set():
            self._producer.flush(0.2)

    def _denial(self, error: KafkaError) -> GroundswellError:
        if error.code() not in ACCESS_CODES:
            return NotReadyError(
                f"Kafka at {self._servers} takes nothing more from this run: {error.str()}. Run the command "
                "again: it resumes after the last acknowledged post."
            )
        return SettingsError(
            f"Kafka at {self._servers} does not accept posts: {error.str()}. Check GROUNDSWELL_KAFKA_OPTIONS."
        )
