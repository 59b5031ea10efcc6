"""Arrow batches of Spark partitions into staging tables of Postgres, one transaction a partition."""

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
"""Columns of what a partition's copy yields: the number of its rows."""


def create_staging(cursor: Cursor, step: str, tables: Sequence[str], *, logged: bool = False) -> None:
    """Empty copies of `tables` in schema `staging`, and the list of partitions that `step` has copied.

    What an earlier run left there is dropped. Two steps may work at the same time, on different tables.
    """
    cursor.execute(f"DROP TABLE IF EXISTS {_done(step)}")
    cursor.execute(f"CREATE UNLOGGED TABLE {_done(step)} (partition int PRIMARY KEY)")
    for table in tables:
        create_staging_table(cursor, table, logged=logged)


def create_staging_table(cursor: Cursor, table: str, *, logged: bool = False) -> None:
    """An empty copy of `table` in schema `staging`, in place of what an earlier run left there."""
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
    """COPY (table, batch) pairs of one Spark partition into `staging`, in one transaction; returns the number of rows as `copied`.

    Of several tables only the rows of `counted` are counted, if it is given.

    A partition that is tried again after it was committed, as Spark does when an executor is lost, finds itself in the
    list of copied partitions and writes nothing.
    """
    context = TaskContext.get()
    copied = 0
    with transaction(settings, application_name="groundswell batch") as cursor:
        cursor.execute(
            f"INSERT INTO {_done(step)} VALUES (%s) ON CONFLICT DO NOTHING",
            (context.partitionId() if context else 0,),
        )
        fresh = cursor.rowcount == 1
        for table, batch in batches:
            copied += batch.num_rows if counted in (None, table) else 0
            if fresh and batch.num_rows:
                copy_batch(cursor, f"staging.{table}", batch)
    return pa.record_batch({"copied": pa.array([copied], pa.int64())})


def _done(step: str) -> str:
    return f"staging.copied_by_{step}"


def total_copied(copied: DataFrame) -> int:
    """Run the job whose partitions yield `copied` rows; returns their sum."""
    total = copied.agg(F.sum("copied")).head()
    return (total and total[0]) or 0
