"""F3, F4 and F5: broker, Postgres and S3 stopped, killed, paused, slow or cut off under streaming."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from sql.connection import transaction
from tests.faults.points import POINTS, Watch
from tests.faults.proxy import Behavior, Proxy, proxy_to
from tests.faults.report import Outcome
from tests.faults.stage import Stage
from tests.faults.world import FaultError, World

LONG_SECONDS = 75.0
"""Longer than every timeout of Kafka's clients."""
SHORT_SECONDS = 20.0
RECOVERY_SECONDS = 90.0
"""How long after the end of a fault the queries may take to catch up."""


@dataclass
class Trial:
    """One world under faults of one server, in which the streaming process runs all the time."""

    stage: Stage
    world: World
    watch: Watch
    done: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    worst_seconds: float = 0.0

    def during(
        self, name: str, fault: Callable[[], Iterator[None]], *, sends: bool = True, flows: str | None = None
    ) -> None:
        """Send posts, cause `fault`, send more, and time the catching up from the end of the fault.

        `sends`: whether posts can be sent meanwhile; otherwise they are sent after it, because those of
        before may have been read before. `flows`: the query that must catch up meanwhile.
        """
        self._send()
        with contextmanager(fault)():
            if sends:
                self._send()
            if flows is not None:
                self._must_flow(name, flows)
        ended = time.monotonic()
        if not sends:
            self._send()
        self.world.catch_up(patience_seconds=RECOVERY_SECONDS * 2)
        seconds = time.monotonic() - ended
        self.done.append(f"{name} ({seconds:.0f} s)")
        self.worst_seconds = max(self.worst_seconds, seconds)
        if seconds > RECOVERY_SECONDS:
            self.problems.append(f"{name}: caught up only {seconds:.0f} s after its end")

    def finish(self, fault: str) -> Outcome:
        """Audit, with the process still running that was started first."""
        result = self.world.audit(self.stage.undisturbed)
        result.problems += self.problems
        return Outcome(fault, "; ".join(self.done), result, self.worst_seconds)

    def _send(self) -> None:
        self.world.send_portions(self.world.portions + 1)

    def _must_flow(self, name: str, query: str) -> None:
        try:
            self.world.catch_up(query, patience_seconds=LONG_SECONDS)
        except FaultError as error:
            self.problems.append(f"{name}: {error}")


@contextmanager
def a_trial(stage: Stage, world: World) -> Iterator[Trial]:
    """Start a streaming process and wait until it has read its first posts."""
    with stage.watch(world) as watch:
        world.send_portions(1)
        world.start()
        world.catch_up()
        yield Trial(stage, world, watch)


def broker(stage: Stage) -> Outcome:
    """F3: the broker is restarted, down for longer than its clients wait, and paused."""
    with stage.world("F3") as world, a_trial(stage, world) as trial:
        trial.during("broker restarted", lambda: _away(stage.stop, stage, "kafka", 0), sends=False)
        trial.during(
            f"broker killed, {LONG_SECONDS:.0f} s away",
            lambda: _away(stage.kill, stage, "kafka", LONG_SECONDS),
            sends=False,
        )
        trial.during(
            f"broker paused for {SHORT_SECONDS:.0f} s",
            lambda: _paused(stage, "kafka", SHORT_SECONDS),
            sends=False,
        )
        return trial.finish("F3")


def postgres(stage: Stage) -> Outcome:
    """F4: Postgres killed, restarted in a transaction, paused, locked, slow, connections reset and cut."""
    with proxy_to(stage.servers.postgres_port) as proxy, stage.world("F4") as world:
        database = world.settings.postgres_database
        catalog = f"jdbc:postgresql://{world.settings.postgres_host}:{proxy.port}/lake_{database}"
        world.streaming_settings = world.settings.model_copy(
            update={"postgres_port": proxy.port, "catalog_uri": catalog}
        )
        with a_trial(stage, world) as trial:
            trial.during(
                f"Postgres killed, {LONG_SECONDS:.0f} s away",
                lambda: _away(stage.kill, stage, "postgres", LONG_SECONDS),
            )
            trial.during("restarted inside a transaction", lambda: _restarted_inside(trial))
            trial.during(
                f"paused for {SHORT_SECONDS:.0f} s", lambda: _paused(stage, "postgres", SHORT_SECONDS)
            )
            trial.during(f"tables locked for {SHORT_SECONDS:.0f} s", lambda: _locked(world))
            trial.during(
                "every answer 50 ms late",
                lambda: _with_behavior(proxy, Behavior(delay_seconds=0.05), SHORT_SECONDS),
            )
            trial.during(
                "connections reset", lambda: _with_behavior(proxy, Behavior(refuses=True), SHORT_SECONDS)
            )
            trial.during(
                "connections cut after 4 KB",
                lambda: _with_behavior(proxy, Behavior(cut_after_bytes=4_000), SHORT_SECONDS),
            )
            trial.done.append(f"{proxy.disturbed} connections disturbed")
            return trial.finish("F4")


