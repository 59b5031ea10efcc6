"""Counts of one file by keyword and window, read one cycle at a time, however many there are."""

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
    """The rows of one cycle as parallel arrays, ordered by keyword and window."""

    cycle: int
    keyword: NDArray[np.int64]
    """Number of the keyword, its index in `CountsTable.keywords`."""
    window: NDArray[np.int64]
    """Number of the window."""
    posts: NDArray[np.float64]


class CountsTable:
    """The counts of one file, summed by keyword and window."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        seasonality: Seasonality,
        *,
        has_total: bool,
        is_series: bool,
        hint: str | None = None,
    ) -> None:
        """`connection` has the tables that `batch.backtest.counts_file` creates."""
        self._connection = connection
        self.seasonality = seasonality
        self.has_total = has_total
        """Whether the file has the posts of all keywords."""
        self.is_series = is_series
        """Whether a window without a row was not observed, as in the two-column form."""
        self.hint = hint
        """What to do about rows that are further apart than windows."""
        self.keywords: pa.ChunkedArray = connection.execute(
            "SELECT keyword FROM keywords ORDER BY id"
        ).to_arrow_table()["keyword"]
        first, last = connection.execute('SELECT min("window"), max("window") FROM counts').fetchall()[0]
        self.first_window, self.last_window = int(first), int(last)

    def cycles(self) -> range:
        """Return all cycles from the first to the last, including those without rows."""
        return range(self.seasonality.cycle(self.first_window), self.seasonality.cycle(self.last_window) + 1)

    def totals(self, cycle: int) -> NDArray[np.float64]:
        """Return the posts of all keywords in the cycle's windows [n].

        If the file has no totals, 1 for each window that was observed.
        """
        first, windows = self.seasonality.first_window(cycle), self.seasonality.windows
        totals = np.zeros(windows)
        if not (self.has_total or self.is_series):
            numbers = np.arange(first, first + windows)
            return ((numbers >= self.first_window) & (numbers <= self.last_window)).astype(float)
        rows = self._connection.execute(
            'SELECT "window", posts FROM totals WHERE "window" >= ? AND "window" < ?',
            [first, first + windows],
        ).to_arrow_table()
        totals[rows["window"].to_numpy() - first] = rows["posts"].to_numpy()
        return totals

    def read(self) -> Iterator[CycleCounts]:
        """Yield the cycles that have rows, in order, each complete."""
        cycle = f'("window" + {self.seasonality.shift}) // {self.seasonality.windows}'
        sql = f'SELECT {cycle} AS cycle, keyword, "window", posts FROM counts ORDER BY ALL'
        pending: list[pa.RecordBatch] = []
        # On a separate cursor: another query on the same one would end the stream of rows.
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
