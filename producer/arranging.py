"""Arrange a replay by the posts' own times: the order they are sent in, and the start of a shifted clock."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

from core.errors import BadInputError
from core.settings import Settings
from producer.clocks import ClockName
from producer.connecting import Say
from producer.order import creation_times, lead_seconds, timeline
from producer.outgoing import Numbered
from producer.resume import Position
from producer.sources import Input


class Status(Protocol):
    """Shows what is going on."""

    def say(self, text: str) -> None:
        """Print a line that stays."""

    def show(self, text: str) -> None:
        """Show the current status."""


class Times(NamedTuple):
    """What a user said of clock and order; None: nothing."""

    clock: ClockName
    start_at: float | None
    speed: float | None
    sort: bool | None


class Arranged(NamedTuple):
    """How a replay goes.

    `start_at`: Unix seconds at which a shifted clock starts. `handed_in_ms`: see `Clock`. `sorted_lines`: the
    lines after a position in order of creation, None if they are sent as they come.
    """

    start_at: float
    handed_in_ms: int | None
    sorted_lines: Callable[[Position], Iterator[Numbered]] | None


@contextmanager
def arrange(
    inputs: Sequence[Input],
    times: Times,
    settings: Settings,
    *,
    status: Status,
    is_stopped: Callable[[], bool],
) -> Iterator[Arranged]:
    """Yield how to send `inputs`, of which standard input and pipes are sent as they come.

    With the original or a shifted clock, posts are sorted if many of them would come too late to be counted,
    as in an export with the newest post first. Raises BadInputError.
    """
    if times.clock is ClockName.NOW or not all(source.can_be_read_again for source in inputs):
        if times.sort:
            raise BadInputError("--sort needs files, and --clock original or shifted.")
        yield Arranged(time.time() if times.start_at is None else times.start_at, None, None)
        return
    with ExitStack() as stack:
        created: Callable[[], Iterator[int]] = partial(
            creation_times, inputs, is_stopped=is_stopped, show=status.show
        )
        lines = None
        if times.sort or (times.sort is None and _is_out_of_order(created(), settings, status.say)):
            from producer.sorting import SortedPosts

            folder = Path(settings.producer_state_dir)
            in_order = stack.enter_context(SortedPosts(inputs, folder, is_stopped=is_stopped))
            created, lines = in_order.creation_times, in_order.lines
        handed_in_ms = int(time.time() * 1000) if lines is not None and len(inputs) > 1 else None
        yield Arranged(_start(times, created), handed_in_ms, lines)


def _is_out_of_order(created: Iterator[int], settings: Settings, say: Say) -> bool:
    found = timeline(created, lateness_seconds=60 * settings.lateness_minutes, latest=time.time())
    if found.is_in_order:
        return False
    say(
        f"{found.late:,} of {found.posts:,} posts would come too late to be counted, because the files are "
        "not in order of time: they are sorted first (--no-sort sends them as they come)."
    )
    return True


def _start(times: Times, created: Callable[[], Iterator[int]]) -> float:
    """Return --start-at or, without it, a moment so early that no post is ahead of the clock when sent."""
    if times.start_at is not None:
        return times.start_at
    is_ahead = times.clock is ClockName.SHIFTED and (times.speed is None or times.speed > 1)
    return time.time() - (lead_seconds(created(), speed=times.speed) if is_ahead else 0)
