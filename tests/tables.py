"""Queries of tests to Postgres."""

from datetime import date
from typing import Any

from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from sql.connection import transaction


def rows(settings: Settings, sql: str, *values: object) -> list[tuple[Any, ...]]:
    """Run `sql` with `values` in a transaction, committed unless it fails; return its rows, if any."""
    with transaction(settings) as cursor:
        cursor.execute(sql, values or None)
        return cursor.fetchall() if cursor.description else []


def learn_nothing(settings: Settings, as_of: date = date(2001, 1, 1)) -> None:
    """Insert statistics of a day without a keyword: every keyword is new, and no day is a first day."""
    rows(
        settings,
        "INSERT INTO traffic_statistics SELECT %s, hour, 1, 1, %s FROM generate_series(0, 23) AS hour",
        as_of,
        KEYWORD_RULE_VERSION,
    )
