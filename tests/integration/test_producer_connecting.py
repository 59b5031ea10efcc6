"""The producer connecting to a broker: it waits, and says when its settings may be to blame."""

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event, Timer

import pytest
from kafka.net.transport import KafkaSSLTransport
from pyspark.sql import SparkSession

from core.errors import SettingsError
from core.settings import Settings
from deploy.local import stack
from deploy.local.servers.kafka import create_topics, kafka_server
from deploy.local.servers.server import bring_up
from producer.connecting import connect_producer
from streaming.source import read_records
from tests.certificates import write_certificate
from tests.producer_runs import a_file, numbers, run, start
from tests.servers import own_layout

MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule required"
LOGINS = (
    f'{MODULE} username="broker" password="between brokers" user_broker="between brokers" user_anna="right";'
)


def with_password(password: str, **further: str) -> dict[str, str]:
    """Return the options of a client that logs in as anna."""
    return {
        "sasl.mechanism": "PLAIN",
        "sasl.jaas.config": f'{MODULE} username="anna" password="{password}";',
        **further,
    }


def messages_while_waiting(process: "subprocess.Popen[str]") -> list[str]:
    """Return the messages up to the one with the last error; the process must still wait, and is stopped."""
    messages: list[str] = []
    assert process.stderr is not None
    while not messages or "the last error was: " not in messages[-1]:
        line = process.stderr.readline()
        assert line, f"it ended after {messages}"
        messages.append(line.rstrip())
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 143 and "Traceback" not in errors
    return messages


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"security.protocol": "SSL"}, "Handshake failed"),
        (
            {"security.protocol": "SASL_PLAINTEXT", **with_password("right")},
            "socket disconnected|IllegalSaslState|UnsupportedSaslMechanism",
        ),
    ],
)
def test_tls_or_a_password_that_the_broker_does_not_use_is_reported_while_waiting(
    settings: Settings, tmp_path: Path, options: dict[str, str], reason: str
) -> None:
    process = start(settings.model_copy(update={"kafka_options": options}), tmp_path, a_file(tmp_path, 1))
    first, second = messages_while_waiting(process)
    assert first == f"Kafka at {settings.kafka_bootstrap_servers} does not answer; waiting for it."
    assert re.search(rf"Still waiting for Kafka at .*; the last error was: .*({reason})", second)
    assert "GROUNDSWELL_KAFKA_OPTIONS" in second


def guarded_with(settings: Settings, password: str) -> Settings:
    """Return `settings` with another password."""
    return settings.model_copy(
        update={"kafka_options": {**settings.kafka_options, **with_password(password)}}
    )


@pytest.fixture(scope="module")
def guarded() -> Iterator[Settings]:
    """Start a broker that requires TLS and a password."""
    with own_layout() as layout:
        state = stack.prepare(layout)
        certificate, authority = write_certificate(layout.root)
        tls = {
            "security.protocol": "SASL_SSL",
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority),
        }
        settings = stack.settings_of(layout, state).model_copy(
            update={"kafka_options": {**tls, **with_password("right")}}
        )
        server = kafka_server(layout, state, settings)

        def prepare() -> None:
            server.prepare()
            properties = {
                "listener.security.protocol.map": "PLAINTEXT:SASL_SSL,CONTROLLER:PLAINTEXT",
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": str(certificate),
                "ssl.truststore.type": "PEM",
                "ssl.truststore.location": str(authority),
                "sasl.enabled.mechanisms": "PLAIN",
                "sasl.mechanism.inter.broker.protocol": "PLAIN",
                "listener.name.plaintext.plain.sasl.jaas.config": LOGINS,
            }
            with (layout.data("kafka") / "server.properties").open("a") as file:
                file.writelines(f"{name}={value}\n" for name, value in properties.items())

        bring_up(layout, replace(server, prepare=prepare, provision=lambda: create_topics(settings)))
        yield settings


def test_over_tls_with_the_right_password_posts_arrive_and_spark_reads_them_with_the_same_settings(
    guarded: Settings, spark: SparkSession, tmp_path: Path
) -> None:
    assert run(guarded, tmp_path, a_file(tmp_path, 20))["sent"] == 20
    assert numbers(guarded) == dict.fromkeys(range(20), 1)
    records = read_records(spark, guarded, topics=[guarded.posts_topic])
    query = records.writeStream.format("memory").queryName("guarded").trigger(availableNow=True)
    query.option("checkpointLocation", str(tmp_path / "checkpoint")).start().awaitTermination()
    assert spark.table("guarded").count() == 20


def test_a_wrong_password_ends_a_run_with_one_sentence(guarded: Settings, tmp_path: Path) -> None:
    process = start(guarded_with(guarded, "wrong"), tmp_path, a_file(tmp_path, 1))
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 1 and "Traceback" not in errors
    assert f"Kafka at {guarded.kafka_bootstrap_servers} denies access: " in errors
    assert "Check GROUNDSWELL_KAFKA_OPTIONS." in errors


def test_a_client_slower_than_the_broker_still_gets_the_rejection(
    guarded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = KafkaSSLTransport._sock_recv

    def receive_late(transport: KafkaSSLTransport) -> tuple[bytes, Exception | None]:
        time.sleep(0.05)
        received: tuple[bytes, Exception | None] = receive(transport)
        return received

    monkeypatch.setattr(KafkaSSLTransport, "_sock_recv", receive_late)
    stop = Event()
    timer = Timer(20, stop.set)
    timer.start()
    with pytest.raises(SettingsError, match="denies access"):
        connect_producer(
            guarded_with(guarded, "wrong"), stop=stop, say=lambda _: None, on_denial=lambda _: None
        )
    timer.cancel()


def test_a_missing_password_is_reported_while_waiting(guarded: Settings, tmp_path: Path) -> None:
    process = start(guarded.model_copy(update={"kafka_options": {}}), tmp_path, a_file(tmp_path, 1))
    assert len(messages_while_waiting(process)) == 2
