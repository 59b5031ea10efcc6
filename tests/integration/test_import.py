"""Laws of `groundswell import`: the archive is as if the lines had come through Kafka, each line once."""

import gzip
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pyspark.sql import SparkSession
from typer.testing import CliRunner

from archive.table import create_archive
from batch.importing import blocks, run
from batch.importing.clock import ImportClock
from batch.importing.files import import_files
from batch.importing.ledger import archived_files
from batch.importing.objects import WholeObjects, upload_errors_as_not_ready
from core.catalog import RAW_POSTS
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from producer.cli import app as producer
from producer.signals import Stop
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from sql.connection import transaction
from sql.lake import load_archive
from streaming.archive_query import start_archive
from streaming.rejects import store_rejected_records
from tests.conftest import own_world
from tests.kafka_posts import REPOSITORY, environment
from tests.tables import rows

DAY = date(2026, 3, 2)
Lake = Callable[[Settings], SparkSession]


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> Path:
    """A simulated day: some 500 posts, some delivered twice, and broken lines."""
    folder = tmp_path_factory.mktemp("simulated")
    simulate_days(
        World(seed=3, start=DAY, posts_per_day=500),
        range(0, 1),
        folder,
        compress=False,
        report=lambda *_: None,
    )
    path: Path = folder / f"posts-{DAY}.ndjson"
    path.write_bytes(
        path.read_bytes() + b"\n\nbroken\n" + b'{"itemInfos": {"id": "5", "createTime": "4000000000"}}\n'
    )
    return path


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Give a small file many blocks, each with a commit of its own."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 300_000)
    monkeypatch.setattr(run, "COMMIT_BYTES", 1)


@pytest.fixture
def lake(settings: Settings, spark_for: Lake) -> SparkSession:
    session = spark_for(settings)
    create_archive(session)
    return session


def import_names(
    settings: Settings,
    *names: Path | str,
    clock: ImportClock = ImportClock.ORIGINAL,
    stop: Stop | None = None,
) -> None:
    import_files(settings, [str(name) for name in names], clock=clock, processes=1, stop=stop or Stop())


def contents(lake: SparkSession, settings: Settings) -> Counter[tuple[Any, ...]]:
    """Return the archive's rows without position and arrival: whether a post, key, value, event time."""
    lake.catalog.refreshTable(RAW_POSTS)
    rows = lake.sql(
        f"SELECT topic = '{settings.posts_topic}', CAST(key AS STRING), CAST(value AS STRING), event_time "
        f"FROM {RAW_POSTS}"
    )
    return Counter(map(tuple, rows.collect()))


def doubled(lake: SparkSession) -> int:
    lake.catalog.refreshTable(RAW_POSTS)
    return lake.sql(
        f"SELECT topic FROM {RAW_POSTS} GROUP BY topic, partition, `offset` HAVING count(*) > 1"
    ).count()


def test_archive_and_rejected_records_are_as_through_kafka(
    settings, lake, spark_for, stack, file, tmp_path, monkeypatch
):
    import_names(settings, file)
    assert store_rejected_records(lake, settings) == 0

    with own_world(stack, tmp_path) as other:
        for name, text in environment(other).items():
            monkeypatch.setenv(name, text)
        sent = CliRunner().invoke(producer, ["send", str(file), "--clock", "original", "--no-resume"])
        assert sent.exit_code == 0, sent.output
        through = spark_for(other)
        create_archive(through)
        start_archive(through, other, checkpoint=str(tmp_path / "archive"), once=True).awaitTermination()
        store_rejected_records(through, other)

        assert contents(lake, settings) == contents(through, other)
        reasons = "SELECT reason, record_head FROM rejected_records ORDER BY 1, 2"
        assert rows(settings, reasons) == rows(other, reasons)
        assert {row[0].partition(":")[0] for row in rows(settings, reasons)} >= {
            "not sent by the producer",
            "time_stamp is more than 5 minutes after Kafka's time",
        }
        assert deliveries(lake) == deliveries(through)


def deliveries(lake: SparkSession) -> list[Any]:
    """Return key and value of every record; deliveries of one post at one event time by age, newest last."""
    rows = lake.sql(
        f"SELECT key, value FROM {RAW_POSTS} WHERE event_time IS NOT NULL ORDER BY key, event_time, `offset`"
    )
    return [tuple(row) for row in rows.collect()]


def test_a_file_is_imported_once_under_any_name_and_compression(settings, lake, file, tmp_path, capsys):
    import_names(settings, file, file)
    once = contents(lake, settings)
    compressed = tmp_path / "other.ndjson.gz"
    compressed.write_bytes(gzip.compress(file.read_bytes()))
    import_names(settings, tmp_path / "*.gz", file)
    assert contents(lake, settings) == once
    assert "already in the archive: " in capsys.readouterr().out


