"""`python -m benchmarks catch-up [--days 10]`: catch up on missing days with Airflow and without.

Simulated days go through Kafka and both queries; the statistics of the first day are learned before the
others arrive. Two databases, one a copy of the other, then catch up: one by `groundswell batch --from --to`,
the other by `daily_batch` in Airflow, unpaused with the first day of the gap as its start. On `--cut-days`
of its days each task has its connections to Postgres cut once, in the middle of a transaction, so that
Airflow retries it. Exits with 1 unless every run succeeds and every table holds the same rows in both.
"""

import subprocess
import threading
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.stack import benchmark_stack, run, stack_layout
from core.settings import Settings
from deploy.local import stack
from deploy.local.layout import Layout
from deploy.local.servers import airflow
from deploy.local.servers.postgres import create_databases
from deploy.local.shell import child_environment
from sql.connection import connect, transaction

UNDISTURBED = "undisturbed"
DAG = "daily_batch"
TABLES = """
    posts authors music challenges post_challenges hashtags post_hashtags post_keywords post_stats
    author_stats daily_trends keyword_statistics traffic_statistics
    anomaly_alerts alert_evidence alert_terms incident_members
""".split()
POLL_SECONDS = 0.05
REPORT_SECONDS = 60.0
UNPAUSE_SECONDS = 120
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND application_name LIKE 'groundswell%%' AND xact_start IS NOT NULL
AND backend_type = 'client backend'
"""
_RUNNING = """
SELECT ti.run_id, ti.task_id, (dag_run.logical_date AT TIME ZONE 'UTC')::date
FROM task_instance AS ti JOIN dag_run USING (dag_id, run_id)
WHERE ti.dag_id = %s AND ti.state = 'running'
"""
_TASKS_AND_RETRIED = """
SELECT count(*), count(*) FILTER (WHERE try_number > 1)
FROM task_instance WHERE dag_id = %s AND state = 'success'
"""
_RUN_STATES = """
SELECT state FROM dag_run WHERE dag_id = %s AND (logical_date AT TIME ZONE 'UTC')::date = ANY (%s)
"""


def main(
    days: Annotated[int, typer.Option(help="days in the gap")] = 10,
    posts_per_day: Annotated[int, typer.Option(help="posts per day")] = 24_000,
    cut_days: Annotated[int, typer.Option(help="days on which each task loses Postgres once")] = 1,
    minutes: Annotated[float, typer.Option(help="time limit for Airflow")] = 60,
) -> None:
    """Catch up on a gap of days with Airflow and without, and compare the tables."""
    today = datetime.now(UTC).date()
    gap = [today - timedelta(days=days - number) for number in range(days)]
    with benchmark_stack() as (settings, folder):
        _fill(settings, folder, gap, posts_per_day)
        undisturbed = settings.model_copy(update={"postgres_database": UNDISTURBED})
        create_databases(settings, [UNDISTURBED], template=settings.postgres_database)
        began = time.monotonic()
        run(undisturbed, folder / "batch.log", "batch", "--from", str(gap[0]), "--to", str(gap[-1]))
        print(f"groundswell batch: {days} days in {time.monotonic() - began:.0f} s", flush=True)
        succeeded = _run_airflow(settings, stack_layout(folder), gap, set(gap[:cut_days]), minutes * 60)
        differing = [table for table in TABLES if not _same(settings, undisturbed, table)]
    raise typer.Exit(0 if succeeded and not differing else 1)


def _fill(settings: Settings, folder: Path, gap: list[date], posts_per_day: int) -> None:
    """Archive the gap and the day before it, learn that day, and detect on the gap with its statistics."""
    log, before = folder / "commands.log", gap[0] - timedelta(days=1)
    options = f"--start {before} --days {len(gap) + 1} --posts-per-day {posts_per_day} --seed 1"
    run(settings, log, "producer", "simulate", *options.split(), "--out", str(folder / "posts"))
    files = {day: str(folder / "posts" / f"posts-{day}.ndjson") for day in (before, *gap)}
    run(settings, log, "batch", "import", files[before], "--clock", "original")
    run(settings, log, "batch", str(before), "--assume-complete")
    run(settings, log, "producer", "send", *(files[day] for day in gap), "--clock", "original", "--no-resume")
    run(settings, log, "streaming", "--once")
    print(f"{len(gap)} days of {posts_per_day:,} posts went through both queries", flush=True)


def _run_airflow(
    settings: Settings, layout: Layout, gap: list[date], cut_days: set[date], seconds: float
) -> bool:
    """Let Airflow catch up on `gap`; return whether every run succeeded within `seconds`."""
    state = stack.known_state(layout)
    environment = child_environment(layout, state, settings) | {airflow.START_DATE: str(gap[0])}
    airflow.migrate_database(layout, environment)
    metadata = settings.model_copy(update={"postgres_database": "airflow"})
    ended = threading.Event()
    cut: set[tuple[str, str]] = set()
    cutter = threading.Thread(target=_cut_tasks, args=(settings, metadata, cut_days, cut, ended), daemon=True)
    try:
        airflow.start(layout, state, environment)
        _unpause(environment, deadline=time.monotonic() + UNPAUSE_SECONDS)
        cutter.start()
        successes, waited = _wait_for_runs(metadata, gap, cut, seconds)
    finally:
        ended.set()
        airflow.stop(layout)
    with transaction(metadata) as cursor:
        cursor.execute(_TASKS_AND_RETRIED, (DAG,))
        tasks, retried = cursor.fetchone() or (0, 0)
    print(
        f"Airflow: {successes} of {len(gap)} days in {waited:.0f} s; "
        f"{len(cut)} tasks cut, {retried} of {tasks} retried",
        flush=True,
    )
    return successes == len(gap)


def _unpause(environment: dict[str, str], *, deadline: float) -> None:
    """Unpause the DAG as soon as Airflow's processor has read it; raise RuntimeError after `deadline`."""
    command = airflow.airflow_command("dags", "unpause", "--yes", DAG)
    while True:
        done = subprocess.run(command, env=environment, capture_output=True, text=True)
        if done.returncode == 0 and "No paused DAGs" not in done.stdout + done.stderr:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{DAG} could not be unpaused:\n{done.stdout}{done.stderr}")
        time.sleep(2)


