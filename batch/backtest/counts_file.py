"""Load a CSV file of counts into DuckDB on disk: check every row, then sum the rows by keyword and window.

The file has the columns `window_start,keyword,posts[,total_posts]`, or `timestamp,value` for a single series,
whose keyword is the file's name. Rows of one keyword within a window are summed, so counts may be finer than
windows.
"""

import csv
import gzip
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

import duckdb

from batch.backtest.counts import CountsTable
from core.errors import BadInputError
from detection.seasonality import Seasonality

MEMORY_LIMIT = "256MB"
THREADS = 2
_MOST_POSTS = 2**53
_COLUMNS = ("window_start", "keyword", "posts")
_TOTAL = "total_posts"
_SERIES = ("timestamp", "value")
_REQUIRED = f"The file needs {','.join(_COLUMNS)} or {','.join(_SERIES)}."
_FIRST_BAD_ROW = f"""
    SELECT record, CASE
        WHEN seconds IS NULL OR NOT isfinite(seconds) OR seconds < 0 OR seconds > 1e11
            THEN 'not a time: ' || coalesce(time_text, '(empty)')
                 || '. Write ISO 8601 in UTC or seconds since 1970'
        WHEN coalesce(keyword, '') = ''
            THEN 'no keyword'
        WHEN posts IS NULL OR NOT isfinite(posts) OR posts < 0 OR posts > {_MOST_POSTS}
             OR posts <> floor(posts)
            THEN 'not a count: ' || coalesce(posts_text, '(empty)')
                 || '. Write a whole number, 0 or more'
        WHEN total_text IS NOT NULL
             AND (total IS NULL OR NOT isfinite(total) OR total < posts OR total > {_MOST_POSTS})
            THEN 'not a total of all posts: ' || total_text
                 || '. Write a whole number, at least the posts of the keyword'
        END AS reason
    FROM file_rows WHERE reason IS NOT NULL ORDER BY record LIMIT 1
"""
_FIRST_BAD_TOTAL = """
    SELECT min(record)
    FROM file_rows
    JOIN (
        SELECT seconds, min(total) AS least FROM file_rows GROUP BY seconds
        HAVING count(DISTINCT total) <> 1 OR count(total) < count(*)
    ) USING (seconds)
    WHERE total IS DISTINCT FROM least OR total IS NULL
"""
_AGGREGATE = """
    CREATE TABLE keywords AS
    SELECT keyword, row_number() OVER (ORDER BY keyword) - 1 AS id
    FROM (SELECT DISTINCT keyword FROM file_rows);

    CREATE TABLE counts AS
    SELECT id AS keyword, floor(seconds / $window_seconds)::BIGINT AS "window", sum(posts) AS posts
    FROM file_rows JOIN keywords USING (keyword)
    GROUP BY ALL;

    CREATE TABLE totals AS
    SELECT floor(seconds / $window_seconds)::BIGINT AS "window", coalesce(sum(total), 1) AS posts
    FROM (SELECT seconds, any_value(total) AS total FROM file_rows GROUP BY seconds)
    GROUP BY ALL;

    DROP TABLE file_rows;
"""


@dataclass(frozen=True)
class _Form:
    """The columns of a file as SQL expressions; `keyword` and `total` may be constants."""

    time: str
    keyword: str
    posts: str
    total: str
    is_series: bool


