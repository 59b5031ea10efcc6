"""Queries of tests to Postgres."""

from typing import Any

from core.settings import Settings
from sql.connection import transaction


def rows(settings: Settings, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run `sql` with `values` in a transaction, committed unless it fails; return its rows, if any."""
    with transaction(settings) as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []
