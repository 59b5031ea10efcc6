"""Prompts on the stack: psql on the tables, and DuckDB over archive and tables side by side."""

import os

from core.errors import NotReadyError
from core.settings import Settings
from deploy.local.layout import Layout, write_private
from deploy.local.servers.postgres import installation
from deploy.local.shell import search_path
from sql.lake import archive_statements, tables_statements


def psql_command(query: str | None) -> list[str]:
    """Return the command of the wheel's psql, or of one query; the connection comes from the environment."""
    psql = str(installation() / "bin" / "psql")
    return [psql, "-X", "-v", "ON_ERROR_STOP=1", *(["-c", query] if query else [])]


def duckdb_command(layout: Layout, settings: Settings, query: str | None) -> list[str]:
    """Return the command of DuckDB's shell with archive and tables attached, or of one query."""
    preparation = layout.run / "duckdb.sql"
    write_private(preparation, preparation_of(settings))
    program = next((str(folder / "duckdb") for folder in search_path() if (folder / "duckdb").exists()), None)
    if program is None:
        raise NotReadyError("DuckDB's shell is not installed. Run `make setup`.")
    return [program, "-init", str(preparation), *(["-c", query] if query else [])]


def preparation_of(settings: Settings) -> str:
    """Return SQL for DuckDB: `raw_posts` is the current archive, other tables are Postgres's, read-only."""
    statements = [
        *archive_statements(settings),
        *tables_statements(settings),
        "SET search_path = 'memory.main,tables.public'",
    ]
    return "\n".join([".output /dev/null", *(f"{statement};" for statement in statements), ".output", ""])


def become(command: list[str], environment: dict[str, str]) -> None:
    """Replace this process by `command`."""
    os.execvpe(command[0], command, environment)  # noqa: S606, a list of arguments of our own
