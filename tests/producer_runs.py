"""Runs the producer in a process of its own, and reads what it has sent to Kafka."""

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord

from core.settings import Settings
from deploy.local import processes
from tests.kafka_posts import REPOSITORY, environment


def a_line(number: int) -> bytes:
    """Return post number `number` as a line; it was created that many seconds after the first."""
    post_id = (1584953968 << 32) + number
    return b'{"itemInfos": {"id": "%d", "text": "\\u0041 %d", "createTime": "%d"}}\n' % (
        post_id,
        number,
        1584953968 + number,
    )


def a_file(folder: Path, count: int, name: str = "posts.ndjson") -> Path:
    """Write the first `count` posts to a file."""
    path = folder / name
    path.write_bytes(b"".join(a_line(number) for number in range(count)))
    return path


def start(
    settings: Settings, folder: Path, *arguments: str | Path, stdin: Any = subprocess.DEVNULL
) -> subprocess.Popen[str]:
    """Start `python -m producer ARGUMENTS` with its state files in `folder`."""
    return subprocess.Popen(
        [sys.executable, "-m", "producer", *map(str, arguments)],
        cwd=REPOSITORY,
        text=True,
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(settings, GROUNDSWELL_PRODUCER_STATE_DIR=str(folder / "state")),
    )


def run(settings: Settings, folder: Path, *arguments: str | Path, expect: int = 0) -> dict[str, Any]:
    """Run the producer to its end and return its summary."""
    process = start(settings, folder, *arguments, "--summary-json", folder / "summary.json")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == expect, output + errors
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    return summary


def wait_for_state(folder: Path) -> None:
    """Wait until a run has saved new progress."""
    before = {path: path.read_bytes() for path in folder.glob("*.json")}
    assert processes.wait_until(
        lambda: {path: path.read_bytes() for path in folder.glob("*.json")} != before, 30
    )


def records_of(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Return everything in a topic, by partition and offset."""
    consumer = KafkaConsumer(
        **settings.kafka_python_arguments(), fetch_max_bytes=64_000_000, max_partition_fetch_bytes=32_000_000
    )
    partitions = [TopicPartition(topic, partition) for partition in consumer.partitions_for_topic(topic)]
    consumer.assign(partitions)
    ends = consumer.end_offsets(partitions)
    consumer.seek_to_beginning()
    records: list[ConsumerRecord] = []
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for some in consumer.poll(timeout_ms=500).values():
            records += some
    consumer.close()
    return records


def numbers(settings: Settings) -> Counter[int]:
    """Return how often each post of `a_file` is in Kafka."""
    return Counter(
        int(record.key) - (1584953968 << 32) for record in records_of(settings, settings.posts_topic)
    )
