"""`python -m batch DAY`: the daily batch, from the archive to tables and statistics; safe to run again.

Steps: `complete` asks whether the archive holds all of the day; `load` merges its posts, authors, music, challenges and
hashtags; `trends` counts what they were about; `statistics` learns what is usual, days in order; `evidence` completes posts,
terms and incidents of the day's alerts; `checks` compares the tables with the archive; `upkeep` tidies the archive.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from functools import cache
from typing import Annotated

import typer
from pyspark.sql import SparkSession
from rich.console import Console

from archive.session import session_options, start_session
from archive.storage import check_storage
from batch.audit import audit, lines_of
from batch.days import only_one_batch
from batch.failures import told_in_one_sentence
from batch.importing.command import import_command
from batch.rebuild import Rebuild
from batch.run import Batch, Step
from core.catalog import CATALOG
from core.command_line import group_with_default
from core.errors import BadInputError
from core.settings import Settings, read_settings
from core.windows import ONE_DAY
from sql.migrate import check_migrated, migrate

S3_RETRIES = "5"
"""Some half a minute of S3 being away; the stream, which nobody runs again, tries for ten."""

DEFAULT_COMMAND = "days"
NOTHING_MORE = "Nothing more was done. "
app = typer.Typer(
    cls=group_with_default(DEFAULT_COMMAND),
    add_completion=False,
    pretty_exceptions_enable=False,
    help=__doc__,
)
app.command("import")(import_command)


@app.command(DEFAULT_COMMAND, help=__doc__)
def main(
    day: Annotated[str | None, typer.Argument(help="UTC day, YYYY-MM-DD", show_default=False)] = None,
    first: Annotated[
        str | None, typer.Option("--from", help="first of several days", show_default=False)
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="last of several days", show_default=False)] = None,
    steps: Annotated[str, typer.Option(help="steps, separated by commas")] = ",".join(Step),
    assume_complete: Annotated[
        bool, typer.Option(help="learn days without asking whether the archive is complete")
    ] = False,
    start_over: Annotated[
        bool, typer.Option(help="forget all statistics first, to learn them again from the archive")
    ] = False,
) -> None:
    """Parse the arguments, run the days, turn errors into one sentence."""
    with told_in_one_sentence(NOTHING_MORE):
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
def audit_command(
    first: Annotated[str, typer.Option("--from", help="first day, YYYY-MM-DD (UTC)")],
    last: Annotated[str, typer.Option("--to", help="last day")],
) -> None:
    """Say whether anything of these days is missing or double: Kafka's offsets, archive, counts, rejected records, tables.

    Changes nothing. Exit code 3: something is.
    """
    with told_in_one_sentence(NOTHING_MORE):
        days, settings = parse_days(None, first, last), read_settings()
        check_migrated(settings)
        with lazy_session(settings) as session:
            found = audit(session(), settings, days[0], days[-1])
        for line in lines_of(found):
            typer.echo(line)
    if any(found.problems()):
        raise typer.Exit(3)


@app.command("rebuild")
def rebuild_command(
    first: Annotated[
        str | None,
        typer.Option(
            "--from", help="first day, YYYY-MM-DD (UTC); else the archive's first", show_default=False
        ),
    ] = None,
    last: Annotated[
        str | None,
        typer.Option("--to", help="last day; else the archive's last that is over", show_default=False),
    ] = None,
) -> None:
    """Make tables, statistics and alerts again out of the archive, after the loss of Postgres (docs/rebuild.md).

    With the stream stopped. Goes on where it was interrupted; what is there already stays as it is.
    """
    with told_in_one_sentence(NOTHING_MORE):
        ends = [parse_day(day) if day else None for day in (first, last)]
        settings = read_settings()
        migrate(settings)
        with only_one_batch(settings, list(Step)), lazy_session(settings) as session:
            rebuild = Rebuild(settings, session=session, now=lambda: datetime.now(UTC))
            show(rebuild.run(*ends), title="rebuild")


@app.command("register")
def register_command() -> None:
    """Let the catalog point to the archive's newest state on S3, after its database was lost or restored (docs/backup.md).

    With the stream stopped. Changes nothing where it does already.
    """
    with told_in_one_sentence(NOTHING_MORE):
        settings = read_settings()
        check_migrated(settings)
        with only_one_batch(settings, list(Step)), lazy_session(settings) as session:
            registered = Rebuild(settings, session=session, now=lambda: datetime.now(UTC)).register_archive()
    typer.echo(
        f"The archive goes on from {registered}."
        if registered
        else "The catalog points to the archive's newest state already."
    )


def show(lines: Iterable[str], *, title: str) -> None:
    """Print `lines` as they come; a terminal shows in between by `title` that work goes on."""
    console = Console(soft_wrap=True, highlight=False, markup=False)
    with console.status(title):
        for line in lines:
            console.print(line)


def parse_days(day: str | None, first: str | None, last: str | None) -> list[date]:
    """The days asked for, in order: one, or all from `first` to `last`; raises BadInputError."""
    if (day is None) == (first is None and last is None) or (first is None) != (last is None):
        raise BadInputError(
            "Give one day (python -m batch 2026-01-05) or both ends (--from 2026-01-01 --to 2026-01-05)."
        )
    start, end = parse_day(day or first or ""), parse_day(day or last or "")
    if end < start:
        raise BadInputError(f"--to {end} lies before --from {start}. Swap them.")
    return [start + number * ONE_DAY for number in range((end - start).days + 1)]


def parse_day(text: str) -> date:
    """The day that `text` writes as YYYY-MM-DD; raises BadInputError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is no day. Write it as 2026-01-05.") from error


def parse_steps(text: str) -> list[Step]:
    """The steps that `text` names, separated by commas; raises BadInputError."""
    try:
        return [Step(name.strip()) for name in text.split(",")]
    except ValueError as error:
        raise BadInputError(
            f"--steps {text} names a step that does not exist. There are: {', '.join(Step)}."
        ) from error


def batch_options(settings: Settings) -> dict[str, str]:
    """The Spark properties in which a batch differs from a stream."""
    options = {
        "spark.sql.shuffle.partitions": str(settings.batch_partitions),
        "spark.sql.debug.maxToStringFields": "200",
        "spark.ui.showConsoleProgress": "false",
        # No limit in bytes beside that of 10,000 rows: to keep it, Spark would measure every batch after every row.
        "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    }
    if settings.batch_quick_start:
        # Of the 50 CPU seconds that a first day of 24,000 posts took, 20 went into compiling code that ran for one.
        options["spark.sql.codegen.wholeStage"] = "false"
        java_options = session_options(settings).get("spark.driver.extraJavaOptions", "")
        options["spark.driver.extraJavaOptions"] = f"{java_options} -XX:TieredStopAtLevel=1".strip()
    return options


@contextmanager
def lazy_session(settings: Settings) -> Iterator[Callable[[], SparkSession]]:
    """A function that gives the Spark session, started at its first call and stopped at the end."""
    started: list[SparkSession] = []

    @cache
    def session() -> SparkSession:
        check_storage(settings)
        started.append(start_session(settings, "groundswell batch", **batch_options(settings)))
        started[0].conf.set(f"spark.sql.catalog.{CATALOG}.s3.retry.num-retries", S3_RETRIES)
        return started[0]

    try:
        yield session
    finally:
        for running in started:
            running.stop()


if __name__ == "__main__":
    app()
