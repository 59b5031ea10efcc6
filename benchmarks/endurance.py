"""`python -m benchmarks endurance [--minutes 60] [--rate 500] [--kill-every 5]`: memory, files and state over time, under kills.

Posts with a long tail of words come at a steady rate, and every minute a never-seen word bursts, while the streaming process is
killed (-9) again and again: its Python, its JVM, both, in turn. Measured is before every kill and at the end: "caught up" is the
time from the start of the process until all that Kafka held then was counted. In the end what was sent is held against archive,
windows and alerts. The last line says how much of that passed; exit code 1 where something did not.
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
"""How long a half of the process may outlive the other."""
PATIENCE_SECONDS = 300.0
DIGITS = 8
"""Hexadecimal digits of a record's MD5 that go into the sum by which all records are compared."""
TARGETS = ("Python", "the JVM", "both")
COLUMNS = (
    "minute",
    "posts sent",
    "caught up, s",
    "Python, MiB",
    "JVM, MiB",
    "open files",
    "checkpoints, MiB",
    "of them state",
    "tables, MiB",
    "killed",
)


def main(
    minutes: Annotated[float, typer.Option(help="how long to send")] = 60.0,
    rate: Annotated[int, typer.Option(help="posts a second")] = 500,
    kill_every: Annotated[float, typer.Option(help="minutes from one kill to the next")] = 5.0,
    seed: Annotated[int, typer.Option(help="seed of the texts")] = 11,
) -> None:
    """Run, print the measurements and the comparison."""
    table = Table(title=f"{minutes:g} minutes at {rate} posts/s, a kill every {kill_every:g} minutes")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "killed" else "right")
    with benchmark_stack() as (settings, folder):
        accept_background(settings)
        with Sender(settings, rate, seed) as sender:
            lives = max(round(minutes / kill_every), 1)
            for life in range(lives):
                is_last = life + 1 == lives
                with Command(settings, ("streaming",), folder / "streaming.log") as streaming:
                    began = time.monotonic()
                    wait_until_caught_up(settings, patience_seconds=PATIENCE_SECONDS)
                    caught_up = time.monotonic() - began
                    sender.wait_until((life + 1) * minutes * 60 / lives)
                    cells = (
                        f"{sender.seconds / 60:.0f}",
                        f"{sender.sent.records:,}",
                        f"{caught_up:.0f}",
                        *_measured(settings, streaming),
                    )
                    target = "" if is_last else TARGETS[life % len(TARGETS)]
                    if is_last:
                        sender.stop()
                        wait_until_caught_up(settings, patience_seconds=PATIENCE_SECONDS)
                    else:
                        _kill(streaming, target)
                table.add_row(*cells, target)
                print("  ".join(cells), target, flush=True)
        run(settings, folder / "log", "streaming", "--once")
        run(settings, folder / "log", "streaming.finish")
        results = list(_compared(settings, sender.sent))
    Console(width=140).print(table)
    print(*(sentence for _, sentence in results), sep="\n")
    failed = sum(not passed for passed, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    raise typer.Exit(1 if failed else 0)


@dataclass
class SentRecords:
    """What was sent, as far as the comparison needs it."""

    records: int = 0
    digests: int = 0
    """Sum of the first `DIGITS` digits of every record's MD5."""
    by_window: Counter[datetime] = field(default_factory=Counter)
    """Posts by start of window."""
    bursts: Counter[str] = field(default_factory=Counter)
    """Posts by word that bursts."""


class Sender:
    """Sends posts from a thread until it is stopped; a context. Raises RuntimeError at its end where Kafka did not take all."""

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
        """Since the first post."""
        return time.time() - self._began

    def wait_until(self, seconds: float) -> None:
        """Wait until so long has been sent."""
        self._stopped.wait(max(seconds - self.seconds, 0.0))

    def stop(self) -> None:
        """Send no more, and wait until Kafka has taken all."""
        self._stopped.set()
        self._thread.join()
        if self._errors:
            raise RuntimeError(f"{len(self._errors)} errors while sending, the first: {self._errors[0]!r}")

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
        producer.send(self._settings.posts_topic, key=b"%d" % self.sent.records, value=value).add_errback(
            self._errors.append
        )
        self.sent.digests += int(hashlib.md5(value).hexdigest()[:DIGITS], 16)
        self.sent.by_window[window_start(window_number(at))] += 1


def _kill(streaming: Command, target: str) -> None:
    """Kill a half of the streaming process or both; the other half has to end by itself."""
    python = psutil.Process(streaming.process.pid)
    jvm = _jvm(python)
    halves = [jvm] if target == TARGETS[1] else [python] if target == TARGETS[0] else [python, jvm]
    for half in halves:
        half.kill()
    streaming.process.wait(END_SECONDS)
    if psutil.wait_procs([jvm], timeout=END_SECONDS)[1]:
        raise RuntimeError(f"The JVM outlived the kill of {target} by {END_SECONDS:.0f} s.")


def _jvm(python: psutil.Process) -> psutil.Process:
    return next(child for child in python.children(recursive=True) if child.name() == "java")


def _measured(settings: Settings, streaming: Command) -> tuple[str, ...]:
    """The cells from memory of Python to size of the tables, of this moment."""
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
    """Bytes of the files below `folder`, which may come and go meanwhile."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):
            total += path.stat().st_size
    return total


def _mib(size: int) -> str:
    return f"{size / 2**20:,.0f}"


def _compared(settings: Settings, sent: SentRecords) -> Iterator[tuple[bool, str]]:
    """Whether archive, windows and alerts hold what was sent, each with its numbers."""
    with open_archive(settings) as database:
        digest = f"sum(('0x' || left(md5(value), {DIGITS}))::UBIGINT)"
        found = database.execute(
            f'SELECT count(*), count(DISTINCT (topic, partition, "offset")), {digest} FROM raw_posts'
        ).fetchone()
    rows, places, digests = found or (0, 0, 0)
    yield (
        (rows, places, int(digests or 0)) == (sent.records, sent.records, sent.digests),
        f"archive: {rows:,} rows of {places:,} places, {sent.records:,} sent; bytes {'the same' if digests == sent.digests else 'differ'}",
    )
    with transaction(settings) as cursor:
        cursor.execute("SELECT window_start, posts FROM traffic_windows")
        counted = Counter(dict(cursor.fetchall()))
        cursor.execute(
            "SELECT keyword, count(*), sum(posts) FROM anomaly_alerts WHERE status <> 'withdrawn' GROUP BY keyword"
        )
        alerts = {keyword: (number, posts) for keyword, number, posts in cursor.fetchall()}
    missing, double = (sent.by_window - counted).total(), (counted - sent.by_window).total()
    yield (
        not missing and not double,
        f"windows: {counted.total():,} posts counted, {missing:,} lost, {double:,} doubled",
    )
    right = sum(alerts.get(word) == (1, posts) for word, posts in sent.bursts.items())
    others = alerts.keys() - sent.bursts.keys()
    yield (
        right == len(sent.bursts),
        f"alerts: {right} of {len(sent.bursts)} bursts with one alert and all their posts, {len(others)} others",
    )
