"""To a producer that Kafka answers: waits while the broker is away, and says why where the settings may be to blame."""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import (
    AuthorizationError,
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
)
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport
from kafka.producer.future import FutureRecordMetadata
from kafka.structs import TopicPartition

from core.errors import NotReadyError, SettingsError
from core.settings import Settings
from producer.partitioner import partition_of

LARGEST_REQUEST_BYTES = 16 * 1024 * 1024
BATCH_BYTES = 131_072
LINGER_MILLISECONDS = 20
BOOTSTRAP_MILLISECONDS = 3_000
NEVER_MILLISECONDS = 2**31 - 1
SECONDS_BETWEEN_REASONS = 60.0
SECONDS_FOR_TOPICS = 10.0
"""How long a broker that was away may take, once it answers, to know of its topics."""
REFUSALS = (AuthorizationError, SaslAuthenticationFailedError)
"""What the broker answers to somebody whom it does not let in."""

Say = Callable[[str], None]
Result = TypeVar("Result")


class Stopped(Exception):
    """The user asked to stop while the broker was away."""


class Stop(Protocol):
    """The wish to stop; threading.Event is one."""

    def is_set(self) -> bool: ...
    def wait(self, timeout: float | None = None) -> bool: ...


def keep_last_words(transport: type[KafkaTCPTransport]) -> None:
    """Let `transport` hand on what came with the end of its connection, and tell of the end with the next read.

    A broker that refuses a password answers and hangs up at once. kafka-python 3.0.12 reads both in one go where it is
    the slower of the two, and drops the answer: every attempt then ends with "socket disconnected" alone.
    """
    read = transport._sock_recv

    def _sock_recv(self: KafkaTCPTransport) -> tuple[bytes, Exception | None]:
        received, error = read(self)
        return received, None if received else error

    transport._sock_recv = _sock_recv


for _transport in (KafkaTCPTransport, KafkaSSLTransport):
    keep_last_words(_transport)


class LastError(logging.Handler):
    """The newest error of a connection: Kafka's client tries again for itself, and tells its log alone why."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error that the record speaks of: a refusal before all others, and that time has run out is no reason."""
        for told in record.args if isinstance(record.args, tuple) else ():
            if (
                isinstance(told, BaseException)
                and not isinstance(told, KafkaTimeoutError)
                and not isinstance(self.error, REFUSALS)
            ):
                self.error = told


class PostsProducer(KafkaProducer):  # type: ignore[misc]
    """Kafka's producer with a short way to its batches: a third less work a record than `send`.

    `send` looks for serializers, headers, sizes and partitions that do not change here, and with more than one batch
    waiting it wakes the network thread for every record. Once for a new batch is enough: the thread looks at all of them.
    """

    def __init__(self, **configs: Any) -> None:
        """Connect; see KafkaProducer."""
        super().__init__(**configs)
        self._places: dict[str, list[TopicPartition]] = {}

    def put(self, topic: str, key: bytes, value: bytes) -> FutureRecordMetadata:
        """Put a record into its partition's newest batch; its partition is that which every client chooses for the key."""
        places = self._places.get(topic) or self._find_places(topic)
        future, _, is_new_batch, _ = self._accumulator.append(
            places[partition_of(key, len(places))], None, key, value, ()
        )
        if is_new_batch:
            self._sender.wakeup()
        return future

    def _find_places(self, topic: str) -> list[TopicPartition]:
        places = [TopicPartition(topic, partition) for partition in sorted(self.partitions_for(topic))]
        self._places[topic] = places
        return places


def connect_producer(settings: Settings, *, stop: Stop, say: Say) -> PostsProducer:
    """A connected producer, once both topics are there; waits as long as it takes.

    Raises SettingsError where the broker lets nobody in or the settings cannot be used, NotReadyError where a topic is
    missing, Stopped.
    """
    log, last = logging.getLogger("kafka"), LastError()
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.addHandler(last)
    try:
        arguments = settings.kafka_python_arguments()
        wait = Patience(settings.kafka_bootstrap_servers, last, stop=stop, say=say)
        _wait_for_topics(wait, arguments, settings)
        return wait.until_done(lambda: _producer(arguments, settings))
    finally:
        log.removeHandler(last)
        log.setLevel(logging.CRITICAL)


