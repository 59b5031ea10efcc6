"""Incidents in Postgres: loads what the next decision needs, writes what was decided."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values, register_uuid

from core.keywords import KEYWORD_RULE_VERSION
from core.windows import window_number, window_start
from detection.authors import estimate_distinct, origin
from detection.learn import OUTAGE_RATIO
from detection.lifecycle import Incident, JudgedWindow, severity
from detection.score import SCORE_VERSION
from sql.connection import query

RULE_VERSION = f"{KEYWORD_RULE_VERSION} {SCORE_VERSION}"
_STORED = (
    "posts", "total_posts", "ratio", "expected", "scale", "score", "posts60", "expected60", "spread60", "score60", "threshold", "strength",
    "statistics_as_of", "authors_bitmap", "authors60_bitmap", "texts_bitmap", "first_post_at", "first_post_id", "latest_post_id",
    "top_post_id", "top_likes",
)  # fmt: skip
"""Columns of alert_windows that are fields of a judged window, in the order of the queries."""
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:alert")

register_uuid()  # type: ignore[no-untyped-call]


def alert_id(keyword: str, opened: int) -> UUID:
    """Id of the incident of `keyword` that window number `opened` opened; the same in every replay."""
    return uuid5(_NAMESPACE, f"{window_start(opened).isoformat()} {keyword}")


def keywords_with_open_alerts(cursor: Cursor) -> set[str]:
    """Keywords with an alert that is open, provisional ones included."""
    cursor.execute("SELECT DISTINCT keyword FROM anomaly_alerts WHERE status = 'open'")
    return {row[0] for row in cursor.fetchall()}


def load_confirmed(cursor: Cursor, keywords: Iterable[str]) -> dict[str, Incident[JudgedWindow]]:
    """The newest confirmed incident of each of `keywords`, as its closed windows made it."""
    cursor.execute(query("confirmed_incidents"), {"keywords": sorted(keywords)})
    windows: dict[str, list[JudgedWindow]] = {}
    resolved: dict[str, bool] = {}
    for keyword, is_resolved, start, *rest in cursor.fetchall():
        figures = dict(zip(_STORED, rest, strict=True))
        windows.setdefault(keyword, []).append(JudgedWindow(number=window_number(start), anomalous=True, closed=True, **figures))
        resolved[keyword] = is_resolved
    return {keyword: Incident(tuple(rows), resolved[keyword]) for keyword, rows in windows.items()}


def save_incidents(
    cursor: Cursor, incidents: Sequence[tuple[str, Incident[JudgedWindow]]], *, decided_before: int, quiet_windows: int, quiet_before: int
) -> None:
    """Upsert (keyword, incident) pairs and their windows; windows that fell out of an incident are removed.

    Windows numbered below `decided_before` were closed and written by an earlier step. An incident counts as resolved only
    once all its quiet windows lie before `quiet_before`.
    """
    if not incidents:
        return
    ids = [alert_id(keyword, incident.opened) for keyword, incident in incidents]
    rows = []
    for keyword, incident in incidents:
        resolved = incident.resolved and incident.last + quiet_windows < quiet_before
        rows.append(tuple(alert_figures(keyword, incident, resolved=resolved, quiet_windows=quiet_windows).values()))
    execute_values(cursor, query("upsert_alerts"), rows, page_size=1000)
    cursor.execute("DELETE FROM alert_windows WHERE alert_id = ANY (%s) AND NOT closed", (ids,))
    windows = [
        _window_row(key, window)
        for key, (_, incident) in zip(ids, incidents, strict=True)
        for window in incident.windows
        if window.number >= decided_before
    ]
    if windows:
        execute_values(cursor, query("upsert_alert_windows"), windows, page_size=1000)


def save_vetoed(cursor: Cursor, windows: Iterable[tuple[str, JudgedWindow]]) -> None:
    """Insert (keyword, closed window) pairs that raised no alert though their count alone would have, with the reason."""
    rows = [
        (keyword, window_start(window.number), window.veto, window.posts,
         estimate_distinct([window.authors_bitmap], at_most=window.posts), window.expected, window.score, window.top_post_id,
         window.posts60, estimate_distinct([window.authors60_bitmap], at_most=window.posts60))
        for keyword, window in windows
    ]  # fmt: skip
    if rows:
        execute_values(cursor, query("insert_vetoed_windows"), rows, page_size=1000)


def withdraw_unconfirmed(cursor: Cursor, *, closed_until: datetime, confirmed: Iterable[UUID]) -> None:
    """Withdraw provisional alerts whose first window is closed, unless they are among `confirmed`."""
    cursor.execute(query("withdraw_alerts"), {"closed_until": closed_until, "alert_ids": list(confirmed)})


def alert_figures(keyword: str, incident: Incident[JudgedWindow], *, resolved: bool, quiet_windows: int) -> dict[str, object]:
    """The row of `anomaly_alerts` that the incident makes, in the order of `upsert_alerts`."""
    windows = incident.windows
    posts = sum(window.posts for window in windows)
    first, highest = windows[0], max(windows, key=lambda window: window.score)
    return {
        "alert_id": alert_id(keyword, incident.opened),
        "keyword": keyword,
        "status": "resolved" if resolved else "open",
        "provisional": incident.provisional,
        "opened_window": window_start(incident.opened),
        "last_window": window_start(incident.last),
        "resolved_at": window_start(incident.last + 1 + quiet_windows) if resolved else None,
        "first_post_at": first.first_post_at,
        "posts": posts,
        "expected": sum(window.expected for window in windows),
        "score": windows[-1].score,
        "peak_score": highest.score,
        "strength": incident.strength,
        "severity": severity(incident.strength),
        "opened_by": "window" if first.score >= first.threshold else "hour",
        "origin": origin(highest),
        "distinct_authors": estimate_distinct([window.authors_bitmap for window in windows], at_most=posts),
        "distinct_texts": estimate_distinct([window.texts_bitmap for window in windows], at_most=posts),
        "first_post_id": first.first_post_id,
        "latest_post_id": max(window.latest_post_id for window in windows),
        "top_post_id": max(windows, key=lambda window: (window.top_likes, window.top_post_id)).top_post_id,
        "statistics_as_of": first.statistics_as_of,
        "rule_version": RULE_VERSION,
        "degraded": any(window.closed and window.statistics_as_of is not None and window.ratio < OUTAGE_RATIO for window in windows),
    }


def _window_row(key: UUID, window: JudgedWindow) -> tuple[object, ...]:
    return (key, window_start(window.number), window.closed, *(getattr(window, name) for name in _STORED))
