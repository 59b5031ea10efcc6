"""`python -m benchmarks import [--posts 300000]`: speed of `groundswell import`, first run and repeated.

Simulated posts are written to files, one per day, and imported into an empty archive, then imported again.
"all" includes the start of Python and of the worker processes, "import" is what the command itself prints.
CPU is that of the command and its processes, without the S3 server's.
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
    posts: Annotated[int, typer.Option(help="Posts to import.")] = 300_000,
    days: Annotated[int, typer.Option(help="Files to write, one per day.")] = 3,
    processes: Annotated[int, typer.Option(help="Processes of the import.")] = 2,
    compress: Annotated[bool, typer.Option(help="Compress the files with zstd.")] = False,
) -> None:
    """Measure the import and print a table."""
    table = Table(title=f"{posts:,} posts in {days} files, {processes} processes")
    for column in ("part", "posts/s all", "posts/s import", "seconds", "CPU seconds", "peak memory, MiB"):
        table.add_column(column, justify="left" if column == "part" else "right")
    with benchmark_stack() as (settings, folder):
        log = folder / "commands.log"
        amount = f"--days {days} --posts-per-day {posts // days}".split()
        compression = ("--compress", "zst") if compress else ()
        files = "--start", DAY, "--out", str(folder / "posts")
        run(settings, log, "producer", "simulate", *files, *amount, *compression)
        run(settings, log, "streaming", "--only", "archive", "--once")  # creates the archive's table
        for part in ("import", "the same again"):
            table.add_row(part, *_imported(settings, folder, processes))
    Console(width=100).print(table)


def _imported(settings: Settings, folder: Path, processes: int) -> tuple[str, ...]:
    log = folder / "import.log"
    log.unlink(missing_ok=True)
    files = str(folder / "posts" / "posts-*")
    began, cpu = time.perf_counter(), _cpu_seconds()
    command = run(settings, log, "batch", "import", files, "--processes", str(processes))
    seconds, cpu = time.perf_counter() - began, _cpu_seconds() - cpu
    summary = re.search(r"imported ([\d,]+) posts .* s: ([\d,]+) posts/s", log.read_text())
    posts, rate = (summary[1], summary[2]) if summary else ("0", "0")
    overall = int(posts.replace(",", "")) / seconds
    return f"{overall:,.0f}", rate, f"{seconds:.1f}", f"{cpu:.1f}", f"{command.peak_bytes / 2**20:,.0f}"


def _cpu_seconds() -> float:
    """Return the CPU time of all child processes that have ended, and of their children."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    typer.run(main)
