"""Laws of the batch when a server goes down: one sentence that names the endpoint and says what to do."""

from collections.abc import Iterator
from datetime import date

import pytest
from py4j.protocol import Py4JError
from pydantic import SecretStr
from pyspark.errors import PySparkException
from pyspark.sql import SparkSession

from archive.days import read_archived_day
from archive.storage import check_storage
from batch.failures import sentence_for
from batch.statistics.rows_before import read_rows
from core.catalog import S3_RETRIES, spark_properties
from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes
from deploy.local import stack as local_stack
from deploy.local.layout import Layout
from tests.archived import archive_posts
from tests.factories import a_post
from tests.servers import own_layout

DAY = date(2026, 1, 5)
SPARK_ERRORS = (Py4JError, PySparkException)


@pytest.fixture
def servers() -> Iterator[Layout]:
    """A stack whose servers a test may stop."""
    with own_layout() as layout:
        local_stack.up(layout)
        yield layout


def stop(layout: Layout, name: str) -> None:
    program = processes.running(layout, name)
    assert program
    processes.stop(layout, program)


def test_servers_that_go_down_during_work_are_named(servers: Layout, spark: SparkSession) -> None:
    settings = local_stack.stack_settings(servers)
    lake = spark.newSession()
    for name, value in {
        **spark_properties(settings),
        S3_RETRIES: "1",
    }.items():
        lake.conf.set(name, value)
    archive_posts(lake, settings, [a_post(time_stamp=1767571200.0)])
    records = read_archived_day(lake, settings, DAY)
    stop(servers, "s3")
    with pytest.raises(SPARK_ERRORS) as raised:
        records.collect()
    assert (sentence_for(raised.value, settings) or "").startswith(
        f"S3 does not answer at {settings.s3_endpoint}. Start it, or correct"
    )
    stop(servers, "postgres")
    with pytest.raises(SPARK_ERRORS) as raised:
        read_rows(lake, settings, DAY).count()
    assert (sentence_for(raised.value, settings) or "").startswith(
        f"Postgres does not answer at 127.0.0.1:{settings.postgres_port}."
    )


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"s3_endpoint": "http://127.0.0.1:9"},
            "S3 does not answer at http://127.0.0.1:9. Start it, or correct GROUNDSWELL_S3_ENDPOINT",
        ),
        (
            {"s3_secret_access_key": SecretStr("wrong")},
            "refuses bucket groundswell. Correct the GROUNDSWELL_S3_ variables",
        ),
        (
            {"s3_bucket": "no-such-bucket"},
            "refuses bucket no-such-bucket. Correct the GROUNDSWELL_S3_ variables",
        ),
    ],
)
def test_an_unusable_s3_is_reported_before_anything_is_started(
    stack: Settings, changes: dict[str, object], sentence: str
) -> None:
    check_storage(stack)
    with pytest.raises(NotReadyError) as raised:
        check_storage(stack.model_copy(update=changes))
    assert sentence in str(raised.value)


def test_an_error_of_another_kind_is_not_explained_away(stack: Settings) -> None:
    assert sentence_for(KeyError("posts"), stack) is None
