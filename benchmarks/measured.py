"""Measure a batch command: seconds, CPU and memory, Postgres included; and time the questions."""

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from benchmarks.stack import REPOSITORY, Command
from core.settings import Settings
from sql.connection import transaction

WATCH_SECONDS = 0.5
QUESTIONS = REPOSITORY / "docs" / "questions.md"
SLOWEST = 8


def measure(settings: Settings, log: Path, name: str, *arguments: str) -> None:
    """Run a batch command; print its seconds, CPU and memory as `name`, and its lines on days and parts."""
    began = time.perf_counter()
    with Command(settings, arguments, log) as batch:
        cpu_seconds, postgres_bytes = _watch(
            batch.process.pid, _postmaster(settings), until=lambda: batch.process.poll() is not None
        )
        batch.wait()
    print(
        f"{name}: {time.perf_counter() - began:.1f} s with Java's start, {cpu_seconds:.0f} CPU s; "
        f"peak memory {batch.peak_bytes / 2**20:,.0f} MiB, "
        f"largest Postgres process {postgres_bytes / 2**20:,.0f} MiB"
    )
    lines = log.read_text().splitlines(keepends=True)
    print("".join(line for line in lines if re.match(r"  |\d{4}-\d\d-\d\d", line)), flush=True)


def _postmaster(settings: Settings) -> int:
    """Return the process id of the server, the parent of the process that answers."""
    with transaction(settings) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (backend,) = cursor.fetchone() or (0,)
        return psutil.Process(backend).ppid()


def _watch(batch: int, postmaster: int, *, until: Callable[[], bool]) -> tuple[float, int]:
    """Return CPU seconds and bytes until `until`.

    The CPU time is that of both processes and their children from now on, the bytes are the most that one
    Postgres process had, without shared memory.
    """
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
    seconds = {}
    for root in roots:
        with suppress(psutil.Error):
            for process in _with_children(root):
                with suppress(psutil.Error):
                    seconds[process.pid] = sum(process.cpu_times()[:2])
    return seconds


def _own_bytes(process: psutil.Process) -> int:
    try:
        memory = process.memory_info()
        return int(memory.rss - memory.shared)
    except psutil.Error:
        return 0


def ask_questions(settings: Settings) -> None:
    """Ask every question of docs/questions.md, without alerts or statistics, and print the slowest."""
    seconds = {}
    for heading, sql in re.findall(
        r"^## (.+?)\n.*?```sql\n(.*?)```", QUESTIONS.read_text(), re.DOTALL | re.MULTILINE
    ):
        with transaction(settings) as cursor:
            began = time.perf_counter()
            cursor.execute(sql)
            seconds[heading] = time.perf_counter() - began
    slowest = sorted(seconds.items(), key=lambda asked: -asked[1])[:SLOWEST]
    print(
        f"{len(seconds)} questions asked, the slowest:",
        *(f"  {took:.2f} s  {heading}" for heading, took in slowest),
        sep="\n",
    )
