"""A world for one fault: a topic, databases and checkpoints of its own, the real streaming process, and what was sent into it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from kafka import KafkaProducer

from core.settings import Settings
from sql.connection import transaction
from streaming.progress import offsets_reached
from tests.conftest import own_world
from tests.faults.feed import Record, planted, portion
from tests.faults.oracle import Alerts, Audit, Place, alerts_of, audit, compare_alerts
from tests.kafka_posts import REPOSITORY, environment, start_streaming

QUERIES = ("archive", "detect")
PATIENCE_SECONDS = 180.0
END_SECONDS = 60.0
"""How long a half of the streaming process may outlive the other."""
RECORDS_A_BATCH = 400
COMMON_PORTIONS = 16
"""Portions that a world has at least in the end, so that most are held against one and the same undisturbed run."""


class FaultError(Exception):
    """What a fault must not come to: it failed and the rest of it makes no sense."""


@dataclass
class World:
    """Where one fault happens. `settings` lead straight to the servers, `led` may lead the streaming process through proxies."""

    settings: Settings
    led: Settings
    folder: Path
    seed: int
    sent: list[tuple[Place, Record]] = field(default_factory=list)
    portions: int = 0
    least_portions: int = COMMON_PORTIONS
    process: "subprocess.Popen[bytes] | None" = None
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """Where the streaming process logs to."""
        return self.folder / "streaming.log"

    @property
    def checkpoints(self) -> Path:
        """The folder of both checkpoints."""
        return Path(self.settings.checkpoint_dir)

    def start(self, *arguments: str) -> None:
        """Start `python -m streaming ARGUMENTS`."""
        self.process = start_streaming(self.led, self.log, *arguments, **self.variables)

    def python(self) -> psutil.Process:
        """The streaming process; raises FaultError where it has ended."""
        if self.process is None or self.process.poll() is not None:
            raise FaultError(f"the streaming process ended by itself: {end_of(self.log)}")
        return psutil.Process(self.process.pid)

    def jvm(self) -> psutil.Process | None:
        """Its JVM, where it has one yet."""
        try:
            return next(
                (child for child in self.python().children(recursive=True) if child.name() == "java"), None
            )
        except psutil.Error:
            return None

    def stop(self) -> None:
        """Ask the streaming process to end; raises FaultError where it does not end well."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            code = process.wait(timeout=END_SECONDS)
        except subprocess.TimeoutExpired:
            kill_group(process)
            raise FaultError("the streaming process did not end on SIGTERM") from None
        if code != 0:
            raise FaultError(f"the streaming process ended with {code}: {end_of(self.log)}")

    def end(self) -> None:
        """Leave nothing running."""
        if self.process is not None and self.process.poll() is None:
            kill_group(self.process)

    def send(
        self, records: Sequence[Record], *, topic: str | None = None, partition: int | None = None
    ) -> None:
        """Send `records` in turn to the partitions, in order, and note the offset that each got."""
        to, settings = topic or self.settings.posts_topic, self.settings
        producer = KafkaProducer(
            **settings.kafka_python_arguments(),
            acks="all",
            enable_idempotence=True,
            linger_ms=5,
            max_request_size=11_000_000,
        )
        try:
            futures = [
                producer.send(
                    to,
                    value=record.value,
                    key=b"key",
                    partition=place % 2 if partition is None else partition,
                )
                for place, record in enumerate(records)
            ]
            producer.flush()
            taken = [future.get(timeout=30) for future in futures]
        finally:
            producer.close()
        self.sent += [
            ((to, one.partition, one.offset), record) for one, record in zip(taken, records, strict=True)
        ]

    def send_portions(self, until: int) -> None:
        """Send the portions of the feed up to, not including, the one numbered `until`."""
        while self.portions < until:
            self.send(portion(self.seed, self.portions))
            self.portions += 1

    def behind(self, query: str) -> int:
        """Records that were sent and that the query has not committed, by what it reports."""
        reached = offsets_reached(self.settings, query)
        topics = {self.settings.posts_topic} | (
            {self.settings.rejected_topic} if query == "archive" else set()
        )
        return sum(place[0] in topics and place[2] >= reached.get(place[:2], 0) for place, _ in self.sent)

    def catch_up(self, *names: str, patience_seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until nothing that was sent is behind; returns the seconds that it took."""
        began = time.monotonic()
        wait_for(
            lambda: not any(self.behind(name) for name in names or QUERIES),
            patience_seconds,
            "everything is read",
            self,
        )
        return time.monotonic() - began

    def audit(self, undisturbed: "Undisturbed") -> Audit:
        """Send what is left, catch up, decide every window, stop the streaming process, and hold all of it against the oracle."""
        self.send_portions(self.least_portions)
        self.catch_up()
        rejected = sum(record.rejected for _, record in self.sent)
        wait_for(lambda: self._rejected() >= rejected, 60, "rejected records are stored", self)
        self.stop()
        decide(self.settings)
        found = audit(self.settings, self.sent)
        compare_alerts(
            found,
            alerts_of(self.settings),
            undisturbed.alerts(self.seed, self.portions),
            list(planted(self.portions)),
        )
        return found

    def _rejected(self) -> int:
        with transaction(self.settings) as cursor:
            cursor.execute("SELECT count(*) FROM rejected_records")
            return int((cursor.fetchone() or (0,))[0])


@dataclass
class Undisturbed:
    """The alerts of runs in which nothing happens, each made once."""

    stack: Settings
    folder: Path
    drain: Callable[[Settings], None]
    _known: dict[tuple[int, int], Alerts] = field(default_factory=dict)

    def alerts(self, seed: int, portions: int) -> Alerts:
        """The alerts of the first so many portions of the feed."""
        if (seed, portions) not in self._known:
            with a_world(
                self.stack,
                self.folder / f"undisturbed-{seed}-{portions}",
                seed,
                max_offsets_per_trigger=1_000,
            ) as world:
                world.send_portions(portions)
                self.drain(world.settings)
                decide(world.settings)
                self._known[seed, portions] = alerts_of(world.settings)
        return self._known[seed, portions]


@contextmanager
def a_world(stack: Settings, folder: Path, seed: int, **changes: object) -> Iterator[World]:
    """A world with small batches and quick commits, and `changes` of its settings; its process is ended at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    with own_world(stack, folder) as settings:
        quick = {"max_offsets_per_trigger": RECORDS_A_BATCH, "archive_trigger_seconds": 1.0}
        changed = settings.model_copy(update=quick | changes)
        world = World(changed, changed, folder, seed)
        try:
            yield world
        finally:
            world.end()


def decide(settings: Settings) -> None:
    """Decide every window with the command that a person has for it."""
    command = [sys.executable, "-m", "streaming.finish"]
    told = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if told.returncode:
        raise FaultError(f"python -m streaming.finish failed: {told.stderr[-300:]}")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the streaming process with its JVM."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], bool], seconds: float, what: str, world: World | None = None) -> None:
    """Wait until `condition` holds; raises FaultError where that takes too long or the streaming process of `world` ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        if world is not None:
            world.python()
        if time.monotonic() > deadline:
            told = f"; the log ends with: {end_of(world.log)}" if world is not None else ""
            raise FaultError(f"it did not come to it within {seconds:.0f} s that {what}{told}")
        time.sleep(0.1)


def end_of(log: Path, characters: int = 600) -> str:
    """The end of a log, on one line."""
    return (
        " | ".join(log.read_text(errors="replace")[-characters:].splitlines()) if log.exists() else "(no log)"
    )
