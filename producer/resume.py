"""The state file: how far a set of inputs was sent and acknowledged, so that a killed run can be resumed."""

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
    """A position in the inputs: number of the input from 0, and uncompressed bytes and lines before it."""

    input: int = 0
    offset: int = 0
    line: int = 0


@dataclass(frozen=True)
class SavedProgress:
    """The position before which everything is acknowledged, and the clock's attributes."""

    position: Position
    shift_microseconds: int | None
    handed_in_ms: int | None = None


def state_path(folder: Path, *identity: str) -> Path:
    """Return the state file in `folder` of a replay, identified by its inputs, topic, servers and clock."""
    return folder / f"{hashlib.sha256(orjson.dumps(identity)).hexdigest()[:16]}.json"


class StateFile:
    """Progress on disk, replaced as a whole and synced at every save."""

    def __init__(self, path: Path, inputs: Sequence[Fingerprint], *, in_order: bool = False) -> None:
        """`inputs`: what is being sent; progress on inputs that have changed since is ignored.

        `in_order`: whether they are sorted first, in which case a position is another.
        """
        self.path = path
        self._inputs = [fingerprint.as_json() for fingerprint in inputs]
        self._inputs += [{"sorted": True}] if in_order else []
        self._saved: SavedProgress | None = None

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the state file; raises AlreadyRunningError if another process is sending the same inputs."""
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
                    f"Another producer is sending the same inputs ({self.path}): wait for it or stop it."
                ) from error
            yield

    def load(self) -> tuple[SavedProgress | None, bool]:
        """Return the progress of an unfinished run, if any, and whether one was found but is out of date.

        Out of date: its inputs have changed, or its format.
        """
        try:
            state: dict[str, Any] = orjson.loads(self.path.read_bytes())
            progress = SavedProgress(
                Position(**state["position"]), state["shift_microseconds"], state.get("handed_in_ms")
            )
        except FileNotFoundError:
            return None, False
        except (ValueError, KeyError, TypeError) as error:
            raise BadInputError(
                f"{self.path} is not a state file of the producer: delete it, or start over with --no-resume."
            ) from error
        if state["version"] != STATE_VERSION or state["inputs"] != self._inputs:
            return None, True
        return progress, False

    def save(self, progress: SavedProgress) -> None:
        """Replace the saved progress if it has changed; raises BadInputError if it cannot be written."""
        if progress == self._saved:
            return
        content = orjson.dumps(
            {
                "version": STATE_VERSION,
                "inputs": self._inputs,
                "position": progress.position._asdict(),
                "shift_microseconds": progress.shift_microseconds,
                "handed_in_ms": progress.handed_in_ms,
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
                f"Cannot write {self.path}: {error.strerror}. "
                "Free up space, or name another file with --state."
            ) from error
        self._saved = progress

    def forget(self) -> None:
        """Delete the saved progress, so that the next run starts over."""
        self.path.unlink(missing_ok=True)
