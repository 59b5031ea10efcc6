"""Reads a CSV file of counts into DuckDB on disk and gives it back cycle by cycle, however many rows it has.

Two forms: `window_start,keyword,posts[,total_posts]`, or the two columns `timestamp,value` of one series, whose keyword is
the file's name. Rows of one keyword within one window are added up, so that finer counts may be given.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from core.errors import BadInputError
from core.shape import Shape

MEMORY_LIMIT = "512MB"
THREADS = 2
_MOST_POSTS = 2**53
_COLUMNS = ("window_start", "keyword", "posts")
_TOTAL = "total_posts"
_SERIES = ("timestamp", "value")


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

    def __init__(self, connection: duckdb.DuckDBPyConnection, shape: Shape, *, has_total: bool, is_series: bool) -> None:
        """`connection` holds the tables `counts` and `totals`, as `open_counts` makes them."""
        self._connection = connection
        self.shape = shape
        self.has_total = has_total
        """Whether the file says how many posts all keywords had."""
        self.is_series = is_series
        """Whether a window without a row was not observed, as in the two-column form."""
        self.keywords: pa.ChunkedArray = connection.execute("SELECT keyword FROM keywords ORDER BY id").to_arrow_table()["keyword"]
        first, last = connection.execute('SELECT min("window"), max("window") FROM counts').fetchall()[0]
        self.first_window, self.last_window = int(first), int(last)

    def cycles(self) -> range:
        """All cycles from the first to the last, also those without a row."""
        return range(self.shape.cycle(self.first_window), self.shape.cycle(self.last_window) + 1)

    def totals(self, cycle: int) -> NDArray[np.float64]:
        """Posts of all keywords in the cycle's windows [n]; where the file has no totals, 1 for windows that were observed."""
        first, windows = self.shape.first_window(cycle), self.shape.windows
        totals = np.zeros(windows)
        if not (self.has_total or self.is_series):
            numbers = np.arange(first, first + windows)
            return ((numbers >= self.first_window) & (numbers <= self.last_window)).astype(float)
        found = self._connection.execute(
            'SELECT "window", posts FROM totals WHERE "window" >= ? AND "window" < ?', [first, first + windows]
        ).to_arrow_table()
        totals[found["window"].to_numpy() - first] = found["posts"].to_numpy()
        return totals

    def read(self) -> Iterator[CycleCounts]:
        """The cycles that have rows, in order, each whole."""
        sql = f'SELECT ("window" + {self.shape.shift}) // {self.shape.windows} AS cycle, keyword, "window", posts FROM counts ORDER BY ALL'
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
    return CycleCounts(rows["cycle"][0].as_py(), keyword.astype(np.int64), window.astype(np.int64), posts.astype(np.float64))


@contextmanager
def open_counts(path: Path, shape: Shape) -> Iterator[CountsTable]:
    """The counts in the CSV file `path` (plain or .gz) in windows of `shape`; raises BadInputError with line and reason.

    `window_start` or `timestamp`: ISO 8601, in UTC where it names no offset, or seconds since 1970. `posts` and `value`:
    whole numbers, 0 or more. `total_posts`: posts of all keywords at that `window_start`, the same in all of its rows.
    """
    header = _header(path)
    is_series = header == list(_SERIES)
    names = list(_SERIES) if is_series else [*_COLUMNS, _TOTAL]
    if not is_series and not set(_COLUMNS) <= set(header):
        raise BadInputError(f"{path} line 1: the columns are {', '.join(header)}. Needed are {','.join(_COLUMNS)} or {','.join(_SERIES)}.")
    keyword = _literal(_file_keyword(path)) if is_series else "keyword"
    total = _TOTAL if _TOTAL in header and not is_series else "NULL"
    with TemporaryDirectory(prefix="groundswell-backtest-") as folder:
        connection = duckdb.connect(str(Path(folder) / "counts.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET threads = {THREADS}; SET temp_directory = {_literal(folder)}")
            _load(connection, path, header, time=names[0], keyword=keyword, posts="value" if is_series else "posts", total=total)
            _add_up(connection, shape)
            yield CountsTable(connection, shape, has_total=total != "NULL", is_series=is_series)
        finally:
            connection.close()


def _header(path: Path) -> list[str]:
    try:
        with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="") as lines:
            header = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError(f"{path} cannot be read: {error}. Give a CSV file in UTF-8, plain or .gz.") from error
    names = [name.strip().lower() for name in header]
    if not names or len(set(names)) < len(names):
        raise BadInputError(f"{path} line 1: no header with distinct names. Needed are {','.join(_COLUMNS)} or {','.join(_SERIES)}.")
    return names


