"""Rows by column name, out of a SELECT or into an INSERT; no column order is repeated in Python."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from sql.connection import query

Row = TypeVar("Row")
_INSERTED_COLUMNS = re.compile(r"INSERT INTO [\w\s]+\(([\w\s,]+)\)\s+VALUES %s")


def fetch_dicts(cursor: Cursor) -> list[dict[str, Any]]:
    """Return the remaining rows by column name."""
    columns = [column.name for column in cursor.description or ()]
    return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def fetch_as(cursor: Cursor, row_type: Callable[..., Row]) -> list[Row]:
    """Return the remaining rows as `row_type`, whose fields have the names of the columns."""
    return [row_type(**row) for row in fetch_dicts(cursor)]


def insert_rows(cursor: Cursor, name: str, rows: Iterable[Mapping[str, object]]) -> None:
    """Run `sql/queries/<name>.sql`, an `INSERT INTO table (columns) VALUES %s`, with `rows` keyed by column.

    Keys that are not columns of the statement are ignored; without rows nothing is sent.
    """
    listed = list(rows)
    if listed:
        execute_values(cursor, query(name), listed, template=row_template(query(name)), page_size=1000)


def row_template(statement: str) -> str:
    """Return the placeholders of one row, in the order of the statement's own column list.

    >>> row_template("INSERT INTO traffic_windows (window_start, posts) VALUES %s")
    '(%(window_start)s, %(posts)s)'
    """
    inserted = _INSERTED_COLUMNS.search(statement)
    if inserted is None:
        raise ValueError(f"not an INSERT with a column list and VALUES %s: {statement}")
    return "(" + ", ".join(f"%({column.strip()})s" for column in inserted[1].split(",")) + ")"
