"""Airflow on the stack: its database, its environment, and scheduler and web page as long as somebody looks."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from importlib.metadata import version
from pathlib import Path

from core.errors import NotReadyError
from deploy.local import processes
from deploy.local.layout import LOOPBACK, Layout, State, write_private

USER = "admin"
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
            airflow_command("db", "migrate"), env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, check=False
        ).returncode
    if failed:
        path = processes.log_path(layout, "airflow-migrate")
        raise NotReadyError(f"Airflow's database could not be made. The end of {path}:\n{processes.last_lines(path)}")
    _migrated(layout).write_text(version("apache-airflow"))


def start(layout: Layout, state: State, environment: dict[str, str]) -> str:
    """Start scheduler, DAG processor and web page, wait until the page answers; its address."""
    write_private(Path(environment["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"]), json.dumps({USER: state.airflow_password}))
    address = f"http://{LOOPBACK}:{state.ports['airflow']}"
    for name, arguments in PARTS.items():
        if processes.running(layout, name) is None:
            processes.start(layout, name, airflow_command(*arguments), environment=environment)
    page = processes.running(layout, "airflow-api")
    if page is None:
        raise NotReadyError(f"Airflow's web page did not start. Look at {processes.log_path(layout, 'airflow-api')}.")
    processes.wait_ready(layout, page, lambda: _answers(f"{address}/api/v2/version"))
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


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
