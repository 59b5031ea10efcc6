"""Sends records to a test's own topics, and runs the streaming commands in processes of their own."""

import os
import subprocess
import sys
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from kafka import KafkaProducer
from pyspark.sql import SparkSession

from alerts.step import advance_on_idle, lock_detection
from core.settings import Settings
from deploy.local.shell import settings_variables
from sql.connection import transaction
from streaming.queries import QUERIES, drain
from streaming.session import query_options

REPOSITORY = Path(__file__).resolve().parents[1]


def send(settings: Settings, values: Iterable[bytes | None], *, topic: str | None = None) -> int:
    """Send `values` in order, round-robin over partitions; return their number once all are acknowledged."""
    producer = KafkaProducer(
        **settings.kafka_python_arguments(), acks="all", linger_ms=5, max_request_size=11_000_000
    )
    sent = 0
    for sent, value in enumerate(values, start=1):
        producer.send(
            topic or settings.posts_topic, value=value, key=b"key", partition=None if topic else sent % 2
        )
    producer.flush()
    producer.close()
    return sent


def environment(settings: Settings, **further: str) -> dict[str, str]:
    """Return the environment variables that give a process `settings`."""
    return {**os.environ, **settings_variables(settings), **further}


def start_streaming(
    settings: Settings, log: Path, *arguments: str, **further: str
) -> subprocess.Popen[bytes]:
    """Start `groundswell stream ARGUMENTS` in a process group of its own, logging to `log`."""
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "streaming", *arguments],
            cwd=REPOSITORY,
            env=environment(settings, **further),
            start_new_session=True,
            stdout=output,
            stderr=output,
        )


def drain_topics(spark: SparkSession, settings: Settings, *names: str) -> None:
    """Drain the topics through both queries, or those in `names`, in the tests' own Spark."""
    for name, value in query_options(settings).items():
        spark.conf.set(name, value)
    drain(spark, settings, names or QUERIES)


def let_time_decide(settings: Settings, now: datetime) -> None:
    """Close expired windows and resolve quiet alerts, as if it were `now` and no more posts had arrived."""
    with transaction(settings) as cursor:
        lock_detection(cursor)
        advance_on_idle(cursor, settings, now=now)


def run_streaming_once(settings: Settings, log: Path, *arguments: str) -> None:
    """Drain the topics in a process of its own."""
    process = start_streaming(settings, log, "--once", *arguments)
    assert process.wait(timeout=180) == 0, log.read_text()[-3000:]
