"""Applies the numbered migrations of `sql/migrations` with yoyo, under its lock."""

from pathlib import Path
from urllib.parse import quote

from yoyo import get_backend, read_migrations

from core.settings import Settings

MIGRATIONS = Path(__file__).parent / "migrations"


def migrate(settings: Settings) -> list[str]:
    """Apply what is missing, in order, and return the ids of what was applied."""
    password = quote(settings.postgres_password.get_secret_value(), safe="")
    backend = get_backend(
        f"postgresql://{quote(settings.postgres_user, safe='')}:{password}@{settings.postgres_host}"
        f":{settings.postgres_port}/{settings.postgres_database}?sslmode={settings.postgres_sslmode}"
    )
    migrations = read_migrations(str(MIGRATIONS))
    try:
        with backend.lock():
            missing = backend.to_apply(migrations)
            backend.apply_migrations(missing)
            return [migration.id for migration in missing]
    finally:
        backend.connection.close()
