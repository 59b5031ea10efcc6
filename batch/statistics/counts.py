"""A day's counts as the step `statistics` needs them: in Spark, or collected where a day is small."""

from datetime import date
from io import BytesIO
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor
from pyarrow import csv
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.statistics.beside import dominant_counts, least_dominant
from batch.statistics.fit import DayFit
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS, dense
from batch.statistics.rows_before import STATISTICS_COLUMNS, with_rows_before
from batch.tables.copy import COPIED, total_copied
from core.keyword_rule import ALL_POSTS
from core.settings import Settings
from detection.arrays import Floats
from detection.seasonality import WINDOWS
from sql.connection import query, transaction

BATCH_KEYWORDS = 10_000
"""Keywords that are fitted together, as many as Spark puts into a batch."""
_CSV_TYPES = {
    "keyword": pa.string(),
    "level": pa.float32(),
    "hour_deviation": pa.string(),
    "variance": pa.float32(),
    "dispersion": pa.float32(),
    "hourly_spread": pa.float32(),
    "last_seen": pa.date32(),
}


class CountsOfDay(Protocol):
    """The counts of `detection.daily_counts.count_keywords_per_day`, with the lookback before the day."""

    def totals(self) -> Floats:
        """Return the posts of all keywords by window [3 + 96]."""

    def dominant(self, total_posts: Floats) -> pa.Table:
        """Return keyword, windows and posts of the keywords that are dominant in a window."""

    def fit(self, fit: DayFit, as_of: date | None) -> int:
        """Fit all keywords on top of the statistics `as_of`; return how many rows were copied."""


class SparkCounts:
    """Counts in Spark; the caller persists them."""

    def __init__(self, counts: DataFrame, settings: Settings) -> None:
        self._counts = counts
        self._settings = settings

    def totals(self) -> Floats:
        """Return the posts of all keywords by window."""
        return total_posts(self._counts)

    def dominant(self, total_posts: Floats) -> pa.Table:
        """Return the dominant keywords."""
        return dominant_counts(self._counts, total_posts)

    def fit(self, fit: DayFit, as_of: date | None) -> int:
        """Fit in Spark."""
        rows = self._counts.where(F.col("keyword") != ALL_POSTS).transform(
            with_rows_before, settings=self._settings, as_of=as_of
        )
        return total_copied(rows.mapInArrow(fit, COPIED))


class CollectedCounts:
    """Counts of a small day in memory."""

    def __init__(self, counts: pa.Table, settings: Settings) -> None:
        is_total = pc.equal(counts["keyword"], ALL_POSTS)
        self._all = counts.filter(is_total)
        self._keywords = counts.filter(pc.invert(is_total))
        self._settings = settings

    def totals(self) -> Floats:
        """Return the posts of all keywords by window."""
        totals: Floats = self._dense(self._all).sum(axis=0)
        return totals

    def dominant(self, total_posts: Floats) -> pa.Table:
        """Return the dominant keywords."""
        enough = np.any(self._dense(self._keywords) >= least_dominant(total_posts), axis=1)
        return self._keywords.filter(pa.array(enough)).select(["keyword", "windows", "posts"])

    def fit(self, fit: DayFit, as_of: date | None) -> int:
        """Fit in this process."""
        with transaction(self._settings) as cursor:
            before = collect_rows(cursor, as_of)
        joined = joined_rows(self._keywords, before)
        copied = fit(joined.combine_chunks().to_batches(BATCH_KEYWORDS))
        return sum(batch.column("copied")[0].as_py() for batch in copied)

    def _dense(self, counts: pa.Table) -> Floats:
        posts = np.zeros((counts.num_rows, LOOKBACK_WINDOWS + WINDOWS))
        batch = _one_batch(counts)
        return dense(batch.column("windows"), batch.column("posts"), posts)


