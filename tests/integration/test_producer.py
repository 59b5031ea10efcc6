"""The producer with a real broker: what is in Kafka after a run, and which lines are rejected."""

import base64
import gzip
import random
import subprocess
import time
import zipfile
from datetime import date
from io import BytesIO
from pathlib import Path

import orjson
import pytest
import zstandard
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.partitioner.default import murmur2

from core.settings import Settings
from deploy.local.servers.s3 import s3_client
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from tests.kafka_posts import REPOSITORY
from tests.producer_runs import a_file, a_line, numbers, records_of, run, start

REAL_POSTS = REPOSITORY.parent / "shared" / "data" / "posts"
WORLD = World(seed=5, start=date(2026, 3, 2), posts_per_day=3_000)


@pytest.mark.parametrize("name", ["web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson"])
def test_a_real_post_arrives_byte_for_byte_with_its_creation_time_and_under_its_id(
    settings: Settings, tmp_path: Path, name: str
) -> None:
    if not (REAL_POSTS / name).exists():
        pytest.skip(f"{name} does not exist")
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
    posts = records_of(settings, settings.posts_topic)
    rejected = records_of(settings, settings.rejected_topic)
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
    partitions = {(record.key, record.partition) for record in records_of(settings, settings.posts_topic)}
    assert len(partitions) == 300
    assert all(partition == (murmur2(key) & 0x7FFFFFFF) % 2 for key, partition in partitions)
    assert {partition for _, partition in partitions} == {0, 1}


def test_the_shifted_clock_starts_at_start_at_and_speed_spreads_the_posts(
    settings: Settings, tmp_path: Path
) -> None:
    began = time.monotonic()
    options = "--clock shifted --start-at 2026-01-01T00:00:00.5 --speed 10".split()
    run(settings, tmp_path, a_file(tmp_path, 30), *options)
    assert time.monotonic() - began > 2.9
    stamps = sorted(
        orjson.loads(record.value)["time_stamp"] for record in records_of(settings, settings.posts_topic)
    )
    assert stamps == [1767225600.5 + number for number in range(30)]


def test_a_line_of_10_MB_is_sent_and_a_longer_one_is_rejected(settings: Settings, tmp_path: Path) -> None:
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


def test_of_a_batch_that_the_topic_finds_too_large_only_the_posts_that_are_so_alone_are_rejected(
    settings: Settings, tmp_path: Path
) -> None:
    admin = KafkaAdminClient(**settings.kafka_python_arguments())
    topic = ConfigResource(ConfigResourceType.TOPIC, settings.posts_topic, {"max.message.bytes": "2000"})
    admin.alter_configs([topic])
    admin.close()
    rng = random.Random(1)
    path = tmp_path / "posts.ndjson"
    with path.open("wb") as file:
        for number in range(40):
            text = rng.randbytes(3_000 if number in (7, 8, 30) else 300).hex()
            file.write(b'{"itemInfos": {"id": "%d", "text": "%b"}}\n' % (number + 1, text.encode()))
    summary = run(settings, tmp_path, path)
    assert summary["rejected"] == {"larger than the topic takes": 3}
    sent = [int(record.key) for record in records_of(settings, settings.posts_topic)]
    assert sorted(sent) == sorted(set(range(1, 41)) - {8, 9, 31})
    rejected = [orjson.loads(record.value) for record in records_of(settings, settings.rejected_topic)]
    assert sorted(row["line"] for row in rejected) == [8, 9, 31]


def test_posts_come_from_standard_input_and_from_s3(settings: Settings, tmp_path: Path) -> None:
    process = start(settings, tmp_path, "-", stdin=subprocess.PIPE)
    process.communicate("".join(a_line(number).decode() for number in range(20)), timeout=60)
    assert process.returncode == 0
    s3_client(settings).put_object(
        Bucket=settings.s3_bucket, Key=f"{tmp_path.name}/more.gz", Body=gzip.compress(a_line(20) + a_line(21))
    )
    run(settings, tmp_path, f"s3://{settings.s3_bucket}/{tmp_path.name}/more.gz")
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("more/a.ndjson", a_line(22).rstrip())
        archive.writestr("more/b.ndjson", a_line(23).decode().encode("utf-16"))
    s3_client(settings).put_object(
        Bucket=settings.s3_bucket, Key=f"{tmp_path.name}/more", Body=packed.getvalue()
    )
    run(settings, tmp_path, f"s3://{settings.s3_bucket}/{tmp_path.name}/more")
    assert numbers(settings) == dict.fromkeys(range(24), 1)


@pytest.mark.parametrize("option", ["--sort", "--no-sort"])
def test_the_later_of_two_crawls_is_the_newer_in_whatever_order_its_posts_are(
    settings: Settings, tmp_path: Path, option: str
) -> None:
    crawls = [tmp_path / "crawl-10.ndjson", tmp_path / "crawl-2.ndjson"]
    crawls[1].write_bytes(b"".join(a_line(number) for number in range(7_200, 7_210)))
    crawls[0].write_bytes(b"".join(a_line(number) for number in range(10)))
    run(settings, tmp_path, *crawls, "--clock", "original", option)
    collected: dict[bool, list[float]] = {True: [], False: []}
    for record in records_of(settings, settings.posts_topic):
        post = orjson.loads(record.value)
        arrived_at = post.get("collected_at", record.timestamp / 1000)
        collected[post["time_stamp"] > 1584953968 + 3600].append(arrived_at)
        assert ("collected_at" in post) == (option == "--sort")
    assert len(collected[True]) == len(collected[False]) == 10
    assert max(collected[True]) < min(collected[False])


@pytest.mark.parametrize(
    ("changes", "arguments", "sentence"),
    [
        ({"posts_topic": "no-such-topic"}, ["posts.ndjson"], "has no topic no-such-topic: create it"),
        ({}, ["nothing.ndjson"], "nothing.ndjson cannot be read: No such file or directory"),
        ({}, ["s3://no-such-bucket-here/posts"], "s3://no-such-bucket-here/posts cannot be read"),
        ({}, ["posts.ndjson", "posts.7z.ndjson"], "posts.7z.ndjson is a 7z archive: unpack it"),
        ({}, ["posts.ndjson", "--speed", "2"], "--speed needs --clock original or shifted"),
        ({}, ["posts.ndjson", "--summary-json", "no/such/folder"], "Cannot write no/such/folder"),
    ],
)
def test_an_error_is_one_sentence(
    settings: Settings, tmp_path: Path, changes: dict[str, str], arguments: list[str], sentence: str
) -> None:
    a_file(tmp_path, 1)
    (tmp_path / "posts.7z.ndjson").write_bytes(b"7z\xbc\xaf\x27\x1c" + bytes(90))
    paths = [str(tmp_path / argument) if argument.endswith(".ndjson") else argument for argument in arguments]
    process = start(settings.model_copy(update=changes), tmp_path, *paths)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert sentence in errors and "Traceback" not in errors


def test_a_truncated_archive_is_sent_up_to_the_damage_and_then_fails(
    settings: Settings, tmp_path: Path
) -> None:
    archive = gzip.compress(b"".join(a_line(number) for number in range(20_000)))
    (tmp_path / "cut.gz").write_bytes(archive[: len(archive) // 2])
    summary = run(settings, tmp_path, tmp_path / "cut.gz", expect=1)
    assert set(numbers(settings)) == set(range(summary["sent"]))
    assert 5_000 < summary["sent"] < 15_000 and not summary["finished"]
