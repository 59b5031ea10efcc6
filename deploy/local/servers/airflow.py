"""Airflow on the stack: its database, its environment, its scheduler and web page."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, timedelta
from importlib.metadata import version
from pathlib import Path

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes
from deploy.local.layout import LOOPBACK, Layout, State, write_private
from deploy.local.servers.server import answers
from sql.connection import query, transaction
from sql.lake import metadata_location, open_archive

USER = "admin"
START_DATE = "GROUNDSWELL_AIRFLOW_START_DATE"
CATCH_UP_DAYS = 60
"""An archive whose newest day is older is a replay of old posts: the years since are not caught up on."""
ONE_DAY = timedelta(days=1)
PARTS = {
    "airflow-api": ["api-server"],
    "airflow-scheduler": ["scheduler", "--skip-serve-logs"],  # its log server would listen on all addresses
    "airflow-dags": ["dag-processor"],
}


def airflow_command(*arguments: str) -> list[str]:
    """The airflow of this virtual environment."""
    return [sys.executable, "-m", "airflow", *arguments]


def is_migrated(layout: Layout) -> bool:
    """Whether Airflow's own database has this Airflow's schema."""
    done = _migrated(layout)
    return done.exists() and done.read_text() == version("apache-airflow")


def migrate_database(layout: Layout, environment: dict[str, str]) -> None:
    """Bring Airflow's own database to this Airflow's schema; nothing to do where that was done before."""
    if is_migrated(layout):
        return
    layout.airflow.mkdir(parents=True, exist_ok=True)
    with processes.open_log(layout, "airflow-migrate") as log:
        failed = subprocess.run(
            airflow_command("db", "migrate"),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        ).returncode
    if failed:
        path = processes.log_path(layout, "airflow-migrate")
        raise NotReadyError(
            f"Airflow's database could not be made. The end of {path}:\n{processes.last_lines(path)}"
        )
    _migrated(layout).write_text(version("apache-airflow"))


def first_day_to_schedule(settings: Settings, today: date) -> date:
    """Return the day after the last that the batch has done, or if none the archive's first."""
    with transaction(settings) as cursor:
        cursor.execute(query("days_of_ledger"))
        done = [day for day, _ in cursor.fetchall()]
    return done[-1] + ONE_DAY if done else begin_of(_archived_days(settings), today)


def begin_of(days: Sequence[date], today: date) -> date:
    """Return the first of the newest days without a gap; today if there are none or all are long past.

    `days`: with posts in the archive, oldest first.

    >>> first, second, fourth = date(2026, 3, 1), date(2026, 3, 2), date(2026, 3, 4)
    >>> begin_of([date(2020, 3, 1), first, second], today=fourth)
    datetime.date(2026, 3, 1)
    >>> begin_of([first, second, fourth], today=fourth)
    datetime.date(2026, 3, 4)
    >>> begin_of([date(2020, 3, 1)], today=fourth)
    datetime.date(2026, 3, 4)
    """
    past = [day for day in days if today - CATCH_UP_DAYS * ONE_DAY <= day <= today]
    begin = past[-1] if past else today
    while begin - ONE_DAY in days:
        begin -= ONE_DAY
    return begin


def _archived_days(settings: Settings) -> list[date]:
    """Days with posts in the archive, oldest first."""
    if metadata_location(settings) is None:
        return []
    with open_archive(settings) as database:
        rows = database.execute(
            "SELECT DISTINCT CAST(event_time AS DATE) FROM raw_posts "
            "WHERE topic = ? AND event_time IS NOT NULL ORDER BY 1",
            [settings.posts_topic],
        ).fetchall()
    return [day for (day,) in rows]


def start(layout: Layout, state: State, environment: dict[str, str]) -> str:
    """Start scheduler, DAG processor and web page, wait until the page answers; its address."""
    write_private(
        Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]),
        json.dumps({USER: state.airflow_password}),
    )
    address = f"http://{LOOPBACK}:{state.ports['airflow']}"
    for name, arguments in PARTS.items():
        if processes.running(layout, name) is None:
            processes.start(layout, name, airflow_command(*arguments), environment=environment)
    page = processes.running(layout, "airflow-api")
    if page is None:
        raise NotReadyError(
            f"Airflow's web page did not start. Look at {processes.log_path(layout, 'airflow-api')}."
        )
    processes.wait_ready(layout, page, lambda: answers(f"{address}/api/v2/version"))
    return address


def watch(layout: Layout) -> None:
    """Return when a part of Airflow ends; NotReadyError with the end of its log."""
    while True:
        for name in PARTS:
            if processes.running(layout, name) is None:
                path = processes.log_path(layout, name)
                raise NotReadyError(f"{name} ended. The end of {path}:\n{processes.last_lines(path)}")
        time.sleep(1)


def stop(layout: Layout) -> None:
    """Stop all parts."""
    for name in PARTS:
        program = processes.running(layout, name)
        if program is not None:
            processes.stop(layout, program)


def _migrated(layout: Layout) -> Path:
    return layout.airflow / "migrated"
