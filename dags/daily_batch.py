"""The DAG `daily_batch`: run the batch for one day, half an hour after it ends (UTC), step by step.

Set GROUNDSWELL_AIRFLOW_START_DATE in the environment of scheduler and DAG processor to the first day to
schedule, a UTC day such as 2026-01-31: the archive's first day, or the one after the last that the batch
has learned. Without it nothing is scheduled, but manual runs work.
"""

import os
import shlex
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, CronDataIntervalTimetable

REPOSITORY = Path(__file__).resolve().parent.parent
START_DATE = "GROUNDSWELL_AIRFLOW_START_DATE"

# The logical date of a scheduled run is the start of its data interval: the day 2026-01-05 runs early on
# 2026-01-06. In a manual run, such as `airflow dags test daily_batch 2026-01-05`, it is the date that was
# given.
DAY = "{{ logical_date | ds }}"


def start_date() -> datetime | None:
    """Return the first day to schedule; raises ValueError, which Airflow shows, if it is not a day."""
    text = os.environ.get(START_DATE)
    if not text:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError as error:
        raise ValueError(
            f"{START_DATE} is {text!r}. Write the first day to schedule as 2026-01-31."
        ) from error


def batch_step(step: str) -> BashOperator:
    """Return a task that runs one step of the batch for the day of the run, with this interpreter."""
    return BashOperator(
        task_id=step,
        bash_command=f"{shlex.quote(sys.executable)} -m batch {DAY} --steps {step}",
        cwd=str(REPOSITORY),
        append_env=True,
    )


with DAG(
    dag_id="daily_batch",
    description="One day of the archive to posts, authors, music, challenges, trends, statistics, evidence; "
    "checks and upkeep" + ("" if start_date() else f" (not scheduled: {START_DATE} is not set)"),
    doc_md=__doc__,
    # Lateness is 15 minutes, and the archive commits at most every minute: by 00:30 the day is complete.
    schedule=CronDataIntervalTimetable("30 0 * * *", timezone="UTC") if start_date() else None,
    start_date=start_date(),
    catchup=start_date() is not None,
    max_active_runs=1,
    default_args={
        "retries": 5,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": True,
        "max_retry_delay": timedelta(minutes=30),
        "depends_on_past": True,
    },
):
    # Statistics come first, because detection waits for them; then what analysts read, in parallel if there
    # is capacity.
    load, trends, evidence = batch_step("load"), batch_step("trends"), batch_step("evidence")
    batch_step("complete") >> batch_step("statistics") >> [load, evidence]
    load >> trends
    [trends, evidence] >> batch_step("checks") >> batch_step("upkeep")
