"""The embedded Kafka: one KRaft node on loopback, and the topics of the pipeline."""

import base64
import socket
import subprocess
import uuid
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from kafka.errors import KafkaError, TopicAlreadyExistsError
from tenacity import retry, retry_if_exception_type, stop_after_delay, wait_fixed

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes
from deploy.local.java import java_command
from deploy.local.layout import LOOPBACK, Layout, State
from deploy.local.servers.server import Server

# Records of 10 MB exist; what surrounds them needs room too.
MAX_MESSAGE_BYTES = 11 * 1024 * 1024
POSTS_PARTITIONS = 2
_LOGGING = Path(__file__).parent / "kafka-log4j2.properties"


def kafka_server(layout: Layout, state: State, settings: Settings) -> Server:
    """The broker of this stack."""
    port = state.ports["kafka"]
    configuration = layout.data("kafka") / "server.properties"
    return Server(
        name="kafka",
        port=port,
        command=java_command(
            layout,
            "kafka",
            [
                "-Xmx512m",
                "-XX:+UseG1GC",
                "-XX:+ExitOnOutOfMemoryError",
                f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}",
            ],
            "kafka.Kafka",
            str(configuration),
        ),
        data=layout.data("kafka"),
        prepare=lambda: _prepare(layout, state, configuration),
        is_ready=lambda: answers(port),
        provision=lambda: create_topics(settings),
    )


def answers(port: int) -> bool:
    """Return whether something accepts connections there; an admin client built earlier waits 8 s in vain."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=1).close()
    except OSError:
        return False
    return True


@retry(
    retry=retry_if_exception_type(KafkaError), wait=wait_fixed(0.2), stop=stop_after_delay(30), reraise=True
)
def create_topics(settings: Settings) -> None:
    """Create the two topics if missing; they take records of 11 MB and use the broker's clock."""
    configuration = {"max.message.bytes": str(MAX_MESSAGE_BYTES), "message.timestamp.type": "LogAppendTime"}
    wanted = {settings.posts_topic: POSTS_PARTITIONS, settings.rejected_topic: 1}
    admin = KafkaAdminClient(**settings.kafka_python_arguments())
    try:
        missing = [
            NewTopic(name=name, num_partitions=partitions, replication_factor=1, topic_configs=configuration)
            for name, partitions in wanted.items()
            if name not in admin.list_topics()
        ]
        if missing:
            admin.create_topics(missing)
    except TopicAlreadyExistsError:
        return
    finally:
        admin.close()


def _prepare(layout: Layout, state: State, configuration: Path) -> None:
    data = layout.data("kafka")
    data.mkdir(parents=True, exist_ok=True)
    configuration.write_text(_properties(state, data))
    if not (data / "log" / "meta.properties").exists():
        _format(layout, configuration)


def _format(layout: Layout, configuration: Path) -> None:
    # The tool takes an id that begins with a dash for an option; below 2^127 none does.
    cluster_id = base64.urlsafe_b64encode((uuid.uuid4().int >> 1).to_bytes(16)).decode().rstrip("=")
    command = java_command(
        layout,
        "kafka",
        ["-Xmx128m", "-XX:TieredStopAtLevel=1", f"-Dlog4j2.configurationFile={_LOGGING.as_uri()}"],
        "kafka.tools.StorageTool",
        *("format", "-t", cluster_id, "-c", str(configuration), "--ignore-formatted"),
    )
    with processes.open_log(layout, "kafka") as log:
        if subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode:
            path = processes.log_path(layout, "kafka")
            raise NotReadyError(
                f"Kafka's storage could not be made. The end of {path}:\n{processes.last_lines(path)}"
            )


def _properties(state: State, data: Path) -> str:
    port, controller = state.ports["kafka"], state.ports["kafka_controller"]
    replicated = (
        "offsets.topic.replication.factor",
        "transaction.state.log.replication.factor",
        "transaction.state.log.min.isr",
        "share.coordinator.state.topic.replication.factor",
        "share.coordinator.state.topic.min.isr",
        "default.replication.factor",
        "min.insync.replicas",
    )
    properties = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{LOOPBACK}:{controller}",
        "listeners": f"PLAINTEXT://{LOOPBACK}:{port},CONTROLLER://{LOOPBACK}:{controller}",
        "advertised.listeners": f"PLAINTEXT://{LOOPBACK}:{port}",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": _escaped(data / "log"),
        "auto.create.topics.enable": "false",
        "offsets.topic.num.partitions": 1,
        "transaction.state.log.num.partitions": 1,
        "group.initial.rebalance.delay.ms": 0,
        "message.max.bytes": MAX_MESSAGE_BYTES,
        "replica.fetch.max.bytes": MAX_MESSAGE_BYTES,
        **dict.fromkeys(replicated, 1),
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _escaped(path: Path) -> str:
    return str(path).replace("\\", "\\\\")
