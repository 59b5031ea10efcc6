"""Store the evidence of alerts that are due, gathered from the archive, and regroup their incidents.

The stream calls `store_due_evidence` after commits to the archive, the batch `store_evidence_of_span`. Both
do the same for an alert, in any order and any number of times.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_batch, register_uuid

from alerts.evidence.gather import AlertedWindows, Evidence, gather_evidence
from alerts.incidents import Incident, Member, group_incidents
from core.settings import Settings
from sql.connection import query, transaction

ALERTS_A_SCAN = 50
"""Alerts whose windows are read together."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('groundswell.evidence'))"
_WITHDRAWN_MEMBERS = """
SELECT alert_id FROM incident_members JOIN anomaly_alerts USING (alert_id) WHERE status = 'withdrawn'
"""
# Alerts may be deleted while their evidence is gathered. Locked ones stay, so that rows can refer to them.
_LOCK_ALERTS = "SELECT alert_id FROM anomaly_alerts WHERE alert_id = ANY (%(alert_ids)s) FOR KEY SHARE"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

register_uuid()  # type: ignore[no-untyped-call]

Row = dict[str, Any]
"""Parameters of a statement by name."""


class _TouchedAlert(NamedTuple):
    """A row of `alerts_of_touched_incidents`."""

    alert_id: UUID
    keyword: str
    opened_window: datetime
    last_window: datetime
    threshold_ratio: float
    posts: int
    expected: float
    traffic: int | None
    post_ids: list[int]
    status: str

    def as_member(self) -> Member:
        return Member(
            alert_id=self.alert_id,
            keyword=self.keyword,
            opened_window=self.opened_window,
            last_window=self.last_window,
            threshold_ratio=self.threshold_ratio,
            posts=self.posts,
            expected=self.expected,
            traffic=self.traffic,
            post_ids=self.post_ids,
        )


def is_evidence_due(settings: Settings) -> bool:
    """Return whether `store_due_evidence` would read the archive."""
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(query("alerts_due_for_evidence"), {"at_most": 1})
        return cursor.rowcount > 0


def store_due_evidence(settings: Settings, *, processes: int = 1) -> int:
    """Store the evidence of alerts that are new, have doubled or have ended; return the number of alerts.

    At most 50 alerts, the newest first; at most `processes` processes read the archive.
    """
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(query("alerts_due_for_evidence"), {"at_most": ALERTS_A_SCAN})
        due = _alerted_windows(cursor)
    store_evidence(settings, due, processes=processes)
    return len(due)


def store_evidence_of_span(
    settings: Settings, *, first: datetime, before: datetime, processes: int = 1
) -> int:
    """Store the evidence of alerts that opened from `first` to before `before`; return how many they are."""
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(query("alerts_opened_on_day"), {"first": first, "before": before})
        alerts = _alerted_windows(cursor)
    for start in range(0, len(alerts), ALERTS_A_SCAN):
        store_evidence(settings, alerts[start : start + ALERTS_A_SCAN], processes=processes)
    return len(alerts)


def store_evidence(settings: Settings, alerts: Sequence[AlertedWindows], *, processes: int = 1) -> None:
    """Gather the evidence of `alerts` in one scan of the archive, and replace what was stored of them.

    Regroups the incidents of all alerts that overlap with them, and those from which alerts were withdrawn.
    """
    gathered = gather_evidence(settings, alerts, processes=processes) if alerts else []
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(_LOCK)
        _save(cursor, gathered)
        cursor.execute(_WITHDRAWN_MEMBERS)
        withdrawn = [alert_id for (alert_id,) in cursor.fetchall()]
        _regroup_incidents(cursor, [evidence.alert_id for evidence in gathered] + withdrawn)
        cursor.execute(query("refresh_incidents"))


def _alerted_windows(cursor: Cursor) -> list[AlertedWindows]:
    return [
        AlertedWindows(alert_id, keyword, frozenset(windows), top_post_id)
        for alert_id, keyword, windows, top_post_id in cursor.fetchall()
    ]


