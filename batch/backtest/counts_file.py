"""Load a CSV file of counts into DuckDB on disk: check every row, then sum the rows by keyword and window.

The file has the columns `window_start,keyword,posts[,total_posts]`, or `timestamp,value` for a single series,
whose keyword is the file's name. Rows of one keyword within a window are summed, so counts may be finer than
windows.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from batch.backtest.counts import CountsTable
from batch.backtest.csv_file import CsvFile, open_csv
from batch.backtest.steps import coarse_rows_hint
from batch.backtest.times import FORMS, MOST_COMMON_FORM, SAMPLE_ROWS, TimeForm, possible_forms
from core.errors import BadInputError
from detection.seasonality import Seasonality

MEMORY_LIMIT = "256MB"
THREADS = 2
_MOST_POSTS = 2**53
_COLUMNS = ("window_start", "keyword", "posts")
_TOTAL = "total_posts"
_SERIES = ("timestamp", "value")
_REQUIRED = f"The file needs {','.join(_COLUMNS)} or {','.join(_SERIES)}."
_IS_BAD_TIME = "seconds IS NULL OR NOT isfinite(seconds) OR seconds < 0 OR seconds > 1e11"
_FIRST_BAD_ROW = f"""
    SELECT record, CASE
        WHEN {_IS_BAD_TIME}
            THEN 'not a time: ' || coalesce(time_text, '(empty)') || $time_hint
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
    SELECT id AS keyword, floor($seconds / $window_seconds)::BIGINT AS "window", sum(posts) AS posts
    FROM file_rows JOIN keywords USING (keyword)
    GROUP BY ALL;

    CREATE TABLE totals AS
    SELECT floor($seconds / $window_seconds)::BIGINT AS "window", coalesce(sum(total), 1) AS posts
    FROM (
        SELECT seconds, min(local_seconds) AS local_seconds, any_value(total) AS total
        FROM file_rows GROUP BY seconds
    )
    GROUP BY ALL;

    DROP TABLE file_rows;
"""
_HAS_MIDNIGHTS_OF_TWO_OFFSETS = """
    SELECT bool_and(local_seconds % 86400 IN (0, 82800)) AND count(DISTINCT local_seconds % 86400) = 2
    FROM file_rows
