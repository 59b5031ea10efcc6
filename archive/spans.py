"""Spans of event time, and the error without an archive; for the readers with and without Spark."""

from collections.abc import Iterable
from datetime import datetime

from core.errors import NotReadyError

Span = tuple[datetime, datetime]
"""Start (included) and end (excluded) as aware datetimes."""


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return `spans` in order, with overlapping and adjacent ones merged.

    >>> from datetime import UTC
    >>> at = [datetime(2026, 1, 5, hour, tzinfo=UTC) for hour in range(6)]
    >>> [(start.hour, end.hour) for start, end in merged([(at[4], at[5]), (at[0], at[2]), (at[1], at[3])])]
    [(0, 3), (4, 5)]
    """
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def no_archive() -> NotReadyError:
    """Return the error for an archive that does not exist yet."""
    return NotReadyError(
        "There is no archive yet. "
        "Start the stream (groundswell stream), which creates it, and run this again."
    )
