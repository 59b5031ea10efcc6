"""`python -m sql migrate|export|status|metrics`: the schema, tables and queries as files, and the figures of the pipeline."""

import signal
import sys
import threading
import time
from datetime import UTC, datetime
from typing import Annotated

import psycopg2
import typer

from core.errors import BadInputError, GroundswellError, NotReadyError
from core.settings import read_settings
from sql import export as exporting
from sql.connection import postgres_away
from sql.figures import status_text
from sql.migrate import migrate

app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


@app.callback()
def commands() -> None:
    """The tables of Groundswell."""


@app.command("migrate")
def migrate_command() -> None:
    """Bring the database to the newest schema: apply the migrations that it does not have yet; safe to run again."""
    applied = migrate(read_settings())
    typer.echo(
        f"{len(applied)} migrations applied"
        + (": " + ", ".join(applied) if applied else ", the schema is up to date")
    )


@app.command("export")
def export_command(
    table: Annotated[
        str | None, typer.Option(help="a table or view, or raw_posts, the archive", show_default=False)
    ] = None,
    query: Annotated[
        str | None, typer.Option(help="a SELECT: DuckDB's SQL where it names raw_posts, else PostgreSQL's")
    ] = None,
    out: Annotated[
        str, typer.Option(help="file.csv, .csv.gz, .csv.zst or .parquet; - is CSV on standard output")
    ] = "-",
    spreadsheet_safe: Annotated[
        bool,
        typer.Option(
            "--spreadsheet-safe/--raw",
            help="in CSV: an apostrophe before formulas and before numbers of 16 digits or more",
        ),
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
        raise postgres_away(settings, error) from error
    typer.echo(
        f"{rows:,} rows to {'standard output' if out == '-' else out} in {time.monotonic() - started:.1f} s",
        err=True,
    )


@app.command("status")
def status_command() -> None:
    """How far everything is: posts in, archived, counted, rejected, late; lag, last complete day, alerts, table sizes; what needs you."""
    settings = read_settings()
    try:
        typer.echo(status_text(settings, now=datetime.now(UTC)))
    except psycopg2.errors.UndefinedTable as error:
        raise NotReadyError("The database has not the newest tables. Run: python -m sql migrate") from error
    except psycopg2.OperationalError as error:
        raise postgres_away(settings, error) from error


@app.command("metrics")
def metrics_command(
    port: Annotated[int, typer.Option(min=1, max=65535, help="port to listen on")] = 9464,
    address: Annotated[
        str, typer.Option(help="address to listen on; 0.0.0.0 for all, without a password")
    ] = "127.0.0.1",
) -> None:
    """The same figures for Prometheus, read at every scrape, until Ctrl-C or SIGTERM."""
    from sql.metrics import serve

    settings = read_settings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    typer.echo(f"http://{address}:{port}/metrics", err=True)
    serve(settings, address=address, port=port, stop=stop)


def main() -> None:
    """Run the command; an error of ours is one sentence and exit code 1."""
    try:
        app()
    except GroundswellError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
