"""`python -m sql migrate|export`: the schema, and tables and queries as files."""

import sys
import time
from typing import Annotated

import psycopg2
import typer

from core.errors import BadInputError, GroundswellError
from core.settings import read_settings
from sql import export as exporting
from sql.migrate import migrate

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


@app.callback()
def commands() -> None:
    """The tables of Groundswell."""


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database to the newest schema: apply the migrations that it does not have yet; safe to run again."""
    applied = migrate(read_settings())
    typer.echo(f"{len(applied)} migrations applied" + (": " + ", ".join(applied) if applied else ", the schema is up to date"))


@app.command("export")
def export_command(
    table: Annotated[str | None, typer.Option(help="a table or view, or raw_posts, the archive", show_default=False)] = None,
    query: Annotated[str | None, typer.Option(help="a SELECT: DuckDB's SQL where it names raw_posts, else PostgreSQL's")] = None,
    out: Annotated[str, typer.Option(help="file.csv, .csv.gz, .csv.zst or .parquet; - is CSV on standard output")] = "-",
    spreadsheet_safe: Annotated[
        bool, typer.Option("--spreadsheet-safe/--raw", help="in CSV: an apostrophe before formulas and before numbers of 16 digits or more")
    ] = True,
) -> None:
    """Write a table or the rows of a query to a file, whole or not at all."""
    if (table is None) == (query is None):
        raise BadInputError('Give either --table posts or --query "select ...".')
    exporting.format_of(out)
    settings = read_settings()
    started = time.monotonic()
    try:
        source = exporting.table_source(settings, table) if table else exporting.query_source(query or "")
        rows = exporting.export(settings, source, out, spreadsheet_safe=spreadsheet_safe)
    except psycopg2.OperationalError as error:
        raise exporting.postgres_away(settings, error) from error
    typer.echo(f"{rows:,} rows to {'standard output' if out == '-' else out} in {time.monotonic() - started:.1f} s", err=True)


def main() -> None:
    """Run the command; an error of ours is one sentence and exit code 1."""
    try:
        app()
    except GroundswellError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
