"""An upgrade: this version continues what the first one left (`first_version/`), or says what to do."""

import gzip
import json
import os
import random
import subprocess
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from kafka import KafkaProducer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.storage import s3_client
from batch.audit import audit
from batch.run import Step
from core.catalog import RAW_POSTS
from core.errors import CheckpointError, NotReadyError
from core.settings import Settings
from deploy.local.layout import layout_for
from deploy.local.servers.kafka import create_topics
from deploy.local.servers.postgres import create_databases, drop_databases, installation
from sql.connection import transaction
from sql.migrate import check_migrated, migrate
from streaming.checkpoints import checkpoint_of
from tests.archived import TABLE_STEPS, run_batch
from tests.conftest import world_named
from tests.integration.first_version.make_world import NAME, SECOND, UNTIL
from tests.integration.first_version.make_world import values as first_values
from tests.integration.first_version.renamed import (
    COLUMNS_RENAMED,
    OLDEST_MISSING_MIGRATION,
    TABLES_RENAMED,
)
from tests.integration.test_batch_command import batch
from tests.kafka_posts import REPOSITORY, drain_topics, environment, let_time_decide, send
from tests.tables import rows

KEPT = Path(__file__).parent / "first_version"
DAYS = [date(2026, 3, 3), date(2026, 3, 4)]
END = SECOND + timedelta(days=1)
RESET_COLUMNS = {"loaded_at", "loaded_posts"}
"""The upgrade clears these for days that were loaded without histories."""


