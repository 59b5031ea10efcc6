"""The commands that need Postgres alone: `migrate`, `export`, `status`, `metrics`."""

import signal
import threading
import time
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

import psycopg2
import typer

from core.command_line import errors_as_sentences, new_app
from core.errors import BadInputError, NotReadyError
from core.settings import read_settings
from sql import export as exporting
from sql.failures import postgres_sentence
from sql.figures import status_text
from sql.migrate import migrate


class Separator(StrEnum):
    """What separates the cells of a CSV file."""

    comma = ","
    semicolon = ";"


app = new_app(no_args_is_help=True)


@app.callback()
def commands() -> None:
    """Work with the tables of Groundswell."""


@app.command("migrate")
@errors_as_sentences(translate=postgres_sentence)
def migrate_command() -> None:
    """Upgrade the database to the newest schema; safe to run again.

    Applies the migrations that the database does not have yet.
    """
    applied = migrate(read_settings())
    typer.echo(
        f"{len(applied)} migrations applied"
        + (": " + ", ".join(applied) if applied else ", the schema is up to date")
    )


@app.command("export")
@errors_as_sentences(translate=postgres_sentence)
def export_command(
    table: Annotated[
        str | None,
        typer.Option(help="Table or view to export; raw_posts is the archive.", show_default=False),
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            help="SELECT whose rows to export: in DuckDB's SQL if it names raw_posts, else in PostgreSQL's.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        str,
        typer.Option(
            help="File to write: .csv, .csv.gz, .csv.zst or .parquet; - for CSV on standard output."
        ),
    ] = "-",
    spreadsheet_safe: Annotated[
        bool,
        typer.Option(
            "--spreadsheet-safe/--raw",
            help="In CSV, write texts that a spreadsheet would change or run as formulas that show them.",
        ),
    ] = True,
    separator: Annotated[
        Separator, typer.Option(help="What separates the cells of CSV: , or ; as the spreadsheet expects.")
    ] = Separator.comma,
) -> None:
    """Export a table, the archive or the result of a query to a CSV or Parquet file.

    The file is written completely or not at all.
    """
    if (table is None) == (query is None):
        raise BadInputError('Give either --table posts or --query "select ...".')
    exporting.format_of(out)
    settings = read_settings()
    started = time.monotonic()
    source = exporting.table_source(settings, table) if table else exporting.query_source(query or "")
    rows = exporting.export(
        settings, source, out, spreadsheet_safe=spreadsheet_safe, separator=separator.value
    )
    destination = "standard output" if out == "-" else out
    typer.echo(f"{rows:,} rows to {destination} in {time.monotonic() - started:.1f} s", err=True)


@app.command("status")
@errors_as_sentences(translate=postgres_sentence)
def status_command() -> None:
    """Show the progress and lag of every stage, alerts, table sizes, and what needs attention.

    Progress is counted in posts: sent, archived, counted, rejected and late; then the last complete day.
    """
    try:
        typer.echo(status_text(read_settings(), now=datetime.now(UTC)))
    except psycopg2.errors.UndefinedTable as error:
        raise NotReadyError("The database lacks the newest tables. Run: groundswell migrate") from error


@app.command("metrics")
@errors_as_sentences(translate=postgres_sentence)
def metrics_command(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port to listen on.")] = 9464,
    address: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 for all of them, without a password.")
    ] = "127.0.0.1",
) -> None:
    """Serve the figures of `groundswell status` to Prometheus until Ctrl-C or SIGTERM.

    They are read from Postgres at every scrape.
    """
    from sql.metrics import serve

    settings = read_settings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    typer.echo(f"http://{address}:{port}/metrics", err=True)
    serve(settings, address=address, port=port, stop=stop)
