"""Operator alerts: from health checks of the pipeline to the alerts that open, continue and resolve."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from typing import NamedTuple

RESTART_MINUTES = 15
"""Minutes over which a query's restarts count; without a span an alert would resolve at once, or never."""
LEAST_RECORDS = 1_000
"""Records that the share of rejected ones is at least a share of: one of three records says nothing."""
FORGOTTEN_SECONDS = 86_400
"""Seconds after which an open alert resolves if its subject, such as an unused folder, is not checked."""


class Kind(StrEnum):
    """What an alert is about; docs/operations.md says what to do about each kind."""

    RESTARTED = "query restarted"
    STOPPED = "query stopped"
    LAG = "lag"
    REJECTED = "rejected share"
    DISK = "disk nearly full"
    STATISTICS = "statistics stale"
    STALLED = "stream stalled"


class Check(NamedTuple):
    """The result of checking a subject.

    An alert opens from `limit` on and resolves below `resolve_below`, both in the unit of `value`.
    """

    kind: Kind
    subject: str
    value: float
    limit: float
    resolve_below: float
    message: str


class Decision(NamedTuple):
    """Checks whose alert opens, checks whose alert continues, and kind and subject of alerts that resolve."""

    opened: list[Check]
    seen: list[Check]
    resolved: list[tuple[str, str]]


def reconcile(unseen_seconds: Mapping[tuple[str, str], float], checks: Sequence[Check]) -> Decision:
    """Decide what becomes of the open alerts after `checks`.

    `unseen_seconds` has the open alerts, by kind and subject, with the seconds since they were last seen. An
    alert whose subject was not checked stays open for a day: unknown is not resolved.

    >>> lag = check_lag("detect", 60, limit=100)
    >>> [len(part) for part in reconcile({}, [lag])]
    [0, 0, 0]
    >>> [len(part) for part in reconcile({("lag", "detect"): 30.0}, [lag])]
    [0, 1, 0]
    """
    checked = {(check.kind.value, check.subject): check for check in checks}
    opened = [
        check for key, check in checked.items() if key not in unseen_seconds and check.value >= check.limit
    ]
    seen = [
        check
        for key, check in checked.items()
        if key in unseen_seconds and check.value >= check.resolve_below
    ]
    resolved = [
        key for key, check in checked.items() if key in unseen_seconds and check.value < check.resolve_below
    ]
    forgotten = [
        key for key, seconds in unseen_seconds.items() if key not in checked and seconds > FORGOTTEN_SECONDS
    ]
    return Decision(opened, seen, resolved + forgotten)


def check_restarts(query: str, restarts: int, *, limit: int) -> Check:
    """Check a query's restarts in the last RESTART_MINUTES; resolves when there are none."""
    message = (
        f"{query} restarted {restarts} times in {RESTART_MINUTES} minutes: read in the log what stopped it."
    )
    return Check(Kind.RESTARTED, query, restarts, limit, 1, message)


def check_stopped(query: str, why: str | None) -> Check:
    """Check whether a query is stopped for good (1 or 0); `why` also says what the user must do."""
    return Check(Kind.STOPPED, query, float(why is not None), 1, 1, f"{query} is stopped for good: {why}")


def check_lag(query: str, lag_records: int, *, limit: int) -> Check:
    """Check the records that Kafka holds and a query has not committed; resolves below half of the limit."""
    message = (
        f"{query} is {lag_records:,} records behind: wait if it is catching up after an outage or a replay, "
        "otherwise give it more cores."
    )
    return Check(Kind.LAG, query, lag_records, limit, limit / 2, message)


def check_rejected(topic: str, rejected: int, archived: int, *, limit: float) -> Check:
    """Check the rejected share of the last hour's records (0 to 1); resolves below half of the limit.

    >>> check_rejected("posts", 30, 200, limit=0.05).value
    0.03
    """
    share = min(rejected / max(archived, LEAST_RECORDS), 1.0)
    message = (
        f"{rejected:,} of the last hour's {archived:,} records were rejected: read the reasons in "
        "rejected_records, and fix what sends them."
    )
    return Check(Kind.REJECTED, topic, share, limit, limit / 2, message)


def check_disk(folder: str, used_share: float, *, limit: float) -> Check:
    """Check the used share of a folder's disk (0 to 1).

    Resolves once a twentieth of what is free at the limit has been freed on top of it.
    """
    message = f"The disk of {folder} is {used_share:.0%} full: free some space before the stream stops."
    return Check(Kind.DISK, folder, used_share, limit, limit - (1 - limit) / 20, message)


def check_statistics(next_day: date, days_behind: float, *, limit: float) -> Check:
    """Check the days from the start of `next_day`, the first incomplete one, to detection's newest event."""
    message = (
        f"Detection is {days_behind:.1f} days ahead of its statistics: run groundswell batch {next_day}, "
        "or find out why Airflow did not."
    )
    return Check(Kind.STATISTICS, "batch", days_behind, limit, limit, message)
