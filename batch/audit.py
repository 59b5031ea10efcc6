"""`python -m batch audit --from DAY --to DAY`: whether anything of a period is missing or double, from Kafka's offsets to the tables.

The law: archived = counted + late + duplicates + rejected, each with a number. Detection counts a post once in each window in
which it was delivered; what was archived from files never went through it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.days import taken_between, usable_deliveries
from archive.table import read_archive
from batch.tables.checks import archived_offsets
from core.catalog import RAW_POSTS
from core.settings import Settings
from core.windows import ONE_DAY, day_start, window_number, window_start
from sql.connection import query, transaction


@dataclass(frozen=True)
class DayAudit:
    """What became of the records with an event time in one day."""

    day: date
    records: int
    """Usable deliveries in the archive."""
    imported: int
    """Those of them that came from files."""
    once_a_window: int
    """Distinct pairs of post and window among those that came through Kafka."""
    counted: int
    """Of these pairs those that detection counted."""
    posts: int
    """Distinct posts."""
    loaded: int | None
    """Posts that the batch loaded; None where it has not run."""
    overcounted: list[datetime]
    """Windows of which detection counted more posts than the archive holds."""

    @property
    def late(self) -> int:
        """Pairs that came after their window was closed, or before detection began."""
        return max(self.once_a_window - self.counted, 0)

    @property
    def duplicates(self) -> int:
        """Deliveries through Kafka beyond the first in their window."""
        return self.records - self.imported - self.once_a_window


@dataclass(frozen=True)
class Audit:
    """What was found of a period."""

    first: date
    last: date
    kafka_offsets: int
    """Offsets from the first to the last that Kafka took in the period, of all partitions."""
    archived_offsets: int
    archived_twice: int
    behind: int
    """Records that the archive query had not read when it reported last."""
    rejected: int
    """Records in the archive that Kafka took in the period and that are no usable posts."""
    rejected_rows: int
    """Rows of rejected_records of the same time."""
    days: list[DayAudit]

    def problems(self) -> Iterator[str]:
        """What is missing or double, and where."""
        if self.archived_offsets < self.kafka_offsets:
            yield f"{self.kafka_offsets - self.archived_offsets:,} of {self.kafka_offsets:,} offsets are not in the archive"
        if self.archived_twice:
            yield f"{self.archived_twice:,} records are in the archive twice"
        if self.behind:
            yield f"the archive query is {self.behind:,} records behind Kafka"
        if self.rejected_rows != self.rejected:
            yield f"rejected_records has {self.rejected_rows:,} rows of {self.rejected:,} rejected records"
        for day in self.days:
            if day.overcounted:
                places = ", ".join(f"{start:%H:%M}" for start in day.overcounted[:5])
                yield f"{day.day}: detection counted more posts than the archive holds in {len(day.overcounted)} windows ({places})"
            if day.loaded is not None and day.loaded != day.posts:
                yield f"{day.day}: {day.loaded:,} posts were loaded, the archive holds {day.posts:,}; run python -m batch {day.day}"


def audit(spark: SparkSession, settings: Settings, first: date, last: date) -> Audit:
    """Reconcile the days from `first` to `last`; raises NotReadyError where there is no archive yet."""
    start, end = day_start(first), day_start(last + ONE_DAY)
    records, by_window = _archived(spark, settings, start, end)
    refused_records = spark.table(RAW_POSTS).where(F.col("event_time").isNull() & taken_between(start, end))
    rejected = refused_records.select("topic", "partition", "offset").distinct().count()
    with transaction(settings, application_name="groundswell audit") as cursor:
        cursor.execute(
            "SELECT window_start, posts FROM traffic_windows WHERE window_start >= %s AND window_start < %s",
            (start, end),
        )
        counted = {window_number(moment): posts for moment, posts in cursor.fetchall()}
        cursor.execute(
            "SELECT count(*) FROM rejected_records WHERE kafka_time >= %s AND kafka_time < %s", (start, end)
        )
        (rejected_rows,) = cursor.fetchone() or (0,)
        cursor.execute(
            "SELECT sum(greatest(end_offset - next_offset, 0))::bigint FROM pipeline_progress WHERE query = 'archive'"
        )
        (behind,) = cursor.fetchone() or (0,)
        cursor.execute(query("loaded_days"), {"days": list(records)})
        loaded = {row[0]: row[1] for row in cursor.fetchall()}
    days, archived_of, counted_of = [], _by_day(by_window), _by_day(counted)
    for day in sorted(records.keys() | counted_of.keys()):
        of_day, seen = archived_of[day], counted_of[day]
        over = [window_start(number) for number in sorted(seen) if seen[number] > of_day.get(number, 0)]
        deliveries, imported, posts = records.get(day, (0, 0, 0))
        days.append(
            DayAudit(
                day,
                deliveries,
                imported,
                sum(of_day.values()),
                sum(seen.values()),
                posts,
                loaded.get(day),
                over,
            )
        )
    offsets = archived_offsets(spark.table(RAW_POSTS), start, end)
    return Audit(
        first, last, **offsets, behind=behind or 0, rejected=rejected, rejected_rows=rejected_rows, days=days
    )


def _archived(
    spark: SparkSession, settings: Settings, start: datetime, end: datetime
) -> tuple[dict[date, tuple[int, int, int]], dict[int, int]]:
    """By day: usable deliveries, those from files, distinct posts; by window number: distinct posts that came through Kafka."""
    records = read_archive(spark, settings, [(start, end)]).dropDuplicates(["topic", "partition", "offset"])
    usable = usable_deliveries(records, settings).persist()
    try:
        of_days = (
            usable.groupBy("day")
            .agg(F.count(F.lit(1)), F.sum(F.col("imported").cast("long")), F.count_distinct("post_id"))
            .collect()
        )
        of_windows = (
            usable.where(~F.col("imported")).groupBy("window").agg(F.count_distinct("post_id")).collect()
        )
    finally:
        usable.unpersist()
    return {day: (deliveries, imported, posts) for day, deliveries, imported, posts in of_days}, dict(
        map(tuple, of_windows)
    )


def _by_day(by_window: Mapping[int, int]) -> defaultdict[date, dict[int, int]]:
    """Counts by window number, apart for each day."""
    days: defaultdict[date, dict[int, int]] = defaultdict(dict)
    for number, posts in by_window.items():
        days[window_start(number).date()][number] = posts
    return days


def lines_of(found: Audit) -> Iterator[str]:
    """The audit for people: a line a day, then one line that says whether anything is missing or double."""
    yield f"{'day':<12}{'deliveries':>12}{'from files':>12}{'duplicates':>12}{'counted':>12}{'late':>12}{'posts':>12}{'loaded':>12}"
    for day in found.days:
        loaded = "-" if day.loaded is None else f"{day.loaded:,}"
        yield (
            f"{day.day!s:<12}{day.records:>12,}{day.imported:>12,}{day.duplicates:>12,}{day.counted:>12,}{day.late:>12,}{day.posts:>12,}"
            f"{loaded:>12}"
        )
    yield f"{found.archived_offsets:,} of {found.kafka_offsets:,} offsets of Kafka archived, {found.rejected:,} rejected records"
    problems = list(found.problems())
    period = f"{found.first}" if found.first == found.last else f"{found.first} to {found.last}"
    yield f"{period}: {'NOT WHOLE: ' + '; '.join(problems) if problems else 'nothing is missing and nothing is double.'}"
