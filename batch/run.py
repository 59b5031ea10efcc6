"""Run the steps of the daily batch, one day after another, in one Spark session."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime
from enum import StrEnum

from pyspark.sql import DataFrame, SparkSession

from alerts.evidence.store import store_evidence_of_span
from archive.days import days_with_posts, has_posts, read_archived_day, records_by_day
from archive.upkeep import compact_days, tidy_archive
from batch.days import TooOldError, check_complete, command, day_to_learn_from, later_fitted_days, period
from batch.quiet import mark_quiet, stretches
from batch.remarks import Remarks
from batch.small_days import MOST_KEYWORDS, SmallDays, small_days
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.learn import forget_statistics, learn_counts, learn_day, learned_keywords
from batch.tables.checks import check_day, compare_day
from batch.tables.load import NEGATIVE_COUNTS, load_collected_day, load_day
from batch.tables.trends import count_trends, days_grown_on
from core.errors import BadInputError, NotReadyError, QualityError
from core.settings import Settings
from core.windows import ONE_DAY, WINDOW, day_start
from sql.connection import pooled, query, transaction


class Step(StrEnum):
    """The steps of a day, in order."""

    COMPLETE = "complete"
    LOAD = "load"
    TRENDS = "trends"
    STATISTICS = "statistics"
    EVIDENCE = "evidence"
    CHECKS = "checks"
    UPKEEP = "upkeep"


def alert_count(count: int) -> str:
    """Return `count` with the noun.

    >>> alert_count(1), alert_count(2_000)
    ('1 alert', '2,000 alerts')
    """
    return f"{count:,} alert{'' if count == 1 else 's'}"


def _timed(work: Callable[[], str], *, after: Future[str] | None = None) -> str:
    if after:
        after.result()
    started = time.monotonic()
    return f"{work()}, {time.monotonic() - started:.1f} s"


class Batch:
    """The daily batch on one Spark session, which starts when it is first needed."""

    def __init__(
        self,
        settings: Settings,
        *,
        session: Callable[[], SparkSession],
        now: Callable[[], datetime],
        assume_complete: bool = False,
    ) -> None:
        self._settings = settings
        self._session = session
        self._now = now
        self._assume_complete = assume_complete
        self._remarks = Remarks()
        self._learned: list[date] = []
        self._small: dict[date, SmallDays] = {}

    def run_days(self, days: Sequence[date], steps: Sequence[Step]) -> Iterator[str]:
        """Run `steps` for one of `days` after another and yield a line for the user after each step.

        What cannot be counted or learned any more, because days came late, is left out and said in the end.
        Raises NotReadyError if a day cannot run now; nothing of that day is changed then.
        """
        self._remarks, self._learned = Remarks(), []
        with pooled(self._settings):
            yield from self._run_stretches(days, steps)
        if Step.UPKEEP in steps:
            yield f"{period(days)}  {Step.UPKEEP:<10}  {_timed(self._tidy)}"
        if Step.TRENDS in steps:
            yield from self._stale_trends(days)
        if Step.STATISTICS in steps:
            yield from self._stale_days()
        yield from self._remarks.lines()

    def _run_stretches(self, days: Sequence[date], steps: Sequence[Step]) -> Iterator[str]:
        records = records_by_day(self._session()) if len(days) > 1 else {}
        found = list(stretches(days, records, self._settings))
        running = [day for stretch, is_quiet in found if not is_quiet for day in stretch]
        self._small = small_days(self._session, self._settings, running, records)
        for stretch, is_quiet in found:
            if is_quiet:
                yield self._mark_quiet(stretch, steps)
            for day in stretch:
                if not is_quiet:
                    yield from self._run_day(day, steps)
                self._small.pop(day, None)

    def start_over(self, days: Sequence[date], steps: Sequence[Step]) -> None:
        """Forget all statistics, once it is certain that `days` can be learned from the archive.

        Raises BadInputError if `steps` would not learn them, NotReadyError if the archive has no posts of
        the first day or is not complete; nothing is forgotten then.
        """
        if Step.STATISTICS not in steps:
            raise BadInputError(
                f"--start-over forgets the statistics, but --steps {','.join(steps)} would not learn them "
                f"again. Add the step {Step.STATISTICS}."
            )
        self._check_complete(days[-1])
        if not self._archive_has(days[0]):
            raise NotReadyError(
                f"The archive holds no posts of {days[0]}, so nothing was forgotten. "
                "Begin with a day that has posts."
            )
        forget_statistics(self._settings)

    def _mark_quiet(self, days: Sequence[date], steps: Sequence[Step]) -> str:
        if Step.COMPLETE in steps or Step.STATISTICS in steps:
            self._check_complete(days[-1])
        return mark_quiet(
            self._settings,
            days,
            loaded=Step.LOAD in steps,
            trended=Step.TRENDS in steps,
            learned=Step.STATISTICS in steps,
        )

    def _run_day(self, day: date, steps: Sequence[Step]) -> Iterator[str]:
        if Step.COMPLETE in steps:
            self._check_complete(day)
        try:
            as_of = self.check_learnable(day) if Step.STATISTICS in steps else None
        except TooOldError as error:
            if self._archive_has(day):
                self._remarks.unlearned[day] = error
            as_of, steps = None, [step for step in steps if step is not Step.STATISTICS]
        running: dict[Step, Future[str]] = {}
        work = {
            Step.LOAD: lambda: self._load(day),
            Step.TRENDS: lambda: self._count_trends(day),
            Step.STATISTICS: lambda: self._learn(day, as_of),
            Step.EVIDENCE: lambda: self._store_evidence(day),
        }
        # In parallel: the steps write different tables, and a small Spark job leaves a core idle most of
        # the time.
        with ThreadPoolExecutor(len(work)) as pool:
            for step in work:
                if step in steps:
                    after = running.get(Step.LOAD) if step is Step.TRENDS else None
                    running[step] = pool.submit(_timed, work[step], after=after)
        for step, report in running.items():
            yield f"{day}  {step:<10}  {report.result()}"
        # Checks and upkeep come last: what they read and rewrite must not change meanwhile.
        if Step.CHECKS in steps:
            yield from self._check(day)
        if Step.UPKEEP in steps and not self._goes_on(day):
            yield f"{day}  {Step.UPKEEP:<10}  {_timed(lambda: self._compact(day))}"

    def _goes_on(self, day: date) -> bool:
        """Return whether `day` is in a group of small days and not its last."""
        small = self._small.get(day)
        return small is not None and small.days[-1] != day

    def check_learnable(self, day: date) -> date | None:
        """Return the `as_of` on top of which `day` may be learned; raises NotReadyError if none is."""
        with transaction(self._settings) as cursor:
            as_of = day_to_learn_from(cursor, day, posted=lambda: days_with_posts(self._session()))
        self._check_complete(day)
        return as_of

    def _check_complete(self, day: date) -> None:
        if not self._assume_complete:
            with transaction(self._settings) as cursor:
                check_complete(cursor, day, settings=self._settings, now=self._now())

    def _archive_has(self, day: date) -> bool:
        if small := self._small.get(day):
            return day in small.posted
        return has_posts(self._session(), self._settings, day)

    def _archived(self, day: date) -> DataFrame:
        return read_archived_day(self._session(), self._settings, day)

    def _load(self, day: date) -> str:
        if small := self._small.get(day):
            counts = load_collected_day(
                small.described(day),
                settings=self._settings,
                day=day,
                is_first=day == small.days[0],
                is_last=day == small.days[-1],
            )
        else:
            counts = load_day(self._archived(day), settings=self._settings, day=day)
        if negative := counts.pop(NEGATIVE_COUNTS, 0):
            self._remarks.negative[day] = negative
        if not counts["posts"]:
            return "no posts in the archive, nothing changed"
        return ", ".join(f"{count:,} {table.replace('_', ' ')}" for table, count in counts.items())

    def _count_trends(self, day: date) -> str:
        count = count_trends(self._settings, day)
        self._remarks.note_trends(day, count)
        return "unchanged" if count.trends is None else f"{count.trends:,} trends"

    def _learn(self, day: date, as_of: date | None) -> str:
        small = self._small.get(day)
        if small and learned_keywords(self._settings, as_of) <= MOST_KEYWORDS:
            learned = learn_counts(small.counts(day), settings=self._settings, day=day, as_of=as_of)
        else:
            records = read_archived_day(
                self._session(), self._settings, day, lookback=LOOKBACK_WINDOWS * WINDOW
            )
            learned = learn_day(records, settings=self._settings, day=day, as_of=as_of)
        if learned is None:
            return "no posts in the archive, nothing to learn; the next day can run"
        self._learned.append(day)
        base = f"on top of {as_of}" if as_of else "the first day of history"
        return f"{learned.posts:,} posts, {learned.keywords:,} keywords, {base}"

    def _store_evidence(self, day: date) -> str:
        first = day_start(day)
        return alert_count(
            store_evidence_of_span(
                self._settings, first=first, before=first + ONE_DAY, processes=os.cpu_count() or 1
            )
        )

    def _check(self, day: date) -> Iterator[str]:
        """Yield a line for all checks and one per failure; raises QualityError if a blocking one failed."""
        started = time.monotonic()
        if small := self._small.get(day):
            checks = compare_day(self._settings, day, lambda: small.archived(day))
        else:
            checks = check_day(self._session(), self._settings, day)
        failed = [check for check in checks if not check.passed]
        passed, seconds = len(checks) - len(failed), time.monotonic() - started
        yield f"{day}  {Step.CHECKS:<10}  {passed} of {len(checks)} passed, {seconds:.1f} s"
        yield from (f"{day}  {Step.CHECKS:<10}  unusual: {check}" for check in failed if not check.blocking)
        blocking = [check for check in failed if check.blocking]
        if blocking:
            raise QualityError(
                f"{day} failed its checks: {'; '.join(map(str, blocking))}. "
                "See docs/quality.md for what each check means and what to do."
            )

    def _compact(self, day: date) -> str:
        small = self._small.get(day)
        before, after = compact_days(self._session(), small.days[0] if small else day, day)
        return f"{before:,} files compacted into {after:,}" if before else "no files to compact"

    def _tidy(self) -> str:
        tidied = tidy_archive(self._session())
        return (
            f"{tidied.manifests:,} manifests rewritten, {tidied.snapshots:,} snapshots expired, "
            f"{tidied.orphans:,} orphan files deleted"
        )

    def _stale_trends(self, days: Sequence[date]) -> Iterator[str]:
        stale = days_grown_on(self._settings, list(days))
        if stale:
            again = " and ".join(f"{command(day, day)} --steps {Step.TRENDS}" for day in stale)
            yield f"Growth on {', '.join(map(str, stale))} compares with outdated counts. Run: {again}"

    def _stale_days(self) -> Iterator[str]:
        with transaction(self._settings) as cursor:
            later = later_fitted_days(cursor, self._learned[-1]) if self._learned else []
            cursor.execute(query("days_labelled_since"))
            labelled = [row[0] for row in cursor.fetchall()]
        if later:
            again = f"{command(later[0], later[-1])} --steps {Step.STATISTICS}"
            yield f"Later statistics still build on the previous ones of {self._learned[-1]}. Run: {again}"
        if labelled and (not later or labelled[0] < later[0]):
            again = f"{command(labelled[0], max([*self._learned[-1:], *labelled]))} --steps {Step.STATISTICS}"
            yield (
                f"Alerts of {labelled[0]} and later were labelled after these days were learned. "
                f"To apply the labels, run: {again}"
            )
