"""Whether posts come in order of time, and how far a shifted clock would run ahead of the wall clock."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from core.errors import BadInputError
from producer.clocks import created_seconds
from producer.connecting import Say
from producer.outgoing import read_lines
from producer.posts import NotAPost, read_record, usable_id
from producer.resume import Position
from producer.schedule import Schedule
from producer.sources import MAX_LINE_BYTES, Input, Line

LINES_BETWEEN_STATUS = 10_000
MOST_LATE = 0.05
"""Share of posts that may come too late to be counted; as delivered, one in a hundred does."""


@dataclass(frozen=True)
class Timeline:
    """What a pass over the creation times of posts tells: how many there are, and how many come late."""

    posts: int
    late: int

    @property
    def is_in_order(self) -> bool:
        """Whether so few posts come late that they may be sent as they come."""
        return self.late <= MOST_LATE * self.posts


def created_at(line: Line) -> int | None:
    """Return when the post in a line was created, in Unix seconds; None if it has no usable creation time."""
    if line.length > MAX_LINE_BYTES:
        return None
    try:
        record = read_record(line.data.strip())
        return created_seconds(record, usable_id(record))
    except NotAPost:
        return None


def creation_times(
    inputs: Sequence[Input], *, is_stopped: Callable[[], bool], show: Say = lambda _: None
) -> Iterator[int]:
    """Yield when each post was created, in Unix seconds, as the inputs have them, and `show` how many.

    Ends once `is_stopped`, and where an input is damaged: whoever sends it says so.
    """
    with suppress(BadInputError):
        for count, (_, line, _) in enumerate(read_lines(inputs, Position(), is_stopped=is_stopped)):
            if is_stopped():
                return
            if count % LINES_BETWEEN_STATUS == 0:
                show(f"reading when posts were created: {count:,} lines")
            if (seconds := created_at(line)) is not None:
                yield seconds


def timeline(seconds: Iterable[int], *, lateness_seconds: float, latest: float) -> Timeline:
    """Count posts, and those created more than `lateness_seconds` before one that comes earlier.

    Posts that claim to be newer than `latest` are rejected, so that nothing is late because of them.

    >>> timeline([1000, 2000, 1500, 9999, 3000, 100], lateness_seconds=900, latest=5000)
    Timeline(posts=6, late=1)
    """
    newest, posts, late = -math.inf, 0, 0
    for created in seconds:
        posts += 1
        late += created < newest - lateness_seconds
        newest = max(newest, created) if created <= latest else newest
    return Timeline(posts, late)


def lead_seconds(seconds: Iterable[int], *, speed: float | None) -> float:
    """Return by how much posts would be ahead of the clock at most if the first one happened when it is sent.

    `speed`: as for `Schedule`; None: sent at once. Posts that the schedule takes for errors do not count.

    >>> lead_seconds([0, 3600, 7200], speed=3600), lead_seconds([0, 3600, 7200], speed=1)
    (7198.0, 0.0)
    """
    schedule = Schedule(speed=speed or math.inf, rate=None, started=0.0)
    first, lead = None, 0.0
    for created in seconds:
        due = schedule.due(created)
        first = created if first is None else first
        lead = max(lead, schedule.latest_seconds - first - due)
    return lead
