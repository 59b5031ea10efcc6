"""What tests look at in Postgres."""

from typing import Any

from core.settings import Settings
from sql.connection import transaction


def rows(settings: Settings, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """The rows of a query with `values` in its places; none of a statement that gives none. Committed where nothing failed."""
    with transaction(settings) as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []
