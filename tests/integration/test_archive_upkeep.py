"""Laws of archive upkeep: the same records in fewer files, enough history for the stream, no orphan files."""

import os
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from pyspark.sql import SparkSession

from archive.upkeep import KEPT_SNAPSHOTS, compact_days, tidy_archive
from core.catalog import RAW_POSTS
from core.settings import Settings
from tests.archived import archive_posts
from tests.factories import a_post
from tests.kafka_posts import drain_topics, send

DAY = date(2026, 1, 5)
MIDNIGHT = 1767571200.0
COMMITS = 6


@pytest.fixture(scope="module")
def lake(module_settings: Settings, spark_for: Callable[[Settings], SparkSession]) -> SparkSession:
    """An archive of six commits, each with a post on each of two days and a rejected record."""
    spark = spark_for(module_settings)
    for number in range(COMMITS):
        posts = [
            a_post(time_stamp=MIDNIGHT + 86_400 * day + number, itemInfos={"id": str(2 * number + day + 1)})
            for day in (0, 1)
        ]
        archive_posts(spark, module_settings, [*posts, b"broken"], first_offset=3 * number)
    return spark


def records(spark: SparkSession) -> set[tuple[Any, ...]]:
    return {(bytes(row.value), *row[1:]) for row in spark.table(RAW_POSTS).collect()}


def files(spark: SparkSession) -> dict[date | None, int]:
    rows = spark.sql(
        f"SELECT partition.event_time_day AS day, count(*) AS files FROM {RAW_POSTS}.files GROUP BY 1"
    ).collect()
    return {row.day: row.files for row in rows}


def snapshots(spark: SparkSession) -> int:
    return spark.table(f"{RAW_POSTS}.snapshots").count()


def test_a_days_files_become_one_with_the_same_records(lake: SparkSession) -> None:
    before = records(lake)
    assert files(lake)[DAY] == COMMITS
    assert compact_days(lake, DAY, DAY) == (2 * COMMITS, 2)
    assert files(lake) == {DAY: 1, DAY + timedelta(days=1): COMMITS, None: 1}
    assert records(lake) == before
    assert compact_days(lake, DAY, DAY) == (0, 0)


def test_the_newest_snapshots_and_those_of_the_last_day_are_kept(lake: SparkSession) -> None:
    before = snapshots(lake)
    assert tidy_archive(lake).snapshots == 0
    assert tidy_archive(lake, snapshot_age=timedelta(0)).snapshots == 0
    assert before <= snapshots(lake) < KEPT_SNAPSHOTS


def test_older_snapshots_are_expired_without_losing_a_record(lake: SparkSession) -> None:
    before, count = records(lake), snapshots(lake)
    assert tidy_archive(lake, snapshot_age=timedelta(0), kept_snapshots=5).snapshots >= count - 5
    assert snapshots(lake) == 5
    assert records(lake) == before


def test_an_orphan_file_is_deleted_once_it_is_old(lake: SparkSession, module_settings: Settings) -> None:
    settings = module_settings
    assert settings.s3_secret_access_key
    s3 = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
    )
    orphan = f"{settings.s3_prefix}/tiktok/raw_posts/data/orphan.parquet"
    s3.put_object(Bucket=settings.s3_bucket, Key=orphan, Body=b"left by a killed commit")
    before = records(lake)
    assert tidy_archive(lake).orphans == 0
    on_disk = next(Path(tempfile.gettempdir()).glob("groundswell-*/**/orphan.parquet"), None)
    if on_disk is None:
        pytest.skip("only the embedded S3 server keeps files whose age can be changed")
    four_days_ago = time.time() - 4 * 86_400
    os.utime(on_disk, (four_days_ago, four_days_ago))
    assert tidy_archive(lake).orphans == 1
    assert "Contents" not in s3.list_objects_v2(Bucket=settings.s3_bucket, Prefix=orphan)
    assert records(lake) == before


def test_the_stream_resumes_after_upkeep_and_archives_nothing_twice(
    lake: SparkSession, module_settings: Settings
) -> None:
    send(module_settings, [b"one", b"two"])
    drain_topics(lake, module_settings, "archive")
    compact_days(lake, DAY, DAY)
    tidy_archive(lake)
    send(module_settings, [b"three", b"four"])
    drain_topics(lake, module_settings, "archive")
    archived = lake.table(RAW_POSTS).where(
        "value IN (CAST('one' AS binary), CAST('two' AS binary), CAST('three' AS binary), "
        "CAST('four' AS binary))"
    )
    assert archived.count() == 4