@contextmanager
def open_counts(path: Path, seasonality: Seasonality) -> Iterator[CountsTable]:
    """Yield the counts in the CSV file `path` (plain or .gz), in windows of `seasonality`.

    `window_start` and `timestamp` are ISO 8601, in UTC unless they name an offset, or seconds since 1970;
    `posts` and `value` whole numbers of 0 or more; `total_posts` the posts of all keywords at that
    `window_start`, the same in all of its rows. Raises BadInputError for the first bad row, with line and
    reason.
    """
    header = _header(path)
    form = _form(path, header)
    with TemporaryDirectory(prefix="groundswell-backtest-") as folder:
        connection = duckdb.connect(str(Path(folder) / "counts.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET threads = {THREADS}")
            connection.execute(f"SET temp_directory = {_literal(folder)}; SET TimeZone = 'UTC'")
            _load(connection, path, header, form)
            _reject_bad_rows(connection, path)
            has_total = connection.execute("SELECT count(total) > 0 FROM file_rows").fetchall()[0][0]
            if has_total:
                _reject_two_totals(connection, path)
            _aggregate(connection, seasonality)
            yield CountsTable(connection, seasonality, has_total=has_total, is_series=form.is_series)
        finally:
            connection.close()


def _open(path: Path) -> TextIO:
    return (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8-sig", newline="")


def _header(path: Path) -> list[str]:
    try:
        with _open(path) as lines:
            header = next(csv.reader(lines), [])
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadInputError(
            f"{path} cannot be read: {error}. Give a CSV file in UTF-8, plain or .gz."
        ) from error
    names = [name.strip().lower() for name in header]
    if not names or len(set(names)) < len(names):
        raise BadInputError(f"{path} line 1: no header with distinct names. {_REQUIRED}")
    return names


def _form(path: Path, header: list[str]) -> _Form:
    if header == list(_SERIES):
        keyword = path.name.removesuffix(".gz").removesuffix(".csv")
        return _Form(_SERIES[0], _literal(keyword), _SERIES[1], "NULL", is_series=True)
    if not set(_COLUMNS) <= set(header):
        raise BadInputError(f"{path} line 1: the columns are {', '.join(header)}. {_REQUIRED}")
    return _Form(*_COLUMNS, _TOTAL if _TOTAL in header else "NULL", is_series=False)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load(connection: duckdb.DuckDBPyConnection, path: Path, header: list[str], form: _Form) -> None:
    """Read the file into the table `file_rows`, one row per record, with text and parsed values."""
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in header)
    # DuckDB parses no offset and no Z right after the minutes: 2026-01-05T00:15Z.
    moment = f"regexp_replace({form.time}, '([T ][0-9]{{2}}:[0-9]{{2}})([Z+-].*)$', '\\1:00\\2')"
    seconds = f"coalesce(try_cast({form.time} AS DOUBLE), epoch(try_cast({moment} AS TIMESTAMPTZ)))"
    sql = f"""
        CREATE TABLE file_rows AS
        SELECT row_number() OVER () AS record, {seconds} AS seconds, {form.keyword} AS keyword,
               try_cast({form.posts} AS DOUBLE) AS posts, try_cast({form.total} AS DOUBLE) AS total,
               {form.time} AS time_text, {form.posts} AS posts_text, {form.total} AS total_text
        FROM read_csv({_literal(str(path))}, header = true, delim = ',', quote = '"', escape = '"',
                      auto_detect = false, columns = {{{columns}}})
    """
    try:
        connection.execute(sql)
    except duckdb.Error as error:
        raise BadInputError(f"{path} {_csv_reason(str(error))}") from error


def _reject_bad_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    bad = connection.execute(_FIRST_BAD_ROW).fetchone()
    if bad:
        raise BadInputError(f"{path} line {_line_of(path, bad[0])}: {bad[1]}.")
    if not connection.execute("SELECT 1 FROM file_rows LIMIT 1").fetchone():
        raise BadInputError(f"{path} has no rows below its header. Give a file with counts.")


def _reject_two_totals(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    bad = connection.execute(_FIRST_BAD_TOTAL).fetchall()[0][0]
    if bad is not None:
        reason = "total_posts is missing, or differs from another row with the same window_start"
        raise BadInputError(f"{path} line {_line_of(path, bad)}: {reason}.")


def _line_of(path: Path, record: int) -> int:
    """Return the line on which a record begins, as editors count: including blank lines and quoted breaks."""
    with _open(path) as lines:
        rows, number, begins = csv.reader(lines), -1, 1
        for row in rows:
            number += bool(row)
            if number == record:
                break
            begins = rows.line_num + 1
    return begins


def _aggregate(connection: duckdb.DuckDBPyConnection, seasonality: Seasonality) -> None:
    """Create `keywords`, `counts` and `totals` from `file_rows`.

    If there are no totals, 1 for each window with a row.
    """
    connection.execute(_AGGREGATE.replace("$window_seconds", str(seasonality.window_seconds)))


def _csv_reason(message: str) -> str:
    line = re.search(r"Line: (\d+)", message)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    reason = f"{columns[2]} columns instead of {columns[1]}" if columns else message.splitlines()[0]
    return f"line {line[1] if line else '?'}: {reason}."
