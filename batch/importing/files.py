"""Import files by name and print a summary."""

import os

import typer

from archive.session import start_session
from archive.storage import check_storage
from archive.table import create_archive
from batch.importing.blocks import inputs_of
from batch.importing.clock import ImportClock
from batch.importing.ledger import archived_files, only_one_import
from batch.importing.run import Import
from batch.importing.workers import start_workers
from core.settings import Settings
from producer.progress import StatusLine
from producer.signals import Stop
from sql.lake import metadata_location

SMALL_BYTES = 32 * 1024 * 1024
"""Inputs with a smaller total are imported before additional processes would have started."""


def import_files(
    settings: Settings, names: list[str], *, clock: ImportClock, processes: int | None, stop: Stop
) -> None:
    """Import the files, patterns and S3 objects in `names`, and print a summary."""
    inputs = inputs_of(names, settings)
    small = sum(source.fingerprint().size for source in inputs) < SMALL_BYTES
    number = processes or (1 if small else os.cpu_count() or 1)
    with start_workers(settings, clock, number) as workers:
        check_storage(settings)
        if metadata_location(settings) is None:
            make_archive(settings)
        with only_one_import(settings) as lock, StatusLine() as status:
            running = Import(
                settings,
                lock=lock,
                archived=archived_files(settings),
                is_stopped=stop.event.is_set,
                show=status.show,
            )
            running.run(inputs, workers)
    typer.echo(running.summary.as_text())


def make_archive(settings: Settings) -> None:
    """Create the archive's table, for which Spark is started."""
    spark = start_session(settings, "groundswell import")
    try:
        create_archive(spark)
    finally:
        spark.stop()
