"""Alerts in Postgres: loads what the next decision needs, writes what was decided."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values, register_uuid

from core.keywords import KEYWORD_RULE_VERSION
from core.windows import window_number, window_start
from detection.authors import estimate_distinct, origin
from detection.learn import OUTAGE_RATIO
from detection.lifecycle import Alert, JudgedWindow, severity
from detection.score import SCORE_VERSION
from sql.connection import query

RULE_VERSION = f"{KEYWORD_RULE_VERSION} {SCORE_VERSION}"
_STORED = (
    "posts",
    "total_posts",
    "ratio",
    "expected",
    "scale",
    "score",
    "hourly_posts",
    "hourly_expected",
    "hourly_spread",
    "hourly_score",
    "threshold",
    "threshold_ratio",
    "statistics_as_of",
    "authors_bitmap",
    "hourly_authors_bitmap",
    "texts_bitmap",
    "first_post_at",
    "first_post_id",
    "latest_post_id",
    "top_post_id",
    "top_likes",
)
"""Columns of alert_windows that are fields of a judged window, in the order of the queries."""
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:alert")

register_uuid()  # type: ignore[no-untyped-call]


def alert_id(keyword: str, opened: int) -> UUID:
    """Id of the alert of `keyword` that window number `opened` opened; the same in every replay."""
    return uuid5(_NAMESPACE, f"{window_start(opened).isoformat()} {keyword}")


def keywords_with_open_alerts(cursor: Cursor) -> set[str]:
    """Keywords with an alert that is open, provisional ones included."""
    cursor.execute("SELECT DISTINCT keyword FROM anomaly_alerts WHERE status = 'open'")
    return {row[0] for row in cursor.fetchall()}


def load_confirmed(cursor: Cursor, keywords: Iterable[str]) -> dict[str, Alert[JudgedWindow]]:
    """The newest confirmed alert of each of `keywords`, as its closed windows made it."""
    cursor.execute(query("confirmed_alerts"), {"keywords": sorted(keywords)})
    windows: dict[str, list[JudgedWindow]] = {}
    resolved: dict[str, bool] = {}
    for keyword, is_resolved, start, *rest in cursor.fetchall():
        figures = dict(zip(_STORED, rest, strict=True))
        windows.setdefault(keyword, []).append(
            JudgedWindow(number=window_number(start), anomalous=True, closed=True, **figures)
        )
        resolved[keyword] = is_resolved
    return {keyword: Alert(tuple(rows), resolved[keyword]) for keyword, rows in windows.items()}


def save_alerts(
    cursor: Cursor,
    alerts: Sequence[tuple[str, Alert[JudgedWindow]]],
    *,
    decided_before: int,
    quiet_windows: int,
    quiet_before: int,
) -> None:
    """Upsert (keyword, alert) pairs and their windows; windows that fell out of an alert are removed.

    Windows numbered below `decided_before` were closed and written by an earlier step. An alert counts as resolved only
    once all its quiet windows lie before `quiet_before`.
    """
    if not alerts:
        return
    ids = [alert_id(keyword, alert.opened) for keyword, alert in alerts]
    rows = []
    for keyword, alert in alerts:
        resolved = alert.resolved and alert.last + quiet_windows < quiet_before
        rows.append(
            tuple(alert_figures(keyword, alert, resolved=resolved, quiet_windows=quiet_windows).values())
        )
    execute_values(cursor, query("upsert_alerts"), rows, page_size=1000)
    cursor.execute("DELETE FROM alert_windows WHERE alert_id = ANY (%s) AND NOT closed", (ids,))
    windows = [
        _window_row(key, window)
        for key, (_, alert) in zip(ids, alerts, strict=True)
        for window in alert.windows
        if window.number >= decided_before
    ]
    if windows:
        execute_values(cursor, query("upsert_alert_windows"), windows, page_size=1000)


def save_suppressed(cursor: Cursor, windows: Iterable[tuple[str, JudgedWindow]]) -> None:
    """Insert (keyword, closed window) pairs that raised no alert though their count alone would have, with the reason."""
    rows = [
        (
            keyword,
            window_start(window.number),
            window.suppressed_by,
            window.posts,
            estimate_distinct([window.authors_bitmap], at_most=window.posts),
            window.expected,
            window.score,
            window.top_post_id,
            window.hourly_posts,
            estimate_distinct([window.hourly_authors_bitmap], at_most=window.hourly_posts),
        )
        for keyword, window in windows
    ]
    if rows:
        execute_values(cursor, query("insert_suppressed_windows"), rows, page_size=1000)


def withdraw_unconfirmed(cursor: Cursor, *, closed_until: datetime, confirmed: Iterable[UUID]) -> None:
    """Withdraw provisional alerts whose first window is closed, unless they are among `confirmed`."""
    cursor.execute(query("withdraw_alerts"), {"closed_until": closed_until, "alert_ids": list(confirmed)})


def alert_figures(
    keyword: str, alert: Alert[JudgedWindow], *, resolved: bool, quiet_windows: int
) -> dict[str, object]:
    """The row of `anomaly_alerts` that the alert makes, in the order of `upsert_alerts`."""
    windows = alert.windows
    posts = sum(window.posts for window in windows)
    first, highest = windows[0], max(windows, key=lambda window: window.score)
    return {
        "alert_id": alert_id(keyword, alert.opened),
        "keyword": keyword,
        "status": "resolved" if resolved else "open",
        "provisional": alert.provisional,
        "opened_window": window_start(alert.opened),
        "last_window": window_start(alert.last),
        "resolved_at": window_start(alert.last + 1 + quiet_windows) if resolved else None,
        "first_post_at": first.first_post_at,
        "posts": posts,
        "expected": sum(window.expected for window in windows),
        "score": windows[-1].score,
        "peak_score": highest.score,
        "threshold_ratio": alert.threshold_ratio,
        "severity": severity(alert.threshold_ratio),
        "opened_by": "window" if first.score >= first.threshold else "hour",
        "origin": origin(highest),
        "distinct_authors": estimate_distinct([window.authors_bitmap for window in windows], at_most=posts),
        "distinct_texts": estimate_distinct([window.texts_bitmap for window in windows], at_most=posts),
        "first_post_id": first.first_post_id,
        "latest_post_id": max(window.latest_post_id for window in windows),
        "top_post_id": max(windows, key=lambda window: (window.top_likes, window.top_post_id)).top_post_id,
        "statistics_as_of": first.statistics_as_of,
        "rule_version": RULE_VERSION,
        "degraded": any(
            window.closed and window.statistics_as_of is not None and window.ratio < OUTAGE_RATIO
            for window in windows
        ),
    }


def _window_row(key: UUID, window: JudgedWindow) -> tuple[object, ...]:
    return (key, window_start(window.number), window.closed, *(getattr(window, name) for name in _STORED))
