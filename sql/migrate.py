"""Applies the numbered migrations of `sql/migrations` with yoyo, and checks that all are applied."""

from pathlib import Path
from urllib.parse import quote, urlencode

import psycopg2
from psycopg2.errors import UndefinedTable
from yoyo import get_backend, read_migrations

from core.errors import NotReadyError
from core.settings import Settings
from sql.connection import postgres_away, query, transaction

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(settings: Settings) -> list[str]:
    """Apply the missing migrations in order, under yoyo's lock, and return their ids."""
    password = quote(settings.postgres_password.get_secret_value(), safe="")
    backend = get_backend(
        f"postgresql://{quote(settings.postgres_user, safe='')}:{password}@{settings.postgres_host}"
        f":{settings.postgres_port}/{settings.postgres_database}?{urlencode(settings.postgres_tls_arguments())}"
    )
    migrations = read_migrations(str(MIGRATIONS))
    try:
        with backend.lock():
            missing = backend.to_apply(migrations)
            backend.apply_migrations(missing)
            return [migration.id for migration in missing]
    finally:
        backend.connection.close()


def check_migrated(settings: Settings) -> None:
    """Raise NotReadyError if Postgres does not answer, or its tables are missing or another version's."""
    known = {path.stem for path in MIGRATIONS.glob("*.sql")}
    try:
        with transaction(settings) as cursor:
            cursor.execute(query("applied_migrations"))
            applied = {row[0] for row in cursor.fetchall()}
    except UndefinedTable as error:
        raise NotReadyError(
            f"The database {settings.postgres_database} has no tables yet. Run: groundswell migrate"
        ) from error
    except psycopg2.OperationalError as error:
        raise postgres_away(settings, error) from error
    if missing := sorted(known - applied):
        raise NotReadyError(
            f"The tables in {settings.postgres_database} are an older version's: "
            f"{', '.join(missing)} not applied. "
            "Run: groundswell migrate (docs/upgrade.md)"
        )
    if newer := sorted(applied - known):
        raise NotReadyError(
            f"The tables in {settings.postgres_database} are a newer version's: "
            f"this one does not know {', '.join(newer)}. "
            "Run the newer version, or restore a backup from before (docs/backup.md)."
        )
