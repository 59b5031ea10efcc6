"""Rows of alerts for tests of what reads them, without the stream that writes them."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from core.settings import Settings
from sql.connection import transaction
from tests.tables import rows

OPENED = datetime(2026, 1, 2, 18, 15, tzinfo=UTC)
ALERT = """
INSERT INTO anomaly_alerts (
    alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, posts, expected, score,
    peak_score, severity, distinct_authors, distinct_texts, top_post_id, rule_version, threshold_ratio,
    opened_by, origin, degraded
) VALUES (
    %(alert_id)s::uuid, %(keyword)s, %(status)s, %(provisional)s, %(opened)s, %(opened)s, %(resolved_at)s,
    %(posts)s, 2.2, 9, 9, %(severity)s, 60, 58, 7, 'test', 2.5, 'window', 'organic', false
)
"""
WINDOW = """
INSERT INTO alert_windows (
    alert_id, window_start, posts, total_posts, ratio, expected, scale, score, closed, authors_bitmap,
    texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes, hourly_posts,
    hourly_expected, hourly_spread, hourly_score, hourly_authors_bitmap, threshold, threshold_ratio
) VALUES (
    %(alert_id)s::uuid, %(opened)s, %(posts)s, 1000, 1, 2.2, 1, 9, true, 1099511627775, 1099511627775,
    %(opened)s, 5, 9, 7, 10, %(posts)s, 9, 1, 8, 1099511627775, 4.5, 2
)
"""
EVIDENCE = """
INSERT INTO alert_evidence (
    alert_id, role, rank, post_id, author_id, author_name, text, likes, posted_at, link
)
VALUES (%s::uuid, %s, 1, %s, '1', %s, %s, 12, %s, %s)
"""
NAMESPACE = UUID(int=0)


def id_of(keyword: str) -> str:
    """Return the alert id that `add_alert` gives to a keyword's alert."""
    return str(uuid5(NAMESPACE, keyword))


def add_alert(settings: Settings, keyword: str, **changes: Any) -> str:
    """Insert an alert with one window and return its id; `changes` by the parameters of ALERT."""
    values = {
        "alert_id": id_of(keyword),
        "keyword": keyword,
        "status": "open",
        "provisional": False,
        "opened": OPENED,
        "resolved_at": None,
        "posts": 83,
        "severity": "strong",
    } | changes
    with transaction(settings) as cursor:
        cursor.execute(ALERT, values)
        cursor.execute(WINDOW, values)
    return id_of(keyword)


def add_post(settings: Settings, keyword: str, text: str, *, author: str = "anna", link: str = "") -> None:
    """Insert a post as evidence of a keyword's alert."""
    shown = link or "https://www.tiktok.com/@anna/video/7"
    rows(settings, EVIDENCE, id_of(keyword), "typical", 7, author, text, OPENED, shown)


def set_clock(settings: Settings) -> None:
    """Let detection be ten minutes into the window after the alerts opened."""
    rows(
        settings,
        "INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule) VALUES (%s, %s, 'test') "
        "ON CONFLICT (singleton) DO UPDATE SET max_event_time = excluded.max_event_time",
        OPENED + timedelta(minutes=25),
        OPENED,
    )
