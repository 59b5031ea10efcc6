"""Connections to Postgres cut in the middle of each step of the batch: done again, the tables are those of an undisturbed run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import pytest
from pyspark.sql import SparkSession

from batch.failures import sentence_for
from batch.run import Step
from core.settings import Settings
from deploy.local.servers.postgres import create_databases, drop_databases
from sql.connection import connect
from tests.archived import TABLE_STEPS, archive_posts, run_batch
from tests.conftest import TEMPLATE
from tests.integration.test_batch_command import tables
from tests.integration.test_batch_statistics import DAYS as THREE_DAYS
from tests.integration.test_batch_statistics import posts_of
from tests.tables import rows

DAYS = THREE_DAYS[:2]
CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'
"""


@pytest.fixture(scope="module")
def lake(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> SparkSession:
    """Two days in the archive, the first of them loaded and learned."""
    spark = spark_for(module_settings)
    archive_posts(spark, module_settings, [post for day in DAYS for post in posts_of(day)])
    run_batch(spark, module_settings, DAYS[:-1])
    return spark


@pytest.fixture(scope="module")
def undisturbed(lake: SparkSession, module_settings: Settings) -> Iterator[Settings]:
    """A database in which nothing was cut."""
    other = module_settings.model_copy(
        update={"postgres_database": f"{module_settings.postgres_database}_undisturbed"}
    )
    create_databases(module_settings, [other.postgres_database], template=TEMPLATE)
    try:
        run_batch(lake, other, DAYS)
        yield other
    finally:
        drop_databases(module_settings, [other.postgres_database])


@contextmanager
def cut_after(settings: Settings, transactions: int) -> Iterator[list[int]]:
    """Cut the connections that are in a transaction, as soon as there have been so many moments with one; yields how many were cut."""
    cut: list[int] = []
    ended = threading.Event()
    connection = connect(settings, application_name="cutter")
    connection.autocommit = True

    def watch() -> None:
        seen = 0
        with connection.cursor() as cursor:
            while not ended.is_set() and not cut:
                cursor.execute(CUT.replace("pg_terminate_backend(pid)", "pid"))
                seen += bool(cursor.fetchall())
                if seen > transactions:
                    cursor.execute(CUT)
                    cut.extend([1] * len(cursor.fetchall()))
                time.sleep(0.001)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield cut
    finally:
        ended.set()
        thread.join()
        connection.close()


@pytest.mark.parametrize("step", (*TABLE_STEPS, Step.CHECKS))
def test_a_step_that_was_cut_ends_in_one_sentence_and_done_again_gives_the_same_rows(
    lake: SparkSession, module_settings: Settings, undisturbed: Settings, step: Step
) -> None:
    for transactions in (0, 5, 20):
        failure = None
        with cut_after(module_settings, transactions) as cut:
            try:
                run_batch(lake, module_settings, DAYS[-1:], [step])
            except Exception as error:
                failure = error
        if failure is not None:
            assert cut, f"it failed without a cut: {failure}"
            assert (sentence_for(failure, module_settings) or "").startswith("Postgres does not answer at")
        run_batch(lake, module_settings, DAYS[-1:], [step])
    done = TABLE_STEPS.index(step) + 1 if step in TABLE_STEPS else len(TABLE_STEPS)
    if done == len(TABLE_STEPS):
        assert tables(module_settings) == tables(undisturbed)
        ledger = (
            "SELECT day, status, counted_posts, keywords, loaded_posts, trends FROM batch_days ORDER BY day"
        )
        assert rows(module_settings, ledger) == rows(undisturbed, ledger)


def test_a_cut_is_felt(module_settings: Settings) -> None:
    with pytest.raises(psycopg2.InterfaceError), cut_after(module_settings, 0):
        rows(module_settings, "SELECT pg_sleep(10)")
