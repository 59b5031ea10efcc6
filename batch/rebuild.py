"""Rebuild: after the loss of Postgres, day by day the alerts and the tables of the day out of the archive; used by the command `rebuild`.

What detection decided is decided again by the stream's own functions (`alerts.replay`), each day by the statistics as of
the day before, and then the day is loaded and learned.
"""

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import chain, groupby

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession

from alerts.evidence.store import store_due_evidence
from alerts.replay import replay_decisions
from alerts.watchlist import WatchedPhrases
from archive.days import days_with_posts
from archive.register import register_archive
from archive.table import archived_span
from batch.days import check_over, judged_as_of
from batch.run import Batch, Step
from batch.statistics.learn import mark_empty
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from sql.connection import query, transaction
from sql.lake import metadata_location
from streaming.checkpoints import without_streaming
from streaming.resume import put_lost_checkpoint_aside

TABLE_STEPS = (Step.LOAD, Step.TRENDS, Step.STATISTICS)


class Rebuild:
    """One rebuild on one Spark session, which is started when it is needed first."""

    def __init__(
        self, settings: Settings, *, session: Callable[[], SparkSession], now: Callable[[], datetime]
    ) -> None:
        self._settings = settings
        self._session = session
        self._now = now
        self._batch = Batch(settings, session=session, now=now, assume_complete=True)

    def run(self, first: date | None, last: date | None) -> Generator[str, None, None]:
        """Rebuild the days from `first` to `last`, yielding a line for people after each step; what is done already stays as it is.

        None stands for the first day with posts in the archive and for the last one that is over. Raises AlreadyRunningError
        where the stream is at work, NotReadyError where there is no such day, detection itself has decided windows of one, or
        statistics that one needs are missing, BadInputError where `last` lies before `first`.
        """
        with without_streaming(self._settings):
            if last:
                check_over(last, settings=self._settings, now=self._now())
            yield from self._find_archive()
            days = self._days(first, last)
            put_lost_checkpoint_aside(self._session(), self._settings)
            posted = days_with_posts(self._session())
            # What was going on at the end of a day is over with the next, also where that has no posts.
            for is_quiet, some in groupby(days, lambda day: not {day, day - ONE_DAY} & posted):
                alike = list(some)
                yield from (
                    self._note_quiet(alike) if is_quiet else chain.from_iterable(map(self._rebuild, alike))
                )
            yield from self._store_evidence(days[-1])
            yield f"{days[0]} to {days[-1]} are there, and no window of them is judged again. Start the stream: python -m streaming"

    def register_archive(self) -> str | None:
        """Let the catalog point to the archive's newest state, as `register_archive` does; raises AlreadyRunningError too."""
        with without_streaming(self._settings):
            return register_archive(self._session(), self._settings)

    def _find_archive(self) -> Iterator[str]:
        """Register the archive where the catalog was lost too."""
        if not metadata_location(self._settings) and (
            registered := register_archive(self._session(), self._settings)
        ):
            yield f"The catalog had no archive; it goes on from {registered}"

    def _days(self, first: date | None, last: date | None) -> list[date]:
        span = archived_span(self._session())
        if span is None:
            raise NotReadyError(
                "The archive holds no posts, so there is nothing to rebuild from. docs/rebuild.md says what it needs."
            )
        start = first or span[0].date()
        end = last or min(span[1].date(), self._newest_day_over())
        if end < start:
            raise BadInputError(
                f"From {start} to {end} there is no day to rebuild. Correct --from and --to, or wait until {start} is over."
            )
        return [start + number * ONE_DAY for number in range((end - start).days + 1)]

    def _note_quiet(self, days: Sequence[date]) -> Iterator[str]:
        """Note days without posts as done, which need no Spark."""
        undone = [day for day in days if self._done(day) != (True, True)]
        if undone:
            self._batch.check_learnable(undone[0])
        for day in undone:
            mark_empty(self._settings, day)
            with transaction(self._settings) as cursor:
                cursor.execute(query("mark_day_rebuilt"), {"day": day})
        if undone:
            yield f"{undone[0]} to {undone[-1]}  no posts in the archive"

    def _rebuild(self, day: date) -> Iterator[str]:
        are_alerts_there, are_tables_there = self._done(day)
        if are_alerts_there and are_tables_there:
            return
        if not are_tables_there:
            self._batch.check_learnable(day)
        if not are_alerts_there:
            yield self._rebuild_alerts(day)
        if not are_tables_there:
            yield from self._batch.run_days([day], TABLE_STEPS)
        yield from self._store_evidence(day)

    def _done(self, day: date) -> tuple[bool, bool]:
        """Whether the alerts, and whether the tables of `day` are there."""
        with transaction(self._settings) as cursor:
            cursor.execute(query("rebuilt_of_day"), {"day": day})
            found: tuple[bool, bool] | None = cursor.fetchone()
        return found or (False, False)

    def _rebuild_alerts(self, day: date) -> str:
        started = time.monotonic()
        with transaction(self._settings) as cursor:
            judged_as_of(cursor, day)
        phrases = WatchedPhrases(self._session(), self._settings).take()
        first, before = day_start(day), day_start(day + ONE_DAY)

        def note(cursor: Cursor) -> None:
            cursor.execute(query("mark_day_rebuilt"), {"day": day})

        replay_decisions(
            self._session(), self._settings, first=first, before=before, phrases=phrases, note=note
        )
        with transaction(self._settings) as cursor:
            cursor.execute(query("decided_on_day"), {"first": first, "before": before})
            alerts, vetoed = cursor.fetchone()  # type: ignore[misc]
        return f"{day}  alerts      {alerts:,} opened, {vetoed:,} windows kept back, {time.monotonic() - started:.1f} s"

    def _store_evidence(self, day: date) -> Iterator[str]:
        started, alerts = time.monotonic(), 0
        while stored := store_due_evidence(self._session(), self._settings):
            alerts += stored
        if alerts:
            yield f"{day}  {Step.EVIDENCE:<10}  {alerts:,} alert{'' if alerts == 1 else 's'}, {time.monotonic() - started:.1f} s"

    def _newest_day_over(self) -> date:
        return (self._now() - timedelta(minutes=self._settings.lateness_minutes)).astimezone(
            UTC
        ).date() - ONE_DAY
