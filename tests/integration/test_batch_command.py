"""Laws of the command `groundswell batch`, run by hand and by Airflow, from Kafka to the tables."""

import subprocess
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest
from kafka import KafkaProducer
from pyspark.sql import SparkSession

from archive.table import create_archive
from core.settings import Settings
from sql.connection import transaction
from streaming.archive_query import start_archive
from tests.factories import a_post
from tests.kafka_posts import REPOSITORY, environment
from tests.tables import rows

DAY = date(2026, 1, 5)
MIDNIGHT = 1767571200.0


def batch(settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "batch", *arguments],
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def archived(
    spark: SparkSession,
    spark_for: Callable[[Settings], SparkSession],
    module_settings: Settings,
    tmp_path_factory,
) -> Settings:
    """Ten posts of one day and a broken record, through Kafka into the archive."""
    from deploy.local.layout import layout_for

    settings = module_settings.model_copy(
        update={"spark_jars_dir": str(layout_for().jars / "spark"), "spark_driver_memory": "1g"}
    )
    producer = KafkaProducer(**settings.kafka_python_arguments())
    for number in range(1, 11):
        post = a_post(
            time_stamp=MIDNIGHT + 3600 * number, itemInfos={"id": str(number), "text": f"snow word{number}"}
        )
        producer.send(settings.posts_topic, orjson.dumps(post), key=str(number).encode())
    producer.send(settings.posts_topic, b"broken", key=b"11")
    producer.flush()
    lake = spark_for(settings)
    create_archive(lake)
    start_archive(
        lake, settings, checkpoint=str(tmp_path_factory.mktemp("archive")), once=True
    ).awaitTermination()
    return settings


def tables(settings: Settings) -> list[list[tuple[Any, ...]]]:
    names = [
        "posts",
        "authors",
        "music",
        "challenges",
        "post_challenges",
        "keyword_statistics",
        "traffic_statistics",
    ]
    names += ["hashtags", "post_hashtags", "post_keywords", "post_stats", "author_stats", "daily_trends"]
    return [rows(settings, f"SELECT * FROM {name} AS found ORDER BY found::text") for name in names]


def test_a_day_of_kafka_is_in_the_tables_after_the_command_and_the_same_after_airflow_ran_it_again(
    archived, tmp_path
):
    first = batch(archived, str(DAY), "--assume-complete")
    assert first.returncode == 0, first.stderr
    load, trends, statistics, evidence, checks, compaction, tidying = first.stdout.splitlines()
    assert load.startswith(
        "2026-01-05  load        10 posts, 1 authors, 1 music, 1 challenges, 10 post challenges, "
    )
    assert trends.startswith("2026-01-05  trends      6 trends, ")
    assert statistics.startswith("2026-01-05  statistics  10 posts, 11 keywords, the first day of history, ")
    assert evidence.startswith("2026-01-05  evidence    0 alerts, ")
    assert checks.startswith("2026-01-05  checks      15 of 15 passed, ")
    assert compaction.startswith("2026-01-05  upkeep      no files to compact, ")
    assert tidying.startswith("2026-01-05  upkeep      ")
    before = tables(archived)
    assert [len(table) for table in before] == [10, 1, 1, 1, 10, 11, 24, 1, 10, 20, 10, 1, 6]
    with transaction(archived) as cursor:
        cursor.execute(
            "INSERT INTO pipeline_progress VALUES ('archive', %s, 0, 11, 11, now())", (archived.posts_topic,)
        )
        cursor.execute(
            "UPDATE batch_days SET loaded_at = NULL, loaded_posts = NULL, counted_posts = NULL, trends = NULL"
        )
    airflow(archived, tmp_path / "airflow home", "db", "migrate")
    # The other tasks are commands of the same kind; each would start its own Spark for ten posts.
    done_before = ["--mark-success-pattern", "evidence|checks|upkeep"]
    airflow(archived, tmp_path / "airflow home", "dags", "test", "daily_batch", str(DAY), *done_before)
    assert tables(archived) == before
    assert rows(archived, "SELECT day, loaded_posts, status, counted_posts, trends FROM batch_days") == [
        (DAY, 10, "fitted", 10, 6)
    ]


def airflow(settings: Settings, home: Path, *arguments: str) -> None:
    variables = {
        **environment(settings),
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(REPOSITORY / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home}/airflow.db",
    }
    done = subprocess.run(
        [sys.executable, "-m", "airflow", *arguments], env=variables, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_a_refusal_is_one_sentence_and_a_failed_command(archived):
    refused = batch(archived, "2999-01-07")
    assert (refused.returncode, refused.stdout, refused.stderr) == (
        1,
        "",
        "Nothing more was done. 2999-01-07 is not complete before 2999-01-08 00:15 UTC. "
        "Run this again after that.\n",
    )


def test_a_database_that_is_down_is_one_sentence(archived):
    away = batch(archived.model_copy(update={"postgres_port": 9}), str(DAY))
    assert away.returncode == 1
    assert away.stderr.startswith("Nothing more was done. Postgres does not answer at 127.0.0.1:9")
    assert "Traceback" not in away.stderr


def test_a_second_batch_at_the_same_time_is_refused(archived):
    from batch.days import only_one_batch

    with only_one_batch(archived, ["statistics"]):
        second = batch(archived, str(DAY))
    assert (second.returncode, second.stderr) == (
        1,
        "Nothing more was done. Another batch is running the step statistics on this database. "
        "Wait for it to finish, then run this again.\n",
    )