"""
"""Whether days begin at 00:00 and at 23:00 in UTC, as those of London do: then 23:00 is the day after."""
_HOUR, _DAY = 3_600, 86_400


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
    """Yield the counts in the CSV file `path` (plain or gzip), in windows of `seasonality`.

    `window_start` and `timestamp` have one of the forms of `batch.backtest.times`; `posts` and `value` are
    whole numbers of 0 or more; `total_posts` is the posts of all keywords at that `window_start`, the same in
    all of its rows. Windows of a day are the days that the rows name, whatever their offset. Raises
    BadInputError for the first bad row, with line and reason.
    """
    file = open_csv(path, lambda names: _form(path, names) is not None, _REQUIRED)
    form = _form(path, file.named)
    if form is None:
        raise BadInputError(f"{path} line 1: the columns are {', '.join(file.named)}. {_REQUIRED}")
    with TemporaryDirectory(prefix="groundswell-backtest-") as folder:
        connection = duckdb.connect(str(Path(folder) / "counts.duckdb"))
        try:
            connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'; SET threads = {THREADS}")
            connection.execute(f"SET temp_directory = {_literal(folder)}; SET TimeZone = 'UTC'")
            time_form = _load(connection, file, form, Path(folder))
            _reject_bad_rows(connection, file, time_form)
            has_total = connection.execute("SELECT count(total) > 0 FROM file_rows").fetchall()[0][0]
            if has_total:
                _reject_two_totals(connection, file)
            _aggregate(connection, seasonality)
            hint = coarse_rows_hint(connection, seasonality)
            yield CountsTable(
                connection, seasonality, has_total=has_total, is_series=form.is_series, hint=hint
            )
        finally:
            connection.close()


def _form(path: Path, names: Sequence[str]) -> _Form | None:
    """Return the form of a file with these columns, None if it lacks one."""
    if sorted(names) == sorted(_SERIES):
        keyword = path.name.removesuffix(".gz").removesuffix(".csv")
        return _Form(_SERIES[0], _literal(keyword), _SERIES[1], "NULL", is_series=True)
    if not set(_COLUMNS) <= set(names):
        return None
    return _Form(*_COLUMNS, _TOTAL if _TOTAL in names else "NULL", is_series=False)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _load(connection: duckdb.DuckDBPyConnection, file: CsvFile, form: _Form, folder: Path) -> TimeForm:
    """Read the file into the table `file_rows`, one row per record, and return the form of its times.

    DuckDB gives up on a file that ends its lines in two ways, without naming a line: it then reads a copy.
    """
    try:
        return _load_rows(connection, file, form)
    except duckdb.Error as error:
        first_error = error
    try:
        return _load_rows(connection, file.copy_with_one_line_end(folder / "copy.csv"), form)
    except (duckdb.Error, UnicodeDecodeError, EOFError, OSError) as error:
        reason = _csv_reason(str(error if isinstance(error, duckdb.Error) else first_error))
        raise BadInputError(f"{file.path} {reason}") from error


def _load_rows(connection: duckdb.DuckDBPyConnection, file: CsvFile, form: _Form) -> TimeForm:
    rows = (
        f"(SELECT trim({form.time}) AS time_text, {form.keyword} AS keyword, {form.posts} AS posts_text, "
        f"{form.total} AS total_text FROM {_read_csv(file)})"
    )
    sample = f"WITH sample AS (SELECT time_text FROM {rows} LIMIT {SAMPLE_ROWS})"
    most_common = connection.execute(f"{sample} {MOST_COMMON_FORM}").fetchone()
    forms = possible_forms(most_common[0] if most_common else 0)
    # A full stop before three digits may separate thousands where the semicolon separates cells.
    numbers = "'[^.]*([.][0-9]{1,2})?'" if file.separator == ";" else "'.*'"
    for time_form in (*forms, forms[0]):
        connection.execute(f"""
            CREATE OR REPLACE TABLE file_rows AS
            SELECT row_number() OVER () AS record, {time_form.seconds} AS seconds,
                   {time_form.local_seconds} AS local_seconds, keyword,
                   CASE WHEN regexp_full_match(posts_text, {numbers})
                       THEN try_cast(posts_text AS DOUBLE) END AS posts,
                   CASE WHEN regexp_full_match(total_text, {numbers})
                       THEN try_cast(total_text AS DOUBLE) END AS total,
                   time_text, posts_text, total_text
            FROM {rows}
        """)
        if not connection.execute(f"SELECT 1 FROM file_rows WHERE {_IS_BAD_TIME} LIMIT 1").fetchone():
            break
    return time_form


def _read_csv(file: CsvFile) -> str:
    """Return the call that reads the file; DuckDB would take `*`, `?` and `[` in its name as a pattern."""
    columns = ", ".join(f"{_literal(name)}: 'VARCHAR'" for name in file.columns)
    path = re.sub(r"([*?\[])", r"[\1]", str(file.path))
    return (
        f"read_csv({_literal(path)}, header = true, delim = {_literal(file.separator)}, "
        f"quote = '\"', escape = '\"', auto_detect = false, columns = {{{columns}}}, "
        f"compression = '{'gzip' if file.compressed else 'none'}')"
    )


def _reject_bad_rows(connection: duckdb.DuckDBPyConnection, file: CsvFile, time_form: TimeForm) -> None:
    hint = (
        ". Write ISO 8601 in UTC or seconds since 1970"
        if time_form is FORMS[0]
        else f", unlike the others, which are {time_form.name}. Write all times in one form"
    )
    bad = connection.execute(_FIRST_BAD_ROW, {"time_hint": hint}).fetchone()
    if bad:
        raise BadInputError(f"{file.path} line {file.line_of(bad[0])}: {bad[1]}.")
    if not connection.execute("SELECT 1 FROM file_rows LIMIT 1").fetchone():
        raise BadInputError(f"{file.path} has no rows below its header. Give a file with counts.")


def _reject_two_totals(connection: duckdb.DuckDBPyConnection, file: CsvFile) -> None:
    bad = connection.execute(_FIRST_BAD_TOTAL).fetchall()[0][0]
    if bad is not None:
        reason = "total_posts is missing, or differs from another row with the same window_start"
        raise BadInputError(f"{file.path} line {file.line_of(bad)}: {reason}.")


def _aggregate(connection: duckdb.DuckDBPyConnection, seasonality: Seasonality) -> None:
    """Create `keywords`, `counts` and `totals` from `file_rows`.

    If there are no totals, 1 for each window with a row.
    """
    window = seasonality.window_seconds
    seconds = "local_seconds" if _named_by_rows(connection, window) else "seconds"
    if window == _DAY and connection.execute(_HAS_MIDNIGHTS_OF_TWO_OFFSETS).fetchall()[0][0]:
        seconds = f"({seconds} + {_HOUR})"
    connection.execute(_AGGREGATE.replace("$window_seconds", str(window)).replace("$seconds", seconds))


def _named_by_rows(connection: duckdb.DuckDBPyConnection, window_seconds: int) -> bool:
    """Return whether windows are those that the rows name, without their offsets.

    So are days, which last 23 and 25 hours where clocks change, and windows of several hours with a row each.
    """
    if window_seconds == _DAY:
        return True
    starts = f"SELECT bool_and(local_seconds % {window_seconds} = 0) FROM file_rows"
    return window_seconds > _HOUR and bool(connection.execute(starts).fetchall()[0][0])


def _csv_reason(message: str) -> str:
    """Return line and reason from DuckDB's message on a file that it cannot read."""
    line = re.search(r"Line: (\d+)", message)
    columns = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message)
    if columns:
        reason = f"{columns[2]} columns instead of {columns[1]}"
    elif "unterminated quote" in message:
        reason = "a quoted cell does not end. Close it, and write a quote in it twice"
    elif "unicode" in message:
        reason = "not UTF-8. Save the file as UTF-8"
    else:
        reason = "not CSV in UTF-8, plain or .gz. Save the file as that"
    return f"line {line[1]}: {reason}." if line else f"cannot be read: {reason}."
