"""Which day may be learned now and on top of which statistics, and what has to run first if none may."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from core.errors import AlreadyRunningError, NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from detection.seasonality import HOURS
from sql.connection import connect, query

_LOCKS = 715_019
"""Class of the Postgres advisory locks that a running batch holds, one per step."""


class LoadedDay(NamedTuple):
    """A day that the step `load` has done; the columns of `loaded_days.sql`."""

    day: date
    posts: int
    kept: bool
    """Whether its partitions of post_stats and post_keywords still exist."""
    has_trends: bool


class ArchiveProgress(NamedTuple):
    """How far the archive query is; the columns of `archive_progress.sql`."""

    partitions: int
    partitions_behind: int
    lag_records: int
    observed_at: datetime
    """The oldest report of a partition."""


@contextmanager
def only_one_batch(settings: Settings, steps: Sequence[str]) -> Iterator[None]:
    """Hold the Postgres locks of `steps`; raises AlreadyRunningError if another batch is running one of them.

    Separate processes may run different steps at the same time: the steps write different tables.
    """
    connection = connect(settings, application_name="groundswell batch lock")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for step in steps:
                cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCKS, step))
                if not cursor.fetchone()[0]:  # type: ignore[index]
                    raise AlreadyRunningError(
                        f"Another batch is running the step {step} on this database. "
                        "Wait for it to finish, then run this again."
                    )
        yield
    finally:
        connection.close()


def loaded_days(cursor: Cursor, days: Sequence[date]) -> list[LoadedDay]:
    """Return those of `days` that were loaded."""
    cursor.execute(query("loaded_days"), {"days": list(days)})
    return [LoadedDay(*row) for row in cursor.fetchall()]


def day_to_learn_from(cursor: Cursor, day: date, *, archive_has: Callable[[date], bool]) -> date | None:
    """Return the `as_of` on top of which `day` may be learned; None if history starts with it.

    Days are learned in order without gaps: raises NotReadyError with the command to run if one is missing.
    `archive_has` is called only while nothing has been learned yet.
    """
    ledger = _statuses(cursor)
    fitted = sorted(other for other, status in ledger.items() if status == "fitted")
    before = max((other for other in fitted if other < day), default=None)
    if before is None:
        _check_start(day, ledger, fitted, archive_has)
        return None
    missing = before + ONE_DAY
    while missing in ledger:
        missing += ONE_DAY
    if missing < day:
        raise NotReadyError(
            f"{missing} has not been learned yet, and days are learned in order. Run: {command(missing, day)}"
        )
    cursor.execute(query("traffic_as_of"), {"as_of": before})
    if cursor.rowcount != HOURS:
        raise NotReadyError(
            f"{day} builds on the statistics as of {before}, which are no longer kept "
            "(GROUNDSWELL_STATISTICS_KEEP_DAYS). "
            f"To learn everything again, run: {command(fitted[0], fitted[-1])} --start-over"
        )
    return before


def _statuses(cursor: Cursor) -> dict[date, str]:
    """Return `fitted` or `empty` for every day that the step `statistics` has done, oldest first."""
    cursor.execute(query("days_of_ledger"))
    return dict(cursor.fetchall())


def _check_start(
    day: date, ledger: dict[date, str], fitted: list[date], archive_has: Callable[[date], bool]
) -> None:
    """Raise NotReadyError if starting with `day` would skip an earlier day or precede a learned one."""
    if fitted and fitted[0] > day:
        raise NotReadyError(
            f"{day} is before {fitted[0]}, with which the statistics start. "
            f"To include it, learn everything again: {command(day, fitted[-1])} --start-over"
        )
    previous = day - ONE_DAY
    if not fitted and ledger.get(previous) != "empty" and archive_has(previous):
        first = previous
        while archive_has(first - ONE_DAY):
            first -= ONE_DAY
        raise NotReadyError(
            f"{previous} has posts in the archive but has not been learned yet, "
            "and days are learned in order. "
            f"Run: {command(first, day)}"
        )


def check_complete(cursor: Cursor, day: date, *, settings: Settings, now: datetime) -> None:
    """Raise NotReadyError unless the archive holds everything that can still count for `day`.

    It does once the day's end plus the lateness has passed on the clock (`now`, aware), and the archive
    query has since reported that it read every partition to its end.
    """
    complete_at = check_over(day, settings=settings, now=now)
    cursor.execute(query("archive_progress"), {"topic": settings.posts_topic})
    archive = ArchiveProgress(*cursor.fetchone())  # type: ignore[misc]
    override = "If the archive is known to be complete, add --assume-complete."
    if not archive.partitions:
        raise NotReadyError(
            "The archive query has not reported any progress. "
            f"Start the stream (groundswell stream) and run this again. {override}"
        )
    if archive.partitions_behind:
        raise NotReadyError(
            f"The archive is {archive.lag_records} records behind "
            f"in {archive.partitions_behind} of {archive.partitions} partitions. "
            f"Let the stream catch up and run this again. {override}"
        )
    if archive.observed_at < complete_at:
        raise NotReadyError(
            f"The archive query last reported at {archive.observed_at:%Y-%m-%d %H:%M} UTC, "
            f"before {day} was complete. "
            f"Start the stream (groundswell stream) and run this again. {override}"
        )


def check_over(day: date, *, settings: Settings, now: datetime) -> datetime:
    """Return the end of `day` plus the lateness; raises NotReadyError if `now` (aware) is earlier."""
    complete_at = day_start(day + ONE_DAY) + timedelta(minutes=settings.lateness_minutes)
    if now < complete_at:
        raise NotReadyError(
            f"{day} is not complete before {complete_at:%Y-%m-%d %H:%M} UTC. Run this again after that."
        )
    return complete_at


def judged_as_of(cursor: Cursor, day: date) -> date | None:
    """Return the `as_of` of the statistics that judge `day`; None if nothing was learned before it.

    Raises NotReadyError if earlier days were learned but those statistics are no longer kept.
    """
    cursor.execute(query("traffic_before_day"), {"day": day})
    rows = cursor.fetchall()
    if len(rows) == HOURS:
        as_of: date = rows[0][0]
        return as_of
    cursor.execute(
        "SELECT min(as_of) FROM traffic_statistics WHERE EXISTS (SELECT FROM batch_days WHERE day < %(day)s)",
        {"day": day},
    )
    (oldest,) = cursor.fetchone() or (None,)
    if oldest is not None:
        raise NotReadyError(
            f"The statistics by which {day} was judged are no longer kept "
            "(GROUNDSWELL_STATISTICS_KEEP_DAYS). "
            f"Begin with {oldest + ONE_DAY} or later."
        )
    return None


def check_not_lost(cursor: Cursor, day: date) -> None:
    """Raise NotReadyError if `day` has no posts in the archive now, but was learned from posts before."""
    if _statuses(cursor).get(day) == "fitted":
        raise NotReadyError(
            f"The archive no longer holds posts of {day}, but statistics were learned from them. "
            "The statistics are unchanged; to discard them, learn everything again with --start-over."
        )


def later_fitted_days(cursor: Cursor, day: date) -> list[date]:
    """Return the days after `day` whose statistics build on it, oldest first."""
    return [other for other, status in _statuses(cursor).items() if status == "fitted" and other > day]


def command(first: date, last: date) -> str:
    """Return the command that runs the batch for the days from `first` to `last`."""
    return f"groundswell batch {first}" if first == last else f"groundswell batch --from {first} --to {last}"