@pytest.fixture(scope="module")
def left(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """What the first version left: tables, archive, checkpoints, and the records in Kafka."""
    folder = tmp_path_factory.mktemp("first version")
    settings = world_named(stack, NAME, folder).model_copy(
        update={
            "spark_jars_dir": str(layout_for().jars / "spark"),
            "spark_driver_memory": "1g",
            "max_offsets_per_trigger": 300,
        }
    )
    create_databases(stack, [NAME, f"lake_{NAME}"])
    for database, name in ((NAME, "tables"), (f"lake_{NAME}", "catalog")):
        restore(settings, database, gzip.decompress((KEPT / f"{name}.sql.gz").read_bytes()))
    s3 = s3_client(settings)
    with tarfile.open(KEPT / "objects.tar.gz") as tar:
        for member in tar:
            s3.put_object(Bucket=settings.s3_bucket, Key=member.name, Body=tar.extractfile(member).read())  # type: ignore[union-attr]
    with tarfile.open(KEPT / "checkpoints.tar.gz") as tar:
        tar.extractall(folder)
    create_topics(settings)
    send_again(settings)
    yield settings
    drop_databases(stack, [NAME, f"lake_{NAME}"])


def restore(settings: Settings, database: str, dump: bytes) -> None:
    place = [
        "--host",
        settings.postgres_host,
        "--port",
        str(settings.postgres_port),
        "--username",
        settings.postgres_user,
    ]
    subprocess.run(
        [str(installation() / "bin" / "psql"), "-Xqv", "ON_ERROR_STOP=1", *place, database],
        input=dump,
        check=True,
        capture_output=True,
        env={**os.environ, "PGPASSWORD": settings.postgres_password.get_secret_value()},
    )


def send_again(settings: Settings) -> None:
    """Send the records that Kafka held, to the same offsets."""
    producer = KafkaProducer(
        **settings.kafka_python_arguments(), acks="all", max_in_flight_requests_per_connection=1
    )
    with gzip.open(KEPT / "records.ndjson.gz", "rt") as lines:
        for topic, partition, value in map(json.loads, lines):
            producer.send(topic, value=value.encode(), key=b"key", partition=partition)
    producer.flush()
    producer.close()


def rows_of_tables(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Return all rows by table, except those of partitions, views and yoyo's own tables."""
    names = rows(
        settings,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "AND NOT relispartition AND relname !~ '^_?yoyo'",
    )
    return {
        name: [row[0] for row in rows(settings, f"SELECT to_jsonb(t) FROM {name} AS t")] for (name,) in names
    }


def test_with_an_older_versions_tables_the_command_to_run_is_named(left: Settings) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "streaming"],
        cwd=REPOSITORY,
        env=environment(left),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(
        f"The tables in {NAME} are an older version's: {OLDEST_MISSING_MIGRATION}, "
    )
    assert done.stderr.endswith("Run: groundswell migrate (docs/upgrade.md)\n")
    refused = batch(left, str(DAYS[1]), "--assume-complete")
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (
        1,
        f"Nothing more was done. The tables in {NAME} are an older version's",
    )


@pytest.fixture(scope="module")
def upgraded(left: Settings) -> tuple[Settings, dict[str, list[dict[str, object]]]]:
    """The same world after the migration, and the rows that the tables held before."""
    before = rows_of_tables(left)
    migrate(left)
    return left, before


def test_every_row_survives_the_migration(
    upgraded: tuple[Settings, dict[str, list[dict[str, object]]]],
) -> None:
    settings, before = upgraded
    check_migrated(settings)
    after = rows_of_tables(settings)
    assert {name for name, found in before.items() if found} >= {
        "anomaly_alerts",
        "posts",
        "keyword_statistics",
        "rejected_records",
    }
    for name, old_rows in before.items():
        found = [
            {COLUMNS_RENAMED.get(column, column): cell for column, cell in row.items()} for row in old_rows
        ]
        now = after[TABLES_RENAMED.get(name, name)]
        assert len(now) >= len(found), name
        columns = set(found[0]) & set(now[0]) - RESET_COLUMNS if found else set()
        assert len(columns) >= len(found[0]) - 2 if found else True, name
        assert counted(now, columns) == counted(found, columns), name


def counted(found: list[dict[str, object]], columns: set[str]) -> Counter[str]:
    return Counter(json.dumps({name: row[name] for name in columns}, sort_keys=True) for row in found)


def test_a_newer_versions_tables_are_not_used(upgraded: tuple[Settings, object]) -> None:
    settings, _ = upgraded
    with transaction(settings) as cursor:
        cursor.execute(
            "INSERT INTO _yoyo_migration (migration_hash, migration_id, applied_at_utc) "
            "VALUES ('x', '9999.tomorrow', now())"
        )
    try:
        with pytest.raises(
            NotReadyError,
            match=r"newer version's: this one does not know 9999\.tomorrow\. Run the newer version, or",
        ):
            check_migrated(settings)
    finally:
        with transaction(settings) as cursor:
            cursor.execute("DELETE FROM _yoyo_migration WHERE migration_id = '9999.tomorrow'")


@pytest.fixture(scope="module")
def streamed(upgraded: tuple[Settings, object], spark_for: Callable[[Settings], SparkSession]) -> Settings:
    """The rest of the second day, streamed by this version.

    The archive query continues on its checkpoint. That of detection has counts that this version cannot read,
    so it is set aside, and the open windows are counted again from Kafka.
    """
    settings, _ = upgraded
    assert [
        row[0]
        for row in rows(
            settings, "SELECT provisional FROM anomaly_alerts WHERE keyword = 'eclipse' AND status = 'open'"
        )
    ] == [True]
    archive, detect = (Path(checkpoint_of(settings, name)) for name in ("archive", "detect"))
    commits = len(list(archive.glob("commits/[0-9]*")))
    send(settings, first_values(random.Random(10), UNTIL, END, 20_000))
    drain_topics(spark_for(settings), settings)
    assert len(list(archive.glob("commits/[0-9]*"))) > commits
    assert len(list(detect.parent.glob("detect-until-*/state"))) == 1
    let_time_decide(settings, END + timedelta(hours=3))
    return settings


def test_the_archive_continues_and_holds_every_record_once(streamed: Settings, spark_for) -> None:
    partitions = (
        spark_for(streamed)
        .table(RAW_POSTS)
        .groupBy("topic", "partition")
        .agg(F.count("*"), F.countDistinct("offset"), F.max("offset"))
    )
    found = [tuple(row)[2:] for row in partitions.collect()]
    assert sum(count for count, _, _ in found) > 1_500
    assert all(count == distinct == newest + 1 for count, distinct, newest in found)


def test_detection_continues_with_the_open_windows(streamed: Settings) -> None:
    found = rows(
        streamed,
        "SELECT opened_window, status, provisional, posts FROM anomaly_alerts WHERE keyword = 'eclipse'",
    )
    assert found == [(SECOND + timedelta(hours=9, minutes=45), "resolved", False, 32)]
    with gzip.open(KEPT / "records.ndjson.gz", "rt") as lines:
        usable = [
            post
            for topic, _, value in map(json.loads, lines)
            if topic == streamed.posts_topic and (post := usable_id(value))
        ]
    rest = [value for value in first_values(random.Random(10), UNTIL, END, 20_000) if value is not None]
    usable += [post for value in rest if (post := usable_id(value.decode()))]
    assert rows(streamed, "SELECT sum(posts)::int FROM traffic_windows") == [(len(set(usable)),)]


def usable_id(value: str) -> str | None:
    """Return the id of a post; None for a record that must be rejected."""
    try:
        found = json.loads(value)
    except ValueError:
        return None
    post_id = str(found["itemInfos"]["id"])
    return post_id if post_id.isdigit() and found["time_stamp"] < datetime.now(UTC).timestamp() else None


def test_learning_from_the_first_versions_statistics_equals_learning_from_scratch(
    streamed: Settings, spark_for
) -> None:
    """But for keywords without a row, which its rule may not have counted: they begin with the second day."""
    lake = spark_for(streamed)
    named = "SELECT array_agg(keyword) FROM keyword_statistics WHERE as_of = '2026-03-03'"
    ((known,),) = rows(streamed, named)
    learned = "SELECT to_jsonb(s) FROM {} AS s WHERE as_of = '2026-03-04' {} ORDER BY 1"
    keywords = learned.format("keyword_statistics", "AND keyword = ANY (%s)")
    traffic = learned.format("traffic_statistics", "")
    run_batch(lake, streamed, DAYS[1:])
    found = rows(streamed, keywords, known), rows(streamed, traffic)
    assert (len(found[0]) > 3, len(found[1])) == (True, 24)
    run_batch(lake, streamed, DAYS, (*TABLE_STEPS[:2], Step.STATISTICS), start_over=True)
    assert (rows(streamed, keywords, known), rows(streamed, traffic)) == found


def test_nothing_is_missing_and_nothing_is_duplicated(streamed: Settings, spark_for) -> None:
    lake = spark_for(streamed)
    run_batch(lake, streamed, DAYS)
    found = audit(lake, streamed, DAYS[0], datetime.now(UTC).date())
    assert list(found.problems()) == []


def test_a_checkpoint_that_lacks_what_was_counted_is_not_used(settings: Settings, spark_for) -> None:
    send(settings, first_values(random.Random(2), SECOND, SECOND + timedelta(hours=1), 0))
    spark = spark_for(settings)
    drain_topics(spark, settings, "detect")
    for counted in Path(checkpoint_of(settings, "detect"), "counted").glob("*.arrow"):
        counted.unlink()
    send(settings, first_values(random.Random(2), SECOND, SECOND + timedelta(hours=2), 5_000))
    with pytest.raises(
        CheckpointError,
        match=r"files of what .* are missing\. Stop this process, move .*/detect away",
    ):
        drain_topics(spark, settings, "detect")
