"""The servers of the integration tests: an embedded stack of their own, or containers."""

import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from core.settings import Settings
from deploy.local import stack
from deploy.local.layout import Layout, layout_for
from deploy.local.servers.kafka import MAX_MESSAGE_BYTES
from deploy.local.servers.s3 import create_bucket

_KAFKA_IMAGE = os.environ.get("KAFKA_IMAGE", "confluentinc/cp-kafka:7.9.0")
_POSTGRES_IMAGE = os.environ.get("POSTGRES_IMAGE", "postgres:18")
_S3_IMAGE = os.environ.get("S3_IMAGE", "minio/minio:latest")


@contextmanager
def own_layout() -> Iterator[Layout]:
    """Yield a stack's folder in the temporary directory, with the checkout's jars; removed at the end."""
    # Other accounts may traverse it, because Postgres runs under another account if the tests run as root.
    root = Path(tempfile.mkdtemp(prefix="groundswell-"))
    root.chmod(0o711)
    layout = Layout(root, layout_for().jars)
    try:
        yield layout
    finally:
        stack.clean(layout)
        shutil.rmtree(root)


@contextmanager
def embedded_stack() -> Iterator[Settings]:
    """Run Kafka, S3 and Postgres as child processes."""
    with own_layout() as layout:
        stack.up(layout)
        yield stack.stack_settings(layout)


@contextmanager
def container_stack() -> Iterator[Settings]:
    """Run Kafka, MinIO and Postgres in containers; skip the tests if no container engine answers."""
    from testcontainers.community.kafka import KafkaContainer
    from testcontainers.community.postgres import PostgresContainer
    from testcontainers.core.container import DockerContainer
    from testcontainers.core.wait_strategies import LogMessageWaitStrategy

    _skip_without_engine()
    password = secrets.token_hex(16)
    kafka = (
        KafkaContainer(_KAFKA_IMAGE).with_kraft().with_env("KAFKA_MESSAGE_MAX_BYTES", str(MAX_MESSAGE_BYTES))
    )
    postgres = PostgresContainer(
        _POSTGRES_IMAGE, username="groundswell", password=password, dbname="groundswell"
    )
    s3 = (
        DockerContainer(_S3_IMAGE)
        .with_command("server /data")
        .with_env("MINIO_ROOT_USER", "groundswell")
        .with_env("MINIO_ROOT_PASSWORD", password)
        .with_exposed_ports(9000)
        .waiting_for(LogMessageWaitStrategy("API:"))
    )
    with ExitStack() as running, tempfile.TemporaryDirectory() as folder:
        for container in (kafka, postgres, s3):
            running.enter_context(container)
        settings = Settings(
            kafka_bootstrap_servers=kafka.get_bootstrap_server(),
            postgres_host=postgres.get_container_host_ip(),
            postgres_port=postgres.get_exposed_port(5432),
            postgres_user="groundswell",
            postgres_password=password,  # type: ignore[arg-type]
            s3_bucket="groundswell",
            s3_endpoint=f"http://{s3.get_container_host_ip()}:{s3.get_exposed_port(9000)}",
            s3_access_key_id="groundswell",
            s3_secret_access_key=password,  # type: ignore[arg-type]
            spark_jars_dir=str(layout_for().jars / "spark"),
            spark_local_dir=folder,
        )
        create_bucket(settings)
        yield settings


def _skip_without_engine() -> None:
    import docker
    from docker.errors import DockerException

    try:
        docker.from_env().ping()
    except DockerException as error:
        pytest.skip(f"STACK=containers, but no container engine answers: {error}", allow_module_level=True)
