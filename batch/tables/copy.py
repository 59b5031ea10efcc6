"""COPY Arrow batches of Spark partitions into staging tables in Postgres, one transaction per partition."""

from collections.abc import Iterable, Sequence

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core.settings import Settings
from sql.arrow import copy_batch
from sql.connection import transaction

COPIED = "copied bigint"
"""Schema of what the copy of a partition yields: its number of rows."""


def create_staging(cursor: Cursor, step: str, tables: Sequence[str], *, logged: bool = False) -> None:
    """Create empty copies of `tables` in schema `staging`, and the list of partitions that `step` has copied.

    Leftovers of an earlier run are dropped. Two steps may run at the same time, on different tables.
    """
    cursor.execute(f"DROP TABLE IF EXISTS {_copied_by(step)}")
    cursor.execute(f"CREATE UNLOGGED TABLE {_copied_by(step)} (partition int PRIMARY KEY)")
    for table in tables:
        create_staging_table(cursor, table, logged=logged)


def create_staging_table(cursor: Cursor, table: str, *, logged: bool = False) -> None:
    """Create an empty copy of `table` in schema `staging`, replacing leftovers of an earlier run."""
    cursor.execute(f"DROP TABLE IF EXISTS staging.{table}")
    kind = "TABLE" if logged else "UNLOGGED TABLE"
    cursor.execute(f"CREATE {kind} staging.{table} (LIKE {table} INCLUDING COMMENTS INCLUDING CONSTRAINTS)")


def copy_partition(
    step: str,
    batches: Iterable[tuple[str, pa.RecordBatch]],
    settings: Settings,
    *,
    counted: str | None = None,
) -> pa.RecordBatch:
    """COPY the (table, batch) pairs of one Spark partition into `staging`, in one transaction.

    Returns the number of rows as `copied`; with `counted`, only the rows of that table.

    If Spark retries a partition that was committed, as it does when an executor is lost, the partition is
    already in the list of copied ones and nothing is written.
    """
    context = TaskContext.get()
    partition = context.partitionId() if context else 0
    copied = 0
    with transaction(settings, application_name="groundswell batch") as cursor:
        cursor.execute(
            f"INSERT INTO {_copied_by(step)} VALUES (%(partition)s) ON CONFLICT DO NOTHING",
            {"partition": partition},
        )
        is_first_attempt = cursor.rowcount == 1
        for table, batch in batches:
            copied += batch.num_rows if counted in (None, table) else 0
            if is_first_attempt and batch.num_rows:
                copy_batch(cursor, f"staging.{table}", batch)
    return pa.record_batch({"copied": pa.array([copied], pa.int64())})


def _copied_by(step: str) -> str:
    return f"staging.copied_by_{step}"


def total_copied(copied: DataFrame) -> int:
    """Run the job whose partitions yield `copied` rows and return their sum."""
    total = copied.agg(F.sum("copied")).head()
    return (total and total[0]) or 0
