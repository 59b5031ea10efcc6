"""Connect to Kafka: wait while the broker is away, and report why in case the settings are to blame."""

import logging
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from confluent_kafka import KafkaError as RdKafkaError
from confluent_kafka import KafkaException, Producer
from kafka import KafkaAdminClient
from kafka.errors import (
    AuthorizationError,
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
)
from kafka.net.transport import KafkaSSLTransport, KafkaTCPTransport

from core.errors import NotReadyError, SettingsError
from core.settings import Settings

SENDER: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "linger.ms": 20,
    "batch.size": 131_072,
    "compression.type": "lz4",
    "message.max.bytes": 16 * 1024 * 1024,
    "queue.buffering.max.messages": 0,
    "delivery.timeout.ms": 0,
    "reconnect.backoff.max.ms": 1_000,
    "partitioner": "murmur2_random",
    "log_level": 0,
}
"""Records wait without limits in number and time; `Delivery` limits their bytes. Partitions as in Java."""
BOOTSTRAP_MILLISECONDS = 3_000
SECONDS_BETWEEN_REASONS = 60.0
SECONDS_FOR_TOPICS = 10.0
"""How long a broker that was away may take, once it answers, to know its topics."""
ACCESS_ERRORS = (AuthorizationError, SaslAuthenticationFailedError)
ACCESS_CODES = {
    RdKafkaError._AUTHENTICATION,
    RdKafkaError.SASL_AUTHENTICATION_FAILED,
    RdKafkaError.TOPIC_AUTHORIZATION_FAILED,
    RdKafkaError.CLUSTER_AUTHORIZATION_FAILED,
}
"""The broker answers, but denies access: as the admin client says it, and as the producer does."""

Say = Callable[[str], None]
Denied = Callable[[RdKafkaError], None]
Result = TypeVar("Result")


class Stopped(Exception):
    """A stop was requested before everything was sent."""


class StopEvent(Protocol):
    """Set to request a stop, like threading.Event."""

    def is_set(self) -> bool:
        """Return whether a stop was requested."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for a stop; return whether one was requested."""


def return_data_before_error(transport: type[KafkaTCPTransport]) -> None:
    """Patch `transport` to return data that arrives along with an error; the next read returns the error.

    A broker that rejects a password answers and hangs up at once. If kafka-python 3.0.12 is the slower of
    the two, it reads both in one go and drops the answer: every attempt then ends with just "socket
    disconnected".
    """
    read = transport._sock_recv

    def _sock_recv(self: KafkaTCPTransport) -> tuple[bytes, Exception | None]:
        received, error = read(self)
        return received, None if received else error

    transport._sock_recv = _sock_recv


for _transport in (KafkaTCPTransport, KafkaSSLTransport):
    return_data_before_error(_transport)


class LastError(logging.Handler):
    """Keeps the latest error of a connection: Kafka's client retries on its own and only logs the reason."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.error: BaseException | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the error in a log record. Denied access outranks other errors; a timeout is not a reason."""
        for argument in record.args if isinstance(record.args, tuple) else ():
            if (
                isinstance(argument, BaseException)
                and not isinstance(argument, KafkaTimeoutError)
                and not isinstance(self.error, ACCESS_ERRORS)
            ):
                self.error = argument


def connect_producer(settings: Settings, *, stop: StopEvent, say: Say, on_denial: Denied) -> Producer:
    """Return a connected producer once both topics exist; waits as long as it takes.

    `on_denial` is called, while the producer is polled, once the broker takes nothing more from it. Raises
    SettingsError if the broker denies access or the settings are invalid, NotReadyError if a topic is
    missing, Stopped.
    """
    log, last = logging.getLogger("kafka"), LastError()
    log.propagate = False
    log.setLevel(logging.WARNING)
    log.addHandler(last)
    try:
        properties = {**SENDER, **settings.librdkafka_arguments()}
        retries = Retries(settings.kafka_bootstrap_servers, last, stop=stop, say=say)
        _wait_for_topics(retries, settings.kafka_python_arguments(), settings)
        return retries.until_connected(lambda: _producer(properties, settings, last, on_denial))
    finally:
        log.removeHandler(last)
        log.setLevel(logging.CRITICAL)