@pytest.mark.parametrize(("step", "compress"), [("commit_files", False), ("save_progress", True)])
def test_an_import_that_is_killed_around_a_commit_resumes_and_doubles_nothing(
    settings, lake, file, tmp_path, monkeypatch, step, compress
):
    lines = sum(1 for line in file.read_bytes().split(b"\n") if line.strip())
    if compress:
        compressed = tmp_path / "posts.gz"
        compressed.write_bytes(gzip.compress(file.read_bytes()))
        file = compressed
    step_itself, calls = getattr(run, step), []

    def killed(*arguments: Any, **named: Any) -> None:
        calls.append(step)
        if len(calls) == 3:
            raise KeyboardInterrupt
        step_itself(*arguments, **named)

    with monkeypatch.context() as patch:
        patch.setattr(run, step, killed)
        with pytest.raises(KeyboardInterrupt):
            import_names(settings, file)
    some = contents(lake, settings).total()
    import_names(settings, file)
    posts, rejected, finished = rows(settings, "SELECT posts, rejected, finished FROM archive_imports")[0]
    everything = contents(lake, settings).total()
    assert (doubled(lake), finished, posts + rejected) == (0, True, everything)
    assert 0 < some < everything == lines


def test_with_its_ledger_lost_an_import_is_still_not_repeated(settings, lake, file, tmp_path):
    import_names(settings, file)
    once = archived_files(settings)
    with transaction(settings) as cursor:
        cursor.execute("DELETE FROM archive_imports")
    later = tmp_path / "later.ndjson"
    later.write_bytes(b'{"itemInfos": {"id": "7", "createTime": "1584953968"}}')
    import_names(settings, later, file)
    assert doubled(lake) == 0
    both = archived_files(settings)
    assert {partition: both[partition] for partition in once} == once
    highest_once, highest_both = (max(file.last_offset for file in each.values()) for each in (once, both))
    assert highest_both > highest_once


def test_a_kept_time_stamp_stays_in_the_record_byte_for_byte(settings, lake, tmp_path):
    path = tmp_path / "kept.ndjson"
    path.write_bytes(b'{"time_stamp": 1584953968.50, "itemInfos": {"id": "7"}}\n{"itemInfos": {"id": "8"}}')
    import_names(settings, path, clock=ImportClock.KEPT)
    assert contents(lake, settings) == Counter(
        {
            (
                True,
                "7",
                '{"time_stamp": 1584953968.50, "itemInfos": {"id": "7"}}',
                datetime(2020, 3, 23, 8, 59, 28, 500_000),  # noqa: DTZ001 - Spark returns UTC without a zone
            ): 1,
            (True, "8", '{"itemInfos": {"id": "8"}}', None): 1,
        }
    )
    assert rows(settings, "SELECT reason FROM rejected_records") == [("time_stamp is missing",)]


def test_a_stopped_import_prints_where_it_resumes(settings, lake, file, capsys):
    stop = Stop(event=Event())
    stop.event.set()
    import_names(settings, file, stop=stop)
    assert re.search(rf"stopped: the same command resumes after line \d+ of {file}", capsys.readouterr().out)


def test_standard_input_and_patterns_that_match_nothing_are_rejected(settings, tmp_path):
    with pytest.raises(BadInputError, match="can be read only once"):
        import_names(settings, "-")
    with pytest.raises(BadInputError, match="No file matches"):
        import_names(settings, tmp_path / "*.ndjson")


def test_the_command_imports_with_several_processes_and_prints_how_many(settings, lake, file):
    done = subprocess.run(
        [sys.executable, "-m", "batch", "import", str(file), "--processes", "2"],
        cwd=REPOSITORY,
        env={**os.environ, **environment(settings)},
        capture_output=True,
        text=True,
    )
    archived = contents(lake, settings)
    posts = sum(count for (is_post, *_), count in archived.items() if is_post)
    assert (done.returncode, doubled(lake)) == (0, 0), done.stderr
    assert (
        f"imported {posts:,} posts and {archived.total() - posts:,} rejected lines of 1 files" in done.stdout
    )
    assert "groundswell batch --from 2026-03-0" in done.stdout


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"s3_endpoint": "http://127.0.0.1:1"}, "S3 does not answer at http://127.0.0.1:1."),
        ({"s3_bucket": "elsewhere"}, "NoSuchBucket"),
    ],
)
def test_a_file_that_s3_rejects_gives_one_sentence(settings, lake, change, sentence):
    other = settings.model_copy(update=change)
    objects = WholeObjects({**load_archive(settings).io.properties, "s3.endpoint": other.s3_endpoint}, other)
    file = objects.new_output(f"{other.warehouse}/file").create()
    with pytest.raises(NotReadyError, match=re.escape(sentence)), upload_errors_as_not_ready(other), file:
        file.write(b"1")