def _wait_for_runs(
    metadata: Settings, gap: list[date], cut: set[tuple[str, str]], seconds: float
) -> tuple[int, float]:
    """Wait until every run succeeded, one failed or the time is up; return successes and seconds waited."""
    began = reported = time.monotonic()
    while True:
        states = _run_states(metadata, gap)
        successes, waited = states.count("success"), time.monotonic() - began
        if "failed" in states or successes == len(gap) or waited > seconds:
            return successes, waited
        if time.monotonic() - reported > REPORT_SECONDS:
            reported = time.monotonic()
            print(f"  {waited:.0f} s: {successes} of {len(gap)} days done, {len(cut)} tasks cut", flush=True)
        time.sleep(1)


def _run_states(metadata: Settings, gap: list[date]) -> list[str]:
    with transaction(metadata) as cursor:
        cursor.execute(_RUN_STATES, (DAG, gap))
        return [state for (state,) in cursor.fetchall()]


def _cut_tasks(
    settings: Settings, metadata: Settings, days: set[date], cut: set[tuple[str, str]], ended: threading.Event
) -> None:
    """Cut each task of `days` off from Postgres the first time it is in a transaction; add it to `cut`."""
    connections = [connect(chosen, application_name="cutter") for chosen in (metadata, settings)]
    for connection in connections:
        connection.autocommit = True
    with connections[0].cursor() as airflow_cursor, connections[1].cursor() as tables_cursor:
        while not ended.wait(POLL_SECONDS):
            airflow_cursor.execute(_RUNNING, (DAG,))
            fresh = {(run_id, task) for run_id, task, day in airflow_cursor.fetchall() if day in days} - cut
            if fresh:
                tables_cursor.execute(_CUT, (settings.postgres_database,))
                if tables_cursor.rowcount:
                    cut |= fresh
    for connection in connections:
        connection.close()


def _same(settings: Settings, undisturbed: Settings, table: str) -> bool:
    """Print and return whether both databases hold the same rows in `table`."""
    rows, digest = _digest(settings, table)
    other_rows, other_digest = _digest(undisturbed, table)
    same = (rows, digest) == (other_rows, other_digest)
    counts = f"{rows:,} rows" if same else f"{rows:,} rows by Airflow, {other_rows:,} undisturbed"
    print(f"{'same' if same else 'DIFFERS':<8} {table}: {counts}", flush=True)
    return same


def _digest(settings: Settings, table: str) -> tuple[int, str | None]:
    """Return the number of rows and a digest that does not depend on their order."""
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT count(*), md5(string_agg(row, '' ORDER BY row)) "
            f"FROM (SELECT md5(t::text) AS row FROM {table} AS t)"
        )
        return cursor.fetchone() or (0, None)


if __name__ == "__main__":
    typer.run(main)
