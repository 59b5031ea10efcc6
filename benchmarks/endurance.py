"""`python -m benchmarks endurance [--minutes 60]`: memory, files and state over time, under kills.

Posts with a long tail of words arrive at a steady rate, and every minute a never-seen word bursts, while the
streaming process is killed (-9) again and again: its Python, its JVM and both, in turn. Measurements are
taken before every kill and at the end; "caught up" is the time from the start of the process until it has
counted all that Kafka held then. At the end archive, windows and alerts are compared with what was sent. The
last line counts the comparisons that passed; exit code 1 if one failed.
"""

import hashlib
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import psutil
import typer
from kafka import KafkaProducer
from rich.console import Console
from rich.table import Table

from benchmarks.latency import TICK_SECONDS, a_post, accept_background, background_text, producer_of
from benchmarks.stack import Command, benchmark_stack, run
from core.settings import Settings
from core.windows import window_number, window_start
from sql.connection import transaction
from sql.lake import open_archive
from streaming.finish import wait_until_caught_up

BURST_SECONDS = 60
BURST_POSTS = 20
END_SECONDS = 60.0
"""How long one half of the process may outlive the other."""
PATIENCE_SECONDS = 300.0
DIGITS = 8
"""Hexadecimal digits of each record's MD5 that are summed to compare all records."""
TARGETS = ("Python", "the JVM", "both")
COLUMNS = (
    "minute",
    "posts sent",
    "caught up, s",
    "Python, MiB",
    "JVM, MiB",
    "open files",
    "checkpoints, MiB",
    "state of these",
    "tables, MiB",
    "killed",
)


def main(
    minutes: Annotated[float, typer.Option(help="how long to send")] = 60.0,
    rate: Annotated[int, typer.Option(help="posts per second")] = 500,
    kill_every: Annotated[float, typer.Option(help="minutes between kills")] = 5.0,
    seed: Annotated[int, typer.Option(help="seed of the texts")] = 11,
) -> None:
    """Send posts while the streaming process is killed; print measurements and comparisons."""
    table = Table(title=f"{minutes:g} minutes at {rate} posts/s, a kill every {kill_every:g} minutes")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "killed" else "right")
    with benchmark_stack() as (settings, folder):
        accept_background(settings)
        with Sender(settings, rate, seed) as sender:
            runs = max(round(minutes / kill_every), 1)
            for number in range(runs):
                until = (number + 1) * minutes * 60 / runs
                target = "" if number + 1 == runs else TARGETS[number % len(TARGETS)]
                cells = _run_until(settings, folder / "streaming.log", sender, until, target)
                table.add_row(*cells, target)
                print("  ".join(cells), target, flush=True)
        run(settings, folder / "log", "streaming", "--once")
        run(settings, folder / "log", "streaming.finish")
        results = list(_comparisons(settings, sender.sent))
    Console(width=140).print(table)
    print(*(sentence for _, sentence in results), sep="\n")
    failed = sum(not passed for passed, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


def _run_until(settings: Settings, log: Path, sender: "Sender", until: float, target: str) -> tuple[str, ...]:
    """Run the streaming process until `until` seconds were sent, then kill `target`; return table cells.

    With an empty `target` sending stops and the process ends after it has caught up.
    """
    with Command(settings, ("streaming",), log) as streaming:
        began = time.monotonic()
        wait_until_caught_up(settings, patience_seconds=PATIENCE_SECONDS)
        caught_up = time.monotonic() - began
        sender.wait_until(until)
        progress = (f"{sender.seconds / 60:.0f}", f"{sender.sent.records:,}", f"{caught_up:.0f}")
        cells = (*progress, *_measurements(settings, streaming))
        if target:
            _kill(streaming, target)
        else:
            sender.stop()
            wait_until_caught_up(settings, patience_seconds=PATIENCE_SECONDS)
    return cells


@dataclass
class SentRecords:
    """What was sent, in the form that the comparisons need."""

    records: int = 0
    digests: int = 0
    """Sum over the first `DIGITS` digits of every record's MD5."""
    by_window: Counter[datetime] = field(default_factory=Counter)
    """Posts by start of their window."""
    bursts: Counter[str] = field(default_factory=Counter)
    """Posts by bursting word."""


class Sender:
    """A thread that sends posts until it is stopped; its context raises RuntimeError if a post failed."""

    def __init__(self, settings: Settings, rate: int, seed: int) -> None:
        self.sent = SentRecords()
        self._settings = settings
        self._rate = rate
        self._rng = random.Random(seed)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._send, daemon=True)
        self._errors: list[BaseException] = []
        self._began = 0.0

    def __enter__(self) -> "Sender":
        self._began = time.time()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def seconds(self) -> float:
        """Seconds since sending began."""
        return time.time() - self._began

    def wait_until(self, seconds: float) -> None:
        """Wait until posts have been sent for so many seconds."""
        self._stopped.wait(max(seconds - self.seconds, 0.0))

    def stop(self) -> None:
        """Stop sending and wait until Kafka has acknowledged every post."""
        self._stopped.set()
        self._thread.join()
        if self._errors:
            raise RuntimeError(
                f"{len(self._errors)} posts were not sent; the first error: {self._errors[0]!r}"
            )

    def _send(self) -> None:
        producer = producer_of(self._settings)
        background = bursts = 0
        while not self._stopped.wait(TICK_SECONDS):
            while background < self.seconds * self._rate:
                self._send_post(producer, background_text(self._rng))
                background += 1
            if self.seconds > (bursts + 1) * BURST_SECONDS:
                word = f"burst{bursts}"
                for _ in range(BURST_POSTS):
                    self._send_post(producer, word)
                self.sent.bursts[word] = BURST_POSTS
                bursts += 1
        producer.flush()
        producer.close()

    def _send_post(self, producer: KafkaProducer, text: str) -> None:
        self.sent.records += 1
        at = datetime.now(UTC)
        value = a_post(self.sent.records, at.timestamp(), text)
        future = producer.send(self._settings.posts_topic, key=b"%d" % self.sent.records, value=value)
        future.add_errback(self._errors.append)
        self.sent.digests += int(hashlib.md5(value, usedforsecurity=False).hexdigest()[:DIGITS], 16)
        self.sent.by_window[window_start(window_number(at))] += 1


