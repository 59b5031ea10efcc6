"""Alerts for the operator: checks at the pipeline in, which alerts open, go on and are over out; for stream and readers."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

RESTART_MINUTES = 15
"""Minutes over which the restarts of a query are counted; without the count an alert would stay, or be over at once."""
LEAST_RECORDS = 1_000
"""Records that a share of rejected ones is a share of at least: of three records one says nothing."""
FORGOTTEN_SECONDS = 86_400
"""Seconds after which an open alert is over at whose subject nobody checks any more, such as a folder that is used no longer."""


class Kind(StrEnum):
    """What an alert is about; docs/operations.md says of each what to do."""

    RESTARTED = "query restarted"
    STOPPED = "query stopped"
    LAG = "lag"
    REJECTED = "rejected share"
    DISK = "disk nearly full"
    STATISTICS = "statistics stale"
    SILENT = "stream silent"


class Check(NamedTuple):
    """What was found of a subject: an alert opens from `limit` on and is over below `over_below`, both in the unit of `value`."""

    kind: Kind
    subject: str
    value: float
    limit: float
    over_below: float
    message: str


class Decision(NamedTuple):
    """Looks whose alert opens, checks whose alert goes on, and kind and subject of alerts that are over."""

    opened: list[Check]
    seen: list[Check]
    resolved: list[tuple[str, str]]


def reconcile(unseen_seconds: Mapping[tuple[str, str], float], checks: Sequence[Check]) -> Decision:
    """What becomes of the open alerts, given by kind and subject with the seconds since they were last seen, after `checks`.

    An alert at whose subject nobody looked stays as it is for a day: what is not known is not over.

    >>> one = check_lag("detect", 60, limit=100)
    >>> [len(part) for part in reconcile({}, [one])], [len(part) for part in reconcile({("lag", "detect"): 30.0}, [one])]
    ([0, 0, 0], [0, 1, 0])
    """
    checked = {(check.kind.value, check.subject): check for check in checks}
    opened = [
        check
        for place, check in checked.items()
        if place not in unseen_seconds and check.value >= check.limit
    ]
    seen = [
        check
        for place, check in checked.items()
        if place in unseen_seconds and check.value >= check.over_below
    ]
    over = [
        place
        for place, check in checked.items()
        if place in unseen_seconds and check.value < check.over_below
    ]
    forgotten = [
        place
        for place, seconds in unseen_seconds.items()
        if place not in checked and seconds > FORGOTTEN_SECONDS
    ]
    return Decision(opened, seen, over + forgotten)


def check_restarts(query: str, restarts: int, *, limit: int) -> Check:
    """Restarts of a query in the last RESTART_MINUTES; over when there are none."""
    message = f"{query} was started again {restarts} times in {RESTART_MINUTES} minutes: read in the log what stopped it."
    return Check(Kind.RESTARTED, query, restarts, limit, 1, message)


def check_stopped(query: str, why: str | None) -> Check:
    """Whether a query is stopped for good (1 or 0), and what a person has to do about it."""
    return Check(Kind.STOPPED, query, float(why is not None), 1, 1, f"{query} is stopped for good: {why}")


def check_lag(query: str, lag_records: int, *, limit: int) -> Check:
    """Records that Kafka holds and a query has not committed; over at less than half of the limit."""
    message = f"{query} is {lag_records:,} records behind: wait if it catches up after an outage or a replay, else give it more cores."
    return Check(Kind.LAG, query, lag_records, limit, limit / 2, message)


def check_rejected(topic: str, rejected: int, archived: int, *, limit: float) -> Check:
    """Share of the last hour's records that could not be used (0 to 1); over at less than half of the limit.

    >>> check_rejected("posts", 30, 200, limit=0.05).value
    0.03
    """
    share = min(rejected / max(archived, LEAST_RECORDS), 1.0)
    message = f"{rejected:,} of the last hour's {archived:,} records cannot be used: read the reasons in rejected_records, mend what sends."
    return Check(Kind.REJECTED, topic, share, limit, limit / 2, message)


def check_disk(folder: str, used_share: float, *, limit: float) -> Check:
    """Share of a folder's disk that is used (0 to 1); over when a twentieth of what was free at the limit is free again."""
    message = f"The disk of {folder} is {used_share:.0%} full: make room before the stream stops."
    return Check(Kind.DISK, folder, used_share, limit, limit - (1 - limit) / 20, message)


def check_statistics(next_day: date, days_behind: float, *, limit: float) -> Check:
    """Days from the end of the last complete day, so from `next_day`, to the newest event that detection has seen."""
    message = f"Detection is {days_behind:.1f} days ahead of its statistics: run python -m batch {next_day}, or see why Airflow did not."
    return Check(Kind.STATISTICS, "batch", days_behind, limit, limit, message)
