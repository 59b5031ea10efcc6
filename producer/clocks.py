"""The clocks that give posts their `time_stamp`."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from producer.posts import MICROSECONDS, NotAPost

EARLIEST_SECONDS = datetime(2014, 1, 1, tzinfo=UTC).timestamp()
LATEST_SECONDS = datetime(2100, 1, 1, tzinfo=UTC).timestamp()
"""A creation time outside this range is an error: milliseconds, a short old id (1971), an overflow."""


class ClockName(StrEnum):
    """now: the moment of sending; original: the post's creation; shifted: creation moved by a constant."""

    NOW = "now"
    ORIGINAL = "original"
    SHIFTED = "shifted"


def created_seconds(record: dict[str, Any], post_id: int) -> int:
    """Return createTime in Unix seconds, or else the upper half of the id; raises NotAPost."""
    created = record["itemInfos"].get("createTime")
    if type(created) is str and created.isascii() and created.isdigit() and len(created) < 20:
        created = int(created)
    if type(created) is int and EARLIEST_SECONDS <= created < LATEST_SECONDS:
        return created
    from_id = post_id >> 32
    if EARLIEST_SECONDS <= from_id < LATEST_SECONDS:
        return from_id
    raise NotAPost("no usable creation time", f"createTime {created!r:.60}, id {post_id}")


class Clock:
    """Gives posts their time; a shifted clock gets its shift from the first post.

    `handed_in_ms`: when files were handed in that are sorted into one another, in Unix milliseconds; None if
    they are sent one after another.
    """

    def __init__(
        self,
        name: ClockName,
        *,
        start_at: float,
        now: Callable[[], float] = time.time,
        shift_microseconds: int | None = None,
        handed_in_ms: int | None = None,
    ) -> None:
        """`start_at`: Unix seconds that a shifted clock gives the first post, unless its shift is known."""
        self.name = name
        self.shift_microseconds = 0 if name is ClockName.ORIGINAL else shift_microseconds
        self.handed_in_ms = handed_in_ms
        self._start_at = start_at
        self._now = now

    def moment(self, record: dict[str, Any], post_id: int) -> int:
        """Return a post's `time_stamp` in microseconds; raises NotAPost without a usable creation time."""
        if self.name is ClockName.NOW:
            return round(self._now() * MICROSECONDS)
        created = created_seconds(record, post_id) * MICROSECONDS
        if self.shift_microseconds is None:
            self.shift_microseconds = round(self._start_at * MICROSECONDS) - created
        return created + self.shift_microseconds

    def collected_ms(self, file_number: int) -> int | None:
        """Return when posts of a file count as collected, in Unix milliseconds; None: on arrival.

        A later file was collected later, whatever the order of its posts.
        """
        return None if self.handed_in_ms is None else self.handed_in_ms + file_number
