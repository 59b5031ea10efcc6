"""Spark rows into Postgres: each partition is one COPY of Arrow batches written as CSV, no row passes through Python."""

import io
from collections.abc import Iterable, Iterator, Sequence

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor
from pyarrow import csv
from pyspark import TaskContext
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core.settings import Settings
from sql.connection import transaction

COPIED_PARTITIONS = "staging.copied_partitions"
_CSV = csv.WriteOptions(include_header=False, quoting_style="all_valid")


def copy_batch(cursor: Cursor, table: str, batch: pa.RecordBatch) -> None:
    """COPY one Arrow batch into the columns of `table` that it names; null stays NULL, empty text stays empty."""
    text = io.BytesIO()
    csv.write_csv(batch, text, _CSV)
    text.seek(0)
    cursor.copy_expert(f"COPY {table} ({', '.join(batch.schema.names)}) FROM STDIN (FORMAT csv)", text)


class PartitionCopy:
    """Copies the Arrow batches of one Spark partition into a staging table, in one transaction and only once.

    A partition that is tried again after it was committed, as Spark does when an executor is lost, finds itself in
    `staging.copied_partitions` and writes nothing. Picklable: it travels to the executors with the connection settings.
    """

    def __init__(self, table: str, settings: Settings) -> None:
        self._table = table
        self._settings = settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Copy `batches`; yields one row with their number of rows as `copied` (bigint)."""
        context = TaskContext.get()
        partition = context.partitionId() if context else 0
        copied = 0
        with transaction(self._settings, application_name="groundswell batch") as cursor:
            cursor.execute(
                f"INSERT INTO {COPIED_PARTITIONS} (table_name, partition) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (self._table, partition),
            )
            fresh = cursor.rowcount == 1
            for batch in batches:
                copied += batch.num_rows
                if fresh and batch.num_rows:
                    copy_batch(cursor, self._table, batch)
        yield pa.record_batch({"copied": pa.array([copied], pa.int64())})


def copy_rows_of(rows: DataFrame, table: str, settings: Settings) -> int:
    """COPY all `rows` into the columns of staging table `table` that they name; returns how many there were."""
    return total_copied(rows.mapInArrow(PartitionCopy(table, settings), "copied bigint"))


def total_copied(copied: DataFrame) -> int:
    """Sum of the `copied` rows that `PartitionCopy` yields."""
    return copied.agg(F.sum("copied")).head()[0] or 0  # type: ignore[index]


def create_staging(cursor: Cursor, tables: Sequence[str], *, logged: bool = False) -> None:
    """Empty copies of `tables` in schema `staging`, and the list of copied partitions; what an earlier run left is dropped."""
    cursor.execute("CREATE SCHEMA IF NOT EXISTS staging")
    cursor.execute(f"DROP TABLE IF EXISTS {COPIED_PARTITIONS}")
    cursor.execute(f"CREATE UNLOGGED TABLE {COPIED_PARTITIONS} (table_name text, partition int, PRIMARY KEY (table_name, partition))")
    for table in tables:
        cursor.execute(f"DROP TABLE IF EXISTS staging.{table}")
        cursor.execute(f"CREATE {'' if logged else 'UNLOGGED'} TABLE staging.{table} (LIKE {table} INCLUDING COMMENTS)")
