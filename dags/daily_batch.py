"""The DAG `daily_batch`: half an hour after midnight UTC one day of the batch, with the commands that a person runs."""

import shlex
import sys
from datetime import timedelta
from pathlib import Path

import pendulum
from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

REPOSITORY = Path(__file__).resolve().parent.parent

# A scheduled run's logical date is the start of its data interval: the day 2026-01-05 runs early on 2026-01-06. In a run by
# hand, as `airflow dags test daily_batch 2026-01-05`, it is the date that was given.
DAY = "{{ logical_date | ds }}"


def batch_step(step: str) -> BashOperator:
    """A task that runs one named step of the batch for the day of the run, with this interpreter."""
    return BashOperator(
        task_id=step,
        bash_command=f"{shlex.quote(sys.executable)} -m batch {DAY} --steps {step}",
        cwd=str(REPOSITORY),
        append_env=True,
    )


with DAG(
    dag_id="daily_batch",
    description="Archive to posts, authors, music, challenges and statistics, one day at a time and in order",
    doc_md=__doc__,
    # Lateness is 15 minutes, and the archive commits at most every minute: by half past the day is complete.
    schedule=CronDataIntervalTimetable("30 0 * * *", timezone="UTC"),
    start_date=pendulum.datetime(2026, 1, 1, tz="UTC"),
    catchup=True,
    max_active_runs=1,
    default_args={
        "retries": 5,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
        "depends_on_past": True,
    },
):
    batch_step("load") >> batch_step("statistics")