class CollectedWindows:
    """Counts of small days that were counted together, by windows from the start of the first."""

    def __init__(self, counts: pa.Table, first: date) -> None:
        """Take the columns of `count_keywords_per_day`; windows count from the start of `first`."""
        batch = _one_batch(counts)
        lists = batch.column("windows")
        windows = lists.flatten()
        usable = windows.is_valid()
        self._first = first
        self._keywords = batch.column("keyword")
        self._windows = windows.filter(usable).to_numpy()
        self._parents = pc.list_parent_indices(lists).filter(usable).to_numpy()
        self._posts = batch.column("posts").flatten().filter(usable)
        self._authors = batch.column("authors").flatten().filter(usable)

    def of_day(self, day: date) -> pa.Table:
        """Return the counts of `day` and its lookback, as `count_keywords_per_day` has them for it alone."""
        midnight = (day - self._first).days * WINDOWS
        inside = (self._windows >= midnight - LOOKBACK_WINDOWS) & (self._windows < midnight + WINDOWS)
        chosen = np.flatnonzero(inside)
        parents, starts = np.unique(self._parents[chosen], return_index=True)
        offsets = pa.array(np.append(starts, len(chosen)).astype(np.int32))
        values = {
            "windows": pa.array((self._windows[chosen] - midnight).astype(np.int32)),
            "posts": self._posts.take(pa.array(chosen)),
            "authors": self._authors.take(pa.array(chosen)),
        }
        lists = {name: pa.ListArray.from_arrays(offsets, column) for name, column in values.items()}
        return pa.table({"keyword": self._keywords.take(pa.array(parents)), **lists})


def total_posts(counts: DataFrame, lookback: int = LOOKBACK_WINDOWS) -> Floats:
    """Return the posts of all keywords by window [B + 96], starting with the `lookback` of B windows."""
    totals = np.zeros(lookback + WINDOWS)
    for _, windows, posts, _ in counts.where(F.col("keyword") == ALL_POSTS).collect():
        for window, count in zip(windows, posts, strict=True):
            if window is not None:
                totals[lookback + window] = count
    return totals


def collect_rows(cursor: Cursor, as_of: date | None) -> pa.Table:
    """Return `keyword_statistics` as of a day, hour_deviation as a list of floats; no rows for None."""
    text = BytesIO()
    if as_of is not None:
        statement = cursor.mogrify(query("copy_statistics"), {"as_of": as_of}).decode()
        cursor.copy_expert(statement, text)
    if not text.tell():
        return _lists_of(pa.schema(_CSV_TYPES).empty_table())
    text.seek(0)
    read = csv.read_csv(
        text,
        csv.ReadOptions(column_names=list(_CSV_TYPES)),
        csv.ParseOptions(newlines_in_values=True),
        csv.ConvertOptions(
            column_types=_CSV_TYPES,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )
    return _lists_of(read)


def _lists_of(rows: pa.Table) -> pa.Table:
    """Return rows whose profiles, arrays in Postgres's text, are lists of floats."""
    texts = rows["hour_deviation"].combine_chunks()
    numbers = pc.split_pattern(pc.utf8_trim(texts, "{}"), ",").cast(pa.list_(pa.float32()))
    return rows.set_column(rows.column_names.index("hour_deviation"), "hour_deviation", numbers)


def joined_rows(counts: pa.Table, before: pa.Table) -> pa.Table:
    """Join a day's counts with the rows before as `with_rows_before` does: every keyword of either."""
    fresh = pc.invert(pc.is_in(before["keyword"], counts["keyword"]))
    keywords = pa.concat_arrays(_chunks(counts["keyword"], before["keyword"].filter(fresh)))
    counted = pc.index_in(keywords, counts["keyword"])
    known = pc.index_in(keywords, before["keyword"])
    return pa.table(
        {
            "keyword": keywords,
            **{name: counts[name].take(counted) for name in ("windows", "posts", "authors")},
            **{name: before[name].take(known) for name in STATISTICS_COLUMNS},
        }
    )


def _chunks(*columns: pa.ChunkedArray) -> list[pa.Array]:
    return [chunk for column in columns for chunk in column.chunks] or [pa.array([], pa.string())]


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], table.schema)
