"""Alerts for the operator: looks at the pipeline in, which alerts open, go on and are over out; for stream and readers."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

RESTART_MINUTES = 15
"""Minutes over which the restarts of a query are counted; without the count an alert would stay, or be over at once."""
LEAST_RECORDS = 1_000
"""Records that a share of refused ones is a share of at least: of three records one says nothing."""
FORGOTTEN_SECONDS = 86_400
"""Seconds after which an open alert is over at whose subject nobody looks any more, such as a folder that is used no longer."""


class Kind(StrEnum):
    """What an alert is about; docs/operations.md says of each what to do."""

    RESTARTED = "query restarted"
    STOPPED = "query stopped"
    LAG = "lag"
    REJECTED = "rejected share"
    DISK = "disk nearly full"
    STATISTICS = "statistics stale"
    SILENT = "stream silent"


class Look(NamedTuple):
    """What was found of a subject: an alert opens from `limit` on and is over below `over_below`, both in the unit of `value`."""

    kind: Kind
    subject: str
    value: float
    limit: float
    over_below: float
    message: str


class Decision(NamedTuple):
    """Looks whose alert opens, looks whose alert goes on, and kind and subject of alerts that are over."""

    opened: list[Look]
    seen: list[Look]
    resolved: list[tuple[str, str]]


def decide(unseen_seconds: Mapping[tuple[str, str], float], looks: Sequence[Look]) -> Decision:
    """What becomes of the open alerts, given by kind and subject with the seconds since they were last seen, after `looks`.

    An alert at whose subject nobody looked stays as it is for a day: what is not known is not over.

    >>> one = look_at_lag("detect", 60, limit=100)
    >>> [len(part) for part in decide({}, [one])], [len(part) for part in decide({("lag", "detect"): 30.0}, [one])]
    ([0, 0, 0], [0, 1, 0])
    """
    looked_at = {(look.kind.value, look.subject): look for look in looks}
    opened = [look for place, look in looked_at.items() if place not in unseen_seconds and look.value >= look.limit]
    seen = [look for place, look in looked_at.items() if place in unseen_seconds and look.value >= look.over_below]
    over = [place for place, look in looked_at.items() if place in unseen_seconds and look.value < look.over_below]
    forgotten = [place for place, seconds in unseen_seconds.items() if place not in looked_at and seconds > FORGOTTEN_SECONDS]
    return Decision(opened, seen, over + forgotten)


def look_at_restarts(query: str, restarts: int, *, limit: int) -> Look:
    """Restarts of a query in the last RESTART_MINUTES; over when there are none."""
    message = f"{query} was started again {restarts} times in {RESTART_MINUTES} minutes: read in the log what stopped it."
    return Look(Kind.RESTARTED, query, restarts, limit, 1, message)


def look_at_end(query: str, why: str | None) -> Look:
    """Whether a query is stopped for good (1 or 0), and what a person has to do about it."""
    return Look(Kind.STOPPED, query, float(why is not None), 1, 1, f"{query} is stopped for good: {why}")


def look_at_lag(query: str, lag_records: int, *, limit: int) -> Look:
    """Records that Kafka holds and a query has not committed; over at less than half of the limit."""
    message = f"{query} is {lag_records:,} records behind: wait if it catches up after an outage or a replay, else give it more cores."
    return Look(Kind.LAG, query, lag_records, limit, limit / 2, message)


def look_at_rejected(topic: str, rejected: int, archived: int, *, limit: float) -> Look:
    """Share of the last hour's records that could not be used (0 to 1); over at less than half of the limit.

    >>> look_at_rejected("posts", 30, 200, limit=0.05).value
    0.03
    """
    share = min(rejected / max(archived, LEAST_RECORDS), 1.0)
    message = f"{rejected:,} of the last hour's {archived:,} records cannot be used: read the reasons in rejected_records, mend what sends."
    return Look(Kind.REJECTED, topic, share, limit, limit / 2, message)


def look_at_disk(folder: str, used_share: float, *, limit: float) -> Look:
    """Share of a folder's disk that is used (0 to 1); over when a twentieth of what was free at the limit is free again."""
    message = f"The disk of {folder} is {used_share:.0%} full: make room before the stream stops."
    return Look(Kind.DISK, folder, used_share, limit, limit - (1 - limit) / 20, message)


def look_at_statistics(next_day: date, days_behind: float, *, limit: float) -> Look:
    """Days from the end of the last complete day, so from `next_day`, to the newest event that detection has seen."""
    message = f"Detection is {days_behind:.1f} days ahead of its statistics: run python -m batch {next_day}, or see why Airflow did not."
    return Look(Kind.STATISTICS, "batch", days_behind, limit, limit, message)
