"""Evidence of alerts from the archive into Postgres: which alerts are due, what was found, which of them are one incident.

The stream calls `store_due_evidence` after commits to the archive, the batch `store_evidence_of_span`; both do the same
for an alert, in any order and as often as they like.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values, register_uuid
from pyspark.sql import SparkSession

from alerts.evidence.gather import AlertedWindows, Evidence, gather_evidence
from alerts.incidents import Incident, Member, group_incidents
from archive.table import read_archive
from core.settings import Settings
from sql.connection import query, transaction

ALERTS_A_SCAN = 50
"""Alerts whose windows are read together."""
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('groundswell.evidence'))"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

register_uuid()  # type: ignore[no-untyped-call]


def store_due_evidence(spark: SparkSession, settings: Settings, *, tasks: int | None = None) -> int:
    """Store the evidence of alerts that are new, have doubled or are over, at most 50, the newest first; returns of how many.

    At most `tasks` read the archive at the same time.
    """
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(query("alerts_due_for_evidence"), {"at_most": ALERTS_A_SCAN})
        due = _alerted(cursor)
    store_evidence(spark, settings, due, tasks=tasks)
    return len(due)


def store_evidence_of_span(
    session: Callable[[], SparkSession], settings: Settings, *, first: datetime, before: datetime
) -> int:
    """Store the evidence of all alerts that opened from `first` and before `before`; returns of how many.

    `session` is asked for a Spark only where there are any.
    """
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(query("alerts_opened_on_day"), {"first": first, "before": before})
        alerts = _alerted(cursor)
    for place in range(0, len(alerts), ALERTS_A_SCAN):
        store_evidence(session(), settings, alerts[place : place + ALERTS_A_SCAN])
    return len(alerts)


def store_evidence(
    spark: SparkSession, settings: Settings, alerts: Sequence[AlertedWindows], *, tasks: int | None = None
) -> None:
    """Gather the evidence of `alerts` in one scan of their windows in the archive, and replace what was stored of them.

    Incidents are said anew for all that overlap with them, and where alerts were withdrawn.
    """
    found: list[Evidence] = []
    if alerts:
        records = read_archive(spark, settings, [span for alert in alerts for span in alert.spans])
        records = records.coalesce(tasks) if tasks else records
        found = gather_evidence(records, alerts, future_minutes=settings.future_minutes)
    with transaction(settings, application_name="groundswell evidence") as cursor:
        cursor.execute(_LOCK)
        _save(cursor, found)
        cursor.execute(
            "SELECT alert_id FROM incident_members JOIN anomaly_alerts USING (alert_id) WHERE status = 'withdrawn'"
        )
        _regroup_incidents(
            cursor, [evidence.alert_id for evidence in found] + [row[0] for row in cursor.fetchall()]
        )
        cursor.execute(query("refresh_incidents"))


def _alerted(cursor: Cursor) -> list[AlertedWindows]:
    return [
        AlertedWindows(key, keyword, frozenset(windows), top)
        for key, keyword, windows, top in cursor.fetchall()
    ]


def _save(cursor: Cursor, found: Sequence[Evidence]) -> None:
    ids = [evidence.alert_id for evidence in found]
    # Who makes an incident anew may drop alerts: their rows would have nothing to refer to.
    cursor.execute("SELECT alert_id FROM anomaly_alerts WHERE alert_id = ANY (%s) FOR KEY SHARE", (ids,))
    there = {row[0] for row in cursor.fetchall()}
    kept = [evidence for evidence in found if evidence.alert_id in there]
    cursor.execute("DELETE FROM alert_evidence WHERE alert_id = ANY (%s)", (ids,))
    cursor.execute("DELETE FROM alert_terms WHERE alert_id = ANY (%s)", (ids,))
    _insert(
        cursor,
        "INSERT INTO alert_evidence VALUES %s",
        (row for evidence in kept for row in _post_rows(evidence)),
    )
    _insert(
        cursor,
        "INSERT INTO alert_terms VALUES %s",
        (row for evidence in kept for row in _term_rows(evidence)),
    )
    _insert(
        cursor,
        query("upsert_evidence_runs"),
        ((evidence.alert_id, evidence.counted, evidence.post_ids) for evidence in kept),
        "(%s::uuid, %s::bigint, %s::bigint[])",
    )


def _insert(
    cursor: Cursor, statement: str, rows: Iterable[tuple[object, ...]], template: str | None = None
) -> None:
    listed = list(rows)
    if listed:
        execute_values(cursor, statement, listed, template=template, page_size=1000)


def _post_rows(evidence: Evidence) -> Iterable[tuple[object, ...]]:
    return (
        (
            evidence.alert_id,
            post.role,
            post.rank,
            post.post_id,
            _storable(post.author_id),
            _storable(post.author_name),
            _storable(post.text),
            post.likes,
            _EPOCH + timedelta(microseconds=post.posted_micros),
            _storable(post.link),
        )
        for post in evidence.posts
    )


def _term_rows(evidence: Evidence) -> Iterable[tuple[object, ...]]:
    return (
        (
            evidence.alert_id,
            term.kind,
            _storable(term.term),
            _storable(term.name),
            term.posts,
            term.share,
            term.usual_share,
            term.log_odds,
            term.z_score,
        )
        for term in evidence.terms
    )


def _storable(text: str | None) -> str | None:
    """`text` as Postgres takes it: without NUL."""
    return None if text is None else text.replace("\0", "")


def _regroup_incidents(cursor: Cursor, alert_ids: Sequence[UUID]) -> None:
    if not alert_ids:
        return
    cursor.execute(query("alerts_of_touched_incidents"), {"alert_ids": list(alert_ids)})
    rows = cursor.fetchall()
    touched = [row[0] for row in rows]
    status = {row[0]: row[7] for row in rows}
    said = group_incidents(Member(*row[:7]) for row in rows if row[7] != "withdrawn")
    windows = {row[0]: (row[2], row[3]) for row in rows}
    cursor.execute("DELETE FROM incident_members WHERE alert_id = ANY (%s)", (touched,))
    _insert(cursor, query("upsert_incidents"), (_incident_row(event, status, windows) for event in said))
    _insert(
        cursor,
        "INSERT INTO incident_members (incident_id, alert_id, overlap) VALUES %s",
        (
            (event.incident_id, alert_id, shared)
            for event in said
            for alert_id, shared in event.overlaps.items()
        ),
    )
    cursor.execute(
        "DELETE FROM incidents WHERE NOT EXISTS (SELECT FROM incident_members AS m WHERE m.incident_id = incidents.incident_id)"
    )


def _incident_row(
    event: Incident, status: dict[UUID, str], windows: dict[UUID, tuple[datetime, datetime]]
) -> tuple[object, ...]:
    return (
        event.incident_id,
        event.headline.keyword,
        "open" if any(status[member] == "open" for member in event.overlaps) else "resolved",
        min(windows[member][0] for member in event.overlaps),
        max(windows[member][1] for member in event.overlaps),
        event.posts,
        len(event.overlaps),
    )
