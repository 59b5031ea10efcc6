"""F10 to F13: checkpoints damaged or lost, settings changed over an old one, the disk full, records that Kafka threw away unread."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from tests.faults.feed import Record
from tests.faults.oracle import Audit
from tests.faults.report import Outcome
from tests.faults.stage import Stage
from tests.faults.world import World, wait_for

LOUD_SECONDS = 90.0
STOPPED = "{}: stopped for good"
"""What the log says of a query that only a person can help."""
DISK = "16m"
THROWN_AWAY = 150


def damaged_checkpoints(stage: Stage) -> Outcome:
    """F10: each part of a checkpoint that can be missing; what cannot go on says so, and goes on by the documented command."""
    done: list[str] = []
    with stage.world("F10") as world:
        world.start()
        for name, query, damage, must_stop in _DAMAGES:
            world.send_portions(world.portions + 1)
            world.catch_up()
            world.stop()
            damage(world.checkpoints / query)
            world.send_portions(world.portions + 1)
            said = world.log.stat().st_size
            world.start()
            if must_stop:
                _wait_until_stopped(world, query, said)
                other = "archive" if query == "detect" else "detect"
                world.catch_up(other)
                world.stop()
                (world.checkpoints / query).rename(world.checkpoints / f"{query}-{len(done)}")
                world.start()
            world.catch_up()
            done.append(
                f"{name}: {'stopped loudly, went on with a new checkpoint' if must_stop else 'went on'}"
            )
        return Outcome("F10", "; ".join(done), world.audit(stage.undisturbed))


def other_settings(stage: Stage) -> Outcome:
    """F11: the settings that a checkpoint has frozen, changed over it: the stream goes on as it was, and counts the same."""
    with stage.world("F11") as world:
        changed: list[dict[str, object]] = [
            {},
            {"shuffle_partitions": 4},
            {"state_store": "rocksdb"},
            {"max_offsets_per_trigger": 150},
        ]
        for place, changes in enumerate(changed):
            world.led = world.settings.model_copy(update=changes)
            world.send_portions(2 * (place + 1))
            world.start()
            world.catch_up()
            world.stop()
        world.start()
        done = "started with other shuffle partitions, another state store, another batch size on the same checkpoints"
        return Outcome("F11", done, world.audit(stage.undisturbed))


def full_disk(stage: Stage) -> Outcome:
    """F12: the disk of the checkpoints is full for a while; nobody touches the streaming process."""
    folder = stage.folder / "disk"
    try:
        with _small_disk(folder), stage.world("F12", checkpoint_dir=str(folder / "checkpoints")) as world:
            world.send_portions(1)
            world.start()
            world.catch_up()
            said = world.log.stat().st_size
            with _filled(folder):
                world.send_portions(3)
                wait_for(
                    lambda: _said(world, said, "stopped, starts again"),
                    LOUD_SECONDS,
                    "a query stops on the full disk",
                    world,
                )
            seconds = world.catch_up()
            done = f"the checkpoints' disk ({DISK}) full for a while"
            return Outcome("F12", done, world.audit(stage.undisturbed), seconds)
    except PermissionError as error:
        return Outcome(
            "F12", f"a file system of its own cannot be mounted here: {error}", Audit(), skipped=True
        )


def passed_retention(stage: Stage) -> Outcome:
    """F13: Kafka throws away records while the process is down; it stops with the gap in numbers until that is accepted."""
    with stage.world("F13") as world:
        world.send_portions(2)
        world.start()
        world.catch_up()
        world.stop()
        before = len(world.sent)
        world.send([Record(b"thrown away", rejected=True)] * THROWN_AWAY)
        _throw_away(world)
        del world.sent[before:]
        world.send_portions(4)
        said = world.log.stat().st_size
        world.start()
        for query in ("archive", "detect"):
            _wait_until_stopped(world, query, said)
        wait_for(lambda: _said(world, said, f"{THROWN_AWAY} records"), 5, "the gap is told in numbers", world)
        world.end()
        world.start("--accept-loss")
        world.catch_up()
        world.stop()
        world.start()
        done = f"{THROWN_AWAY} unread records thrown away by Kafka: both queries stopped with the number, --accept-loss went on behind them"
        return Outcome("F13", done, world.audit(stage.undisturbed))


def _wait_until_stopped(world: World, query: str, said: int) -> None:
    wait_for(
        lambda: _said(world, said, STOPPED.format(query)),
        LOUD_SECONDS,
        f"{query} says that it has stopped for good",
    )


def _said(world: World, said: int, words: str) -> bool:
    """Whether the log holds `words` behind its first `said` bytes."""
    return words.encode() in world.log.read_bytes()[said:]


def _cut_newest(part: str) -> Callable[[Path], None]:
    def damage(checkpoint: Path) -> None:
        newest = _newest(checkpoint / part)
        os.truncate(newest, 10)
        newest.with_name(f".{newest.name}.crc").unlink(missing_ok=True)

    return damage


def _delete_newest(part: str) -> Callable[[Path], None]:
    return lambda checkpoint: _newest(checkpoint / part).unlink()


def _delete(part: str) -> Callable[[Path], None]:
    return lambda checkpoint: shutil.rmtree(checkpoint / part)


def _newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


_DAMAGES: list[tuple[str, str, Callable[[Path], None], bool]] = [
    ("detection's newest commit missing", "detect", _delete_newest("commits"), False),
    ("detection's newest offsets cut", "detect", _cut_newest("offsets"), True),
    ("detection's state deleted", "detect", _delete("state"), True),
    ("the archive's newest commit missing", "archive", _delete_newest("commits"), False),
    ("the archive's newest offsets cut", "archive", _cut_newest("offsets"), True),
    ("the archive's checkpoint deleted", "archive", shutil.rmtree, False),
]


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """A file system of its own in memory; PermissionError where this account may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        raise PermissionError("mount is refused")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """The disk has no byte left."""
    ballast = folder / "ballast"
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    try:
        yield
    finally:
        ballast.unlink()


def _throw_away(world: World) -> None:
    """Delete every record of the posts' topic, as Kafka does when their time is up."""
    arguments = world.settings.kafka_python_arguments()
    consumer, admin = KafkaConsumer(**arguments), KafkaAdminClient(**arguments)
    try:
        partitions = [TopicPartition(world.settings.posts_topic, number) for number in (0, 1)]
        admin.delete_records(dict(consumer.end_offsets(partitions)))
    finally:
        consumer.close()
        admin.close()
