"""`python -m batch import FILES...`: the command line of an import."""

from typing import Annotated

import typer

from batch.failures import told_in_one_sentence
from batch.importing.clock import ImportClock
from core.settings import read_settings
from sql.migrate import check_migrated


def import_command(
    files: Annotated[
        list[str],
        typer.Argument(metavar="FILE...", help="ndjson, plain, .gz or .zst; patterns; s3://bucket/key"),
    ],
    clock: Annotated[
        ImportClock,
        typer.Option(
            help="time_stamp: original, the post's createTime; kept, the one that stands in the file"
        ),
    ] = ImportClock.ORIGINAL,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="processes that turn lines into files; default: one for each core"),
    ] = None,
) -> None:
    """Bring posts from files into the archive without Kafka, each line once, however often the command is run or killed.

    Exit code 130 or 143: stopped by Ctrl-C or SIGTERM; the same command goes on where it was.
    """
    # Slow to load, and of no use to the other commands.
    from batch.importing.files import import_files
    from producer.signals import stop_on_signals

    stop = stop_on_signals()
    with told_in_one_sentence():
        settings = read_settings()
        check_migrated(settings)
        import_files(settings, files, clock=clock, processes=processes, stop=stop)
    if stop.signal:
        raise typer.Exit(128 + stop.signal)