def s3(stage: Stage) -> Outcome:
    """F5: S3 killed, paused, answering 503, slow, its uploads cut; detection continues meanwhile."""
    endpoint = urlsplit(stage.servers.s3_endpoint or "")
    with proxy_to(endpoint.port or 80) as proxy, stage.world("F5") as world:
        world.streaming_settings = world.settings.model_copy(
            update={"s3_endpoint": f"http://{endpoint.hostname}:{proxy.port}"}
        )
        with a_trial(stage, world) as trial:
            trial.during(
                f"S3 killed, {LONG_SECONDS:.0f} s away",
                lambda: _away(stage.kill, stage, "s3", LONG_SECONDS),
                flows="detect",
            )
            trial.during(
                f"paused for {SHORT_SECONDS:.0f} s",
                lambda: _paused(stage, "s3", SHORT_SECONDS),
                flows="detect",
            )
            unavailable = Behavior(is_unavailable=True)
            trial.during(
                f"503 for {SHORT_SECONDS:.0f} s",
                lambda: _with_behavior(proxy, unavailable, SHORT_SECONDS),
                flows="detect",
            )
            trial.during(
                "every chunk 300 ms late",
                lambda: _with_behavior(proxy, Behavior(delay_seconds=0.3), SHORT_SECONDS),
                flows="detect",
            )
            cut = Behavior(cut_after_bytes=3_000)
            trial.during(
                "uploads cut after 3 KB", lambda: _with_behavior(proxy, cut, SHORT_SECONDS), flows="detect"
            )
            trial.done.append(f"{proxy.disturbed} connections disturbed")
            return trial.finish("F5")


def _away(end: Callable[[str], None], stage: Stage, server: str, seconds: float) -> Iterator[None]:
    """End the server and start it again after `seconds`."""
    end(server)
    yield from _for_seconds(seconds, then=stage.up)


def _paused(stage: Stage, server: str, seconds: float) -> Iterator[None]:
    """Suspend the server for `seconds`; its connections stay open."""
    stage.pause(server)
    yield from _for_seconds(seconds, then=lambda: stage.resume(server))


def _for_seconds(seconds: float, *, then: Callable[[], None]) -> Iterator[None]:
    """Keep the fault up for `seconds`, including what is done meanwhile; `then` always ends it."""
    began = time.monotonic()
    try:
        yield
        time.sleep(max(seconds - (time.monotonic() - began), 0.0))
    finally:
        then()


def _restarted_inside(trial: Trial) -> Iterator[None]:
    """Stop Postgres while a transaction of detection is open, and start it again."""
    inside = next(point for point in POINTS if point.name == "detect: inside the transaction")
    trial.world.send_portions(trial.world.portions + 1)
    if not inside.wait(trial.watch, 30):
        trial.problems.append("no transaction of detection was seen")
    trial.stage.stop("postgres")
    trial.stage.up()
    yield


def _locked(world: World) -> Iterator[None]:
    """Lock the tables of detection and of progress."""
    with transaction(world.settings, application_name="faults lock") as cursor:
        cursor.execute(
            "LOCK TABLE detect_batches, anomaly_alerts, pipeline_progress, rejected_records "
            "IN ACCESS EXCLUSIVE MODE"
        )
        yield
        time.sleep(SHORT_SECONDS)


def _with_behavior(proxy: Proxy, behavior: Behavior, seconds: float) -> Iterator[None]:
    """Apply `behavior` to connections for `seconds`; open ones are reset first."""

    def as_before() -> None:
        proxy.behavior = Behavior()

    proxy.behavior = behavior
    proxy.reset_all()
    yield from _for_seconds(seconds, then=as_before)
