"""Small days are read from the archive together: one pass of Spark for many days, then each in memory.

A day of a few posts costs Spark as much as one of thousands. What the steps read of such days is described,
counted and collected for all days of a group at once, by the same expressions; each day is then written by
itself, in order, as any other.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import SparkSession

from alerts.watchlist import watched_phrases
from archive.days import read_archived_days
from batch.statistics.counts import CollectedCounts, CollectedWindows
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.tables.checks import archived_figures
from batch.tables.entities import describe_entities
from core.settings import Settings
from core.windows import WINDOW
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from sql.connection import transaction

MOST_RECORDS = 2_000
"""Records of a small day; from some thousands on, Spark is faster on its own."""
MOST_RECORDS_TOGETHER = 20_000
"""Records of a group, which are in memory together: some 100 MB."""
MOST_DAYS_TOGETHER = 366
MOST_KEYWORDS = 100_000
"""Keywords with statistics up to which a small day is fitted in memory."""


class SmallDays:
    """A group of small days; every pass over the archive is made when its first day needs it."""

    def __init__(
        self,
        session: Callable[[], SparkSession],
        settings: Settings,
        days: Sequence[date],
        records: Mapping[date, int],
    ) -> None:
        """Take days in order; `records` is how many each has, none for a day without posts."""
        self.days = days
        self.posted = frozenset(day for day in days if records.get(day))
        self._session = session
        self._settings = settings

    def described(self, day: date) -> list[pa.RecordBatch]:
        """Return the rows of `batch.tables.entities.describe_entities` of `day`."""
        days, rows = self._described
        chosen: list[pa.RecordBatch] = rows.filter(pc.equal(days, day)).combine_chunks().to_batches()
        return chosen

    def counts(self, day: date) -> CollectedCounts:
        """Return the counts of `day` and the lookback before it."""
        return CollectedCounts(self._windows.of_day(day), self._settings)

    def archived(self, day: date) -> dict[str, int]:
        """Return what `batch.tables.checks.archived_figures` counts of `day`."""
        return self._archived[day]

    @cached_property
    def _described(self) -> tuple[pa.ChunkedArray, pa.Table]:
        records = read_archived_days(self._session(), self._settings, self.days[0], self.days[-1])
        rows = records.transform(describe_entities, future_minutes=self._settings.future_minutes).toArrow()
        return rows["event_time"].cast(pa.date32()), rows

    @cached_property
    def _windows(self) -> CollectedWindows:
        first, last = self.days[0], self.days[-1]
        with transaction(self._settings) as cursor:
            phrases = watched_phrases(cursor)
        lookback = LOOKBACK_WINDOWS * WINDOW
        records = read_archived_days(self._session(), self._settings, first, last, lookback=lookback)
        posts = records.transform(posts_in_windows, day=first, future_minutes=self._settings.future_minutes)
        return CollectedWindows(posts.transform(count_keywords_per_day, phrases=phrases).toArrow(), first)

    @cached_property
    def _archived(self) -> dict[date, dict[str, int]]:
        return archived_figures(self._session(), self._settings, self.days)


def small_days(
    session: Callable[[], SparkSession], settings: Settings, days: Sequence[date], records: Mapping[date, int]
) -> dict[date, SmallDays]:
    """Return the group of every day that is read with others.

    `days` are those that are run, in order; days between them have no posts. `records` is how many each has.
    """
    return {
        day: group
        for group in (SmallDays(session, settings, found, records) for found in groups(days, records))
        for day in group.days
    }


def groups(days: Sequence[date], records: Mapping[date, int]) -> Iterator[list[date]]:
    """Yield groups of two small days or more, in order; a larger day ends a group.

    >>> first, second, third = (date(2026, 1, day) for day in (1, 2, 3))
    >>> [len(group) for group in groups([first, second, third], {first: 3, third: 4})]
    [3]
    >>> list(groups([first, second, third], {first: 3, second: MOST_RECORDS + 1, third: 4}))
    []
    """
    group: list[date] = []
    held = 0
    for day in days:
        of_day = records.get(day, 0)
        is_full = held + of_day > MOST_RECORDS_TOGETHER or len(group) == MOST_DAYS_TOGETHER
        if is_full or of_day > MOST_RECORDS:
            yield from _of_two(group)
            group, held = [], 0
        if of_day <= MOST_RECORDS:
            group.append(day)
            held += of_day
    yield from _of_two(group)


def _of_two(group: list[date]) -> Iterator[list[date]]:
    if len(group) > 1:
        yield group
