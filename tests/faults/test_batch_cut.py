"""Cut the connections to Postgres during each batch step: run again, it leaves the rows of an uncut run."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from pyspark.sql import SparkSession

from batch.failures import sentence_for
from batch.run import Step
from core.settings import Settings
from deploy.local.servers.postgres import create_databases, drop_databases
from sql.connection import connect, transaction
from tests.archived import archive_posts, run_batch
from tests.conftest import TEMPLATE
from tests.integration.test_batch_command import tables
from tests.integration.three_days import DAYS as THREE_DAYS
from tests.integration.three_days import posts_of
from tests.tables import rows

FIRST, DAY = THREE_DAYS[:2]
LABELLED_ALERT = Path(__file__).parents[1] / "integration" / "labelled_alert.sql"
COPYING = "copying to staging"
MOMENTS = {
    Step.LOAD: [COPYING, "posts", "batch_days"],
    Step.TRENDS: ["daily_trends", "batch_days"],
    Step.STATISTICS: [COPYING, "traffic_statistics", "batch_days"],
    Step.EVIDENCE: ["alert_evidence", "incidents"],
    Step.CHECKS: ["quality_checks"],
}
"""When each step is cut: while Spark's workers copy rows, or while it waits to write to a table."""
RESULTS = (
    "SELECT day, status, counted_posts, keywords, loaded_posts, trends FROM batch_days ORDER BY day",
    'SELECT day, "check", value, expected, passed, blocking FROM quality_checks ORDER BY 1, 2',
    "SELECT * FROM alert_evidence ORDER BY 1, 2, 3",
    "SELECT * FROM alert_terms ORDER BY 1, 2, 3",
    "SELECT alert_id, posts, final, post_ids FROM evidence_runs ORDER BY 1",
    "SELECT incident_id, keyword, status, opened_window, last_window, posts, members FROM incidents "
    "ORDER BY incident_id",
    "SELECT * FROM incident_members ORDER BY 1, 2",
    "SELECT * FROM candidate_windows ORDER BY 1, 2, 3",
)
"""What the steps leave beside `tables`, without the clock."""
IN_A_TRANSACTION = """
FROM pg_stat_activity
WHERE datname = current_database() AND application_name <> 'cutter' AND xact_start IS NOT NULL
  AND backend_type = 'client backend'
"""
ARE_COPYING = "AND (query LIKE 'INSERT INTO staging.copied_by%' OR query LIKE 'COPY staging.%')"
ARE_WAITING = "AND {locker} = ANY (pg_blocking_pids(pid))"
LONGEST_WAIT_SECONDS = 120


@dataclass
class Worlds:
    """Two databases over one archive of two days, the first of which is loaded and learned in both."""

    lake: SparkSession
    cut: Settings
    uncut: Settings
    done: list[Step] = field(default_factory=list)

    def run(self, settings: Settings, step: Step) -> None:
        run_batch(self.lake, settings, [DAY], [step])

    def run_before(self, step: Step) -> None:
        """Run the steps before `step` that were not run yet, uncut, in both databases."""
        for earlier in list(MOMENTS)[: list(MOMENTS).index(step)]:
            if earlier not in self.done:
                for settings in (self.cut, self.uncut):
                    self.run(settings, earlier)
                self.done.append(earlier)


@pytest.fixture(scope="module")
def worlds(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> Iterator[Worlds]:
    lake = spark_for(module_settings)
    archive_posts(lake, module_settings, [post for day in (FIRST, DAY) for post in posts_of(day)])
    name = f"{module_settings.postgres_database}_uncut"
    uncut = module_settings.model_copy(update={"postgres_database": name})
    create_databases(module_settings, [name], template=TEMPLATE)
    try:
        for settings in (module_settings, uncut):
            run_batch(lake, settings, [FIRST])
            with transaction(settings) as cursor:
                cursor.execute(LABELLED_ALERT.read_text())
        yield Worlds(lake, module_settings, uncut)
    finally:
        drop_databases(module_settings, [name])


def results(settings: Settings) -> list[list[tuple[Any, ...]]]:
    return [*tables(settings), *(rows(settings, query) for query in RESULTS)]


@contextmanager
def cut_while(settings: Settings, moment: str) -> Iterator[list[int]]:
    """Cut all connections in a transaction, once, when `moment` comes; yields the process ids that were cut.

    If the moment is a table, it is locked: the step is cut while it waits to write to that table.
    """
    cut: list[int] = []
    ended = threading.Event()
    locker, watcher = (connect(settings, application_name="cutter") for _ in range(2))
    watcher.autocommit = True
    condition = ARE_COPYING
    if moment != COPYING:
        locker.cursor().execute(f"LOCK TABLE {moment} IN EXCLUSIVE MODE")
        condition = ARE_WAITING.format(locker=locker.get_backend_pid())

    def watch() -> None:
        deadline = time.monotonic() + LONGEST_WAIT_SECONDS
        try:
            with watcher.cursor() as cursor:
                while not ended.is_set() and not cut and time.monotonic() < deadline:
                    cursor.execute(f"SELECT pid {IN_A_TRANSACTION} {condition}")
                    if cursor.fetchall():
                        cursor.execute(f"SELECT pid, pg_terminate_backend(pid) {IN_A_TRANSACTION}")
                        cut.extend(pid for pid, was_cut in cursor.fetchall() if was_cut)
                    time.sleep(0.001)
        finally:
            locker.rollback()

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield cut
    finally:
        ended.set()
        thread.join()
        locker.close()
        watcher.close()


def failure_of(work: Callable[[], None]) -> Exception | None:
    try:
        work()
    except Exception as error:
        return error
    return None


@pytest.mark.parametrize("step", MOMENTS)
def test_a_step_that_was_cut_ends_in_one_sentence_and_run_again_gives_the_rows_of_an_uncut_run(
    worlds: Worlds, step: Step
) -> None:
    worlds.run_before(step)
    before = results(worlds.uncut)
    for moment in MOMENTS[step]:
        with cut_while(worlds.cut, moment) as cut:
            failure = failure_of(lambda: worlds.run(worlds.cut, step))
        assert cut, f"no connection was cut: {moment}"
        assert failure is not None, f"the step did not notice the cut: {moment}"
        assert (sentence_for(failure, worlds.cut) or "").startswith("Postgres does not answer at"), failure
        worlds.run(worlds.cut, step)
    worlds.run(worlds.uncut, step)
    worlds.done.append(step)
    assert results(worlds.cut) == results(worlds.uncut)
    assert results(worlds.uncut) != before, "the step wrote nothing, so nothing was compared"


def test_a_cut_is_felt(worlds: Worlds) -> None:
    waiting = "INSERT INTO batch_days (day, loaded_at, loaded_posts) VALUES ('2026-01-31', now(), 1)"
    with pytest.raises(psycopg2.Error), cut_while(worlds.cut, "batch_days") as cut:
        rows(worlds.cut, waiting)
    assert cut
