"""The commands of the batch: `days` (the default), `audit`, `rebuild`, `register`, `import`."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from batch.arguments import parse_day, parse_days, parse_steps
from batch.audit import audit, lines_of
from batch.days import only_one_batch
from batch.failures import errors_as_sentences
from batch.importing.command import import_command
from batch.rebuild import Rebuild
from batch.run import Batch, Step
from batch.session import lazy_session
from core.command_line import group_with_default, new_app
from core.settings import read_settings
from sql.migrate import check_migrated, migrate

DEFAULT_COMMAND = "days"
NOTHING_MORE = "Nothing more was done. "
PROBLEMS_FOUND = 3
"""Exit code of an audit that found something."""

app = new_app(cls=group_with_default(DEFAULT_COMMAND))
app.command("import")(import_command)


@app.callback()
def commands() -> None:
    """Run the daily batch (`days`, the default), check and rebuild its tables, and import history."""


@app.command(DEFAULT_COMMAND)
@errors_as_sentences(NOTHING_MORE)
def days_command(
    day: Annotated[str | None, typer.Argument(help="Day to process, YYYY-MM-DD (UTC).")] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="First of several days.", show_default=False)
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", help="Last of several days.", show_default=False)
    ] = None,
    steps: Annotated[str, typer.Option(help="Comma-separated steps to run.")] = ",".join(Step),
    assume_complete: Annotated[
        bool, typer.Option(help="Learn the days without checking that the archive is complete.")
    ] = False,
    start_over: Annotated[
        bool, typer.Option(help="Delete all statistics first, to learn them again from the archive.")
    ] = False,
) -> None:
    """Run the daily batch for one or several days: from the archive to tables and statistics.

    Safe to run again. The steps of a day:

    complete: check that the archive holds all of the day.

    load: merge its posts, authors, music, challenges and hashtags into the tables.

    trends: count what the posts were about.

    statistics: learn what is normal; days in order.

    evidence: complete the posts, terms and incidents of its alerts.

    checks: compare the tables with the archive.

    upkeep: compact and expire files of the archive.
    """
    days, chosen = parse_days(day, first, last), parse_steps(steps)
    settings = read_settings()
    check_migrated(settings)
    with only_one_batch(settings, chosen), lazy_session(settings) as session:
        batch = Batch(
            settings, session=session, now=lambda: datetime.now(UTC), assume_complete=assume_complete
        )
        if start_over:
            batch.start_over(days, chosen)
        title = f"batch of {days[0]}" + (f" to {days[-1]}" if len(days) > 1 else "")
        show(batch.run_days(days, chosen), title=title)


@app.command("audit")
@errors_as_sentences(NOTHING_MORE)
def audit_command(
    first: Annotated[str, typer.Option("--from", help="First day, YYYY-MM-DD (UTC).")],
    last: Annotated[str, typer.Option("--to", help="Last day.")],
) -> None:
    """Check whether records of some days are missing or duplicated, from Kafka's offsets to the tables.

    Compares offsets, archive, counts, rejected records and tables, and changes nothing.

    Exit code 3: something is missing or duplicated.
    """
    days, settings = parse_days(None, first, last), read_settings()
    check_migrated(settings)
    with lazy_session(settings) as session:
        found = audit(session(), settings, days[0], days[-1])
    for line in lines_of(found):
        typer.echo(line)
    if any(found.problems()):
        raise typer.Exit(PROBLEMS_FOUND)


@app.command("rebuild")
@errors_as_sentences(NOTHING_MORE)
def rebuild_command(
    first: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="First day, YYYY-MM-DD (UTC). Default: the first in the archive.",
            show_default=False,
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option(
            "--to", help="Last day. Default: the last in the archive that is over.", show_default=False
        ),
    ] = None,
) -> None:
    """Rebuild tables, statistics and alerts from the archive after the loss of Postgres.

    Stop the stream first. Resumes an interrupted rebuild and keeps what exists already (docs/rebuild.md).
    """
    ends = [parse_day(day) if day else None for day in (first, last)]
    settings = read_settings()
    migrate(settings)
    with only_one_batch(settings, list(Step)), lazy_session(settings) as session:
        rebuild = Rebuild(settings, session=session, now=lambda: datetime.now(UTC))
        show(rebuild.run(*ends), title="rebuild")


@app.command("register")
@errors_as_sentences(NOTHING_MORE)
def register_command() -> None:
    """Point the catalog to the archive's newest state on S3 after its database was lost or restored.

    Stop the stream first. Changes nothing if the catalog is up to date (docs/backup.md).
    """
    settings = read_settings()
    check_migrated(settings)
    with only_one_batch(settings, list(Step)), lazy_session(settings) as session:
        registered = Rebuild(settings, session=session, now=lambda: datetime.now(UTC)).register_archive()
    typer.echo(
        f"The catalog now points to {registered}."
        if registered
        else "The catalog already points to the archive's newest state."
    )


def show(lines: Iterable[str], *, title: str) -> None:
    """Print `lines` as they come; a terminal shows `title` with a spinner in between."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with console.status(title):
        for line in lines:
            console.print(line)