class Retries:
    """Retries until Kafka answers, and reports what it is waiting for."""

    def __init__(self, servers: str, last: LastError, *, stop: StopEvent, say: Say) -> None:
        self._servers = servers
        self._last = last
        self._stop = stop
        self._say = say
        self._next_reason: float | None = None
        self.broker_was_away = False

    def until_connected(self, connect: Callable[[], Result]) -> Result:
        """Return the result of `connect`; raises SettingsError and Stopped."""
        while True:
            self._last.error = None
            try:
                result = connect()
            except (KafkaConfigurationError, ValueError, TypeError, AssertionError) as error:
                raise SettingsError(
                    f"Kafka's settings are invalid: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
                ) from error
            except (KafkaError, KafkaException, OSError) as error:
                self._wait(self._last.error or error)
                continue
            if self._next_reason is not None:
                self._say(f"Kafka at {self._servers} answers.")
                self._next_reason = None
            return result

    def _wait(self, error: BaseException) -> None:
        if isinstance(error, ACCESS_ERRORS):
            raise SettingsError(
                f"Kafka at {self._servers} denies access: {error}. Check GROUNDSWELL_KAFKA_OPTIONS."
            ) from error
        if self._next_reason is None:
            self._say(f"Kafka at {self._servers} does not answer; waiting for it.")
            self.broker_was_away = True
            self._next_reason = time.monotonic() + BOOTSTRAP_MILLISECONDS / 1000
        elif time.monotonic() > self._next_reason:
            self._next_reason = time.monotonic() + SECONDS_BETWEEN_REASONS
            self._say(
                f"Still waiting for Kafka at {self._servers}; the last error was: {error}. "
                "If it is running there, check GROUNDSWELL_KAFKA_BOOTSTRAP_SERVERS and, "
                "for TLS and passwords, GROUNDSWELL_KAFKA_OPTIONS."
            )
        self.pause()

    def pause(self) -> None:
        """Wait half a second; raises Stopped."""
        if self._stop.wait(0.5):
            raise Stopped from None


def _topics(arguments: dict[str, str | int | bool]) -> set[str]:
    admin = KafkaAdminClient(bootstrap_timeout_ms=BOOTSTRAP_MILLISECONDS, **arguments)
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def _wait_for_topics(retries: Retries, arguments: dict[str, str | int | bool], settings: Settings) -> None:
    """Return once both topics exist; raises NotReadyError if one is missing.

    A broker that was away and has just come up gets ten seconds to know its topics.
    """
    answered_at: float | None = None
    while True:
        topics = retries.until_connected(lambda: _topics(arguments))
        missing = [topic for topic in (settings.posts_topic, settings.rejected_topic) if topic not in topics]
        if not missing:
            return
        answered_at = answered_at or time.monotonic()
        if retries.broker_was_away and time.monotonic() - answered_at < SECONDS_FOR_TOPICS:
            retries.pause()
            continue
        raise NotReadyError(
            f"Kafka at {settings.kafka_bootstrap_servers} has no topic {' and no topic '.join(missing)}: "
            "create it (`make up` does so here), or name another one in GROUNDSWELL_POSTS_TOPIC and "
            "GROUNDSWELL_REJECTED_TOPIC."
        )


def _producer(properties: dict[str, Any], settings: Settings, last: LastError, on_denial: Denied) -> Producer:
    """Return a producer that knows both topics."""

    def note(error: RdKafkaError) -> None:
        denied = error.code() in ACCESS_CODES
        last.error = (SaslAuthenticationFailedError if denied else KafkaError)(error.str())
        if denied or error.fatal():
            on_denial(error)

    try:
        producer = Producer({**properties, "error_cb": note})
    except KafkaException as error:
        raise KafkaConfigurationError(error.args[0].str()) from error
    for topic in (settings.posts_topic, settings.rejected_topic):
        try:
            producer.list_topics(topic, timeout=BOOTSTRAP_MILLISECONDS / 1000)
        finally:
            producer.poll(0)
    return producer
