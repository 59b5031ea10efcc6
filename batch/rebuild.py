"""Rebuild alerts and tables day by day from the archive after the loss of Postgres; the command `rebuild`.

What detection decided is decided again by the stream's own functions (`alerts.replay`), each day by the
statistics as of the day before; then the day is loaded and learned.
"""

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, groupby
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession

from alerts.evidence.store import store_due_evidence
from alerts.replay import replay_decisions
from alerts.watchlist import WatchedPhrases
from archive.days import days_with_posts
from archive.register import register_archive
from archive.table import archived_span
from batch.days import check_over, days_from, judged_as_of
from batch.quiet import mark_quiet
from batch.run import Batch, Step, alert_count
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from sql.connection import query, transaction
from sql.lake import metadata_location
from streaming.checkpoints import without_streaming
from streaming.resume import put_lost_checkpoint_aside

TABLE_STEPS = (Step.LOAD, Step.TRENDS, Step.STATISTICS)


class _Rebuilt(NamedTuple):
    """What of a day exists already; the columns of `rebuilt_of_day.sql`."""

    alerts: bool
    tables: bool


class Rebuild:
    """One rebuild on one Spark session, which starts when it is first needed."""

    def __init__(
        self, settings: Settings, *, session: Callable[[], SparkSession], now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._session = session
        self._now = now
        self._batch = Batch(settings, session=session, now=now, assume_complete=True)

    def run(self, first: date | None, last: date | None) -> Generator[str, None, None]:
        """Rebuild the days from `first` to `last` and yield a line for the user after each step.

        None means the first day with posts in the archive, and the last day that is over. What was rebuilt
        before is kept. Raises AlreadyRunningError if the stream is running; NotReadyError if there is no
        such day, if detection itself has decided windows of one, or if statistics it needs are missing;
        BadInputError if `last` is before `first`.
        """
        with without_streaming(self._settings):
            if last:
                check_over(last, settings=self._settings, now=self._now())
            yield from self._find_archive()
            days = self._days(first, last)
            put_lost_checkpoint_aside(self._session(), self._settings)
            posted = days_with_posts(self._session())
            # Alerts still open at the end of a day end on the next one, even if that has no posts.
            for is_quiet, group in groupby(days, lambda day: not {day, day - ONE_DAY} & posted):
                run = list(group)
                yield from self._mark_quiet(run) if is_quiet else chain.from_iterable(map(self._rebuild, run))
            yield from self._store_evidence(days[-1])
            yield (
                f"{days[0]} to {days[-1]} are rebuilt, and none of their windows will be judged again. "
                "Start the stream: groundswell stream"
            )

    def register_archive(self) -> str | None:
        """Point the catalog to the archive's newest state, as `archive.register.register_archive` does.

        Also raises AlreadyRunningError if the stream is running.
        """
        with without_streaming(self._settings):
            return register_archive(self._session(), self._settings)

    def _find_archive(self) -> Iterator[str]:
        """Register the archive if the catalog was lost too."""
        if not metadata_location(self._settings) and (
            registered := register_archive(self._session(), self._settings)
        ):
            yield f"The catalog had no archive; registered {registered}"

    def _days(self, first: date | None, last: date | None) -> list[date]:
        span = archived_span(self._session())
        if span is None:
            raise NotReadyError(
                "The archive holds no posts, so there is nothing to rebuild from. "
                "See docs/rebuild.md for what a rebuild needs."
            )
        start = first or span[0].date()
        end = last or min(span[1].date(), self._last_finished_day())
        if end < start:
            raise BadInputError(
                f"There is no day to rebuild from {start} to {end}. "
                f"Correct --from and --to, or wait until {start} is over."
            )
        return days_from(start, end)

    def _mark_quiet(self, days: Sequence[date]) -> Iterator[str]:
        """Mark days without posts as done."""
        with transaction(self._settings) as cursor:
            remaining = [day for day in days if not all(_rebuilt(cursor, day))]
        if remaining:
            self._batch.check_learnable(remaining[0])
            line = mark_quiet(self._settings, remaining, loaded=False, trended=False, learned=True)
            with transaction(self._settings) as cursor:
                for day in remaining:
                    cursor.execute(query("mark_day_rebuilt"), {"day": day})
            yield line

    def _rebuild(self, day: date) -> Iterator[str]:
        with transaction(self._settings) as cursor:
            rebuilt = _rebuilt(cursor, day)
        if all(rebuilt):
            return
        if not rebuilt.tables:
            self._batch.check_learnable(day)
        if not rebuilt.alerts:
            yield self._rebuild_alerts(day)
        if not rebuilt.tables:
            yield from self._batch.run_days([day], TABLE_STEPS)
        yield from self._store_evidence(day)

    def _rebuild_alerts(self, day: date) -> str:
        started = time.monotonic()
        with transaction(self._settings) as cursor:
            judged_as_of(cursor, day)
        phrases = WatchedPhrases(self._settings).take()
        first, before = day_start(day), day_start(day + ONE_DAY)

        def note(cursor: Cursor) -> None:
            cursor.execute(query("mark_day_rebuilt"), {"day": day})

        replay_decisions(
            self._session(), self._settings, first=first, before=before, phrases=phrases, note=note
        )
        with transaction(self._settings) as cursor:
            cursor.execute(query("decided_on_day"), {"first": first, "before": before})
            opened, suppressed = cursor.fetchone()  # type: ignore[misc]
        seconds = time.monotonic() - started
        return f"{day}  alerts      {opened:,} opened, {suppressed:,} windows suppressed, {seconds:.1f} s"

    def _store_evidence(self, day: date) -> Iterator[str]:
        started, alerts = time.monotonic(), 0
        while stored := store_due_evidence(self._settings, processes=os.cpu_count() or 1):
            alerts += stored
        if alerts:
            yield f"{day}  {Step.EVIDENCE:<10}  {alert_count(alerts)}, {time.monotonic() - started:.1f} s"

    def _last_finished_day(self) -> date:
        complete = self._now() - timedelta(minutes=self._settings.lateness_minutes)
        return complete.astimezone(UTC).date() - ONE_DAY


def _rebuilt(cursor: Cursor, day: date) -> _Rebuilt:
    cursor.execute(query("rebuilt_of_day"), {"day": day})
    return _Rebuilt(*(cursor.fetchone() or (False, False)))
