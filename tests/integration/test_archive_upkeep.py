"""Laws of the archive's upkeep: the same records in fewer files, a history that the stream can go on with, no strangers."""

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

from archive.upkeep import KEPT_SNAPSHOTS, compact_day, tidy_archive
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
    """An archive of six commits, each with a post of two days and a rejected record."""
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


def test_a_days_files_become_one_and_hold_the_same_records(lake: SparkSession) -> None:
    before = records(lake)
    assert files(lake)[DAY] == COMMITS
    assert compact_day(lake, DAY) == (2 * COMMITS, 2)
    assert files(lake) == {DAY: 1, DAY + timedelta(days=1): COMMITS, None: 1}
    assert records(lake) == before
    assert compact_day(lake, DAY) == (0, 0)


def test_the_newest_snapshots_and_those_of_the_last_day_stay(lake: SparkSession) -> None:
    had = snapshots(lake)
    assert tidy_archive(lake).snapshots == 0
    assert tidy_archive(lake, snapshot_age=timedelta(0)).snapshots == 0
    assert had <= snapshots(lake) < KEPT_SNAPSHOTS


def test_older_ones_are_forgotten_and_no_record_with_them(lake: SparkSession) -> None:
    before, had = records(lake), snapshots(lake)
    assert tidy_archive(lake, snapshot_age=timedelta(0), kept_snapshots=5).snapshots >= had - 5
    assert snapshots(lake) == 5
    assert records(lake) == before


def test_a_file_of_no_snapshot_is_deleted_once_it_is_old(
    lake: SparkSession, module_settings: Settings
) -> None:
    settings = module_settings
    assert settings.s3_secret_access_key
    s3 = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint,
        region_name=settings.s3_region,
        aws_access_key_id=settings.s3_access_key_id,
        aws_secret_access_key=settings.s3_secret_access_key.get_secret_value(),
    )
    stranger = f"{settings.s3_prefix}/tiktok/raw_posts/data/stranger.parquet"
    s3.put_object(Bucket=settings.s3_bucket, Key=stranger, Body=b"left by a commit that was killed")
    before = records(lake)
    assert tidy_archive(lake).orphans == 0
    as_it_lies = next(Path(tempfile.gettempdir()).glob("groundswell-*/**/stranger.parquet"), None)
    if as_it_lies is None:
        pytest.skip("only the embedded S3 server keeps files whose age can be changed")
    four_days_ago = time.time() - 4 * 86_400
    os.utime(as_it_lies, (four_days_ago, four_days_ago))
    assert tidy_archive(lake).orphans == 1
    assert "Contents" not in s3.list_objects_v2(Bucket=settings.s3_bucket, Prefix=stranger)
    assert records(lake) == before


def test_the_stream_goes_on_after_an_upkeep_and_doubles_nothing(
    lake: SparkSession, module_settings: Settings
) -> None:
    send(module_settings, [b"one", b"two"])
    drain_topics(lake, module_settings, "archive")
    compact_day(lake, DAY)
    tidy_archive(lake)
    send(module_settings, [b"three", b"four"])
    drain_topics(lake, module_settings, "archive")
    found = lake.table(RAW_POSTS).where(
        "value IN (CAST('one' AS binary), CAST('two' AS binary), CAST('three' AS binary), "
        "CAST('four' AS binary))"
    )
    assert found.count() == 4
