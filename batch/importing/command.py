"""`groundswell import FILE...`: the command line of an import."""

from typing import Annotated

import typer

from batch.failures import errors_as_sentences
from batch.importing.clock import ImportClock
from core.settings import read_settings
from sql.migrate import check_migrated


@errors_as_sentences()
def import_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="ndjson, plain or packed (gz, zst, xz, bz2, zip, tar); glob patterns; s3://bucket/key.",
        ),
    ],
    clock: Annotated[
        ImportClock,
        typer.Option(help="time_stamp of a post: original, its createTime; kept, the one in the file."),
    ] = ImportClock.ORIGINAL,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that convert lines. Default: one per core.", show_default=False),
    ] = None,
) -> None:
    """Import posts from files into the archive without Kafka, each line exactly once.

    That holds however often the command is run or killed: run it again and it resumes.

    Exit code 130 or 143: stopped by Ctrl-C or SIGTERM.
    """
    # Slow to load, and of no use to the other commands of this group.
    from batch.importing.files import import_files
    from producer.signals import stop_on_signals

    stop = stop_on_signals()
    settings = read_settings()
    check_migrated(settings)
    import_files(settings, files, clock=clock, processes=processes, stop=stop)
    if stop.signal:
        raise typer.Exit(128 + stop.signal)
