"""Laws of the producer on a real broker: what is in Kafka after a run, a kill, a stop, or with the broker away."""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.partitioner.default import murmur2

from core.settings import Settings
from deploy.local import processes, stack
from deploy.local.servers.kafka import kafka_server
from deploy.local.servers.s3 import s3_client
from deploy.local.servers.server import bring_up
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from tests.kafka_posts import REPOSITORY, environment
from tests.servers import own_layout

REAL_POSTS = REPOSITORY.parent / "shared" / "data" / "posts"
WORLD = World(seed=5, start=date(2026, 3, 2), posts_per_day=3_000)


def records_of(settings: Settings, topic: str) -> list[ConsumerRecord]:
    """Everything in a topic, by partition and offset."""
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


def start(
    settings: Settings, folder: Path, *arguments: str | Path, stdin: Any = subprocess.DEVNULL
) -> subprocess.Popen[str]:
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
    """Run the producer to its end; its summary."""
    process = start(settings, folder, *arguments, "--summary-json", folder / "summary.json")
    output, errors = process.communicate(timeout=120)
    assert process.returncode == expect, output + errors
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_bytes())
    return summary


def a_line(number: int) -> bytes:
    post_id = (1584953968 << 32) + number
    return b'{"itemInfos": {"id": "%d", "text": "\\u0041 %d", "createTime": "%d"}}\n' % (
        post_id,
        number,
        1584953968 + number,
    )


def a_file(folder: Path, count: int, name: str = "posts.ndjson") -> Path:
    path = folder / name
    path.write_bytes(b"".join(a_line(number) for number in range(count)))
    return path


def numbers(settings: Settings) -> Counter[int]:
    """How often each post of `a_file` is in Kafka."""
    return Counter(
        int(record.key) - (1584953968 << 32) for record in records_of(settings, settings.posts_topic)
    )


