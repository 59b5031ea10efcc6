"""DuckDB over the archive and the tables: settings in, the SQL that makes `raw_posts` and Postgres's tables visible out.

For `make sql`, the export, and whoever asks the archive a question without Spark.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
from psycopg2.errors import UndefinedTable

from core.catalog import CATALOG, NAMESPACE, TABLE, duckdb_secret, pyiceberg_properties
from core.errors import NotReadyError
from core.settings import Settings
from sql.connection import transaction

if TYPE_CHECKING:
    from pyiceberg.table import Table


@contextmanager
def open_archive(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with the archive as the view `raw_posts`, as `archive_statements` makes it."""
    with duckdb.connect() as database:
        for statement in archive_statements(settings):
            database.execute(statement)
        yield database


def archive_statements(settings: Settings) -> list[str]:
    """SQL for DuckDB that makes the view `raw_posts`, the archive as it is now; without the view where there is none yet."""
    archive = metadata_location(settings)
    return [
        *(f"LOAD {quoted(str(extension_path(name)))}" for name in ("avro", "httpfs", "iceberg")),
        "SET TimeZone = 'UTC'",
        f"CREATE SECRET archive (TYPE s3, {', '.join(f'{name} {_literal(value)}' for name, value in _secret(settings).items())})",
        *([f"CREATE VIEW raw_posts AS SELECT * FROM iceberg_scan({quoted(archive)})"] if archive else []),
    ]


def tables_statements(settings: Settings) -> list[str]:
    """SQL for DuckDB that attaches the database of the tables as `tables`, read only."""
    arguments = settings.postgres_connect_arguments()
    wanted = ("host", "port", "dbname", "user", "password", *settings.postgres_tls_arguments())
    connection = " ".join(f"{name}={_libpq(arguments[name])}" for name in wanted)
    return [
        f"LOAD {quoted(str(extension_path('postgres_scanner')))}",
        f"ATTACH {quoted(connection)} AS tables (TYPE postgres, READ_ONLY)",
    ]


def metadata_location(settings: Settings) -> str | None:
    """Where the newest snapshot of the archive begins, from the Iceberg catalog; None where there is no archive yet."""
    if settings.catalog_type != "jdbc":
        return _location_by_pyiceberg(settings)
    try:
        with transaction(
            settings.model_copy(update={"postgres_database": settings.catalog_database})
        ) as cursor:
            cursor.execute(
                "SELECT metadata_location FROM iceberg_tables WHERE catalog_name = %s AND table_namespace = %s AND table_name = %s",
                (CATALOG, NAMESPACE, TABLE),
            )
            row = cursor.fetchone()
    except UndefinedTable:
        return None
    return str(row[0]) if row else None


def _location_by_pyiceberg(settings: Settings) -> str | None:
    from pyiceberg.exceptions import NoSuchTableError

    try:
        return load_archive(settings).metadata_location
    except NoSuchTableError:
        return None


def load_archive(settings: Settings) -> "Table":
    """The archive as pyiceberg's table; raises pyiceberg's NoSuchTableError where there is none yet."""
    from pyiceberg.catalog import load_catalog

    return load_catalog(CATALOG, **pyiceberg_properties(settings)).load_table((NAMESPACE, TABLE))


def _secret(settings: Settings) -> dict[str, str | bool]:
    """What DuckDB needs to read the bucket, by the names of CREATE SECRET."""
    if settings.s3_access_key_id and settings.s3_secret_access_key:
        key, secret, token = settings.s3_access_key_id, settings.s3_secret_access_key.get_secret_value(), None
    else:
        key, secret, token = _credentials_of_the_chain()
    return duckdb_secret(settings, key_id=key, secret=secret, session_token=token)


def _literal(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else quoted(value)


def _credentials_of_the_chain() -> tuple[str, str, str | None]:
    """Key, secret and token that AWS's default chain gives; empty where it gives none."""
    import boto3

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        return "", "", None
    frozen = credentials.get_frozen_credentials()
    return str(frozen.access_key), str(frozen.secret_key), frozen.token


def extension_path(name: str) -> Path:
    """The file of a DuckDB extension inside its wheel."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise NotReadyError(f"DuckDB's extension {name} is not installed. Run `make setup`.")
    return next(Path(spec.submodule_search_locations[0]).rglob(f"{name}.duckdb_extension"))


def quoted(text: str) -> str:
    """`text` as a string of SQL.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _libpq(value: object) -> str:
    r"""`value` as libpq reads it in a connection string.

    >>> _libpq("it's a \\")
    "'it\\'s a \\\\'"
    """
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
