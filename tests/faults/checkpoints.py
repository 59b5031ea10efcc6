"""F10 to F13: corrupt or lost checkpoints, changed settings, a full disk, records deleted unread."""

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

REACTION_SECONDS = 90.0
STOPPED = "{}: stopped for good"
"""Log line of a query that only the user can fix."""
DISK = "16m"
DELETED_RECORDS = 150


def corrupt_checkpoints(stage: Stage) -> Outcome:
    """F10: parts of checkpoints corrupt or missing; what cannot resume says so, and does as documented."""
    done: list[str] = []
    with stage.world("F10") as world:
        world.start()
        for name, query, corrupt, must_stop in _CORRUPTIONS:
            world.send_portions(world.portions + 1)
            world.catch_up()
            world.stop()
            corrupt(world.checkpoints / query)
            world.send_portions(world.portions + 1)
            log_size = world.log.stat().st_size
            world.start()
            if must_stop:
                _wait_until_stopped(world, query, log_size)
                other = "archive" if query == "detect" else "detect"
                world.catch_up(other)
                world.stop()
                (world.checkpoints / query).rename(world.checkpoints / f"{query}-{len(done)}")
                world.start()
            world.catch_up()
            reaction = "stopped with a message, resumed with a new checkpoint" if must_stop else "resumed"
            done.append(f"{name}: {reaction}")
        return Outcome("F10", "; ".join(done), world.audit(stage.undisturbed))


def other_settings(stage: Stage) -> Outcome:
    """F11: changed settings that a checkpoint has frozen: the stream continues and counts the same."""
    with stage.world("F11") as world:
        changed: list[dict[str, object]] = [
            {},
            {"shuffle_partitions": 4},
            {"max_offsets_per_trigger": 150},
        ]
        for number, changes in enumerate(changed, start=1):
            world.streaming_settings = world.settings.model_copy(update=changes)
            world.send_portions(2 * number)
            world.start()
            world.catch_up()
            world.stop()
        world.start()
        done = "other shuffle partitions, another batch size on the same checkpoints"
        return Outcome("F11", done, world.audit(stage.undisturbed))


def full_disk(stage: Stage) -> Outcome:
    """F12: the disk of the checkpoints is full for a while; the streaming process is left alone."""
    folder = stage.folder / "disk"
    try:
        with _small_disk(folder), stage.world("F12", checkpoint_dir=str(folder / "checkpoints")) as world:
            world.send_portions(1)
            world.start()
            world.catch_up()
            log_size = world.log.stat().st_size
            with _filled(folder):
                world.send_portions(3)
                wait_for(
                    lambda: _logs_since(world, log_size, "stopped, restarts in"),
                    REACTION_SECONDS,
                    "a query stops on the full disk",
                    world,
                )
            world.send_portions(4)
            seconds = world.catch_up()
            done = f"the checkpoints' disk ({DISK}) full for a while"
            return Outcome("F12", done, world.audit(stage.undisturbed), seconds)
    except PermissionError as error:
        return Outcome("F12", f"cannot mount a file system here: {error}", Audit(), skipped=True)


def expired_records(stage: Stage) -> Outcome:
    """F13: Kafka deletes records while the process is down: it reports the gap until that is accepted."""
    with stage.world("F13") as world:
        world.send_portions(2)
        world.start()
        world.catch_up()
        world.stop()
        before = len(world.sent)
        world.send([Record(b"deleted", rejected=True)] * DELETED_RECORDS)
        _delete_records(world)
        del world.sent[before:]
        world.send_portions(4)
        log_size = world.log.stat().st_size
        world.start()
        for query in ("archive", "detect"):
            _wait_until_stopped(world, query, log_size)
        gap = f"{DELETED_RECORDS} records"
        wait_for(lambda: _logs_since(world, log_size, gap), 5, "the log gives the size of the gap", world)
        world.end()
        world.start("--accept-loss")
        world.catch_up()
        world.stop()
        world.start()
        done = (
            f"{DELETED_RECORDS} unread records deleted by Kafka: both queries stopped with their number, "
            "--accept-loss resumed after them"
        )
        return Outcome("F13", done, world.audit(stage.undisturbed))


def _wait_until_stopped(world: World, query: str, log_size: int) -> None:
    wait_for(
        lambda: _logs_since(world, log_size, STOPPED.format(query)),
        REACTION_SECONDS,
        f"{query} logs that it has stopped for good",
    )


def _logs_since(world: World, log_size: int, words: str) -> bool:
    """Return whether the log holds `words` after its first `log_size` bytes."""
    return words.encode() in world.log.read_bytes()[log_size:]


def _truncate_newest(part: str) -> Callable[[Path], None]:
    def truncate(checkpoint: Path) -> None:
        newest = _newest(checkpoint / part)
        os.truncate(newest, 10)
        newest.with_name(f".{newest.name}.crc").unlink(missing_ok=True)

    return truncate


def _delete_newest(part: str) -> Callable[[Path], None]:
    return lambda checkpoint: _newest(checkpoint / part).unlink()


def _delete(part: str) -> Callable[[Path], None]:
    return lambda checkpoint: shutil.rmtree(checkpoint / part)


def _newest(folder: Path) -> Path:
    return max((path for path in folder.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))


_CORRUPTIONS: list[tuple[str, str, Callable[[Path], None], bool]] = [
    ("detection's newest commit missing", "detect", _delete_newest("commits"), False),
    ("detection's newest offsets truncated", "detect", _truncate_newest("offsets"), True),
    ("detection's counts deleted", "detect", _delete("counted"), True),
    ("the archive's newest commit missing", "archive", _delete_newest("commits"), False),
    ("the archive's newest offsets truncated", "archive", _truncate_newest("offsets"), True),
    ("the archive's checkpoint deleted", "archive", shutil.rmtree, False),
]


@contextmanager
def _small_disk(folder: Path) -> Iterator[None]:
    """Mount a small file system in memory; raises PermissionError if this account may not mount."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False, capture_output=True).returncode:
        raise PermissionError("mount is not permitted")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    """Leave not a single byte on the disk."""
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


def _delete_records(world: World) -> None:
    """Delete every record of the posts topic, as Kafka does when retention ends."""
    arguments = world.settings.kafka_python_arguments()
    consumer, admin = KafkaConsumer(**arguments), KafkaAdminClient(**arguments)
    try:
        partitions = [TopicPartition(world.settings.posts_topic, number) for number in (0, 1)]
        admin.delete_records(dict(consumer.end_offsets(partitions)))
    finally:
        consumer.close()
        admin.close()
