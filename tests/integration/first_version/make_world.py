"""Save a small world as an old version leaves it, for the upgrade tests; runs with that version's own code.

    git worktree add /tmp/first VERSION
    cp tests/integration/first_version/make_world.py /tmp/first/tests/integration/test_make_world.py
    cd /tmp/first && WORLD=FOLDER python -m pytest tests/integration/test_make_world.py

The stream and the batch process a day of posts, and the stream half of the next day, so that its checkpoints
hold open windows and an alert that is not confirmed yet. Written to FOLDER: tables.sql.gz and catalog.sql.gz
(pg_dump), objects.tar.gz (the bucket), checkpoints.tar.gz, and records.ndjson.gz (topic, partition and value
of every record in Kafka, in order).
"""

import gzip
import io
import json
import os
import random
import subprocess
import sys
import tarfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import boto3
from kafka import KafkaConsumer, TopicPartition

from core.settings import Settings
from deploy.local.layout import layout_for
from deploy.local.servers.kafka import create_topics
from deploy.local.servers.postgres import create_databases, installation
from sql.migrate import migrate
from tests.kafka_posts import REPOSITORY, environment, run_streaming_once, send

FIRST = datetime(2026, 3, 3, tzinfo=UTC)
SECOND = FIRST + timedelta(days=1)
UNTIL = SECOND + timedelta(hours=10, minutes=7)
WORDS = ["alpaca", "banjo", "cactus", "dolphin", "ember", "falcon", "garlic", "harbor"]
POISON = [
    b"not json",
    b'{"itemInfos": {"id": "abc"}, "time_stamp": 1772445600}',
    json.dumps({"itemInfos": {"id": "9"}, "time_stamp": 4102444800}).encode(),
]
NAME = "first_version"


def record(number: int, at: datetime, text: str, author: int, likes: int) -> bytes:
    infos = {
        "id": str(7_100_000_000_000_000_000 + number),
        "text": text,
        "authorId": str(author),
        "musicId": str(author % 7 + 1),
        "createTime": str(int(at.timestamp())),
        "diggCount": likes,
        "playCount": likes * 30,
    }
    return json.dumps(
        {
            "itemInfos": infos,
            "authorInfos": {
                "userId": str(author),
                "uniqueId": f"author{author}",
                "nickName": f"Author {author}",
            },
            "musicInfos": {"musicId": str(author % 7 + 1), "musicName": f"sound {author % 7 + 1}"},
            "authorStats": {"followerCount": author * 10},
            "challengeInfoList": [{"challengeId": "1", "challengeName": "winter"}],
            "time_stamp": at.timestamp(),
        }
    ).encode()


def values(rng: random.Random, start: datetime, end: datetime, first_number: int) -> list[bytes | None]:
    """Return eight posts a window, and 40 with `eclipse` from 09:40 on the second day.

    Every twelfth post comes again with more likes.
    """
    posts, at = [], start
    while at < end:
        posts.append((at, " ".join(rng.sample(WORDS, 2))))
        at += timedelta(seconds=112.5)
    posts += [(SECOND + timedelta(hours=9, minutes=40, seconds=40 * n), "eclipse tonight") for n in range(40)]
    sent: list[bytes | None] = []
    for index, (at, text) in enumerate(sorted(post for post in posts if start <= post[0] < end)):
        likes = rng.randrange(100)
        sent.append(record(first_number + index, at, text, rng.randrange(1, 500), likes))
        if index % 12 == 0:
            sent.append(record(first_number + index, at, text, rng.randrange(1, 500), likes + 5))
    return sent + POISON[: 1 if start < SECOND else 3]


def test_make_world(stack: Settings, tmp_path: Path) -> None:
    target = Path(os.environ["WORLD"])
    target.mkdir(parents=True, exist_ok=True)
    settings = stack.model_copy(
        update={
            "posts_topic": f"posts-{NAME}",
            "rejected_topic": f"rejected-{NAME}",
            "postgres_database": NAME,
            "catalog_uri": f"jdbc:postgresql://{stack.postgres_host}:{stack.postgres_port}/lake_{NAME}",
            "s3_prefix": NAME,
            "checkpoint_dir": str(tmp_path / "checkpoints"),
            "spark_jars_dir": str(layout_for().jars / "spark"),
            "spark_driver_memory": "1g",
            "max_offsets_per_trigger": 300,
            "producer_state_dir": str(tmp_path / "producer"),
        }
    )
    create_databases(stack, [NAME, f"lake_{NAME}"])
    migrate(settings)
    create_topics(settings)
    rng = random.Random(9)
    send(settings, values(rng, FIRST, SECOND, 0))
    run_streaming_once(settings, tmp_path / "log")
    subprocess.run(
        [sys.executable, "-m", "batch", f"{FIRST:%Y-%m-%d}", "--assume-complete"],
        cwd=REPOSITORY,
        env=environment(settings),
        check=True,
    )
    send(settings, values(rng, SECOND, UNTIL, 10_000))
    send(
        settings,
        [json.dumps({"file": "x.ndjson", "line": 3, "reason": "no JSON object"}).encode()],
        topic=settings.rejected_topic,
    )
    run_streaming_once(settings, tmp_path / "log")
    save(settings, target)


def save(settings: Settings, target: Path) -> None:
    save_databases(settings, target)
    save_objects(settings, target / "objects.tar.gz")
    with tarfile.open(target / "checkpoints.tar.gz", "w:gz") as tar:
        tar.add(settings.checkpoint_dir, "checkpoints")
    save_records(settings, target / "records.ndjson.gz")


def save_databases(settings: Settings, target: Path) -> None:
    server = ["--host", settings.postgres_host, "--port", str(settings.postgres_port)]
    arguments = ["--no-owner", "--no-privileges", *server, "--username", settings.postgres_user]
    for database, name in ((NAME, "tables"), (f"lake_{NAME}", "catalog")):
        dumped = subprocess.run(
            [str(installation() / "bin" / "pg_dump"), *arguments, database],
            check=True,
            capture_output=True,
            env={**os.environ, "PGPASSWORD": settings.postgres_password.get_secret_value()},
        )
        (target / f"{name}.sql.gz").write_bytes(gzip.compress(dumped.stdout, mtime=0))


def save_objects(settings: Settings, file: Path) -> None:
    secret = settings.s3_secret_access_key
    s3 = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=secret.get_secret_value() if secret else None,
    )
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=settings.s3_bucket, Prefix=f"{NAME}/")
    with tarfile.open(file, "w:gz") as tar:
        for entry in (entry for page in pages for entry in page.get("Contents", [])):
            content = s3.get_object(Bucket=settings.s3_bucket, Key=entry["Key"])["Body"].read()
            member = tarfile.TarInfo(entry["Key"])
            member.size, member.mtime = len(content), entry["LastModified"].timestamp()
            tar.addfile(member, io.BytesIO(content))


def save_records(settings: Settings, file: Path) -> None:
    with gzip.open(file, "wt") as lines:
        for topic in (settings.posts_topic, settings.rejected_topic):
            consumer = KafkaConsumer(**settings.kafka_python_arguments())
            for partition in sorted(consumer.partitions_for_topic(topic)):
                topic_partition = TopicPartition(topic, partition)
                consumer.assign([topic_partition])
                consumer.seek_to_beginning(topic_partition)
                end = consumer.end_offsets([topic_partition])[topic_partition]
                while consumer.position(topic_partition) < end:
                    for records in consumer.poll(1_000).values():
                        for kafka_record in records:
                            lines.write(json.dumps([topic, partition, kafka_record.value.decode()]) + "\n")
            consumer.close()
