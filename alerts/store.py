"""Alerts in Postgres: load what the next decision builds on, write what was decided."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import register_uuid

from core.keyword_rule import KEYWORD_RULE_VERSION
from core.windows import window_number, window_start
from detection.authors import estimate_distinct, origin
from detection.lifecycle import Alert, JudgedWindow, severity
from detection.score import SCORE_VERSION
from detection.traffic_baseline import OUTAGE_RATIO
from sql.connection import query
from sql.rows import fetch_dicts, insert_rows

RULE_VERSION = f"{KEYWORD_RULE_VERSION} {SCORE_VERSION}"
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:alert")

register_uuid()  # type: ignore[no-untyped-call]


def alert_id(keyword: str, opened: int) -> UUID:
    """Return the id of the alert of `keyword` opened by window number `opened`; the same in every replay."""
    return uuid5(_NAMESPACE, f"{window_start(opened).isoformat()} {keyword}")


def keywords_with_open_alerts(cursor: Cursor) -> set[str]:
    """Return the keywords with an open alert, provisional ones included."""
    cursor.execute("SELECT DISTINCT keyword FROM anomaly_alerts WHERE status = 'open'")
    return {row[0] for row in cursor.fetchall()}


def load_confirmed(cursor: Cursor, keywords: Iterable[str]) -> dict[str, Alert[JudgedWindow]]:
    """Load the newest confirmed alert of each of `keywords`, made of its closed windows."""
    cursor.execute(query("confirmed_alerts"), {"keywords": sorted(keywords)})
    windows: dict[str, list[JudgedWindow]] = {}
    resolved: dict[str, bool] = {}
    for row in fetch_dicts(cursor):
        keyword, number = row.pop("keyword"), window_number(row.pop("window_start"))
        resolved[keyword] = row.pop("resolved")
        windows.setdefault(keyword, []).append(
            JudgedWindow(number=number, anomalous=True, closed=True, **row)
        )
    return {keyword: Alert(tuple(rows), resolved[keyword]) for keyword, rows in windows.items()}


def save_alerts(
    cursor: Cursor,
    alerts: Sequence[tuple[str, Alert[JudgedWindow]]],
    *,
    decided_before: int,
    quiet_windows: int,
    quiet_before: int,
) -> None:
    """Upsert (keyword, alert) pairs and their windows, and delete windows that no longer belong to an alert.

    Windows numbered below `decided_before` were closed and written by an earlier step. An alert counts as
    resolved only once all its quiet windows are before `quiet_before`.
    """
    if not alerts:
        return
    rows = []
    for keyword, alert in alerts:
        resolved = alert.resolved and alert.last + quiet_windows < quiet_before
        rows.append(alert_figures(keyword, alert, resolved=resolved, quiet_windows=quiet_windows))
    insert_rows(cursor, "upsert_alerts", rows)
    cursor.execute(query("delete_open_alert_windows"), {"alert_ids": [row["alert_id"] for row in rows]})
    insert_rows(
        cursor,
        "upsert_alert_windows",
        (
            {"alert_id": row["alert_id"], **_window_figures(window)}
            for row, (_, alert) in zip(rows, alerts, strict=True)
            for window in alert.windows
            if window.number >= decided_before
        ),
    )


def save_suppressed(cursor: Cursor, windows: Iterable[tuple[str, JudgedWindow]]) -> None:
    """Insert suppressed windows, given as (keyword, closed window), with the reason."""
    insert_rows(
        cursor,
        "insert_suppressed_windows",
        (
            {
                "keyword": keyword,
                "window_start": window_start(window.number),
                "reason": window.suppressed_by,
                "posts": window.posts,
                "distinct_authors": estimate_distinct([window.authors_bitmap], at_most=window.posts),
                "expected": window.expected,
                "score": window.score,
                "top_post_id": window.top_post_id,
                "hourly_posts": window.hourly_posts,
                "hourly_distinct_authors": estimate_distinct(
                    [window.hourly_authors_bitmap], at_most=window.hourly_posts
                ),
            }
            for keyword, window in windows
        ),
    )


def withdraw_unconfirmed(cursor: Cursor, *, closed_until: datetime, confirmed: Iterable[UUID]) -> None:
    """Withdraw provisional alerts whose first window is closed, unless they are among `confirmed`."""
    cursor.execute(query("withdraw_alerts"), {"closed_until": closed_until, "alert_ids": list(confirmed)})


def alert_figures(
    keyword: str, alert: Alert[JudgedWindow], *, resolved: bool, quiet_windows: int
) -> dict[str, object]:
    """Return the row of `anomaly_alerts` for an alert, by column."""
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


def _window_figures(window: JudgedWindow) -> dict[str, object]:
    """Return the row of `alert_windows` for a judged window, whose fields have the names of the columns."""
    figures = {field.name: getattr(window, field.name) for field in fields(window)}
    return {"window_start": window_start(window.number), **figures}
