"""`python -m benchmarks catch-up [--days 10]`: a gap of days caught up on by Airflow's scheduler, against the batch undisturbed.

Simulated days go through Kafka and both queries, the first of them learned before the others come. Two databases, one the copy
of the other, then catch up on these: one by `groundswell batch --from --to`, the other by `daily_batch` in Airflow, unpaused with the first
day of the gap as its start. On `--cut-days` of its days each task has its connections to Postgres cut once, in the middle of a
transaction, so that Airflow tries it again. Ends with 1 unless every run is a success and every table holds the same rows.
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
    posts authors music challenges post_challenges hashtags post_hashtags post_keywords post_stats author_stats daily_trends
    keyword_statistics traffic_statistics anomaly_alerts alert_evidence alert_terms incident_members
""".split()
LOOK_SECONDS = 0.05
REPORT_SECONDS = 60.0
_CUT = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = %s AND application_name LIKE 'groundswell%%' AND xact_start IS NOT NULL AND backend_type = 'client backend'
"""
_RUNNING = """
SELECT ti.run_id, ti.task_id, (dag_run.logical_date AT TIME ZONE 'UTC')::date
FROM task_instance AS ti JOIN dag_run USING (dag_id, run_id)
WHERE ti.dag_id = %s AND ti.state = 'running'
"""


def main(
    days: Annotated[int, typer.Option(help="days of the gap")] = 10,
    posts_per_day: Annotated[int, typer.Option(help="posts of each of them")] = 24_000,
    cut_days: Annotated[int, typer.Option(help="days on which each task is cut off from Postgres once")] = 1,
    minutes: Annotated[float, typer.Option(help="how long Airflow may take")] = 60,
) -> None:
    """Let both catch up and compare."""
    today = datetime.now(UTC).date()
    gap = [today - timedelta(days=days - number) for number in range(days)]
    with benchmark_stack() as (settings, folder):
        _fill(settings, folder, gap, posts_per_day)
        undisturbed = settings.model_copy(update={"postgres_database": UNDISTURBED})
        create_databases(settings, [UNDISTURBED], template=settings.postgres_database)
        began = time.monotonic()
        run(
            undisturbed,
            folder / "batch.log",
            "batch",
            "--from",
            gap[0].isoformat(),
            "--to",
            gap[-1].isoformat(),
        )
        print(f"groundswell batch: {days} days in {time.monotonic() - began:.0f} s", flush=True)
        failed = _by_airflow(settings, stack_layout(folder), gap, set(gap[:cut_days]), minutes * 60)
        differing = [table for table in TABLES if not _same(settings, undisturbed, table)]
    raise typer.Exit(1 if failed or differing else 0)


def _fill(settings: Settings, folder: Path, gap: list[date], posts_per_day: int) -> None:
    """The days of the gap and the one before it in the archive; that one learned, and the others judged by what was learned."""
    log, before = folder / "commands.log", gap[0] - timedelta(days=1)
    further = (
        "--start",
        before.isoformat(),
        "--days",
        str(len(gap) + 1),
        "--posts-per-day",
        str(posts_per_day),
        "--seed",
        "1",
    )
    run(settings, log, "producer", "simulate", *further, "--out", str(folder / "posts"))
    files = {day: str(folder / "posts" / f"posts-{day}.ndjson") for day in (before, *gap)}
    run(settings, log, "batch", "import", files[before], "--clock", "original")
    run(settings, log, "batch", before.isoformat(), "--assume-complete")
    run(settings, log, "producer", "send", *(files[day] for day in gap), "--clock", "original", "--no-resume")
    run(settings, log, "streaming", "--once")
    print(f"{posts_per_day:,} posts of each of {len(gap)} days are archived and judged", flush=True)


def _by_airflow(
    settings: Settings, layout: Layout, gap: list[date], cut_days: set[date], seconds: float
) -> bool:
    """Let Airflow catch up on `gap`; whether a run failed, or was not done in so many seconds."""
    state = stack.known_state(layout)
    environment = child_environment(layout, state, settings) | {airflow.START_DATE: gap[0].isoformat()}
    airflow.migrate_database(layout, environment)
    own = settings.model_copy(update={"postgres_database": "airflow"})
    ended = threading.Event()
    cut: set[tuple[str, str]] = set()
    try:
        airflow.start(layout, state, environment)
        _unpause(environment, deadline=time.monotonic() + 120)
        began = reported = time.monotonic()
        cutter = threading.Thread(target=_cut_tasks, args=(settings, own, cut_days, cut, ended), daemon=True)
        cutter.start()
        while True:
            states = _run_states(own, gap)
            waited = time.monotonic() - began
            if "failed" in states or states.count("success") == len(gap) or waited > seconds:
                break
            if time.monotonic() - reported > REPORT_SECONDS:
                reported = time.monotonic()
                print(
                    f"  {waited:.0f} s: {states.count('success')} of {len(gap)} days done, {len(cut)} tasks cut",
                    flush=True,
                )
            time.sleep(1)
    finally:
        ended.set()
        airflow.stop(layout)
    with transaction(own) as cursor:
        cursor.execute(
            "SELECT count(*), count(*) FILTER (WHERE try_number > 1) FROM task_instance WHERE dag_id = %s AND state = 'success'",
            (DAG,),
        )
        done, again = cursor.fetchone() or (0, 0)
    successes = states.count("success")
    print(
        f"Airflow: {successes} of {len(gap)} days in {waited:.0f} s; {len(cut)} tasks cut, {again} of {done} tried again",
        flush=True,
    )
    return successes != len(gap)


def _unpause(environment: dict[str, str], *, deadline: float) -> None:
    """Unpause the DAG, as soon as Airflow's processor has read it."""
    while True:
        done = subprocess.run(
            airflow.airflow_command("dags", "unpause", "--yes", DAG),
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0 and "No paused DAGs" not in done.stdout + done.stderr:
            return
        if time.monotonic() > deadline:
            raise RuntimeError(f"{DAG} could not be unpaused:\n{done.stdout}{done.stderr}")
        time.sleep(2)


def _run_states(own: Settings, gap: list[date]) -> list[str]:
    with transaction(own) as cursor:
        cursor.execute(
            "SELECT state FROM dag_run WHERE dag_id = %s AND (logical_date AT TIME ZONE 'UTC')::date = ANY (%s)",
            (DAG, gap),
        )
        return [state for (state,) in cursor.fetchall()]


def _cut_tasks(
    settings: Settings, own: Settings, days: set[date], cut: set[tuple[str, str]], ended: threading.Event
) -> None:
    """Cut each task of `days` off from Postgres the first time it is seen in a transaction; notes in `cut` which."""
    connections = [connect(chosen, application_name="cutter") for chosen in (own, settings)]
    for connection in connections:
        connection.autocommit = True
    with connections[0].cursor() as of_airflow, connections[1].cursor() as of_tables:
        while not ended.wait(LOOK_SECONDS):
            of_airflow.execute(_RUNNING, (DAG,))
            fresh = {(run_id, task) for run_id, task, day in of_airflow.fetchall() if day in days} - cut
            if fresh:
                of_tables.execute(_CUT, (settings.postgres_database,))
                if of_tables.rowcount:
                    cut |= fresh
    for connection in connections:
        connection.close()


def _same(settings: Settings, other: Settings, table: str) -> bool:
    """Whether both databases hold the same rows in `table`; prints it."""
    found = []
    for chosen in (settings, other):
        with transaction(chosen) as cursor:
            cursor.execute(
                f"SELECT count(*), md5(string_agg(row, '' ORDER BY row)) FROM (SELECT md5(t::text) AS row FROM {table} AS t)"
            )
            found.append(cursor.fetchone() or (0, None))
    same = found[0] == found[1]
    counts = (
        f"{found[0][0]:,} rows" if same else f"{found[0][0]:,} rows by Airflow, {found[1][0]:,} undisturbed"
    )
    print(f"{'same' if same else 'DIFFERS':<8} {table}: {counts}", flush=True)
    return same


if __name__ == "__main__":
    typer.run(main)
