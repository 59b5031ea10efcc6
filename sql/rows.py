"""Rows by column name, out of a SELECT or into an INSERT; no column order is repeated in Python."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import starmap
from typing import Any, TypeVar
from uuid import UUID

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from sql.arrow import copy_batch
from sql.connection import query

Row = TypeVar("Row")
COPIED_ROWS = 200
"""Rows from which `insert_rows` sends them by COPY, not as a statement with their values."""
_INSERT = re.compile(r"INSERT INTO (\w+)[\w\s]*\(([\w\s,]+)\)\s+VALUES %s")


def fetch_dicts(cursor: Cursor) -> list[dict[str, Any]]:
    """Return the remaining rows by column name."""
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def fetch_as(cursor: Cursor, row_type: Callable[..., Row]) -> list[Row]:
    """Return the remaining rows as `row_type`, whose fields have the names of the columns."""
    if getattr(row_type, "_fields", None) == tuple(column.name for column in cursor.description or ()):
        return list(starmap(row_type, cursor.fetchall()))
    return [row_type(**row) for row in fetch_dicts(cursor)]


def insert_rows(cursor: Cursor, name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Run `sql/queries/<name>.sql`, an `INSERT INTO table (columns) VALUES %s`, with `rows` keyed by column.

    Keys that are not columns of the statement are ignored; without rows nothing is sent.
    """
    listed = list(rows)
    if len(listed) >= COPIED_ROWS:
        _copy_rows(cursor, query(name), listed)
    elif listed:
        execute_values(cursor, query(name), listed, template=row_template(query(name)), page_size=COPIED_ROWS)


def _copy_rows(cursor: Cursor, statement: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Run the statement with the rows of a temporary table, into which they are copied."""
    table, columns = _target(statement)
    listed = ", ".join(columns)
    cursor.execute(f"CREATE TEMPORARY TABLE copied_rows AS SELECT {listed} FROM {table} WITH NO DATA")
    copy_batch(cursor, "copied_rows", pa.record_batch({name: _column(rows, name) for name in columns}))
    cursor.execute(statement.replace("VALUES %s", f"SELECT {listed} FROM copied_rows"))
    cursor.execute("DROP TABLE copied_rows")


def _column(rows: Sequence[Mapping[str, object]], name: str) -> pa.Array:
    values = [row[name] for row in rows]
    return pa.array(map(str, values) if isinstance(values[0], UUID) else values)


def row_template(statement: str) -> str:
    """Return the placeholders of one row, in the order of the statement's own column list.

    >>> row_template("INSERT INTO traffic_windows (window_start, posts) VALUES %s")
    '(%(window_start)s, %(posts)s)'
    """
    return "(" + ", ".join(f"%({column})s" for column in _target(statement)[1]) + ")"


def _target(statement: str) -> tuple[str, list[str]]:
    """Return the table and the columns of an `INSERT INTO table (columns) VALUES %s`."""
    inserted = _INSERT.search(statement)
    if inserted is None:
        raise ValueError(f"not an INSERT with a column list and VALUES %s: {statement}")
    return inserted[1], [column.strip() for column in inserted[2].split(",")]
