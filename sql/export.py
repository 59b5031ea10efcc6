"""Export of a table or query to CSV or Parquet: settings and a source in, a file or standard output out.

A query that names `raw_posts` runs in DuckDB, which sees archive and tables side by side; any other query
runs in Postgres, in PostgreSQL's own SQL. Rows are streamed, in a read-only transaction.
"""

import difflib
import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import duckdb

from core.catalog import TABLE
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from sql.connection import query as named_query
from sql.connection import transaction
from sql.lake import archive_statements, quoted, tables_statements
from sql.spreadsheet import GUARD, as_text, guarded_column, identifier, is_text

STANDARD_OUTPUT = "-"
MEMORY = "1GB"
"""Memory that DuckDB may use before it spills to disk."""
_FORMATS = {
    ".csv": "FORMAT csv, HEADER",
    ".csv.gz": "FORMAT csv, HEADER, COMPRESSION gzip",
    ".csv.zst": "FORMAT csv, HEADER, COMPRESSION zstd",
    ".parquet": "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480",
}
_NAMES_ARCHIVE = re.compile(rf"\b{TABLE}\b", re.IGNORECASE)
_POSTGRES_ERROR = re.compile(r"ERROR:\s+(.+)")


@dataclass(frozen=True)
class Source:
    """What to export: SQL for DuckDB with the archive (`in_archive`) or for Postgres."""

    select: str
    in_archive: bool


def table_source(settings: Settings, table: str) -> Source:
    """Return all rows of a table, a view or the archive.

    Raises BadInputError with similar names if there is no such table.
    """
    if table == TABLE:
        return Source(f"SELECT * FROM {TABLE}", in_archive=True)
    with transaction(settings, application_name="groundswell export") as cursor:
        cursor.execute(named_query("exportable_tables"))
        tables = [str(row[0]) for row in cursor.fetchall()]
    if table not in tables:
        similar = difflib.get_close_matches(table, [*tables, TABLE], n=3, cutoff=0.5)
        hint = (
            f"Did you mean {' or '.join(similar)}?"
            if similar
            else f"There are: {', '.join([*tables, TABLE])}."
        )
        raise BadInputError(f"There is no table {table}. {hint}")
    return Source(f"SELECT * FROM public.{identifier(table)}", in_archive=False)


def query_source(query: str) -> Source:
    """Return the rows of one SELECT."""
    # On a line of its own, so that a trailing comment does not hide the closing parenthesis.
    return Source(
        f"SELECT * FROM (\n{query.strip().rstrip(';')}\n) AS query",
        in_archive=bool(_NAMES_ARCHIVE.search(query)),
    )


def export(
    settings: Settings, source: Source, out: str, *, spreadsheet_safe: bool = True, separator: str = ","
) -> int:
    """Write the rows of `source` to file `out`, or as CSV to standard output (`-`); return their number.

    A file is written completely or not at all. Raises BadInputError and NotReadyError.
    """
    options = format_of(out)
    is_csv = "parquet" not in options
    with _errors_translated(settings, out), _database(settings, source) as database, _target(out) as target:
        select = f"SELECT * FROM {_rows(source)}"
        if is_csv:
            select, texts = _cells(database, source, spreadsheet_safe)
            options += f", DELIMITER {quoted(separator)}"
            options += f", FORCE_QUOTE ({', '.join(texts)})" if texts else ""
        copied = database.execute(f"COPY ({select}) TO {quoted(target)} ({options})").fetchone()
    return int(copied[0]) if copied else 0


def format_of(out: str) -> str:
    """Return DuckDB's COPY options for a file name; raises BadInputError.

    >>> format_of("posts.parquet")
    'FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480'
    """
    name = Path(out).name.lower()
    for suffix in sorted(_FORMATS, key=len, reverse=True):
        if name.endswith(suffix):
            return _FORMATS[suffix]
    if out == STANDARD_OUTPUT:
        return _FORMATS[".csv"]
    raise BadInputError(
        f"The name {out} does not tell the format. "
        f"End it in one of {', '.join(_FORMATS)}, or use - for CSV on standard output."
    )


