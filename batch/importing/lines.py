"""Turn a line of a file into the archive row that producer, Kafka and stream would have made of it.

The producer's own functions read and stamp the line. Whether its time is usable is decided here in Python as
in the stream's `parse_records`, at a tenth of the cost; a test keeps the two in step.
"""

import json
import re
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Any, NamedTuple

from batch.importing.clock import ImportClock
from batch.importing.prevalidate import DEEPEST, LONGEST_NAME, LONGEST_NUMBER, NOT_PREVALIDATED, Prevalidation
from core.records import (
    AHEAD,
    BEFORE_1970,
    EARLIEST_EVENT_SECONDS,
    NO_SECONDS,
    NO_TIME,
    NOT_AN_OBJECT,
    NOT_SENT,
)
from core.settings import Settings
from producer.clocks import created_seconds
from producer.posts import MICROSECONDS, TIME_STAMP, NotAPost, read_record, usable_id, with_time_stamp
from producer.rejects import rejected_record
from producer.sources import MAX_LINE_BYTES, Line

HEAD_CHARACTERS = 500
_LONG_NUMBER = re.compile(rb"[0-9.eE+-]{%d}" % (LONGEST_NUMBER + 1))
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*"')
_NAME = re.compile(rb'"((?:[^"\\]|\\.)*)"\s*:')
_JAVA_DOUBLE = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?")
_JAVA_BLANKS = "".join(map(chr, range(33)))


class Row(NamedTuple):
    """One row for the archive.

    If the record is rejected, or is for the rejected topic, `event_micros` is None and `reason` is not.
    """

    topic: str
    key: bytes
    value: bytes
    event_micros: int | None
    reason: str | None


@dataclass(frozen=True)
class Rows:
    """Makes rows with one clock and one set of topics."""

    settings: Settings
    clock: ImportClock

    def row_from(
        self, line: Line, *, file: str, arrival_micros: int, known: Prevalidation = NOT_PREVALIDATED
    ) -> Row | None:
        """Return the row for a line, or None if it is blank.

        `arrival_micros`, in Unix microseconds, replaces Kafka's time. The line may lack a line feed that its
        length includes. `known` is what is already known of it.
        """
        body = line.data.strip()
        if not body:
            return None
        try:
            if line.length > MAX_LINE_BYTES:
                raise NotAPost("longer than 10 MB", f"{line.length:,} bytes")
            post = read_record(body, is_utf8=known.is_utf8)
            key = b"%d" % usable_id(post)
            value, event_micros, reason = self._stamped(body, post, int(key), arrival_micros)
        except NotAPost as error:
            whole = line._replace(data=line.data + b"\n") if line.length > len(line.data) else line
            record = rejected_record(self.settings.rejected_topic, file, whole, error)
            return Row(record.topic, record.key, record.value, None, f"{NOT_SENT}: {error.reason}")
        if (not known.is_shallow or len(body) > LONGEST_NAME) and beyond_spark(body):
            event_micros, reason = None, NOT_AN_OBJECT
        return Row(self.settings.posts_topic, key, value, event_micros, reason)

    def _stamped(
        self, body: bytes, post: dict[str, Any], post_id: int, arrival_micros: int
    ) -> tuple[bytes, int | None, str | None]:
        """Return the record with its time, that time in microseconds, and why it is rejected."""
        value, stamp = body, post.get(TIME_STAMP)
        if self.clock is ImportClock.ORIGINAL:
            stamp = created_seconds(post, post_id)
            value = with_time_stamp(body, post, stamp * MICROSECONDS)
        future_minutes = self.settings.future_minutes
        return value, *event_time(stamp, arrival_micros=arrival_micros, future_minutes=future_minutes)


def event_time(stamp: object, *, arrival_micros: int, future_minutes: int) -> tuple[int | None, str | None]:
    """Return the event time in Unix microseconds of a `time_stamp` from JSON, or None and the reason.

    Same rule as `parse_records`.

    >>> event_time(1584953968.5, arrival_micros=1_600_000_000_000_000, future_minutes=5)
    (1584953968500000, None)
    >>> event_time("tomorrow", arrival_micros=1_600_000_000_000_000, future_minutes=5)
    (None, 'time_stamp is not a number of Unix seconds: tomorrow')
    """
    if stamp is None:
        return None, NO_TIME
    seconds = _seconds(stamp)
    if seconds is None or not abs(seconds) < float("inf"):
        return None, NO_SECONDS + _shown(stamp)
    if seconds < EARLIEST_EVENT_SECONDS:
        return None, BEFORE_1970 + _shown(stamp)
    if seconds > arrival_micros / 1e6 + 60.0 * future_minutes:
        return None, AHEAD.format(minutes=future_minutes) + _shown(stamp)
    return int(seconds * 1e6), None


def _shown(stamp: object) -> str:
    r"""Return a value as reasons quote it, without what Postgres rejects: NUL and lone surrogates.

    >>> _shown("7\0 \ud800")
    '7 ?'
    """
    shown = (stamp if isinstance(stamp, str) else json.dumps(stamp))[:80]
    return shown.encode("utf-8", errors="replace").decode().replace("\0", "")


def _seconds(stamp: object) -> float | None:
    """Return what Spark's try_cast makes of the value's text as a double; None for null."""
    if isinstance(stamp, bool):
        return None
    if isinstance(stamp, int | float):
        try:
            return float(stamp)
        except OverflowError:  # 10**400: Java reads its text as infinity
            return inf if stamp > 0 else -inf
    number = _JAVA_DOUBLE.fullmatch(stamp.strip(_JAVA_BLANKS)) if isinstance(stamp, str) else None
    return float(number[1]) if number else None


def beyond_spark(body: bytes) -> bool:
    """Return whether Spark's JSON parser rejects a record that Python's accepts.

    It does if nesting is too deep, or if a number or name is too long.
    """
    bare = _TEXT.sub(b'""', body)
    names = (
        (name[1].decode(errors="replace") for name in _NAME.finditer(body))
        if len(body) > LONGEST_NAME
        else ()
    )
    return (
        _LONG_NUMBER.search(bare) is not None
        or _depth(bare) > DEEPEST
        or any(len(name) > LONGEST_NAME for name in names)
    )


def _depth(bare: bytes) -> int:
    """Return how deeply brackets are nested in JSON whose strings have been removed."""
    steps = (1 if bracket in b"[{" else -1 for bracket in bare if bracket in b"[{]}")
    return max(accumulate(steps), default=0)


def record_head(value: bytes) -> str:
    """Return the first characters as text that Postgres accepts: invalid UTF-8 as U+FFFD, without NUL."""
    return value[: 4 * HEAD_CHARACTERS].decode("utf-8", errors="replace").replace("\0", "")[:HEAD_CHARACTERS]