def _kill(streaming: Command, target: str) -> None:
    """Kill one half of the streaming process or both; the other half has to end by itself."""
    python = psutil.Process(streaming.process.pid)
    jvm = _jvm(python)
    halves = [jvm] if target == TARGETS[1] else [python] if target == TARGETS[0] else [python, jvm]
    for half in halves:
        half.kill()
    streaming.process.wait(END_SECONDS)
    if psutil.wait_procs([jvm], timeout=END_SECONDS)[1]:
        raise RuntimeError(f"The JVM still runs {END_SECONDS:.0f} s after the kill of {target}.")


def _jvm(python: psutil.Process) -> psutil.Process:
    return next(child for child in python.children(recursive=True) if child.name() == "java")


def _measurements(settings: Settings, streaming: Command) -> tuple[str, ...]:
    """Return the current values of the cells from memory of Python to size of the tables."""
    python = psutil.Process(streaming.process.pid)
    jvm = _jvm(python)
    checkpoints = Path(settings.checkpoint_dir)
    with transaction(settings) as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        (tables,) = cursor.fetchone() or (0,)
    sizes = python.memory_info().rss, jvm.memory_info().rss
    files = python.num_fds() + jvm.num_fds()
    return (
        *map(_mib, sizes),
        f"{files:,}",
        _mib(_size(checkpoints)),
        _mib(_size(checkpoints / "detect" / "state")),
        _mib(tables),
    )


def _size(folder: Path) -> int:
    """Return the bytes of the files below `folder`, which may come and go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}"


def _comparisons(settings: Settings, sent: SentRecords) -> Iterator[tuple[bool, str]]:
    """Yield whether archive, windows and alerts hold what was sent, each with a sentence of figures."""
    digest = f"sum(('0x' || left(md5(value), {DIGITS}))::UBIGINT)"
    statement = f'SELECT count(*), count(DISTINCT (topic, partition, "offset")), {digest} FROM raw_posts'
    with open_archive(settings) as database:
        rows, offsets, digests = database.execute(statement).fetchone() or (0, 0, 0)
    bytes_are = "identical" if digests == sent.digests else "different"
    yield (
        (rows, offsets, int(digests or 0)) == (sent.records, sent.records, sent.digests),
        f"archive: {rows:,} rows, {offsets:,} offsets, {sent.records:,} sent; bytes are {bytes_are}",
    )
    with transaction(settings) as cursor:
        cursor.execute("SELECT window_start, posts FROM traffic_windows")
        counted = Counter(dict(cursor.fetchall()))
        cursor.execute(
            "SELECT keyword, count(*), sum(posts) FROM anomaly_alerts "
            "WHERE status <> 'withdrawn' GROUP BY keyword"
        )
        alerts = {keyword: (number, posts) for keyword, number, posts in cursor.fetchall()}
    missing, doubled = (sent.by_window - counted).total(), (counted - sent.by_window).total()
    yield (
        not missing and not doubled,
        f"windows: {counted.total():,} posts counted, {missing:,} lost, {doubled:,} doubled",
    )
    right = sum(alerts.get(word) == (1, posts) for word, posts in sent.bursts.items())
    others = alerts.keys() - sent.bursts.keys()
    yield (
        right == len(sent.bursts),
        f"alerts: {right} of {len(sent.bursts)} bursts with one alert and all posts, {len(others)} others",
    )
