"""Replay decisions: decide archived windows again as the stream did, after Postgres was lost."""

from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession

from alerts.live_counts import EARLIER
from alerts.step import apply_closed, lock_detection
from archive.table import read_archive
from core.catalog import FROM_KAFKA
from core.errors import NotReadyError
from core.settings import Settings
from detection.open_windows import Counted
from detection.window_counts import collect_counts, count_keywords_per_window, first_deliveries
from sql.connection import query, transaction


def replay_decisions(
    spark: SparkSession,
    settings: Settings,
    *,
    first: datetime,
    before: datetime,
    phrases: Sequence[str],
    note: Callable[[Cursor], None],
) -> None:
    """Count the past archived windows from `first` to `before` and decide them in one transaction.

    `phrases` are the watched ones; `note` is called inside the transaction to record that it was done.
    Imported records do not count, because the stream never saw them. Raises NotReadyError, and changes
    nothing, if detection has already decided windows that end after `first`.
    """
    with transaction(settings) as cursor:
        check_undecided(cursor, first)
    counted = count_closed(spark, settings, first=first - EARLIER, before=before, phrases=phrases)
    with transaction(settings, application_name="groundswell rebuild") as cursor:
        lock_detection(cursor)
        check_undecided(cursor, first)
        apply_closed(cursor, settings, counted, first=first, before=before)
        note(cursor)


def check_undecided(cursor: Cursor, first: datetime) -> None:
    """Raise NotReadyError if detection has decided windows that end after `first`."""
    cursor.execute(query("decided_since"), {"start": first})
    (until,) = cursor.fetchone() or (None,)
    if until is not None:
        raise NotReadyError(
            f"Detection itself has decided windows up to {until:%Y-%m-%d %H:%M} UTC, and a rebuild of "
            f"{first:%Y-%m-%d} would judge them a second time. Rebuild alerts only where detection has none "
            "yet: in an empty database, before the stream starts (docs/rebuild.md)."
        )


def count_closed(
    spark: SparkSession, settings: Settings, *, first: datetime, before: datetime, phrases: Sequence[str]
) -> Counted:
    """Return the counts of the windows from `first` to `before` as the stream had them when they closed.

    Late posts that the stream accepted are included.
    """
    records = read_archive(spark, settings, [(first, before)]).where(FROM_KAFKA)
    return collect_counts(
        count_keywords_per_window(
            records.transform(first_deliveries, future_minutes=settings.future_minutes),
            future_minutes=settings.future_minutes,
            phrases=phrases,
        )
    )