def _save(cursor: Cursor, gathered: Sequence[Evidence]) -> None:
    alert_ids = {"alert_ids": [evidence.alert_id for evidence in gathered]}
    cursor.execute(_LOCK_ALERTS, alert_ids)
    existing = {alert_id for (alert_id,) in cursor.fetchall()}
    kept = [evidence for evidence in gathered if evidence.alert_id in existing]
    cursor.execute(query("delete_alert_evidence"), alert_ids)
    cursor.execute(query("delete_alert_terms"), alert_ids)
    _write(cursor, "insert_alert_evidence", (row for evidence in kept for row in _post_rows(evidence)))
    _write(cursor, "insert_alert_terms", (row for evidence in kept for row in _term_rows(evidence)))
    _write(cursor, "upsert_evidence_runs", map(_run_row, kept))


def _write(cursor: Cursor, name: str, rows: Iterable[Row]) -> None:
    execute_batch(cursor, query(name), list(rows), page_size=1000)


def _post_rows(evidence: Evidence) -> Iterable[Row]:
    return (
        {
            "alert_id": evidence.alert_id,
            "role": post.role,
            "rank": post.rank,
            "post_id": post.post_id,
            "author_id": _storable(post.author_id),
            "author_name": _storable(post.author_name),
            "text": _storable(post.text),
            "likes": post.likes,
            "posted_at": _EPOCH + timedelta(microseconds=post.posted_micros),
            "link": _storable(post.link),
        }
        for post in evidence.posts
    )


def _term_rows(evidence: Evidence) -> Iterable[Row]:
    return (
        {
            "alert_id": evidence.alert_id,
            "kind": term.kind,
            "term": _storable(term.term),
            "name": _storable(term.name),
            "posts": term.posts,
            "share": term.share,
            "usual_share": term.usual_share,
            "log_odds": term.log_odds,
            "z_score": term.z_score,
        }
        for term in evidence.terms
    )


def _run_row(evidence: Evidence) -> Row:
    return {
        "alert_id": evidence.alert_id,
        "posts": evidence.counted,
        "authors": evidence.authors,
        "texts": evidence.texts,
        "post_ids": evidence.post_ids,
    }


def _storable(text: str | None) -> str | None:
    """Return `text` without NUL characters, which Postgres rejects."""
    return None if text is None else text.replace("\0", "")


def _regroup_incidents(cursor: Cursor, alert_ids: Sequence[UUID]) -> None:
    if not alert_ids:
        return
    cursor.execute(query("alerts_of_touched_incidents"), {"alert_ids": list(alert_ids)})
    touched = {alert.alert_id: alert for alert in map(_TouchedAlert._make, cursor.fetchall())}
    incidents = group_incidents(
        alert.as_member() for alert in touched.values() if alert.status != "withdrawn"
    )
    cursor.execute(query("delete_incident_members"), {"alert_ids": list(touched)})
    _write(
        cursor,
        "upsert_incidents",
        (_incident_row(incident, [touched[key] for key in incident.overlaps]) for incident in incidents),
    )
    _write(
        cursor,
        "insert_incident_members",
        (
            {"incident_id": incident.incident_id, "alert_id": alert_id, "overlap": overlap}
            for incident in incidents
            for alert_id, overlap in incident.overlaps.items()
        ),
    )
    cursor.execute(query("delete_empty_incidents"))


def _incident_row(incident: Incident, alerts: Sequence[_TouchedAlert]) -> Row:
    return {
        "incident_id": incident.incident_id,
        "keyword": incident.headline.keyword,
        "status": "open" if any(alert.status == "open" for alert in alerts) else "resolved",
        "opened_window": min(alert.opened_window for alert in alerts),
        "last_window": max(alert.last_window for alert in alerts),
        "posts": incident.posts,
        "members": len(alerts),
    }
