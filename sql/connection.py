"""Postgres for streaming and batch: connections, named queries from `sql/queries`, COPY in both directions."""

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from core.errors import NotReadyError
from core.settings import Settings

QUERIES = Path(__file__).parent / "queries"


def connect(settings: Settings, *, application_name: str = "groundswell") -> Connection:
    """An open connection in UTC; the caller closes it. Raises psycopg2.OperationalError where the server is away."""
    arguments: dict[str, Any] = settings.postgres_connect_arguments()
    connection: Connection = psycopg2.connect(
        **arguments, application_name=application_name, connect_timeout=10
    )
    return connection


@contextmanager
def transaction(settings: Settings, *, application_name: str = "groundswell") -> Iterator[Cursor]:
    """A cursor inside one transaction on a connection of its own: committed at the end, rolled back on any error."""
    connection = connect(settings, application_name=application_name)
    try:
        with connection, connection.cursor() as cursor:
            yield cursor
    finally:
        connection.close()


@cache
def query(name: str) -> str:
    """The text of `sql/queries/<name>.sql`; parameters in it are `%(name)s`."""
    return (QUERIES / f"{name}.sql").read_text()


_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": None})


def copy_rows(cursor: Cursor, table: str, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """COPY `rows` into `columns` of `table`; None becomes NULL, NUL characters (which Postgres refuses) are dropped."""
    lines = io.StringIO()
    for row in rows:
        lines.write(
            "\t".join("\\N" if cell is None else str(cell).translate(_ESCAPES) for cell in row) + "\n"
        )
    lines.seek(0)
    cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", lines)


def postgres_away(settings: Settings, error: psycopg2.Error | str) -> NotReadyError:
    """The sentence for a database that does not answer, for the error or its last line."""
    why = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
    where = f"{settings.postgres_host}:{settings.postgres_port}"
    return NotReadyError(f"Postgres does not answer at {where}. Start it and run this again. ({why})")
