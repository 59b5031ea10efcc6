"""`python -m benchmarks import [--posts 300000]`: posts a second of `groundswell import`, into an empty archive and again.

Simulated posts are written to files, a day each, and imported: "all" counts the start of Python and of its processes, "import"
is what the command itself says. CPU is that of the command and its processes; the S3 server's comes on top.
"""

import re
import resource
import time
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.stack import benchmark_stack, run
from core.settings import Settings

DAY = "2026-03-02"


def main(
    posts: Annotated[int, typer.Option(help="posts to import")] = 300_000,
    days: Annotated[int, typer.Option(help="files that they lie in, a day each")] = 3,
    processes: Annotated[int, typer.Option(help="processes of the import")] = 2,
    compress: Annotated[bool, typer.Option(help="import a .zst")] = False,
) -> None:
    """Measure and print a table."""
    table = Table(title=f"{posts:,} posts in {days} files, {processes} processes")
    for column in ("part", "posts/s all", "posts/s import", "seconds", "CPU seconds", "peak memory, MiB"):
        table.add_column(column, justify="left" if column == "part" else "right")
    with benchmark_stack() as (settings, folder):
        log = folder / "commands.log"
        further = (
            *(("--compress", "zst") if compress else ()),
            "--days",
            str(days),
            "--posts-per-day",
            str(posts // days),
        )
        run(settings, log, "producer", "simulate", "--start", DAY, "--out", str(folder / "posts"), *further)
        run(settings, log, "streaming", "--only", "archive", "--once")  # makes the archive's table
        for part in ("import", "the same again"):
            table.add_row(part, *_imported(settings, folder, processes))
    Console(width=100).print(table)


def _imported(settings: Settings, folder: Path, processes: int) -> tuple[str, ...]:
    log = folder / "import.log"
    log.unlink(missing_ok=True)
    began, cpu = time.perf_counter(), _cpu_seconds()
    command = run(
        settings, log, "batch", "import", str(folder / "posts" / "posts-*"), "--processes", str(processes)
    )
    seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    told = re.search(r"imported ([\d,]+) posts .* s: ([\d,]+) posts/s", log.read_text())
    posts, rate = (told[1], told[2]) if told else ("0", "0")
    overall = int(posts.replace(",", "")) / seconds
    return f"{overall:,.0f}", rate, f"{seconds:.1f}", f"{cpu:.1f}", f"{command.peak_bytes / 2**20:,.0f}"


def _cpu_seconds() -> float:
    """CPU time of all ended children and their children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    typer.run(main)