class Patience:
    """Tries again until Kafka answers, and says what it waits for."""

    def __init__(self, servers: str, last: LastError, *, stop: Stop, say: Say) -> None:
        self._servers = servers
        self._last = last
        self._stop = stop
        self._say = say
        self._next_reason: float | None = None
        self.broker_was_away = False

    def until_done(self, connect: Callable[[], Result]) -> Result:
        """The result of `connect`; raises SettingsError and Stopped."""
        while True:
            self._last.error = None
            try:
                result = connect()
            except (KafkaConfigurationError, ValueError, TypeError, AssertionError) as error:
                raise SettingsError(
                    f"Kafka's settings cannot be used: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
                ) from error
            except (KafkaError, OSError) as error:
                self._wait(self._last.error or error)
                continue
            if self._next_reason is not None:
                self._say(f"Kafka at {self._servers} answers.")
                self._next_reason = None
            return result

    def _wait(self, error: BaseException) -> None:
        if isinstance(error, REFUSALS):
            raise SettingsError(
                f"Kafka at {self._servers} lets nobody in: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
            ) from error
        if self._next_reason is None:
            self._say(f"Kafka at {self._servers} does not answer; waiting for it.")
            self.broker_was_away = True
            self._next_reason = time.monotonic() + BOOTSTRAP_MILLISECONDS / 1000
        elif time.monotonic() > self._next_reason:
            self._next_reason = time.monotonic() + SECONDS_BETWEEN_REASONS
            self._say(
                f"Still waiting for Kafka at {self._servers}; the last error was: {error}. If it runs there, check "
                "GROUNDSWELL_KAFKA_BOOTSTRAP_SERVERS and, for TLS and passwords, GROUNDSWELL_KAFKA_OPTIONS."
            )
        self.pause()

    def pause(self) -> None:
        """Wait a moment; raises Stopped."""
        if self._stop.wait(0.5):
            raise Stopped from None


def _topics(arguments: dict[str, str | int | bool]) -> set[str]:
    admin = KafkaAdminClient(bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS, **arguments)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _wait_for_topics(wait: Patience, arguments: dict[str, str | int | bool], settings: Settings) -> None:
    """Return once both topics are there; raises NotReadyError where they are missing, of a broker that has just come up after a while."""
    answered_at: float | None = None
    while True:
        topics = wait.until_done(lambda: _topics(arguments))
        missing = [topic for topic in (settings.posts_topic, settings.rejected_topic) if topic not in topics]
        if not missing:
            return
        answered_at = answered_at or time.monotonic()
        if wait.broker_was_away and time.monotonic() - answered_at < SECONDS_FOR_TOPICS:
            wait.pause()
            continue
        raise NotReadyError(
            f"Kafka at {settings.kafka_bootstrap_servers} has no topic {' and no topic '.join(missing)}: create it (`make up` does here), "
            "or name another one in GROUNDSWELL_POSTS_TOPIC and GROUNDSWELL_REJECTED_TOPIC."
        )


def _producer(arguments: dict[str, str | int | bool], settings: Settings) -> PostsProducer:
    options: dict[str, Any] = {
        "acks": "all",
        "enable_idempotence": True,
        "linger_ms": LINGER_MILLISECONDS,
        "batch_size": BATCH_BYTES,
        "compression_type": "lz4",
        "max_request_size": LARGEST_REQUEST_BYTES,
        "delivery_timeout_ms": NEVER_MILLISECONDS,
        "bootstrap_timeout_ms": BOOTSTRAP_MILLISECONDS,
        "max_block_ms": BOOTSTRAP_MILLISECONDS,
        "reconnect_backoff_max_ms": 1_000,
        "allow_auto_create_topics": False,
        "metrics_enabled": False,
        **arguments,
    }
    producer = PostsProducer(**options)
    try:
        for topic in (settings.posts_topic, settings.rejected_topic):
            producer.partitions_for(topic)
    except BaseException:
        producer.close(timeout=0)
        raise
    return producer
