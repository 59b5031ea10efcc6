"""The posts that every engine counts, in files of one batch each, and what counting them gives."""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import msgspec

from core.windows import WINDOW
from detection.score import KEPT_POSTS
from producer.clocks import Clock, ClockName
from producer.posts import NotAPost, read_record, usable_id, with_time_stamp
from producer.simulate.files import simulate_days
from producer.simulate.world import DAY_SECONDS, World

WINDOW_SECONDS = int(WINDOW.total_seconds())
PATTERN = "batch-*.ndjson"
Counts = Mapping[tuple[int, str], int]
"""Distinct posts by number of the window and keyword."""


class Post(NamedTuple):
    """What counting needs of a post; `seconds` is its event time in Unix seconds."""

    post_id: int
    seconds: float
    text: str | None

    @property
    def window(self) -> int:
        """The number of its window."""
        return int(self.seconds // WINDOW_SECONDS)


class _Item(msgspec.Struct):
    id: str | int
    text: str | None = None


class _Record(msgspec.Struct):
    itemInfos: _Item
    time_stamp: float


_decode = msgspec.json.Decoder(_Record).decode


def read_post(line: bytes) -> Post:
    """Return the post in a line of the files, which are all usable."""
    record = _decode(line)
    return Post(int(record.itemInfos.id), record.time_stamp, record.itemInfos.text)


@dataclass(frozen=True)
class Result:
    """What an engine counted: all counts, and seconds from its start to the end of each batch.

    Without a notion of batches, `ended` has the end of the last one alone. `digest` covers the counts of
    three posts and more, the only ones that detection decides by; `keys` is the number of all of them.
    """

    engine: str
    posts: int
    keys: int
    digest: str
    ended: Sequence[float]
    cpu_seconds: float = 0.0
    peak_bytes: int = 0

    @property
    def cold(self) -> float:
        """Posts per second from the engine's start."""
        return self.posts / self.ended[-1]

    @property
    def warm(self) -> float | None:
        """Posts per second over the second half of the batches; None without batches."""
        half = len(self.ended) // 2
        if not half:
            return None
        share = (len(self.ended) - half) / len(self.ended)
        return self.posts * share / (self.ended[-1] - self.ended[half - 1])


def digest_of(counts: Counts) -> str:
    """Return a digest of the counts of three posts and more.

    >>> digest_of({(1, "a"): 3, (1, "b"): 2}) == digest_of({(1, "a"): 3})
    True
    """
    lines = sorted(f"{window} {keyword} {n}" for (window, keyword), n in counts.items() if n >= KEPT_POSTS)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def write_posts(folder: Path, posts: int, batch: int) -> int:
    """Write about `posts` usable posts of a simulated day to files of `batch`; return their number."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    world = World(seed=1, start=yesterday, posts_per_day=posts)
    [path] = simulate_days(world, [0], folder / "day", compress=False, report=lambda *_: None)
    written = 0
    lines: list[bytes] = []
    for line in _usable(path, world.midnight(0)):
        lines.append(line)
        if len(lines) == batch:
            written += _write(folder, written // batch, lines)
            lines = []
    written += _write(folder, written // batch, lines)
    path.unlink()
    return written


def _write(folder: Path, number: int, lines: Sequence[bytes]) -> int:
    if lines:
        (folder / f"batch-{number:05}.ndjson").write_bytes(b"".join(lines))
    return len(lines)


def _usable(path: Path, midnight: int) -> Iterator[bytes]:
    """Yield the lines as the producer sends them with the original clock, of one day and without odd ones.

    A post of next year, which detection rejects, would make all others late elsewhere.
    """
    clock = Clock(ClockName.ORIGINAL, start_at=0.0)
    with path.open("rb") as file:
        for line in file:
            body = line.strip()
            try:
                record = read_record(body)
                post_id = usable_id(record)
                sent = with_time_stamp(body, record, clock.moment(record, post_id))
                seconds = read_post(sent).seconds
            except (NotAPost, msgspec.MsgspecError):
                continue
            if midnight <= seconds < midnight + DAY_SECONDS:
                yield sent + b"\n"


def files_in(folder: Path) -> list[Path]:
    """Return the files of posts in order."""
    return sorted(folder.glob(PATTERN))