def _file_keyword(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".csv")


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load(connection: duckdb.DuckDBPyConnection, path: Path, header: list[str], *, time: str, keyword: str, posts: str, total: str) -> None:
    """Read the file as text, refuse the first bad row, keep the good ones as table `given`."""
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in header)
    source = (
        f"read_csv({_literal(str(path))}, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, "
        f"columns = {{{columns}}})"
    )
    seconds = f"coalesce(try_cast({time} AS DOUBLE), epoch(try_cast(replace({time}, 'Z', '+00') AS TIMESTAMP)))"
    try:
        connection.execute(
            f"CREATE TABLE given AS SELECT row_number() OVER () + 1 AS line, {seconds} AS seconds, {keyword} AS keyword, "
            f"try_cast({posts} AS DOUBLE) AS posts, try_cast({total} AS DOUBLE) AS total, {total} AS total_text, "
            f"{time} AS time_text, {posts} AS posts_text FROM {source}"
        )
    except duckdb.Error as error:
        raise BadInputError(f"{path} {_csv_reason(str(error))}") from error
    bad = connection.execute(
        "SELECT line, CASE "
        "WHEN seconds IS NULL OR NOT isfinite(seconds) OR seconds < 0 OR seconds > 1e11 "
        "  THEN 'no time: ' || coalesce(time_text, '') || '. Write ISO 8601 in UTC or seconds since 1970' "
        "WHEN coalesce(keyword, '') = '' THEN 'no keyword' "
        f"WHEN posts IS NULL OR NOT isfinite(posts) OR posts < 0 OR posts <> floor(posts) OR posts > {_MOST_POSTS} "
        "  THEN 'no count: ' || coalesce(posts_text, '') || '. Write a whole number, 0 or more' "
        f"WHEN total_text IS NOT NULL AND (total IS NULL OR NOT isfinite(total) OR total < posts OR total > {_MOST_POSTS}) "
        "  THEN 'no total of all posts: ' || total_text || '. Write a whole number, at least that of the keyword' END AS reason "
        "FROM given WHERE reason IS NOT NULL ORDER BY line LIMIT 1"
    ).fetchone()
    if bad:
        raise BadInputError(f"{path} line {bad[0]}: {bad[1]}.")
    if total != "NULL":
        _refuse_two_totals(connection, path)
    if not connection.execute("SELECT 1 FROM given LIMIT 1").fetchone():
        raise BadInputError(f"{path} has no rows below its header.")


def _refuse_two_totals(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    bad = connection.execute(
        "SELECT min(line) FROM given JOIN (SELECT seconds, min(total) AS least FROM given GROUP BY seconds "
        "HAVING count(DISTINCT total) <> 1 OR count(total) < count(*)) USING (seconds) WHERE total IS DISTINCT FROM least"
    ).fetchone()
    if bad and bad[0] is not None:
        raise BadInputError(f"{path} line {bad[0]}: total_posts differs from that of another row of the same window_start.")


def _add_up(connection: duckdb.DuckDBPyConnection, shape: Shape) -> None:
    window = f"floor(seconds / {shape.window_seconds})::BIGINT"
    connection.execute(
        "CREATE TABLE keywords AS SELECT keyword, row_number() OVER (ORDER BY keyword) - 1 AS id FROM (SELECT DISTINCT keyword FROM given)"
    )
    connection.execute(
        f'CREATE TABLE counts AS SELECT id AS keyword, {window} AS "window", sum(posts) AS posts '
        "FROM given JOIN keywords USING (keyword) GROUP BY ALL"
    )
    connection.execute(
        f'CREATE TABLE totals AS SELECT {window} AS "window", sum(total) AS posts '
        "FROM (SELECT seconds, coalesce(any_value(total), 1) AS total FROM given GROUP BY seconds) GROUP BY ALL"
    )
    connection.execute("UPDATE totals SET posts = 1 WHERE NOT EXISTS (SELECT 1 FROM given WHERE total IS NOT NULL)")
    connection.execute("DROP TABLE given")


def _csv_reason(message: str) -> str:
    line = re.search(r"Line: (\d+)", message)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    reason = f"{columns[2]} columns instead of {columns[1]}" if columns else message.splitlines()[0]
    return f"line {line[1] if line else '?'}: {reason}."
