"""Reads a CSV file of counts into DuckDB on disk: refuses the first bad row with its line, adds up what is left.

Two forms: `window_start,keyword,posts[,total_posts]`, or the two columns `timestamp,value` of one series, whose keyword is
the file's name. Rows of one keyword within one window are added up, so that finer counts may be given.
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
_NEEDED = f"Needed are {','.join(_COLUMNS)} or {','.join(_SERIES)}."


@dataclass(frozen=True)
class _Form:
    """What the columns of a file are called, as SQL; `keyword` and `total` may be constants."""

    time: str
    keyword: str
    posts: str
    total: str
    is_series: bool


@contextmanager
def open_counts(path: Path, seasonality: Seasonality) -> Iterator[CountsTable]:
    """The counts in the CSV file `path` (plain or .gz) in windows of `shape`; raises BadInputError with line and reason.

    `window_start` or `timestamp`: ISO 8601, in UTC where it names no offset, or seconds since 1970. `posts` and `value`:
    whole numbers, 0 or more. `total_posts`: posts of all keywords at that `window_start`, the same in all of its rows.
    """
    header = _header(path)
    form = _form(path, header)
    with TemporaryDirectory(prefix="groundswell-backtest-") as folder:
        connection = duckdb.connect(str(Path(folder) / "counts.duckdb"))
        try:
            connection.execute(
                f"SET memory_limit = '{MEMORY_LIMIT}'; SET threads = {THREADS}; SET temp_directory = {_literal(folder)}"
            )
            connection.execute("SET TimeZone = 'UTC'")
            _load(connection, path, header, form)
            _reject_bad_rows(connection, path)
            has_total = connection.execute("SELECT count(total) > 0 FROM given").fetchall()[0][0]
            if has_total:
                _reject_two_totals(connection, path)
            _add_up(connection, seasonality)
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
        raise BadInputError(f"{path} line 1: no header with distinct names. {_NEEDED}")
    return names


def _form(path: Path, header: list[str]) -> _Form:
    if header == list(_SERIES):
        keyword = path.name.removesuffix(".gz").removesuffix(".csv")
        return _Form(_SERIES[0], _literal(keyword), _SERIES[1], "NULL", is_series=True)
    if not set(_COLUMNS) <= set(header):
        raise BadInputError(f"{path} line 1: the columns are {', '.join(header)}. {_NEEDED}")
    return _Form(*_COLUMNS, _TOTAL if _TOTAL in header else "NULL", is_series=False)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load(connection: duckdb.DuckDBPyConnection, path: Path, header: list[str], form: _Form) -> None:
    """Read the file as text into the table `given`, a row a record."""
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in header)
    source = (
        f"read_csv({_literal(str(path))}, header = true, delim = ',', quote = '\"', escape = '\"', auto_detect = false, "
        f"columns = {{{columns}}})"
    )
    # DuckDB reads no offset and no Z behind whole minutes: 2026-01-05T00:15Z.
    moment = f"regexp_replace({form.time}, '([T ][0-9]{{2}}:[0-9]{{2}})([Z+-].*)$', '\\1:00\\2')"
    seconds = f"coalesce(try_cast({form.time} AS DOUBLE), epoch(try_cast({moment} AS TIMESTAMPTZ)))"
    try:
        connection.execute(
            f"CREATE TABLE given AS SELECT row_number() OVER () AS record, {seconds} AS seconds, {form.keyword} AS keyword, "
            f"try_cast({form.posts} AS DOUBLE) AS posts, try_cast({form.total} AS DOUBLE) AS total, {form.total} AS total_text, "
            f"{form.time} AS time_text, {form.posts} AS posts_text FROM {source}"
        )
    except duckdb.Error as error:
        raise BadInputError(f"{path} {_csv_reason(str(error))}") from error


def _reject_bad_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    bad = connection.execute(
        "SELECT record, CASE "
        "WHEN seconds IS NULL OR NOT isfinite(seconds) OR seconds < 0 OR seconds > 1e11 "
        "  THEN 'no time: ' || coalesce(time_text, '') || '. Write ISO 8601 in UTC or seconds since 1970' "
        "WHEN coalesce(keyword, '') = '' THEN 'no keyword' "
        f"WHEN posts IS NULL OR NOT isfinite(posts) OR posts < 0 OR posts <> floor(posts) OR posts > {_MOST_POSTS} "
        "  THEN 'no count: ' || coalesce(posts_text, '') || '. Write a whole number, 0 or more' "
        f"WHEN total_text IS NOT NULL AND (total IS NULL OR NOT isfinite(total) OR total < posts OR total > {_MOST_POSTS}) "
        "  THEN 'no total of all posts: ' || total_text || '. Write a whole number, at least that of the keyword' END AS reason "
        "FROM given WHERE reason IS NOT NULL ORDER BY record LIMIT 1"
    ).fetchone()
    if bad:
        raise BadInputError(f"{path} line {_line_of(path, bad[0])}: {bad[1]}.")
    if not connection.execute("SELECT 1 FROM given LIMIT 1").fetchone():
        raise BadInputError(f"{path} has no rows below its header.")


def _reject_two_totals(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    bad = connection.execute(
        "SELECT min(record) FROM given JOIN (SELECT seconds, min(total) AS least FROM given GROUP BY seconds "
        "HAVING count(DISTINCT total) <> 1 OR count(total) < count(*)) USING (seconds) WHERE total IS DISTINCT FROM least OR total IS NULL"
    ).fetchall()[0][0]
    if bad is not None:
        reason = "total_posts is missing, or differs from that of another row of the same window_start"
        raise BadInputError(f"{path} line {_line_of(path, bad)}: {reason}.")


def _line_of(path: Path, record: int) -> int:
    """The line in which a record begins, counted as editors count: blank lines and line breaks within quotes are lines too."""
    with _open(path) as lines:
        rows, number, begins = csv.reader(lines), -1, 1
        for row in rows:
            number += bool(row)
            if number == record:
                break
            begins = rows.line_num + 1
    return begins


def _add_up(connection: duckdb.DuckDBPyConnection, seasonality: Seasonality) -> None:
    """Make the tables `keywords`, `counts` and `totals` out of `given`; without totals, 1 for each window that has a row."""
    window = f"floor(seconds / {seasonality.window_seconds})::BIGINT"
    connection.execute(
        "CREATE TABLE keywords AS SELECT keyword, row_number() OVER (ORDER BY keyword) - 1 AS id FROM (SELECT DISTINCT keyword FROM given)"
    )
    connection.execute(
        f'CREATE TABLE counts AS SELECT id AS keyword, {window} AS "window", sum(posts) AS posts '
        "FROM given JOIN keywords USING (keyword) GROUP BY ALL"
    )
    connection.execute(
        f'CREATE TABLE totals AS SELECT {window} AS "window", coalesce(sum(total), 1) AS posts '
        "FROM (SELECT seconds, any_value(total) AS total FROM given GROUP BY seconds) GROUP BY ALL"
    )
    connection.execute("DROP TABLE given")


def _csv_reason(message: str) -> str:
    line = re.search(r"Line: (\d+)", message)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    reason = f"{columns[2]} columns instead of {columns[1]}" if columns else message.splitlines()[0]
    return f"line {line[1] if line else '?'}: {reason}."
