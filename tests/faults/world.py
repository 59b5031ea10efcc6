"""A world for one fault: its own topics, databases, checkpoints and streaming process, and what was sent."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil
from kafka import KafkaProducer

from core.settings import Settings
from sql.connection import transaction
from streaming.progress import offsets_reached
from tests.conftest import own_world
from tests.faults.feed import Record, planted, portion
from tests.faults.oracle import Alerts, Audit, Position, alerts_of, audit, compare_alerts
from tests.kafka_posts import REPOSITORY, environment, start_streaming
from tests.tables import learn_nothing

QUERIES = ("archive", "detect")
PATIENCE_SECONDS = 180.0
END_SECONDS = 60.0
"""How long one half of the streaming process may outlive the other."""
RECORDS_A_BATCH = 400
COMMON_PORTIONS = 16
"""Least portions of a world in the end, so that most worlds are compared with the same undisturbed run."""


class FaultError(Exception):
    """A fault went wrong in a way that makes the rest of it pointless."""


@dataclass
class World:
    """Where one fault happens.

    `settings` lead straight to the servers, `streaming_settings` may lead through proxies.
    """

    settings: Settings
    streaming_settings: Settings
    folder: Path
    seed: int
    sent: list[tuple[Position, Record]] = field(default_factory=list)
    portions: int = 0
    least_portions: int = COMMON_PORTIONS
    process: "subprocess.Popen[bytes] | None" = None
    started_at: datetime | None = None
    """When the streaming process that runs now was started."""
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> Path:
        """The log file of the streaming process."""
        return self.folder / "streaming.log"

    @property
    def checkpoints(self) -> Path:
        """The folder of both checkpoints."""
        return Path(self.settings.checkpoint_dir)

    def start(self, *arguments: str) -> None:
        """Start `groundswell stream ARGUMENTS`."""
        self.started_at = datetime.now(UTC)
        self.process = start_streaming(self.streaming_settings, self.log, *arguments, **self.variables)

    def python(self) -> psutil.Process:
        """Return the streaming process; raises FaultError if it has ended."""
        if self.process is None or self.process.poll() is not None:
            raise FaultError(f"the streaming process ended on its own: {end_of(self.log)}")
        return psutil.Process(self.process.pid)

    def jvm(self) -> psutil.Process | None:
        """Return its JVM, or None if it has not started one yet."""
        try:
            return next(
                (child for child in self.python().children(recursive=True) if child.name() == "java"), None
            )
        except psutil.Error:
            return None

    def stop(self) -> None:
        """Stop the streaming process with SIGTERM; raises FaultError if it does not end cleanly."""
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
        """Kill the streaming process if it still runs."""
        if self.process is not None and self.process.poll() is None:
            kill_group(self.process)

    def send(
        self, records: Sequence[Record], *, topic: str | None = None, partition: int | None = None
    ) -> None:
        """Send `records` in order to alternating partitions, and note the offset that each got."""
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
                    partition=number % 2 if partition is None else partition,
                )
                for number, record in enumerate(records)
            ]
            producer.flush()
            stored = [future.get(timeout=30) for future in futures]
        finally:
            producer.close()
        self.sent += [
            ((to, one.partition, one.offset), record) for one, record in zip(stored, records, strict=True)
        ]

    def send_portions(self, until: int) -> None:
        """Send the portions of the feed up to, not including, the one numbered `until`."""
        while self.portions < until:
            self.send(portion(self.seed, self.portions))
            self.portions += 1

    def behind(self, query: str) -> int:
        """Return how many sent records the query has not committed, by its own reports."""
        reached = offsets_reached(self.settings, query)
        topics = {self.settings.posts_topic} | (
            {self.settings.rejected_topic} if query == "archive" else set()
        )
        return sum(
            position[0] in topics and position[2] >= reached.get(position[:2], 0) for position, _ in self.sent
        )

    def has_reported(self, query: str) -> bool:
        """Return whether the query runs in the process that was started last, by a report since then."""
        with transaction(self.settings) as cursor:
            cursor.execute("SELECT min(observed_at) FROM pipeline_progress WHERE query = %s", (query,))
            (observed_at,) = cursor.fetchone() or (None,)
        return None not in (observed_at, self.started_at) and observed_at > self.started_at

    def has_caught_up(self, query: str) -> bool:
        """Return whether the query runs and has committed everything that was sent.

        What an earlier process committed and reported is not enough: the one that runs now must have begun.
        """
        return self.has_reported(query) and not self.behind(query)

    def catch_up(self, *names: str, patience_seconds: float = PATIENCE_SECONDS) -> float:
        """Wait until the queries, both by default, have caught up; returns the seconds that took."""
        began = time.monotonic()
        wait_for(
            lambda: all(self.has_caught_up(name) for name in names or QUERIES),
            patience_seconds,
            "the queries catch up",
            self,
        )
        return time.monotonic() - began

    def audit(self, undisturbed: "Undisturbed") -> Audit:
        """Send what is left, catch up, stop the streaming process, close every window, and ask the oracle."""
        self.send_portions(self.least_portions)
        self.catch_up()
        rejected = sum(record.rejected for _, record in self.sent)
        wait_for(lambda: self._rejected() >= rejected, 60, "rejected records are stored", self)
        self.stop()
        close_windows(self.settings)
        result = audit(self.settings, self.sent)
        compare_alerts(
            result,
            alerts_of(self.settings),
            undisturbed.alerts(self.seed, self.portions),
            list(planted(self.portions)),
        )
        return result

    def _rejected(self) -> int:
        with transaction(self.settings) as cursor:
            cursor.execute("SELECT count(*) FROM rejected_records")
            return int((cursor.fetchone() or (0,))[0])


@dataclass
class Undisturbed:
    """The alerts of runs without a fault, each run once."""

    stack: Settings
    folder: Path
    drain: Callable[[Settings], None]
    _known: dict[tuple[int, int], Alerts] = field(default_factory=dict)

    def alerts(self, seed: int, portions: int) -> Alerts:
        """Return the alerts of the first `portions` portions of the feed."""
        if (seed, portions) not in self._known:
            with a_world(
                self.stack,
                self.folder / f"undisturbed-{seed}-{portions}",
                seed,
                max_offsets_per_trigger=1_000,
            ) as world:
                world.send_portions(portions)
                self.drain(world.settings)
                close_windows(world.settings)
                self._known[seed, portions] = alerts_of(world.settings)
        return self._known[seed, portions]


@contextmanager
def a_world(stack: Settings, folder: Path, seed: int, **changes: object) -> Iterator[World]:
    """Create a world with small batches, quick commits and `changes` of its settings; ends its process."""
    folder.mkdir(parents=True, exist_ok=True)
    with own_world(stack, folder) as settings:
        quick = {"max_offsets_per_trigger": RECORDS_A_BATCH, "archive_trigger_seconds": 1.0}
        learn_nothing(settings)
        changed = settings.model_copy(update=quick | changes)
        world = World(changed, changed, folder, seed)
        try:
            yield world
        finally:
            world.end()


def close_windows(settings: Settings) -> None:
    """Close every window with the user's own command for it."""
    command = [sys.executable, "-m", "streaming.finish"]
    done = subprocess.run(
        command,
        cwd=REPOSITORY,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise FaultError(f"groundswell finish failed: {done.stderr[-300:]}")


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    """Kill the streaming process and its JVM."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_for(condition: Callable[[], bool], seconds: float, what: str, world: World | None = None) -> None:
    """Wait until `condition` holds; raises FaultError on timeout or if `world`'s streaming process ends."""
    deadline = time.monotonic() + seconds
    while not condition():
        if world is not None:
            world.python()
        if time.monotonic() > deadline:
            log_end = f"; the log ends with: {end_of(world.log)}" if world is not None else ""
            raise FaultError(f"timed out after {seconds:.0f} s waiting until {what}{log_end}")
        time.sleep(0.1)


def end_of(log: Path, characters: int = 600) -> str:
    """Return the end of a log, on one line."""
    return (
        " | ".join(log.read_text(errors="replace")[-characters:].splitlines()) if log.exists() else "(no log)"
    )
