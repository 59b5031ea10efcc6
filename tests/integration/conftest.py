"""Fixtures for the steps of the batch: an empty archive, empty tables, and three archived days."""

from collections.abc import Callable

import pytest
from pyspark.sql import SparkSession

from archive.table import create_archive
from batch.run import Batch
from batch.statistics.learn import forget_statistics
from batch.tables.load import BY_DAY, MERGED
from core.catalog import RAW_POSTS
from core.settings import Settings
from sql.connection import query, transaction
from tests.archived import archive_posts
from tests.integration.three_days import DAYS, LATER, posts_of, report_archive


@pytest.fixture(scope="module")
def module_lake(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> SparkSession:
    """A session with an archive for one module."""
    lake = spark_for(module_settings)
    create_archive(lake)
    return lake


@pytest.fixture
def empty_lake(module_lake: SparkSession) -> SparkSession:
    """A session whose archive is empty."""
    module_lake.sql(f"DELETE FROM {RAW_POSTS}")
    return module_lake


@pytest.fixture
def empty_world(module_settings: Settings) -> Settings:
    """The settings of a world in which the tables of the step `load` are empty."""
    with transaction(module_settings) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(MERGED)}, batch_days")
        for table in BY_DAY:
            cursor.execute(query("partitions_of_table"), {"table": table})
            for partition, _ in cursor.fetchall():
                cursor.execute(f"DROP TABLE {partition}")
    return module_settings


@pytest.fixture(scope="module")
def archived_batch(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> Batch:
    """A batch over an archive of three days."""
    lake = spark_for(module_settings)
    archive_posts(lake, module_settings, [post for day in DAYS for post in posts_of(day)])
    return Batch(module_settings, session=lambda: lake, now=lambda: LATER)


@pytest.fixture
def batch(archived_batch: Batch, module_settings: Settings) -> Batch:
    """A batch over three archived days: nothing learned, the archive reported complete."""
    forget_statistics(module_settings)
    report_archive(module_settings, lag=0)
    return archived_batch
