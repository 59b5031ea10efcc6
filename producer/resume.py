"""The file that remembers how far a set of inputs was sent and acknowledged, so that a killed run can go on."""

import fcntl
import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from core.errors import AlreadyRunningError, BadInputError
from producer.sources import Fingerprint

STATE_VERSION = 1


class Position(NamedTuple):
    """Everything before it is acknowledged: the input's number from 0, bytes (uncompressed) and lines of it."""

    input: int = 0
    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class SavedProgress:
    """What is remembered: the position, and the shift of a shifted clock in microseconds."""

    position: Position
    shift_microseconds: int | None


def state_path(folder: Path, *what: str) -> Path:
    """The state file in `folder` for one replay: inputs, topic, servers and clock together name it."""
    return folder / f"{hashlib.sha256(orjson.dumps(what)).hexdigest()[:16]}.json"


class StateFile:
    """SavedProgress on disk, replaced as a whole and synced at every save."""

    def __init__(self, path: Path, inputs: Sequence[Fingerprint]) -> None:
        """`inputs`: what is being sent; progress on inputs that have changed since is not used."""
        self.path = path
        self._inputs = [fingerprint.as_json() for fingerprint in inputs]
        self._saved: SavedProgress | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the state for this process; raises AlreadyRunningError where another one sends the same inputs."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lock = self.path.with_suffix(".lock").open("w")
        except OSError as error:
            raise BadInputError(
                f"Cannot write {self.path}: {error.strerror}. Name another file with --state."
            ) from error
        with lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise AlreadyRunningError(
                    f"Another producer sends the same inputs ({self.path}): wait for it or stop it."
                ) from error
            yield

    def load(self) -> tuple[SavedProgress | None, bool]:
        """The progress of an unfinished run, None without one; and whether there was one of inputs that have changed."""
        try:
            state: dict[str, Any] = orjson.loads(self.path.read_bytes())
            progress = SavedProgress(Position(**state["position"]), state["shift_microseconds"])
        except FileNotFoundError:
            return None, False
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                f"{self.path} is no state of the producer: delete it, or start over with --no-resume."
            ) from error
        if state["version"] != STATE_VERSION or state["inputs"] != self._inputs:
            return None, True
        return progress, False

    def save(self, progress: SavedProgress) -> None:
        """Replace what is remembered; nothing is written where nothing has changed. Raises BadInputError where it cannot be."""
        if progress == self._saved:
            return
        content = orjson.dumps(
            {
                "version": STATE_VERSION,
                "inputs": self._inputs,
                "position": progress.position._asdict(),
                "shift_microseconds": progress.shift_microseconds,
            }
        )
        partial = self.path.with_suffix(".partial")
        try:
            with partial.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(self.path)
        except OSError as error:
            raise BadInputError(
                f"Cannot write {self.path}: {error.strerror}. Make room, or name another file with --state."
            ) from error
        self._saved = progress

    def forget(self) -> None:
        """Remove what is remembered: the run reached its end, and the next one starts over."""
        self.path.unlink(missing_ok=True)
