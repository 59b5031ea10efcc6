"""`python -m benchmarks load [--posts 1000000]`: seconds and memory of a day's load and trends, part by part.

Simulated posts of one day go through the producer and the archive query; then the batch loads the day and counts its trends, in
a process of its own, as `python -m batch DAY --steps load,trends` does, and once more, as after a late delivery. CPU is that of
the batch, its JVM and Postgres; memory is the peak of the batch and its JVM together, and that of the largest process of
Postgres. The parts of a step that say how long they took may overlap. In the end the questions of docs/questions.md are asked.
"""

import logging
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import psutil
import typer

from batch.__main__ import lazy_session
from batch.run import Batch, Step
from benchmarks.stack import REPOSITORY, Command, benchmark_stack, run
from core.settings import Settings, read_settings
from sql.connection import transaction

ROUNDS = ("first load", "loaded again")
WATCH_SECONDS = 0.5
QUESTIONS = REPOSITORY / "docs" / "questions.md"
SLOWEST = 8


def main(
    posts: Annotated[int, typer.Option(help="posts of the day")] = 1_000_000,
    quick_start: Annotated[bool, typer.Option(help="compile little, as the default setting does")] = False,
    again: Annotated[bool, typer.Option(help="load the day a second time")] = True,
    batch_of: Annotated[str | None, typer.Option(hidden=True, help="only run the batch of this day: what the benchmark measures")] = None,
) -> None:
    """Measure and print the parts."""
    if batch_of:
        _run_batch(date.fromisoformat(batch_of))
        return
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    with benchmark_stack() as (base, folder):
        settings = base.model_copy(update={"batch_quick_start": quick_start, "max_offsets_per_trigger": 50_000})
        _fill_archive(settings, folder, day, posts)
        for name in ROUNDS if again else ROUNDS[:1]:
            _measure(settings, folder / f"{name}.log", name, day)
        _print_sizes(settings)
        _ask(settings)


def _run_batch(day: date) -> None:
    logging.basicConfig(stream=sys.stdout, format="  %(message)s")
    logging.getLogger("batch.parts").setLevel(logging.INFO)
    settings = read_settings()
    with lazy_session(settings) as session:
        for line in Batch(settings, session=session, now=lambda: datetime.now(UTC)).run_days([day], [Step.LOAD, Step.TRENDS]):
            print(line, flush=True)


def _fill_archive(settings: Settings, folder: Path, day: date, posts: int) -> None:
    """A day of `posts` simulated posts in the archive."""
    log = folder / "commands.log"
    simulate = ("--start", day.isoformat(), "--posts-per-day", str(posts), "--seed", "1", "--out", str(folder / "posts"))
    run(settings, log, "producer", "simulate", *simulate)
    files = sorted((folder / "posts").glob("posts-*"))
    run(settings, log, "producer", "send", *map(str, files), "--clock", "original", "--no-resume")
    run(settings, log, "streaming", "--only", "archive", "--once")
    for path in files:
        path.unlink()
    print(f"{posts:,} posts of {day} are in the archive", flush=True)


def _measure(settings: Settings, log: Path, name: str, day: date) -> None:
    """Run the batch and print what it said, its seconds, its CPU and its memory."""
    began = time.perf_counter()
    with Command(settings, ("benchmarks", "load", "--batch-of", day.isoformat()), log) as batch:
        cpu_seconds, postgres_bytes = _watch(batch.process.pid, _postmaster(settings), until=lambda: batch.process.poll() is not None)
        batch.wait()
    print(
        f"{name}: {time.perf_counter() - began:.1f} s with Java's start, {cpu_seconds:.0f} CPU s; peak memory "
        f"{batch.peak_bytes / 2**20:,.0f} MiB, largest process of Postgres {postgres_bytes / 2**20:,.0f} MiB"
    )
    print("".join(line for line in log.read_text().splitlines(keepends=True) if line.startswith(("  ", day.isoformat()))), flush=True)


def _postmaster(settings: Settings) -> int:
    """Process id of the server, the parent of the one that answers."""
    with transaction(settings) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
        return psutil.Process(backend).ppid()


def _watch(batch: int, postmaster: int, *, until: Callable[[], bool]) -> tuple[float, int]:
    """CPU seconds that both processes and all they started took from now on, and the most memory that one of Postgres had to itself."""
    at_first = _cpu_seconds([postmaster])
    cpu_seconds = dict(at_first)
    most_bytes = 0
    while not until():
        cpu_seconds |= _cpu_seconds([batch, postmaster])
        most_bytes = max(most_bytes, *(_own_bytes(process) for process in _with_children(postmaster)))
        time.sleep(WATCH_SECONDS)
    return sum(cpu_seconds.values()) - sum(at_first.values()), most_bytes


def _with_children(pid: int) -> list[psutil.Process]:
    root = psutil.Process(pid)
    return [root, *root.children(recursive=True)]


def _cpu_seconds(roots: list[int]) -> dict[int, float]:
    found = {}
    for root in roots:
        with suppress(psutil.Error):
            for process in _with_children(root):
                with suppress(psutil.Error):
                    found[process.pid] = sum(process.cpu_times()[:2])
    return found


def _own_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
        return int(memory.rss - memory.shared)
    except psutil.Error:
        return 0


def _print_sizes(settings: Settings) -> None:
    with transaction(settings) as cursor:
        cursor.execute("SELECT kind, count(*), min(posts) FROM daily_trends GROUP BY kind ORDER BY kind")
        for kind, trends, least in cursor.fetchall():
            print(f"trends of kind {kind}: {trends:,}, the last of them with {least:,} posts")


def _ask(settings: Settings) -> None:
    """Ask every question of docs/questions.md and print how long the slowest took; there are no alerts and statistics in this database."""
    seconds = {}
    for heading, sql in re.findall(r"^## (.+?)\n.*?```sql\n(.*?)```", QUESTIONS.read_text(), re.DOTALL | re.MULTILINE):
        with transaction(settings) as cursor:
            began = time.perf_counter()
            cursor.execute(sql)
            seconds[heading] = time.perf_counter() - began
    slowest = sorted(seconds.items(), key=lambda asked: -asked[1])[:SLOWEST]
    print(f"{len(seconds)} questions asked, the slowest:", *(f"  {took:.2f} s  {heading}" for heading, took in slowest), sep="\n")


if __name__ == "__main__":
    typer.run(main)
