"""What tests of the step `load` share: days, a run of the step, and the contents of its tables."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from pyspark.sql import SparkSession

from archive.days import read_archived_day
from batch.tables.load import load_day
from core.settings import Settings
from tests.tables import rows

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
DAY_SECONDS = 86_400


def at(hour: int, minute: int = 0, *, day: int = 5) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def load(spark: SparkSession, settings: Settings, day: date = MONDAY, *more: date) -> dict[str, int]:
    """Load the days, and return the counts of the first."""
    counts, *_ = [
        load_day(read_archived_day(spark, settings, each), settings=settings, day=each)
        for each in (day, *more)
    ]
    return counts


def contents(settings: Settings, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(settings, f"SELECT * FROM {table} AS r ORDER BY r::text") for table in tables}
