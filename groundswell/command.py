"""`groundswell COMMAND`: every program of the project behind one command, each loaded when it is called."""

from typing import Annotated, NoReturn

import typer

from core.command_line import lazy_group, new_app, run
from groundswell import __version__

PROGRAM = "groundswell"
COMMANDS = {
    "send": (
        "producer.cli:send_command",
        "Send posts from files to Kafka, adding time_stamp to each and changing nothing else.",
    ),
    "simulate": (
        "producer.cli:simulate_command",
        "Write the posts of a simulated world to files, day by day, with labelled events to find.",
    ),
    "stream": (
        "streaming.command:stream_command",
        "Archive every record of the topics and raise alerts on keywords that take off.",
    ),
    "finish": (
        "streaming.finish:main",
        "Close every window up to the newest post now, without waiting for the wall clock.",
    ),
    "batch": (
        "batch.commands:days_command",
        "Run the daily batch for one or several days: from the archive to tables and statistics.",
    ),
    "audit": (
        "batch.commands:audit_command",
        "Check whether records of some days are missing or duplicated, from Kafka's offsets to the tables.",
    ),
    "rebuild": (
        "batch.commands:rebuild_command",
        "Rebuild tables, statistics and alerts from the archive after the loss of Postgres.",
    ),
    "register": (
        "batch.commands:register_command",
        "Point the catalog to the archive's newest state on S3 after its database was lost or restored.",
    ),
    "import": (
        "batch.importing.command:import_command",
        "Import posts from files into the archive without Kafka, each line exactly once.",
    ),
    "backtest": (
        "batch.backtest.command:app",
        "Apply a rule to past posts: `counts` in a file, or the archived `posts` of some days.",
    ),
    "alerts": (
        "alerts.listing:main",
        "List alerts, or follow them as they open and are confirmed, withdrawn or resolved.",
    ),
    "web": (
        "web.command:web_command",
        "Serve the page of alerts, incidents, trends and the pipeline until Ctrl-C or SIGTERM.",
    ),
    "explain": (
        "alerts.explain.command:main",
        "Explain why a keyword alerted, and check every stored figure of the alert against the archive.",
    ),
    "keywords": (
        "core.keywords_command:keywords_command",
        "Print the keywords of a text, one a line, as counting finds them; needs no server.",
    ),
    "export": (
        "sql.commands:export_command",
        "Export a table, the archive or the result of a query to a CSV or Parquet file.",
    ),
    "status": (
        "sql.commands:status_command",
        "Show the progress and lag of every stage, alerts, table sizes, and what needs attention.",
    ),
    "metrics": (
        "sql.commands:metrics_command",
        "Serve the figures of `groundswell status` to Prometheus until Ctrl-C or SIGTERM.",
    ),
    "migrate": (
        "sql.commands:migrate_command",
        "Upgrade the database to the newest schema; safe to run again.",
    ),
}
"""`module:attribute` and the first line of the help, by the name of the command."""

app = new_app(cls=lazy_group(COMMANDS), no_args_is_help=True)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"{PROGRAM} {__version__}")
        raise typer.Exit


@app.callback()
def commands(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Find keywords that take off on TikTok: send posts, detect, and learn what is normal.

    The programs read their settings from the environment; settings.example.env lists every variable.
    """


def main() -> NoReturn:
    """Run the command line."""
    run(app, program=PROGRAM)
