"""DuckDB over archive and tables: settings in, SQL that defines `raw_posts` and attaches Postgres out.

For `make sql`, the export, and questions to the archive without Spark.
"""

import os
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
from sql.connection import query, transaction

if TYPE_CHECKING:
    from pyiceberg.table import Table


@contextmanager
def open_archive(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """Yield DuckDB with the archive as the view `raw_posts`, as defined by `archive_statements`."""
    with duckdb.connect() as database:
        for statement in archive_statements(settings):
            database.execute(statement)
        yield database


def archive_statements(settings: Settings) -> list[str]:
    """Return SQL for DuckDB that creates the view `raw_posts`, the archive as of now, if there is one."""
    archive = metadata_location(settings)
    bundle = os.environ.get("AWS_CA_BUNDLE")  # AWS's clients in Python read it themselves
    secret = ", ".join(f"{name} {_literal(value)}" for name, value in _secret(settings).items())
    return [
        *(f"LOAD {quoted(str(extension_path(name)))}" for name in ("avro", "httpfs", "iceberg")),
        "SET TimeZone = 'UTC'",
        *([f"SET ca_cert_file = {quoted(bundle)}"] if bundle else []),
        f"CREATE SECRET archive (TYPE s3, {secret})",
        *([f"CREATE VIEW raw_posts AS SELECT * FROM iceberg_scan({quoted(archive)})"] if archive else []),
    ]


def tables_statements(settings: Settings) -> list[str]:
    """Return SQL for DuckDB that attaches the tables' database as `tables`, read-only."""
    arguments = settings.postgres_connect_arguments()
    names = ("host", "port", "dbname", "user", "password", *settings.postgres_tls_arguments())
    connection = " ".join(f"{name}={_libpq_value(arguments[name])}" for name in names)
    return [
        f"LOAD {quoted(str(extension_path('postgres_scanner')))}",
        f"ATTACH {quoted(connection)} AS tables (TYPE postgres, READ_ONLY)",
    ]


def metadata_location(settings: Settings) -> str | None:
    """Return the URI of the archive's current metadata file from the catalog; None without an archive."""
    if settings.catalog_type != "jdbc":
        return _location_by_pyiceberg(settings)
    catalog = settings.model_copy(update={"postgres_database": settings.catalog_database})
    try:
        with transaction(catalog) as cursor:
            cursor.execute(
                query("metadata_location"), {"catalog": CATALOG, "namespace": NAMESPACE, "table": TABLE}
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
    """Return the archive as a pyiceberg table; raises pyiceberg's NoSuchTableError if there is none yet."""
    from pyiceberg.catalog import load_catalog

    return load_catalog(CATALOG, **pyiceberg_properties(settings)).load_table((NAMESPACE, TABLE))


def _secret(settings: Settings) -> dict[str, str | bool]:
    """Return what DuckDB needs to read the bucket, by the option names of CREATE SECRET."""
    if settings.s3_access_key_id and settings.s3_secret_access_key:
        key, secret, token = settings.s3_access_key_id, settings.s3_secret_access_key.get_secret_value(), None
    else:
        key, secret, token = _default_credentials()
    return duckdb_secret(settings, key_id=key, secret=secret, session_token=token)


def _literal(value: str | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else quoted(value)


def _default_credentials() -> tuple[str, str, str | None]:
    """Return key, secret and token from AWS's default credential chain; empty if it finds none."""
    import boto3

    credentials = boto3.Session().get_credentials()
    if credentials is None:
        return "", "", None
    frozen = credentials.get_frozen_credentials()
    return str(frozen.access_key), str(frozen.secret_key), frozen.token


def extension_path(name: str) -> Path:
    """Return the file of a DuckDB extension inside its wheel."""
    spec = find_spec(f"duckdb_extension_{name}")
    if spec is None or not spec.submodule_search_locations:
        raise NotReadyError(f"DuckDB's extension {name} is not installed. Run `make setup`.")
    return next(Path(spec.submodule_search_locations[0]).rglob(f"{name}.duckdb_extension"))


def quoted(text: str) -> str:
    """Return `text` as an SQL string literal.

    >>> quoted("it's")
    "'it''s'"
    """
    return "'" + text.replace("'", "''") + "'"


def _libpq_value(value: object) -> str:
    r"""Return `value` quoted for a libpq connection string.

    >>> _libpq_value("it's a \\")
    "'it\\'s a \\\\'"
    """
    return "'" + str(value).replace("\\", "\\\\").replace("'", "\\'") + "'"
