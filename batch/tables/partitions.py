"""Tables partitioned by day: build a partition beside its table, attach it, drop old ones."""

from datetime import date

import psycopg2
from psycopg2.extensions import cursor as Cursor

from batch.timing import timed
from core.settings import Settings
from sql.connection import query, transaction

DAY_COLUMNS = {"author_stats": "post_day"}
"""Column that a table is partitioned by, where it is not `day`."""
BUILD_MEMORY = "256MB"
"""Memory that Postgres may use to sort a day's rows or build its index; larger ones spill to disk."""


def fill_partition(settings: Settings, table: str, day: date) -> int:
    """Create `staging.<table>_day`, fill it with `day` by the query fill_<table>, and return its row count.

    Runs in its own transaction: nobody sees the rows before `attach_partition`.
    """
    with transaction(settings, application_name="groundswell batch") as cursor:
        cursor.execute(f"SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'")
        cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
        return build_partition(cursor, table, day)


def build_partition(cursor: Cursor, table: str, day: date) -> int:
    """Do the work of `fill_partition` in the transaction of `cursor`."""
    new = f"staging.{table}_day"
    cursor.execute(f"DROP TABLE IF EXISTS {new}")
    cursor.execute(f"CREATE TABLE {new} (LIKE {table} INCLUDING CONSTRAINTS INCLUDING GENERATED)")
    # A constraint on the empty table spares Postgres a scan of all rows when the partition is attached.
    column = DAY_COLUMNS.get(table, "day")
    cursor.execute(f"ALTER TABLE {new} ADD CONSTRAINT one_day CHECK ({column} = '{day.isoformat()}')")
    with timed(f"fill {table}"):
        cursor.execute(query(f"fill_{table}"), {"day": day})
    rows = cursor.rowcount
    cursor.execute(query("keys_of_table"), {"table": table})
    for number, (key, index) in enumerate(cursor.fetchall()):
        # Explicit names, because the previous day's indexes have taken those that Postgres would choose.
        name = f"{partition_name(table, day)}_{number}"
        with timed(f"index {name}"):
            cursor.execute(
                f"ALTER TABLE {new} ADD CONSTRAINT {name} {key}"
                if key
                else f"CREATE INDEX {name} ON {new} {index}"
            )
    cursor.execute(f"ANALYZE {new}")
    return rows


def attach_partition(cursor: Cursor, table: str, day: date) -> None:
    """Attach `staging.<table>_day` to `table`, replacing its partition of `day` if there is one.

    Raises psycopg2.errors.LockNotAvailable if a query reads the old partition for more than 5 seconds.
    """
    partition = partition_name(table, day)
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"DROP TABLE IF EXISTS {partition}")
    cursor.execute(f"ALTER TABLE staging.{table}_day RENAME TO {partition}")
    cursor.execute(f"ALTER TABLE staging.{partition} SET SCHEMA public")
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ('{day.isoformat()}')")
    cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT one_day")


def partition_name(table: str, day: date) -> str:
    """Return the name of the partition of `table` that holds `day`."""
    return f"{table}_{day:%Y%m%d}"


def drop_old_partitions(settings: Settings, table: str, keep_days: int, *, loaded: date) -> None:
    """Drop partitions of `table` that are `keep_days` or more before its newest and away from `loaded`.

    `loaded` is the day that was loaded last: an old one keeps its rows, and those of the days that its
    trends compare with, until days of another time are loaded. If a query is reading one of the old
    partitions, all are left for the next run.
    """
    try:
        with transaction(settings, application_name="groundswell batch") as cursor:
            cursor.execute(query("partitions_of_table"), {"table": table})
            partitions = cursor.fetchall()
            # Readers of the table wait for as long as this does.
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            for partition, day in partitions:
                if not is_kept(day, newest=partitions[0][1], loaded=loaded, keep_days=keep_days):
                    cursor.execute(f"DROP TABLE {partition}")
    except psycopg2.errors.LockNotAvailable:
        return


def is_kept(day: date, *, newest: date, loaded: date, keep_days: int) -> bool:
    """Return whether `day` is among the newest days of a table or near the day that was loaded last.

    >>> years = {"newest": date(2020, 3, 10), "loaded": date(2017, 5, 1), "keep_days": 8}
    >>> [is_kept(date(2020, 3, day), **years) for day in (2, 3)]
    [False, True]
    >>> [is_kept(date(2017, 5, day), **years) for day in (8, 9)]
    [True, False]
    """
    return any(abs((near - day).days) < keep_days for near in (newest, loaded))
