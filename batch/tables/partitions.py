"""Tables that are partitioned by day: a partition is made beside the table, filled, and then takes its place in it; old ones go."""

from datetime import date

import psycopg2
from psycopg2.extensions import cursor as Cursor

from batch.timing import timed
from core.settings import Settings
from sql.connection import query, transaction

BUILD_MEMORY = "256MB"
"""Memory that Postgres may take to sort rows or build an index of a day; what is larger goes through its disk."""


def fill_partition(settings: Settings, table: str, day: date) -> int:
    """Make `staging.<table>_day` and fill it with the rows of `day` by the query fill_<table>; returns how many there are.

    Its transaction is its own: nobody sees the rows before `attach_partition`.
    """
    new = f"staging.{table}_day"
    with transaction(settings, application_name="groundswell batch") as cursor:
        cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
        cursor.execute(f"SET LOCAL maintenance_work_mem = '{BUILD_MEMORY}'")
        cursor.execute(f"DROP TABLE IF EXISTS {new}")
        cursor.execute(f"CREATE TABLE {new} (LIKE {table} INCLUDING CONSTRAINTS INCLUDING DEFAULTS)")
        # Held by the empty table, the constraint spares Postgres reading all rows when they are attached.
        cursor.execute(f"ALTER TABLE {new} ADD CONSTRAINT one_day CHECK (day = '{day.isoformat()}')")
        with timed(f"fill {table}"):
            cursor.execute(query(f"fill_{table}"), {"day": day})
        rows = cursor.rowcount
        cursor.execute(query("keys_of_table"), {"table": table})
        for number, (key, index) in enumerate(cursor.fetchall()):
            # Names of their own, because those that Postgres would choose are taken by the day before.
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
    """Put `staging.<table>_day` into `table` in place of what stands there for `day`.

    Raises psycopg2.errors.LockNotAvailable where somebody reads what has to go for longer than a moment.
    """
    partition = partition_name(table, day)
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"DROP TABLE IF EXISTS {partition}")
    cursor.execute(f"ALTER TABLE staging.{table}_day RENAME TO {partition}")
    cursor.execute(f"ALTER TABLE staging.{partition} SET SCHEMA public")
    cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {partition} FOR VALUES IN ('{day.isoformat()}')")
    cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT one_day")


def partition_name(table: str, day: date) -> str:
    """Name of the partition of `table` that holds `day`."""
    return f"{table}_{day:%Y%m%d}"


def drop_old_partitions(settings: Settings, table: str, keep_days: int) -> None:
    """Keep the newest `keep_days` days of `table`, counted from its newest; what somebody reads right now goes another day."""
    try:
        with transaction(settings, application_name="groundswell batch") as cursor:
            cursor.execute(query("partitions_of_table"), {"table": table})
            partitions = cursor.fetchall()
            # Who reads the table waits for as long as this does.
            cursor.execute("SET LOCAL lock_timeout = '1s'")
            for partition, day in partitions:
                if (partitions[0][1] - day).days >= keep_days:
                    cursor.execute(f"DROP TABLE {partition}")
    except psycopg2.errors.LockNotAvailable:
        return