@contextmanager
def _database(settings: Settings, source: Source) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with what `source` reads; beyond its memory limit it spills to a temporary folder."""
    statements = [
        *(archive_statements(settings) if source.in_archive else ["SET TimeZone = 'UTC'"]),
        *tables_statements(settings),
        GUARD,
    ]
    with tempfile.TemporaryDirectory(prefix="groundswell-export-") as folder, duckdb.connect() as database:
        # Archive rows come in any order unless the query sorts: keeping the order of the files would buffer
        # rows.
        database.execute(f"SET preserve_insertion_order = {not source.in_archive}")
        database.execute(
            f"SET memory_limit = '{MEMORY}'; SET threads = 2; SET temp_directory = {quoted(folder)}"
        )
        for statement in statements:
            database.execute(statement)
        if source.in_archive:
            if not any("CREATE VIEW" in statement for statement in statements):
                raise NotReadyError(
                    "There is no archive yet. "
                    "Start the stream (groundswell stream), which creates it, and run this again."
                )
            database.execute("SET search_path = 'memory.main,tables.public'")
        yield database


def _rows(source: Source) -> str:
    """Return what DuckDB selects `source` from."""
    return f"({source.select})" if source.in_archive else f"postgres_query('tables', {quoted(source.select)})"


def _cells(
    database: duckdb.DuckDBPyConnection, source: Source, spreadsheet_safe: bool
) -> tuple[str, list[str]]:
    """Return `source` as a SELECT with the cells as a CSV shows them, and the columns to quote throughout."""
    described = database.execute(f"DESCRIBE SELECT * FROM {_rows(source)}").fetchall()
    cells, texts = [], []
    for name, column_type in ((str(row[0]), str(row[1])) for row in described):
        heading = identifier(name)
        cell = as_text(name, column_type) if column_type == "BLOB" else heading
        if spreadsheet_safe:
            cell = guarded_column(name, column_type)
            heading = identifier(database.execute("SELECT guarded(?)", [name]).fetchall()[0][0])
            texts += [heading] if is_text(column_type) else []
        cells.append(f"{cell} AS {heading}")
    return f"SELECT {', '.join(cells)} FROM {_rows(source)} AS exported", texts


@contextmanager
def _target(out: str) -> Iterator[str]:
    """Yield the path DuckDB writes to: a temporary file next to `out`, renamed when complete, or a pipe."""
    if out == STANDARD_OUTPUT:
        with _pipe_to(sys.stdout.buffer) as path:
            yield path
        return
    final = Path(out)
    if not final.parent.is_dir():
        raise BadInputError(f"There is no folder {final.parent}. Create it, or choose another file.")
    partial = final.with_name(f".{final.name}.{os.getpid()}.partial")
    try:
        yield str(partial)
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(final)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def _pipe_to(output: BinaryIO) -> Iterator[str]:
    """Yield the path of a pipe that is copied to `output`.

    Opening standard output by its path instead would truncate a file that it is redirected to.
    """
    reading, writing = os.pipe()
    failed: list[OSError] = []

    def copy() -> None:
        with os.fdopen(reading, "rb", buffering=0) as pipe:
            try:
                while data := pipe.read(1 << 16):
                    output.write(data)
                output.flush()
            except OSError as error:
                failed.append(error)

    thread = threading.Thread(target=copy, daemon=True)
    thread.start()
    try:
        yield f"/dev/fd/{writing}"
    finally:
        os.close(writing)
        thread.join()
        if failed:
            raise failed[0]


@contextmanager
def _errors_translated(settings: Settings, out: str) -> Iterator[None]:
    """Raise errors of DuckDB and of the disk as our own, with one sentence."""
    password = settings.postgres_password.get_secret_value()
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise BadInputError(f"{out} cannot be written: {error.strerror}. {_ROOM}") from error
    except duckdb.Error as error:
        text = str(error).replace(password, "***") if password else str(error)
        if "Could not write" in text or "No space left" in text or "Cannot open file" in text:
            raise BadInputError(
                f"{out} cannot be written: {text.rpartition(': ')[2].strip()}. {_ROOM}"
            ) from error
        if "Could not connect" in text or "HTTP" in text:
            server = settings.s3_endpoint or f"AWS ({settings.s3_region})"
            why = text.strip().partition("\n")[0]
            raise NotReadyError(
                f"S3 does not answer at {server}. Start it or correct the GROUNDSWELL_S3_ variables. ({why})"
            ) from error
        raise BadInputError(_query_error(text)) from error


_ROOM = "No partial file is left. Free some space or choose another folder, and run this again."


def _query_error(text: str) -> str:
    """Return what is wrong with a query, from DuckDB's message, which may contain one of Postgres."""
    postgres_error = _POSTGRES_ERROR.search(text)
    if postgres_error is None:
        return f"DuckDB rejects the query: {text.strip()}"
    hint = " Ask its owner for SELECT on it." if "permission denied" in postgres_error[1] else ""
    return f"Postgres rejects the query: {postgres_error[1].strip()}.{hint}"
