"""Operator alerts in Postgres: writes checks to operator_alerts; reads open ones for status and metrics."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from core.health import Check, Decision, Kind, reconcile
from core.settings import Settings
from sql.connection import query


class OpenAlert(NamedTuple):
    """An alert that is open now."""

    kind: str
    subject: str
    opened_at: datetime
    message: str


def save_checks(cursor: Cursor, checks: Sequence[Check]) -> Decision:
    """Open, refresh and resolve alerts by `checks` in the caller's transaction; returns what was decided."""
    cursor.execute(query("open_operator_alerts"))
    decision = reconcile({(kind, subject): seconds for kind, subject, seconds in cursor.fetchall()}, checks)
    for check in (*decision.opened, *decision.seen):
        cursor.execute(query("save_operator_alert"), check._asdict())
    for kind, subject in decision.resolved:
        cursor.execute(query("resolve_operator_alert"), {"kind": kind, "subject": subject})
    return decision


def alerts_now(cursor: Cursor, settings: Settings) -> list[OpenAlert]:
    """Return open alerts, oldest first, and queries without progress for `operator_stalled_seconds`."""
    cursor.execute(query("operator_alerts_now"), {"stalled_seconds": settings.operator_stalled_seconds})
    return [OpenAlert(*row) for row in cursor.fetchall()]


def alerts_by_kind(alerts: Sequence[OpenAlert]) -> dict[tuple[str, ...], float]:
    """Return the number of open alerts of each kind, zeros included."""
    count = Counter(alert.kind for alert in alerts)
    return {(kind.value,): float(count[kind.value]) for kind in Kind}
