"""F1 and F2: the streaming process is killed, killed again while it recovers, and run twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import psutil

from core.settings import Settings
from tests.faults.feed import Record, portion
from tests.faults.points import POINTS, Point, Watch, left_open
from tests.faults.report import Outcome
from tests.faults.stage import Stage
from tests.faults.world import END_SECONDS, FaultError, Undisturbed, World
from tests.kafka_posts import start_streaming

TARGETS = ("the JVM", "Python", "both")
RESUME_SECONDS = 60.0
POINT_SECONDS = 60.0
RANDOM_SECONDS = 20.0
LARGE_BATCH = Settings.model_fields["max_offsets_per_trigger"].default
"""Records a batch of the last start: the backlog of a hundred kills is tens of a world's small batches."""
ALREADY_RUNNING = "Another streaming process uses the checkpoints"


@dataclass
class Kills:
    """What was killed, where, and the state that this left."""

    targets: Counter[str] = field(default_factory=Counter)
    points: Counter[str] = field(default_factory=Counter)
    left: Counter[str] = field(default_factory=Counter)
    resume_seconds: float = 0.0
    problems: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        """Return the text for the table."""
        parts = (
            ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
            for counts in (self.targets, self.points, self.left)
        )
        return "killed {}; at {}; left {}".format(*parts)


def random_kills(stage: Stage) -> Outcome:
    """F1: kills of JVM, Python or both, at named points or any moment; the last start is left to finish."""
    with stage.world("F1") as world, stage.watch(world) as watch:
        kills = kill_repeatedly(world, watch, stage.kills, POINTS, random.Random(stage.seed))
        return finish("F1", world, stage.undisturbed, kills)


def kill_repeatedly(
    world: World, watch: Watch, count: int, points: Sequence[Point], rng: random.Random
) -> Kills:
    """Send a portion, start and kill, `count` times; every third kill is random, the others at `points`."""
    kills = Kills()
    chosen = rng.sample(points, len(points))
    for number in range(count):
        feed(world, number + 1)
        started = time.time()
        world.start()
        point = None if number % 3 == 2 else chosen[(number - number // 3) % len(chosen)]
        reached = wait_at(point, watch, rng)
        kill(world, watch, rng.choice(TARGETS), kills)
        kills.points[reached] += 1
        note_resumption(watch, started, kills)
    return kills


def feed(world: World, until: int) -> None:
    """Send portions up to `until`, each with a record that is rejected, so that every table is written to."""
    while world.portions < until:
        world.send([*portion(world.seed, world.portions), Record(b"not json", rejected=True)])
        world.portions += 1


def wait_at(point: Point | None, watch: Watch, rng: random.Random) -> str:
    """Wait for the point, or for a random time; returns the name of what was reached."""
    if point is None:
        time.sleep(rng.uniform(0.0, RANDOM_SECONDS))
        return "any moment"
    return point.name if point.wait(watch, POINT_SECONDS) else f"not reached: {point.name}"


def kill(world: World, watch: Watch, target: str, kills: Kills) -> None:
    """Kill one half of the streaming process or both; the other half must end on its own."""
    python, jvm = world.python(), world.jvm()
    target = target if jvm is not None else "Python"
    if target == "the JVM" and jvm is not None:
        os.kill(jvm.pid, signal.SIGKILL)
    elif target == "Python":
        os.kill(python.pid, signal.SIGKILL)
    else:
        os.killpg(python.pid, signal.SIGKILL)
    began = time.monotonic()
    _, alive = psutil.wait_procs(
        [process for process in (python, jvm) if process is not None], timeout=END_SECONDS
    )
    for process in alive:
        kills.problems.append(
            f"{process.name()} outlived the kill of {target} by {time.monotonic() - began:.0f} s"
        )
        process.kill()
    assert world.process is not None
    world.process.wait()
    kills.targets[target] += 1
    kills.left.update(left_open(watch))


def note_resumption(watch: Watch, started: float, kills: Kills) -> None:
    """Note how long after its start the process committed its first batch, if it did."""
    commits = watch.checkpoints / "detect" / "commits"
    done = (
        [moment for path in commits.glob("*") if (moment := path.stat().st_mtime) > started]
        if commits.exists()
        else []
    )
    if done:
        kills.resume_seconds = max(kills.resume_seconds, min(done) - started)


def finish(fault: str, world: World, undisturbed: Undisturbed, kills: Kills) -> Outcome:
    """Start once more, with default batch sizes; catch up, try a second process, audit."""
    feed(world, world.portions + 1)
    large = {"max_offsets_per_trigger": LARGE_BATCH}
    world.streaming_settings = world.streaming_settings.model_copy(update=large)
    world.start()
    kills.resume_seconds = max(kills.resume_seconds, world.catch_up())
    check_second_process_is_turned_away(world)
    if kills.resume_seconds > RESUME_SECONDS:
        kills.problems.append(f"processing resumed only after {kills.resume_seconds:.0f} s")
    result = world.audit(undisturbed)
    result.problems += kills.problems
    return Outcome(fault, str(kills), result, kills.resume_seconds)


def kills_in_a_row(stage: Stage) -> Outcome:
    """F2: killed while it recovers, a JVM that wakes after its Python is gone, a second process."""
    rng = random.Random(stage.seed)
    with stage.world("F2") as world, stage.watch(world) as watch:
        kills = kill_repeatedly(world, watch, 1, [POINTS[2]], rng)
        for _ in range(max(stage.kills // 5, 3)):
            world.start()
            time.sleep(rng.uniform(2.0, 12.0))
            kill(world, watch, rng.choice(TARGETS), kills)
            kills.points["recovery"] += 1
        wake_a_jvm_late(world, kills)
        world.stop()
        return finish("F2", world, stage.undisturbed, kills)


def wake_a_jvm_late(world: World, kills: Kills) -> None:
    """Pause the JVM, kill its Python, start another process, resume the JVM: it must end without effect."""
    world.start()
    world.catch_up()
    feed(world, world.portions + 1)
    time.sleep(0.3)
    python, jvm = world.python(), world.jvm()
    assert jvm is not None and world.process is not None
    jvm.suspend()
    python.kill()
    world.process.wait()
    try:
        world.start()
        kills.resume_seconds = max(kills.resume_seconds, world.catch_up())
    finally:
        jvm.resume()
    feed(world, world.portions + 1)
    if psutil.wait_procs([jvm], timeout=END_SECONDS)[1]:
        kills.problems.append("a JVM that had lost its Python kept running")
        jvm.kill()
    world.catch_up()
    kills.points["a late JVM"] += 1


def check_second_process_is_turned_away(world: World) -> None:
    """Check that a second process on the same checkpoints ends with a one-line message."""
    log = world.folder / "second.log"
    second = start_streaming(world.settings, log)
    try:
        code = second.wait(timeout=60)
    finally:
        if second.poll() is None:
            os.killpg(second.pid, signal.SIGKILL)
    if code != 1 or ALREADY_RUNNING not in log.read_text():
        raise FaultError(
            f"a second process on the same checkpoints was not turned away: {log.read_text()[-300:]}"
        )
