"""Laws of the DAG files: they load without errors or a database, and contain only wiring."""

import ast
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DAGS = Path(__file__).parents[2] / "dags"
STEPS = ("complete", "load", "trends", "statistics", "evidence", "checks", "upkeep")
HEAVY = {"pyspark", "boto3", "psycopg2", "pandas", "numpy", "kafka", "core", "batch", "sql", "streaming"}
START_DATES = ("2026-03-05", "", "5 March")
DESCRIBE = """
import json, os, sys
from airflow.dag_processing.dagbag import DagBag
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import TimeRestriction

def describe(start_date):
    os.environ["GROUNDSWELL_AIRFLOW_START_DATE"] = start_date
    bag = DagBag(sys.argv[1])
    dag = bag.dags.get("daily_batch")
    if dag is None:
        return {"errors": bag.import_errors}
    timetable = decode_timetable(encode_timetable(dag.timetable))
    run = timetable.next_dagrun_info(
        last_automated_data_interval=None, restriction=TimeRestriction(dag.start_date, None, True)
    )
    return {
        "errors": bag.import_errors,
        "ids": list(bag.dags),
        "timetable": type(dag.timetable).__name__,
        "catchup": dag.catchup,
        "max_active_runs": dag.max_active_runs,
        "description": dag.description,
        "first_run": run and [str(run.logical_date), str(run.run_after)],
        "tasks": {
            task.task_id: {
                "command": task.bash_command,
                "cwd": task.cwd,
                "retries": task.retries,
                "backoff": bool(task.retry_exponential_backoff),
                "after": sorted(task.upstream_task_ids),
            }
            for task in dag.tasks
        },
    }

print(json.dumps({start_date: describe(start_date) for start_date in sys.argv[2:]}))
"""


@pytest.fixture(scope="module")
def describe(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], dict[str, Any]]:
    """What Airflow reads from the DAG folder of a checkout whose path has a space, given a start date."""
    home = tmp_path_factory.mktemp("airflow home")
    checkout = tmp_path_factory.mktemp("a checkout")
    shutil.copytree(DAGS, checkout / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    # No database is running: parsing a DAG file must not need one. One process: Airflow starts slowly.
    done = subprocess.run(
        [sys.executable, "-c", DESCRIBE, str(checkout / "dags"), *START_DATES],
        env={**os.environ, "AIRFLOW_HOME": str(home), "AIRFLOW__CORE__LOAD_EXAMPLES": "False"},
        cwd=home,
        capture_output=True,
        text=True,
        check=True,
    )
    described = json.loads(done.stdout.splitlines()[-1])
    return lambda start_date: {**described[start_date], "checkout": str(checkout)}


@pytest.fixture(scope="module")
def described(describe: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    """The DAG with a start date in March."""
    return describe("2026-03-05")


@pytest.mark.slow
def test_the_dag_loads_without_errors_and_runs_one_day_at_a_time_with_catch_up(described):
    assert described["errors"] == {}
    assert described["ids"] == ["daily_batch"]
    assert described["timetable"] == "CronDataIntervalTimetable"
    assert (described["catchup"], described["max_active_runs"]) == (True, 1)


@pytest.mark.slow
def test_the_first_run_is_that_of_the_start_date_half_an_hour_after_its_end(described):
    assert described["first_run"] == ["2026-03-05 00:30:00+00:00", "2026-03-06 00:30:00+00:00"]


@pytest.mark.slow
def test_without_a_start_date_nothing_is_scheduled_and_the_description_says_so(describe):
    without = describe("")
    assert (without["errors"], without["first_run"]) == ({}, None)
    assert without["description"].endswith("(not scheduled: GROUNDSWELL_AIRFLOW_START_DATE is not set)")
    assert sorted(without["tasks"]) == sorted(STEPS)


@pytest.mark.slow
def test_a_start_date_that_is_not_a_day_is_an_error_that_names_the_variable(describe):
    [error] = describe("5 March")["errors"].values()
    assert (
        "GROUNDSWELL_AIRFLOW_START_DATE is '5 March'. Write the first day to schedule as 2026-01-31." in error
    )


@pytest.mark.slow
def test_each_step_is_the_usual_command_run_in_the_checkout(described):
    python = shlex.quote(sys.executable)
    assert {name: task["command"] for name, task in described["tasks"].items()} == {
        step: f"{python} -m batch {{{{ logical_date | ds }}}} --steps {step}" for step in STEPS
    }
    assert {task["cwd"] for task in described["tasks"].values()} == {described["checkout"]}
    assert {name: task["after"] for name, task in described["tasks"].items()} == {
        "complete": [],
        "statistics": ["complete"],
        "load": ["statistics"],
        "evidence": ["statistics"],
        "trends": ["load"],
        "checks": ["evidence", "trends"],
        "upkeep": ["checks"],
    }


@pytest.mark.slow
def test_a_failed_step_is_retried_with_growing_pauses(described):
    assert all(task["retries"] >= 3 and task["backoff"] for task in described["tasks"].values())


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_a_dag_file_imports_nothing_heavy(path):
    tree = ast.parse(path.read_text())
    modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {module.split(".")[0] for module in modules} & HEAVY == set()
