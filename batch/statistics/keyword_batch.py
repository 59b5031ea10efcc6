"""Convert Arrow batches of yesterday's rows and today's sparse counts, from Spark, to dense numpy arrays."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from detection.arrays import Flags, Floats
from detection.day_counts import windows_before
from detection.learn import KeywordRows
from detection.score import DEFAULT_DISPERSION, DEFAULT_HOURLY_SPREAD, DEFAULT_LEVEL, DEFAULT_VARIANCE
from detection.seasonality import HOURS, QUARTER_HOURS, WINDOWS

LOOKBACK_WINDOWS = windows_before(QUARTER_HOURS)
"""Windows of the day before that are included for the hourly windows."""
EPOCH = date(1970, 1, 1)

Numbers = TypeVar("Numbers", Floats, NDArray[np.int64])


@dataclass(frozen=True)
class KeywordBatch:
    """K keywords of a day: counts of its windows and of B before, and the rows as of the day before."""

    keyword: pa.Array
    counts: Floats
    """Posts [K, B + 96]."""
    authors: NDArray[np.int64]
    """Bitmaps of authors [K, B + 96]: each author sets one hashed bit of 64."""
    rows: KeywordRows
    known: Flags
    """Whether the keyword had a row [K]."""
    last_seen: NDArray[np.int64]
    """Day of the newest post up to the day before, in days since 1970 [K]; 0 without a row."""

    @property
    def posts(self) -> Floats:
        """Posts of the day's windows [K, 96]."""
        return self.counts[:, self.lookback :]

    @property
    def lookback(self) -> int:
        """Windows before the day: 3, or 96 where statistics are missing."""
        return int(self.counts.shape[1]) - WINDOWS

    @property
    def seen(self) -> Flags:
        """Whether the keyword was posted on the day [K]."""
        seen: Flags = np.any(self.posts > 0, axis=1)
        return seen


def keyword_batch(batch: pa.RecordBatch, lookback: int = LOOKBACK_WINDOWS) -> KeywordBatch:
    """Return the arrays of `batch`.

    Columns in: keyword; windows, posts, authors (parallel lists, window -lookback to 95; null: not counted);
    level, variance, dispersion, hourly_spread (float), hour_deviation (list of 24 floats or null),
    last_seen (date32): the row as of the day before, all null for a new keyword.
    """
    windows = batch.column("windows")
    known = batch.column("level").is_valid().to_numpy(zero_copy_only=False)
    shape = (batch.num_rows, lookback + WINDOWS)
    return KeywordBatch(
        keyword=batch.column("keyword"),
        counts=dense(windows, batch.column("posts"), np.zeros(shape)),
        authors=dense(windows, batch.column("authors"), np.zeros(shape, dtype=np.int64)),
        rows=_rows_before(batch),
        known=known,
        last_seen=_numbers(batch.column("last_seen").cast(pa.int32()), 0).astype(np.int64),
    )


def dense(windows: pa.ListArray, values: pa.ListArray, into: Numbers) -> Numbers:
    """Fill `into` [K, B + 96] from parallel lists of window numbers (from -B) and values, and return it.

    >>> dense(pa.array([[0, 95], None]), pa.array([[3, 4], None]), np.zeros((2, 99)))[:, [3, 4, 98]].tolist()
    [[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]]
    """
    keyword_rows = pc.list_parent_indices(windows).to_numpy()
    lookback = into.shape[1] - WINDOWS
    into[keyword_rows, windows.flatten().to_numpy() + lookback] = values.flatten().to_numpy()
    return into


def _rows_before(batch: pa.RecordBatch) -> KeywordRows:
    profiles = batch.column("hour_deviation")
    deviation = np.full((batch.num_rows, HOURS), np.nan)
    deviation[profiles.is_valid().to_numpy(zero_copy_only=False)] = (
        profiles.flatten().to_numpy().reshape(-1, HOURS)
    )
    return KeywordRows(
        level=_numbers(batch.column("level"), DEFAULT_LEVEL),
        hour_deviation=deviation,
        variance=_numbers(batch.column("variance"), DEFAULT_VARIANCE),
        dispersion=_numbers(batch.column("dispersion"), DEFAULT_DISPERSION),
        hourly_spread=_numbers(batch.column("hourly_spread"), DEFAULT_HOURLY_SPREAD),
    )


def _numbers(column: pa.Array, default: float) -> Floats:
    numbers: Floats = pc.fill_null(column.cast(pa.float64()), default).to_numpy(zero_copy_only=False)
    return numbers
