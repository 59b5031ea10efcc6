"""Redecide: windows of the past out of the archive through the stream's own decision, for tables that were lost; used by the rebuild."""

from collections.abc import Callable, Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.archive import read_archive
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from sql.connection import query, transaction
from streaming.checkpoints import checkpoint_of, put_detection_aside
from streaming.counts import Counted, collect_counts, count_keywords_per_window
from streaming.decision import LONG_AGO, apply_closed, lock_detection
from streaming.live_counts import EARLIER
from streaming.recount import first_deliveries
from streaming.resume import is_new


def redecide(
    spark: SparkSession, settings: Settings, *, first: datetime, before: datetime, phrases: Sequence[str], note: Callable[[Cursor], None]
) -> None:
    """Count the archived windows from `first` to `before`, which are over, and decide them, in one transaction.

    `phrases` are the watched ones; `note` is called within the transaction, to note that it was done. Imported records do not
    count, as the stream never saw them. Raises NotReadyError where detection has decided windows behind `first`; nothing is
    changed then.
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
    """Raise NotReadyError where detection has decided windows that end after `first`."""
    cursor.execute(query("decided_since"), {"start": first})
    (until,) = cursor.fetchone() or (None,)
    if until is not None:
        raise NotReadyError(
            f"Detection itself has decided windows up to {until:%Y-%m-%d %H:%M} UTC, and a rebuild of {first:%Y-%m-%d} would judge "
            "them a second time. Alerts are rebuilt where detection has none yet: in an empty database, before the stream starts "
            "(docs/rebuild.md)."
        )


def count_closed(spark: SparkSession, settings: Settings, *, first: datetime, before: datetime, phrases: Sequence[str]) -> Counted:
    """The counts of the windows from `first` to `before` as the stream had them when they closed, late posts included."""
    records = read_archive(spark, settings, [(first, before)]).where(F.col("partition") >= 0)
    return collect_counts(
        count_keywords_per_window(
            records.transform(first_deliveries, future_minutes=settings.future_minutes),
            lateness_minutes=settings.lateness_minutes,
            future_minutes=settings.future_minutes,
            phrases=phrases,
        )
    )


def put_lost_checkpoint_aside(spark: SparkSession, settings: Settings) -> None:
    """Put detection's checkpoint aside where its tables hold nothing that was decided: what it remembers belongs to tables that are gone.

    Raises BadInputError where it lies on no disk and has to be moved by hand.
    """
    with transaction(settings) as cursor:
        cursor.execute(query("decided_since"), {"start": LONG_AGO})
        has_decided = cursor.fetchone() != (None,)
    if not has_decided and not is_new(spark, checkpoint_of(settings, "detect")):
        if "://" in settings.checkpoint_dir:
            raise BadInputError(
                f"The checkpoint of detection in {settings.checkpoint_dir} belongs to tables that are gone: "
                "move its folder detect aside there and run this again."
            )
        put_detection_aside(settings)
