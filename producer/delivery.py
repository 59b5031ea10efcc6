"""Records into Kafka, acknowledged by all replicas: waits while the broker is away, and knows what has arrived."""

import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple, Protocol, TypeVar

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import AuthorizationError, KafkaConfigurationError, KafkaError, MessageSizeTooLargeError, SaslAuthenticationFailedError
from kafka.net.compat import KafkaNetClient

from core.errors import NotReadyError, SettingsError
from core.settings import Settings
from producer.partitioner import KeyPartitioner
from producer.resume import Position

LARGEST_REQUEST_BYTES = 16 * 1024 * 1024
IN_FLIGHT_BYTES = 16 * 1024 * 1024
"""What may be on its way at once: bounds memory while the broker is away."""
BATCH_BYTES = 131_072
LINGER_MILLISECONDS = 20
BOOTSTRAP_MILLISECONDS = 3_000
NEVER_MILLISECONDS = 2**31 - 1
SECONDS_TO_FLUSH_AFTER_STOP = 10.0
SILENCE_SECONDS = 3.0
"""After so long without an acknowledgement the broker is said to be away."""
_FATAL = (AuthorizationError, SaslAuthenticationFailedError)

Say = Callable[[str], None]
Result = TypeVar("Result")


class Stopped(Exception):
    """The user asked to stop while the broker was away."""


class Stop(Protocol):
    """The wish to stop; threading.Event is one."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


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

    def __init__(self, settings: Settings, *, stop: Stop, say: Say, instead: Callable[[Record, Position], Record]) -> None:
        """Connect, waiting as long as it takes; raises NotReadyError, SettingsError, or Stopped.

        `instead` gives what is sent in place of a record that the broker finds too large.
        """
        logging.getLogger("kafka").setLevel(logging.CRITICAL)
        self._servers = settings.kafka_bootstrap_servers
        self._stop = stop
        self._say = say
        self._instead = instead
        self._on_the_way: deque[Sent] = deque()
        self._bytes_on_the_way = 0
        self._heard = time.monotonic()
        self._away = False
        self.acknowledged: Position | None = None
        self.arrived: dict[str, int] = {}
        self.arrived_bytes = 0
        arguments = settings.kafka_python_arguments()
        _require_topics(self._patiently(lambda: _topics(arguments)), settings)
        self._producer = self._patiently(lambda: _producer(arguments, settings))

    def send(self, record: Record, position: Position) -> None:
        """Put a record on its way; blocks while too much is on its way already. Raises Stopped."""
        self._on_the_way.append(Sent(self._producer.send(record.topic, record.value, record.key), record, position))
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
        if isinstance(error, _FATAL):
            raise SettingsError(f"Kafka at {self._servers} refuses to take posts: {error}. Check GROUNDSWELL_KAFKA_OPTIONS.") from error
        if isinstance(error, MessageSizeTooLargeError):
            record = self._instead(record, sent.position)
        # First in the line again, so that the acknowledged position does not pass it.
        future = self._producer.send(record.topic, record.value, record.key)
        self._on_the_way.appendleft(Sent(future, record, sent.position))
        self._bytes_on_the_way += len(record.value)

    def _patiently(self, connect: Callable[[], Result]) -> Result:
        said = False
        while True:
            try:
                result = connect()
            except (KafkaConfigurationError, ValueError, TypeError, AssertionError) as error:
                raise SettingsError(f"Kafka's settings cannot be used: {error}. Check GROUNDSWELL_KAFKA_OPTIONS.") from error
            except _FATAL as error:
                raise SettingsError(f"Kafka at {self._servers} lets nobody in: {error}. Check GROUNDSWELL_KAFKA_OPTIONS.") from error
            except (KafkaError, OSError):
                if not said:
                    self._say(f"Kafka at {self._servers} does not answer; waiting for it.")
                said = True
                if self._stop.wait(0.5):
                    raise Stopped from None
                continue
            if said:
                self._say(f"Kafka at {self._servers} answers.")
            return result


class QuietClient(KafkaNetClient):  # type: ignore[misc]
    """The client's network side, woken once for many records.

    With more than one batch waiting the producer wakes it for every record: a system call each, at which the threads
    change places. One call is enough until the network thread has come round, because it looks at all batches then.
    """

    _woken = False

    def wakeup(self) -> None:
        """Wake the network thread unless that is under way."""
        if not self._woken:
            self._woken = True
            super().wakeup()

    def poll(self, *arguments: Any, **options: Any) -> Any:
        """Wait for the network; all batches are looked at behind it, so that the next wake-up is a new one."""
        result = super().poll(*arguments, **options)
        self._woken = False
        return result

    def await_ready(self, *arguments: Any, **options: Any) -> bool:
        """Wait for a connection, which may swallow a wake-up."""
        ready: bool = super().await_ready(*arguments, **options)
        self._woken = False
        return ready


def _topics(arguments: dict[str, str | int]) -> set[str]:
    admin = KafkaAdminClient(bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS, **arguments)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _require_topics(topics: set[str], settings: Settings) -> None:
    missing = [topic for topic in (settings.posts_topic, settings.rejected_topic) if topic not in topics]
    if missing:
        raise NotReadyError(
            f"Kafka at {settings.kafka_bootstrap_servers} has no topic {' and no topic '.join(missing)}: create it (`make up` does here), "
            "or name another one in GROUNDSWELL_POSTS_TOPIC and GROUNDSWELL_REJECTED_TOPIC."
        )


def _producer(arguments: dict[str, str | int], settings: Settings) -> KafkaProducer:
    options: dict[str, Any] = {
        "acks": "all", "enable_idempotence": True, "linger_ms": LINGER_MILLISECONDS, "batch_size": BATCH_BYTES, "compression_type": "lz4",
        "max_request_size": LARGEST_REQUEST_BYTES, "delivery_timeout_ms": NEVER_MILLISECONDS,
        "bootstrap_timeout_ms": BOOTSTRAP_MILLISECONDS, "max_block_ms": BOOTSTRAP_MILLISECONDS, "reconnect_backoff_max_ms": 1_000,
        "allow_auto_create_topics": False, "metrics_enabled": False, "kafka_client": QuietClient,
        "partitioner": KeyPartitioner(), **arguments,
    }
    producer = KafkaProducer(**options)
    try:
        for topic in (settings.posts_topic, settings.rejected_topic):
            producer.partitions_for(topic)
    except BaseException:
        producer.close(timeout=0)
        raise
    return producer
