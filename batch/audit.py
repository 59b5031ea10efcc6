"""Reconcile a period from Kafka's offsets to the tables, with `groundswell batch audit --from DAY --to DAY`.

The law: archived = counted + late + duplicates + rejected, each with a number. Detection counts a post once
in each window in which it was delivered; imported posts never pass through it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.days import taken_between, usable_deliveries
from archive.table import is_rejected, read_archive
from batch.days import loaded_days
from batch.tables.checks import archived_offsets
from core.catalog import RAW_POSTS
from core.settings import Settings
from core.windows import ONE_DAY, day_start, window_number, window_start
from sql.connection import transaction


@dataclass(frozen=True)
class DayAudit:
    """What became of the records with an event time in one day."""

    day: date
    records: int
    """Usable deliveries in the archive."""
    imported: int
    """Deliveries that came from files."""
    once_a_window: int
    """Distinct pairs of post and window among the deliveries through Kafka."""
    counted: int
    """Pairs that detection counted."""
    posts: int
    """Distinct posts."""
    loaded: int | None
    """Posts that the batch loaded; None if it has not run."""
    overcounted: list[datetime]
    """Windows in which detection counted more posts than the archive holds."""

    @property
    def late(self) -> int:
        """Pairs that arrived after their window was closed, or before detection began."""
        return max(self.once_a_window - self.counted, 0)

    @property
    def duplicates(self) -> int:
        """Deliveries through Kafka beyond the first in their window."""
        return self.records - self.imported - self.once_a_window


@dataclass(frozen=True)
class Audit:
    """The findings for a period."""

    first: date
    last: date
    kafka_offsets: int
    """Offsets from the first to the last that Kafka took in the period, summed over partitions."""
    archived_offsets: int
    archived_twice: int
    behind: int
    """Records that the archive query had not read at its last report."""
    rejected: int
    """Archived records that Kafka took in the period and that are not usable posts."""
    rejected_rows: int
    """Rows of rejected_records for the same period."""
    days: list[DayAudit]

    def problems(self) -> Iterator[str]:
        """Yield what is missing or duplicated, and where."""
        if self.archived_offsets < self.kafka_offsets:
            missing = self.kafka_offsets - self.archived_offsets
            yield f"{missing:,} of {self.kafka_offsets:,} offsets are not in the archive"
        if self.archived_twice:
            yield f"{self.archived_twice:,} records are in the archive twice"
        if self.behind:
            yield f"the archive query is {self.behind:,} records behind Kafka"
        if self.rejected_rows != self.rejected:
            yield f"rejected_records has {self.rejected_rows:,} rows of {self.rejected:,} rejected records"
        for day in self.days:
            if day.overcounted:
                windows = ", ".join(f"{start:%H:%M}" for start in day.overcounted[:5])
                yield (
                    f"{day.day}: detection counted more posts than the archive holds "
                    f"in {len(day.overcounted)} windows ({windows})"
                )
            if day.loaded is not None and day.loaded != day.posts:
                yield (
                    f"{day.day}: {day.loaded:,} posts were loaded, the archive holds {day.posts:,}; "
                    f"run groundswell batch {day.day}"
                )


class _Archived(NamedTuple):
    """What the archive holds of a day."""

    deliveries: int = 0
    imported: int = 0
    posts: int = 0


@dataclass(frozen=True)
class _Tables:
    """What Postgres holds of a period."""

    counted: dict[int, int]
    """Posts that detection counted, by window number."""
    rejected_rows: int
    behind: int
    loaded: dict[date, int]


def audit(spark: SparkSession, settings: Settings, first: date, last: date) -> Audit:
    """Reconcile the days from `first` to `last`; raises NotReadyError if there is no archive yet."""
    start, end = day_start(first), day_start(last + ONE_DAY)
    archived, posts_by_window = _read_archived(spark, settings, start, end)
    raw_posts = spark.table(RAW_POSTS)
    rejected = raw_posts.where(is_rejected(settings) & taken_between(start, end))
    with transaction(settings, application_name="groundswell audit") as cursor:
        tables = _read_tables(cursor, start, end, list(archived))
    return Audit(
        first,
        last,
        **archived_offsets(raw_posts, start, end),
        behind=tables.behind,
        rejected=rejected.select("topic", "partition", "offset").distinct().count(),
        rejected_rows=tables.rejected_rows,
        days=list(_audit_days(archived, posts_by_window, tables)),
    )


def _audit_days(
    archived: Mapping[date, _Archived], posts_by_window: Mapping[int, int], tables: _Tables
) -> Iterator[DayAudit]:
    windows_by_day, counted_by_day = _by_day(posts_by_window), _by_day(tables.counted)
    for day in sorted(archived.keys() | counted_by_day.keys()):
        windows, counted = windows_by_day[day], counted_by_day[day]
        over = (number for number in sorted(counted) if counted[number] > windows.get(number, 0))
        of_day = archived.get(day, _Archived())
        yield DayAudit(
            day,
            records=of_day.deliveries,
            imported=of_day.imported,
            once_a_window=sum(windows.values()),
            counted=sum(counted.values()),
            posts=of_day.posts,
            loaded=tables.loaded.get(day),
            overcounted=[window_start(number) for number in over],
        )


def _read_archived(
    spark: SparkSession, settings: Settings, start: datetime, end: datetime
) -> tuple[dict[date, _Archived], dict[int, int]]:
    """Return what the archive holds by day, and the distinct posts through Kafka by window number."""
    records = read_archive(spark, settings, [(start, end)]).dropDuplicates(["topic", "partition", "offset"])
    usable = usable_deliveries(records, settings).persist()
    try:
        days = (
            usable.groupBy("day")
            .agg(F.count(F.lit(1)), F.sum(F.col("imported").cast("long")), F.count_distinct("post_id"))
            .collect()
        )
        windows = (
            usable.where(~F.col("imported")).groupBy("window").agg(F.count_distinct("post_id")).collect()
        )
    finally:
        usable.unpersist()
    return {day: _Archived(*counts) for day, *counts in days}, dict(map(tuple, windows))


def _read_tables(cursor: Cursor, start: datetime, end: datetime, days: list[date]) -> _Tables:
    period = {"start": start, "end": end}
    cursor.execute(
        "SELECT window_start, posts FROM traffic_windows "
        "WHERE window_start >= %(start)s AND window_start < %(end)s",
        period,
    )
    counted = {window_number(start): posts for start, posts in cursor.fetchall()}
    cursor.execute(
        "SELECT count(*) FROM rejected_records WHERE kafka_time >= %(start)s AND kafka_time < %(end)s", period
    )
    (rejected_rows,) = cursor.fetchone() or (0,)
    cursor.execute(
        "SELECT sum(greatest(end_offset - next_offset, 0))::bigint "
        "FROM pipeline_progress WHERE query = 'archive'"
    )
    (behind,) = cursor.fetchone() or (0,)
    loaded = {loaded.day: loaded.posts for loaded in loaded_days(cursor, days)}
    return _Tables(counted, rejected_rows, behind or 0, loaded)


def _by_day(by_window: Mapping[int, int]) -> defaultdict[date, dict[int, int]]:
    """Split counts by window number into days."""
    days: defaultdict[date, dict[int, int]] = defaultdict(dict)
    for number, posts in by_window.items():
        days[window_start(number).date()][number] = posts
    return days


_COLUMNS = ("deliveries", "imported", "duplicates", "counted", "late", "posts", "loaded")


def lines_of(found: Audit) -> Iterator[str]:
    """Yield a line per day, then one that says whether anything is missing or duplicated."""
    yield f"{'day':<12}" + "".join(f"{name:>12}" for name in _COLUMNS)
    for day in found.days:
        numbers = (day.records, day.imported, day.duplicates, day.counted, day.late, day.posts, day.loaded)
        cells = ("-" if number is None else f"{number:,}" for number in numbers)
        yield f"{day.day!s:<12}" + "".join(f"{cell:>12}" for cell in cells)
    yield (
        f"{found.archived_offsets:,} of {found.kafka_offsets:,} Kafka offsets archived, "
        f"{found.rejected:,} rejected records"
    )
    problems = "; ".join(found.problems())
    period = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    yield f"{period}: PROBLEMS: {problems}" if problems else f"{period}: nothing missing, nothing duplicated."
