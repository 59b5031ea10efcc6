"""Which day may be learned now and on top of which statistics, and what has to run first if none may."""

from collections.abc import Callable, Collection, Iterator, Sequence
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


class TooOldError(NotReadyError):
    """A day that can only be learned together with all later days, from the start."""


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


def day_to_learn_from(cursor: Cursor, day: date, *, posted: Callable[[], Collection[date]]) -> date | None:
    """Return the `as_of` on top of which `day` may be learned; None if history starts with it.

    Days with posts are learned in order: raises NotReadyError with the command to run if one is missing, and
    TooOldError if `day` is before the first that was learned, or so far back that the statistics it builds
    on are gone. `posted` returns the days with posts in the archive; it is called only if the ledger does not
    have all days between.
    """
    ledger = _statuses(cursor)
    fitted = sorted(other for other, status in ledger.items() if status == "fitted")
    before = max((other for other in fitted if other < day), default=None)
    if before is None:
        _check_start(day, ledger, fitted, posted)
        return None
    missing = [other for other in days_from(before + ONE_DAY, day - ONE_DAY) if other not in ledger]
    skipped = [other for other in missing if other in posted()] if missing else []
    if skipped:
        raise NotReadyError(
            f"{skipped[0]} has not been learned yet, and days are learned in order. "
            f"Run: {command(skipped[0], day)}"
        )
    cursor.execute(query("traffic_as_of"), {"as_of": before})
    if cursor.rowcount != HOURS:
        raise TooOldError(
            f"{day} builds on the statistics as of {before}, which are no longer kept "
            "(GROUNDSWELL_STATISTICS_KEEP_DAYS). "
            f"To learn everything again, run: {start_over_command(fitted[0], fitted[-1])}"
        )
    return before


def _statuses(cursor: Cursor) -> dict[date, str]:
    """Return `fitted` or `empty` for every day that the step `statistics` has done, oldest first."""
    cursor.execute(query("days_of_ledger"))
    return dict(cursor.fetchall())


def _check_start(
    day: date, ledger: dict[date, str], fitted: list[date], posted: Callable[[], Collection[date]]
) -> None:
    """Raise NotReadyError if `day` would skip the one before it, TooOldError if history starts later."""
    if fitted and fitted[0] > day:
        raise TooOldError(
            f"{day} is before {fitted[0]}, with which the statistics start. "
            f"To include it, learn everything again: {start_over_command(day, fitted[-1])}"
        )
    previous = day - ONE_DAY
    if not fitted and ledger.get(previous) != "empty" and previous in (with_posts := posted()):
        first = previous
        while first - ONE_DAY in with_posts:
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


def check_not_lost(cursor: Cursor, days: Sequence[date]) -> None:
    """Raise NotReadyError if one of `days`, which have no posts in the archive now, was learned before."""
    ledger = _statuses(cursor)
    lost = [day for day in days if ledger.get(day) == "fitted"]
    if lost:
        raise NotReadyError(
            f"The archive no longer holds posts of {lost[0]}, but statistics were learned from them. "
            "The statistics are unchanged; to discard them, learn everything again with --start-over."
        )


def days_known_with_posts(cursor: Cursor) -> set[date]:
    """Return the days of which the ledger says that posts were loaded or learned."""
    cursor.execute(query("days_known_with_posts"))
    return {day for (day,) in cursor.fetchall()}


def later_fitted_days(cursor: Cursor, day: date) -> list[date]:
    """Return the days after `day` whose statistics build on it, oldest first."""
    return [other for other, status in _statuses(cursor).items() if status == "fitted" and other > day]


def days_from(first: date, last: date) -> list[date]:
    """Return all days from `first` to `last`, both included; none if `last` is before `first`."""
    return [first + number * ONE_DAY for number in range((last - first).days + 1)]


def period(days: Sequence[date]) -> str:
    """Return the first and the last of `days` as text.

    >>> period([date(2026, 1, 5)]), period([date(2026, 1, 5), date(2026, 1, 9)])
    ('2026-01-05', '2026-01-05 to 2026-01-09')
    """
    return f"{days[0]}" if days[0] == days[-1] else f"{days[0]} to {days[-1]}"


def start_over_command(first: date, last: date) -> str:
    """Return the command that forgets all statistics and learns the days from `first` to `last` in order."""
    return f"{command(first, last)} --start-over --steps statistics"


def command(first: date, last: date) -> str:
    """Return the command that runs the batch for the days from `first` to `last`."""
    return f"groundswell batch {first}" if first == last else f"groundswell batch --from {first} --to {last}"
