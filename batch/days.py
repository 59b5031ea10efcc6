"""The rules of days: which one may be learned now, on top of which, and what has to be done first if none."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta

from psycopg2.extensions import cursor as Cursor

from core.errors import AlreadyRunningError, NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from detection.learn import HOURS
from sql.connection import connect, query

_LOCKS = 715_019
"""Class of the advisory locks that a running batch holds in Postgres, one a step."""


@contextmanager
def only_one_batch(settings: Settings, steps: Sequence[str]) -> Iterator[None]:
    """Hold the locks of `steps` in Postgres; raises AlreadyRunningError where another batch is at one of them.

    Different steps may be done at the same time, by processes of their own: they write different tables.
    """
    connection = connect(settings, application_name="groundswell batch lock")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            for step in steps:
                cursor.execute("SELECT pg_try_advisory_lock(%s, hashtext(%s))", (_LOCKS, step))
                if not cursor.fetchone()[0]:  # type: ignore[index]
                    raise AlreadyRunningError(
                        f"Another batch is at work on this database, at the step {step}. Wait until it is done, then run this again."
                    )
        yield
    finally:
        connection.close()


def day_to_learn_from(cursor: Cursor, day: date, *, archive_has: Callable[[date], bool]) -> date | None:
    """The as_of on top of which `day` may be learned; None where history starts with it.

    Days are learned in order and none is left out: raises NotReadyError with the command to run where one is missing.
    `archive_has` is asked only where nothing was learned yet.
    """
    cursor.execute(query("days_of_ledger"))
    ledger: dict[date, str] = dict(cursor.fetchall())
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
            f"{missing} is not learned yet, and days are learned in order. Run: {command(missing, day)}"
        )
    cursor.execute(query("traffic_as_of"), {"as_of": before})
    if cursor.rowcount != HOURS:
        raise NotReadyError(
            f"{day} is learned on top of the statistics as of {before}, which are no longer kept "
            f"(GROUNDSWELL_STATISTICS_KEEP_DAYS). To learn everything again: {command(fitted[0], fitted[-1])} --start-over"
        )
    return before


def _check_start(
    day: date, ledger: dict[date, str], fitted: list[date], archive_has: Callable[[date], bool]
) -> None:
    """Whether history may start with `day`: nothing earlier was left out, nothing later was learned without it."""
    if fitted and fitted[0] > day:
        raise NotReadyError(
            f"The statistics begin with {fitted[0]}, and {day} lies before. To begin earlier, learn everything again: "
            f"{command(day, fitted[-1])} --start-over"
        )
    previous = day - ONE_DAY
    if not fitted and ledger.get(previous) != "empty" and archive_has(previous):
        first = previous
        while archive_has(first - ONE_DAY):
            first -= ONE_DAY
        raise NotReadyError(
            f"{previous} has posts in the archive and is not learned yet, and days are learned in order. Run: {command(first, day)}"
        )


def check_complete(cursor: Cursor, day: date, *, settings: Settings, now: datetime) -> None:
    """Raise NotReadyError unless the archive holds everything that can still count for `day`.

    That is so when the day's end and the lateness are past on the clock (`now`, aware), and the archive query, looked at
    after that, had read every partition to its end.
    """
    over = check_over(day, settings=settings, now=now)
    cursor.execute(query("archive_progress"), {"topic": settings.posts_topic})
    partitions, behind, lag_records, observed_at = cursor.fetchone()  # type: ignore[misc]
    rebuild = "If the archive is known to be complete, add --assume-complete."
    if not partitions:
        raise NotReadyError(
            f"The archive query has not reported how far it is. Start the stream (python -m streaming) and run this again. {rebuild}"
        )
    if behind:
        raise NotReadyError(
            f"The archive is {lag_records} records behind in {behind} of {partitions} partitions. "
            f"Let the stream catch up and run this again. {rebuild}"
        )
    if observed_at < over:
        raise NotReadyError(
            f"The archive query reported last at {observed_at:%Y-%m-%d %H:%M} UTC, before {day} was complete. "
            f"Start the stream (python -m streaming) and run this again. {rebuild}"
        )


def check_over(day: date, *, settings: Settings, now: datetime) -> datetime:
    """When the day's end and the lateness were past; raises NotReadyError where they are not at `now` (aware)."""
    over = day_start(day + ONE_DAY) + timedelta(minutes=settings.lateness_minutes)
    if now < over:
        raise NotReadyError(
            f"{day} is complete at {over:%Y-%m-%d %H:%M} UTC at the earliest. Run this again after that."
        )
    return over


def judged_as_of(cursor: Cursor, day: date) -> date | None:
    """The as_of of the statistics by which `day` is judged; None where nothing was learned before it.

    Raises NotReadyError where days before it were learned, and those statistics are no longer kept.
    """
    cursor.execute(query("traffic_before_day"), {"day": day})
    rows = cursor.fetchall()
    if len(rows) == HOURS:
        return rows[0][0]  # type: ignore[no-any-return]
    cursor.execute(
        "SELECT min(as_of) FROM traffic_statistics WHERE EXISTS (SELECT FROM batch_days WHERE day < %s)",
        (day,),
    )
    (oldest,) = cursor.fetchone() or (None,)
    if oldest is not None:
        raise NotReadyError(
            f"The statistics by which {day} was judged are no longer kept (GROUNDSWELL_STATISTICS_KEEP_DAYS). "
            f"Begin with {oldest + ONE_DAY} or later."
        )
    return None


def check_not_lost(cursor: Cursor, day: date) -> None:
    """Raise NotReadyError where `day`, which has no posts in the archive now, was learned from posts before."""
    cursor.execute(query("days_of_ledger"))
    if dict(cursor.fetchall()).get(day) == "fitted":
        raise NotReadyError(
            f"The archive holds no posts of {day} any more, but statistics were learned from them. They are left as they are; "
            "to forget them, learn everything again with --start-over."
        )


def later_fitted_days(cursor: Cursor, day: date) -> list[date]:
    """Days after `day` that were learned on top of it, oldest first."""
    cursor.execute(query("days_of_ledger"))
    return [other for other, status in cursor.fetchall() if status == "fitted" and other > day]


def command(first: date, last: date) -> str:
    """The command that does the days from `first` to `last`."""
    return f"python -m batch {first}" if first == last else f"python -m batch --from {first} --to {last}"
