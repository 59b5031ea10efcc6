"""Prompts on the stack: psql on the tables, and DuckDB over archive and tables side by side."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import duckdb
from psycopg2.errors import UndefinedTable

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local.layout import Layout, write_private
from deploy.local.postgres import installation
from deploy.local.shell import search_path
from sql.connection import transaction


def psql_command(query: str | None) -> list[str]:
    """The wheel's psql, or one query through it; the connection comes from the environment."""
    psql = str(installation() / "bin" / "psql")
    return [psql, "-X", "-v", "ON_ERROR_STOP=1", *(["-c", query] if query else [])]


def duckdb_command(layout: Layout, settings: Settings, query: str | None) -> list[str]:
    """DuckDB's shell with archive and tables attached, or one query through it."""
    preparation = layout.run / "duckdb.sql"
    write_private(preparation, preparation_of(settings))
    program = next((str(folder / "duckdb") for folder in search_path() if (folder / "duckdb").exists()), None)
    if program is None:
        raise NotReadyError("DuckDB's shell is not installed. Run `make setup`.")
    return [program, "-init", str(preparation), *(["-c", query] if query else [])]


def preparation_of(settings: Settings) -> str:
    """SQL for DuckDB: `raw_posts` is the archive as it is now, every other table is Postgres's, read only."""
    arguments = settings.postgres_connect_arguments()
    connection = " ".join(f"{name}={arguments[name]}" for name in ("host", "port", "dbname", "user", "password", "sslmode"))
    statements = [
        *archive_statements(settings),
        f"LOAD {_quoted(str(extension_path('postgres_scanner')))}",
        f"ATTACH {_quoted(connection)} AS tables (TYPE postgres, READ_ONLY)",
        "SET search_path = 'memory.main,tables.public'",
    ]
    return "\n".join([".output /dev/null", *(f"{statement};" for statement in statements), ".output", ""])


@contextmanager
def open_archive(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the archive as the view `raw_posts`, as `archive_statements` makes it."""
    with duckdb.connect() as database:
        for statement in archive_statements(settings):
            database.execute(statement)
        yield database


def archive_statements(settings: Settings) -> list[str]:
    """SQL for DuckDB that makes the view `raw_posts`, the archive as it is now; without the view where there is none yet."""
    secret = settings.s3_secret_access_key
    endpoint = (settings.s3_endpoint or "").removeprefix("http://")
    archive = metadata_location(settings)
    return [
        *(f"LOAD {_quoted(str(extension_path(name)))}" for name in ("avro", "httpfs", "iceberg")),
        "SET TimeZone = 'UTC'",
        f"CREATE SECRET archive (TYPE s3, KEY_ID {_quoted(settings.s3_access_key_id or '')}, REGION {_quoted(settings.s3_region)}, "
        f"SECRET {_quoted(secret.get_secret_value() if secret else '')}, ENDPOINT {_quoted(endpoint)}, URL_STYLE 'path', USE_SSL false)",
        *([f"CREATE VIEW raw_posts AS SELECT * FROM iceberg_scan({_quoted(archive)})"] if archive else []),
    ]


def metadata_location(settings: Settings) -> str | None:
    """Where the newest snapshot of the archive begins, from the Iceberg catalog; None where there is no archive yet."""
    database = settings.catalog_jdbc_url.rpartition("/")[2]
    try:
        with transaction(settings.model_copy(update={"postgres_database": database})) as cursor:
            cursor.execute(
                "SELECT metadata_location FROM iceberg_tables "
                "WHERE catalog_name = 'lake' AND table_namespace = 'tiktok' AND table_name = 'raw_posts'"
            )
            row = cursor.fetchone()
    except UndefinedTable:
        return None
    return str(row[0]) if row else None


def extension_path(name: str) -> Path:
    """The file of a DuckDB extension inside its wheel."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise NotReadyError(f"DuckDB's extension {name} is not installed. Run `make setup`.")
    return next(Path(spec.submodule_search_locations[0]).rglob(f"{name}.duckdb_extension"))


def become(command: list[str], environment: dict[str, str]) -> None:
    """Replace this process by `command`."""
    os.execvpe(command[0], command, environment)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
