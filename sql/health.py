"""Alerts for the operator in Postgres: checks in, rows of operator_alerts out; and what is open now, for status and for Prometheus."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from core.health import Check, Decision, Kind, reconcile
from core.settings import Settings
from sql.connection import query


class OpenAlert(NamedTuple):
    """What the operator has to know now."""

    kind: str
    subject: str
    opened_at: datetime
    message: str


def save_checks(cursor: Cursor, checks: Sequence[Check]) -> Decision:
    """Open, refresh and resolve alerts by `checks`, in the caller's transaction; returns what was decided."""
    cursor.execute(query("open_operator_alerts"))
    decision = reconcile({(kind, subject): seconds for kind, subject, seconds in cursor.fetchall()}, checks)
    for check in (*decision.opened, *decision.seen):
        cursor.execute(query("save_operator_alert"), check._asdict())
    for kind, subject in decision.resolved:
        cursor.execute(query("resolve_operator_alert"), {"kind": kind, "subject": subject})
    return decision


def alerts_now(cursor: Cursor, settings: Settings) -> list[OpenAlert]:
    """What is open, the oldest first; queries of which nothing was heard for `operator_stalled_seconds` among them."""
    cursor.execute(query("operator_alerts_now"), {"stalled_seconds": settings.operator_stalled_seconds})
    return [OpenAlert(*row) for row in cursor.fetchall()]


def alerts_by_kind(alerts: Sequence[OpenAlert]) -> dict[tuple[str, ...], float]:
    """How many are open of each kind, also of those of which none is."""
    count = Counter(alert.kind for alert in alerts)
    return {(kind.value,): float(count[kind.value]) for kind in Kind}
