"""Counts of one file by keyword and window, given back cycle by cycle, however many there are."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from detection.seasonality import Seasonality


@dataclass(frozen=True)
class CycleCounts:
    """The rows of one cycle in order of keyword and window; parallel arrays."""

    cycle: int
    keyword: NDArray[np.int64]
    """Number of the keyword, its place in `CountsTable.keywords`."""
    window: NDArray[np.int64]
    """Number of the window."""
    posts: NDArray[np.float64]


class CountsTable:
    """The counts of one file, added up by keyword and window."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        seasonality: Seasonality,
        *,
        has_total: bool,
        is_series: bool,
    ) -> None:
        """`connection` holds the tables `counts` and `totals`, as `batch.backtest.counts_file` makes them."""
        self._connection = connection
        self.seasonality = seasonality
        self.has_total = has_total
        """Whether the file says how many posts all keywords had."""
        self.is_series = is_series
        """Whether a window without a row was not observed, as in the two-column form."""
        self.keywords: pa.ChunkedArray = connection.execute(
            "SELECT keyword FROM keywords ORDER BY id"
        ).to_arrow_table()["keyword"]
        first, last = connection.execute('SELECT min("window"), max("window") FROM counts').fetchall()[0]
        self.first_window, self.last_window = int(first), int(last)

    def cycles(self) -> range:
        """All cycles from the first to the last, also those without a row."""
        return range(self.seasonality.cycle(self.first_window), self.seasonality.cycle(self.last_window) + 1)

    def totals(self, cycle: int) -> NDArray[np.float64]:
        """Posts of all keywords in the cycle's windows [n]; where the file has no totals, 1 for windows that were observed."""
        first, windows = self.seasonality.first_window(cycle), self.seasonality.windows
        totals = np.zeros(windows)
        if not (self.has_total or self.is_series):
            numbers = np.arange(first, first + windows)
            return ((numbers >= self.first_window) & (numbers <= self.last_window)).astype(float)
        found = self._connection.execute(
            'SELECT "window", posts FROM totals WHERE "window" >= ? AND "window" < ?',
            [first, first + windows],
        ).to_arrow_table()
        totals[found["window"].to_numpy() - first] = found["posts"].to_numpy()
        return totals

    def read(self) -> Iterator[CycleCounts]:
        """The cycles that have rows, in order, each whole."""
        sql = f'SELECT ("window" + {self.seasonality.shift}) // {self.seasonality.windows} AS cycle, keyword, "window", posts FROM counts ORDER BY ALL'
        pending: list[pa.RecordBatch] = []
        # A cursor of its own: other queries on the connection would end the stream of rows.
        for batch in self._connection.cursor().execute(sql).to_arrow_reader(100_000):
            cycles = batch.column("cycle").to_numpy()
            edges = [0, *(np.flatnonzero(np.diff(cycles)) + 1), len(cycles)]
            for begin, end in pairwise(edges):
                part = batch.slice(begin, end - begin)
                if pending and pending[-1].column("cycle")[0] != part.column("cycle")[0]:
                    yield _cycle_counts(pending)
                    pending = []
                pending.append(part)
        if pending:
            yield _cycle_counts(pending)


def _cycle_counts(batches: list[pa.RecordBatch]) -> CycleCounts:
    rows = pa.Table.from_batches(batches)
    keyword, window, posts = (rows[name].to_numpy() for name in ("keyword", "window", "posts"))
    return CycleCounts(
        rows["cycle"][0].as_py(), keyword.astype(np.int64), window.astype(np.int64), posts.astype(np.float64)
    )