@pytest.mark.parametrize("name", ["web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson"])
def test_a_real_post_arrives_byte_for_byte_with_its_creation_time_and_under_its_id(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    if not (REAL_POSTS / name).exists():
        pytest.skip(f"{name} is not here")
    lines = (REAL_POSTS / name).read_bytes().splitlines()
    summary = run(settings, tmp_path, REAL_POSTS / name, "--clock", "original")
    records = records_of(settings, settings.posts_topic)
    expected = {
        line[:-1] + b', "time_stamp": %b}' % orjson.loads(line)["itemInfos"]["createTime"].encode()
        for line in lines
    }
    assert {record.value for record in records} == expected
    assert all(record.key.decode() == orjson.loads(record.value)["itemInfos"]["id"] for record in records)
    assert (summary["sent"], summary["rejected_total"], summary["finished"]) == (len(lines), 0, True)
    assert len(records) == len(lines)


def test_a_simulated_day_is_sent_and_its_unusable_lines_are_rejected_with_file_line_and_reason(
    settings: Settings, tmp_path: Path
) -> None:
    [path] = simulate_days(WORLD, [0], tmp_path, compress=True, report=lambda records, size: None)
    totals = orjson.loads((tmp_path / "days.ndjson").read_bytes())
    summary = run(settings, tmp_path, path, "--clock", "original")
    posts, rejected = (
        records_of(settings, settings.posts_topic),
        records_of(settings, settings.rejected_topic),
    )
    assert len(posts) == summary["sent"] == totals["records"] - totals["unusable"]
    assert len({record.key for record in posts}) == totals["posts"]
    assert len(rejected) == summary["rejected_total"] == totals["unusable"] > 0
    with zstandard.open(path) as file:
        original = file.read().split(b"\n")
    for record in rejected:
        row = orjson.loads(record.value)
        assert row["file"] == str(path) and row["reason"] in summary["rejected"]
        assert base64.b64decode(row["raw_base64"]).rstrip(b"\n") == original[row["line"] - 1]


def test_one_id_is_always_in_the_partition_of_kafkas_own_clients_and_both_are_used(
    settings: Settings, tmp_path: Path
) -> None:
    path = a_file(tmp_path, 300)
    run(settings, tmp_path, path)
    run(settings, tmp_path, path)
    places = {(record.key, record.partition) for record in records_of(settings, settings.posts_topic)}
    assert len(places) == 300
    assert all(partition == (murmur2(key) & 0x7FFFFFFF) % 2 for key, partition in places)
    assert {partition for _, partition in places} == {0, 1}


def test_a_run_that_reached_its_end_or_its_limit_starts_over(settings: Settings, tmp_path: Path) -> None:
    path = a_file(tmp_path, 30)
    assert [
        run(settings, tmp_path, path)["sent"],
        run(settings, tmp_path, path, "--limit", "10")["sent"],
    ] == [30, 10]
    assert run(settings, tmp_path, path)["sent"] == 30
    assert sorted(numbers(settings).values()) == [2] * 20 + [3] * 10


def test_after_a_kill_nothing_is_missing_and_only_what_was_in_flight_is_sent_again(
    settings: Settings, tmp_path: Path
) -> None:
    plain, archive = a_file(tmp_path, 4_000), tmp_path / "more.ndjson.gz"
    archive.write_bytes(gzip.compress(b"".join(a_line(number) for number in range(4_000, 8_000))))
    for seconds in (0.7, 1.1, 0.9):
        process = start(settings, tmp_path, plain, archive, "--rate", "2000")
        wait_for_state(tmp_path / "state")
        time.sleep(seconds)
        process.kill()
        process.communicate()
    summary = run(settings, tmp_path, plain, archive)
    sent = numbers(settings)
    assert set(sent) == set(range(8_000))
    assert summary["finished"] and summary["sent"] < 8_000
    assert sent.total() - 8_000 < 3 * 2000 * 0.6
    assert list((tmp_path / "state").glob("*.json")) == []


def wait_for_state(folder: Path) -> None:
    """Wait until a run has remembered something new."""
    before = {path: path.read_bytes() for path in folder.glob("*.json")}
    assert processes.wait_until(
        lambda: {path: path.read_bytes() for path in folder.glob("*.json")} != before, 30
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_stopped_run_flushes_says_where_it_was_and_goes_on_there(
    settings: Settings, tmp_path: Path, number: int, code: int
) -> None:
    path = a_file(tmp_path, 3_000)
    process = start(settings, tmp_path, path, "--rate", "1000")
    wait_for_state(tmp_path / "state")
    process.send_signal(number)
    output, errors = process.communicate(timeout=30)
    assert process.returncode == code, errors
    assert "Traceback" not in errors
    assert "stopped: the next run goes on behind line" in output
    run(settings, tmp_path, path)
    assert numbers(settings) == dict.fromkeys(range(3_000), 1)


def test_no_resume_and_changed_inputs_start_over(settings: Settings, tmp_path: Path) -> None:
    path = a_file(tmp_path, 1_000)
    for change in ("--no-resume", "longer"):
        process = start(settings, tmp_path, path, "--rate", "500")
        wait_for_state(tmp_path / "state")
        process.kill()
        process.communicate()
        if change == "longer":
            a_file(tmp_path, 1_001)
        arguments = ["--no-resume"] if change == "--no-resume" else []
        assert run(settings, tmp_path, path, *arguments)["sent"] == (1_001 if change == "longer" else 1_000)


def test_the_shifted_clock_starts_where_it_is_told_and_speed_spreads_the_posts(
    settings: Settings, tmp_path: Path
) -> None:
    began = time.monotonic()
    run(
        settings,
        tmp_path,
        a_file(tmp_path, 30),
        "--clock",
        "shifted",
        "--start-at",
        "2026-01-01T00:00:00.5",
        "--speed",
        "10",
    )
    assert time.monotonic() - began > 2.9
    stamps = sorted(
        orjson.loads(record.value)["time_stamp"] for record in records_of(settings, settings.posts_topic)
    )
    assert stamps == [1767225600.5 + number for number in range(30)]


def test_a_line_of_10_MB_goes_through_and_a_longer_one_is_rejected(
    settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "long.ndjson"
    fitting = b'{"itemInfos": {"id": "1", "text": "%b"}}' % (b"x" * 10_400_000)
    path.write_bytes(
        fitting + b"\n" + fitting.replace(b"xxx", b"xxxx") + b"\n" + b'{"itemInfos": {"id": "2"}}'
    )
    summary = run(settings, tmp_path, path)
    assert sorted(
        len(record.value) > 10_400_000 for record in records_of(settings, settings.posts_topic)
    ) == [False, True]
    [rejected] = [orjson.loads(record.value) for record in records_of(settings, settings.rejected_topic)]
    assert (rejected["line"], rejected["reason"], rejected["raw_base64"]) == (2, "longer than 10 MB", None)
    assert summary["rejected"] == {"longer than 10 MB": 1}


def test_posts_come_from_standard_input_and_from_s3(settings: Settings, tmp_path: Path) -> None:
    process = start(settings, tmp_path, "-", stdin=subprocess.PIPE)
    process.communicate("".join(a_line(number).decode() for number in range(20)), timeout=60)
    assert process.returncode == 0
    s3_client(settings).put_object(
        Bucket=settings.s3_bucket, Key=f"{tmp_path.name}/more.gz", Body=gzip.compress(a_line(20) + a_line(21))
    )
    run(settings, tmp_path, f"s3://{settings.s3_bucket}/{tmp_path.name}/more.gz")
    assert numbers(settings) == dict.fromkeys(range(22), 1)


@pytest.mark.parametrize(
    ("changes", "arguments", "sentence"),
    [
        ({"posts_topic": "no-such-topic"}, ["posts.ndjson"], "has no topic no-such-topic: create it"),
        ({}, ["nothing.ndjson"], "nothing.ndjson cannot be read: No such file or directory"),
        ({}, ["s3://no-such-bucket-here/posts"], "s3://no-such-bucket-here/posts cannot be read"),
        ({}, ["posts.ndjson", "--speed", "2"], "--speed needs --clock original or shifted"),
        ({}, ["posts.ndjson", "--summary-json", "no/such/folder"], "Cannot write no/such/folder"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    settings: Settings, tmp_path: Path, changes: dict[str, str], arguments: list[str], sentence: str
) -> None:
    a_file(tmp_path, 1)
    place = [str(tmp_path / argument) if argument.endswith(".ndjson") else argument for argument in arguments]
    process = start(settings.model_copy(update=changes), tmp_path, *place)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert sentence in errors and "Traceback" not in errors


def test_a_cut_archive_is_sent_up_to_the_damage_and_then_an_error(settings: Settings, tmp_path: Path) -> None:
    archive = gzip.compress(b"".join(a_line(number) for number in range(20_000)))
    (tmp_path / "cut.gz").write_bytes(archive[: len(archive) // 2])
    summary = run(settings, tmp_path, tmp_path / "cut.gz", expect=1)
    assert set(numbers(settings)) == set(range(summary["sent"]))
    assert 5_000 < summary["sent"] < 15_000 and not summary["finished"]


def test_with_the_broker_away_at_the_start_and_killed_in_the_middle_every_post_arrives_once(
    tmp_path: Path,
) -> None:
    with own_layout() as layout:
        state = stack.prepare(layout)
        settings = stack.settings_of(layout, state)
        server = kafka_server(layout, state, settings)
        process = start(settings, tmp_path, a_file(tmp_path, 6_000), "--rate", "1000")
        time.sleep(2)
        bring_up(layout, server)
        wait_for_state(tmp_path / "state")
        time.sleep(1)
        program = processes.running(layout, "kafka")
        assert program
        os.kill(program.pid, signal.SIGKILL)
        time.sleep(5)
        assert process.poll() is None
        bring_up(layout, server)
        output, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        assert "does not answer; waiting for it" in errors and "answers" in errors
        assert "sent 6,000 posts" in output
        assert numbers(settings) == dict.fromkeys(range(6_000), 1)


def test_a_broker_that_has_just_come_up_may_learn_of_its_topics_later(tmp_path: Path) -> None:
    with own_layout() as layout:
        state = stack.prepare(layout)
        settings = stack.settings_of(layout, state)
        server = kafka_server(layout, state, settings)
        process = start(settings, tmp_path, a_file(tmp_path, 100))
        time.sleep(2)
        bring_up(layout, replace(server, provision=lambda: None))
        time.sleep(3)
        assert process.poll() is None
        server.provision()
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        assert numbers(settings) == dict.fromkeys(range(100), 1)
