"""Incidents and live counts in Postgres: loads what the next decision needs, writes what was decided."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import NAMESPACE_URL, UUID, uuid5

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values, register_uuid

from core.keywords import KEYWORD_RULE_VERSION
from core.lifecycle import Incident, JudgedWindow, estimate_distinct, severity
from core.score import SCORE_VERSION
from core.windows import window_number, window_start
from sql.connection import query
from streaming.judge import KeywordCount

RULE_VERSION = f"{KEYWORD_RULE_VERSION} {SCORE_VERSION}"
_NAMESPACE = uuid5(NAMESPACE_URL, "groundswell:alert")
_LIVE_COLUMNS = (
    "window_start, keyword, posts, authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id, top_post_id, top_likes"
)

register_uuid()  # type: ignore[no-untyped-call]


def alert_id(keyword: str, opened: int) -> UUID:
    """Id of the incident of `keyword` that window number `opened` opened; the same in every replay."""
    return uuid5(_NAMESPACE, f"{window_start(opened).isoformat()} {keyword}")


def save_traffic(cursor: Cursor, posts_by_window: Mapping[datetime, int]) -> None:
    """Upsert distinct posts of all keywords by window start."""
    if posts_by_window:
        execute_values(cursor, query("upsert_traffic_windows"), sorted(posts_by_window.items()), page_size=1000)


def load_traffic(cursor: Cursor, starts: Iterable[datetime]) -> dict[datetime, int]:
    """Distinct posts of all keywords in the windows that start at `starts`."""
    cursor.execute("SELECT window_start, posts FROM traffic_windows WHERE window_start = ANY (%s)", (sorted(set(starts)),))
    return dict(cursor.fetchall())


def save_live(cursor: Cursor, unusual: Sequence[KeywordCount], usual: Sequence[KeywordCount]) -> None:
    """Keep the counts that stand out while their window is open, forget those that no longer do."""
    if usual:
        keys = {"starts": [count.window_start for count in usual], "keywords": [count.keyword for count in usual]}
        cursor.execute(query("drop_live_counts"), keys)
    if unusual:
        execute_values(cursor, query("upsert_live_counts"), unusual, page_size=1000)


def load_live(cursor: Cursor, *, keywords: Iterable[str]) -> list[KeywordCount]:
    """Kept counts of `keywords`, all windows."""
    cursor.execute(f"SELECT {_LIVE_COLUMNS} FROM live_counts WHERE keyword = ANY (%s)", (sorted(keywords),))
    return [KeywordCount(*row) for row in cursor.fetchall()]


def live_keywords_closing(cursor: Cursor, closed_until: datetime) -> set[str]:
    """Keywords with a kept count in a window that starts before `closed_until`."""
    cursor.execute("SELECT DISTINCT keyword FROM live_counts WHERE window_start < %s", (closed_until,))
    return {row[0] for row in cursor.fetchall()}


def drop_closed_live(cursor: Cursor, closed_until: datetime) -> None:
    """Forget the counts of windows that are decided."""
    cursor.execute("DELETE FROM live_counts WHERE window_start < %s", (closed_until,))


def keywords_with_open_alerts(cursor: Cursor) -> set[str]:
    """Keywords with an alert that is open, provisional ones included."""
    cursor.execute("SELECT DISTINCT keyword FROM anomaly_alerts WHERE status = 'open'")
    return {row[0] for row in cursor.fetchall()}


def load_confirmed(cursor: Cursor, keywords: Iterable[str]) -> dict[str, Incident]:
    """The newest confirmed incident of each of `keywords`, as its closed windows made it."""
    cursor.execute(query("confirmed_incidents"), {"keywords": sorted(keywords)})
    windows: dict[str, list[JudgedWindow]] = {}
    resolved: dict[str, bool] = {}
    for keyword, is_resolved, start, posts, total_posts, ratio, expected, scale, score, *rest in cursor.fetchall():
        verdict = (window_number(start), posts, total_posts, ratio, expected, scale, score, True)
        windows.setdefault(keyword, []).append(replace(JudgedWindow(*verdict, *rest), closed=True))
        resolved[keyword] = is_resolved
    return {keyword: Incident(tuple(rows), resolved[keyword]) for keyword, rows in windows.items()}


def save_incidents(
    cursor: Cursor, incidents: Sequence[tuple[str, Incident]], *, threshold: float, quiet_windows: int, quiet_before: int
) -> None:
    """Upsert (keyword, incident) pairs and their windows; windows that fell out of an incident are removed.

    An incident counts as resolved only once all its quiet windows lie before `quiet_before`.
    """
    if not incidents:
        return
    ids = [alert_id(keyword, incident.opened) for keyword, incident in incidents]
    rows = [
        _alert_row(keyword, incident, threshold, incident.resolved and incident.last + quiet_windows < quiet_before, quiet_windows)
        for keyword, incident in incidents
    ]
    execute_values(cursor, query("upsert_alerts"), rows, page_size=1000)
    cursor.execute("DELETE FROM alert_windows WHERE alert_id = ANY (%s) AND NOT closed", (ids,))
    windows = [_window_row(key, window) for key, (_, incident) in zip(ids, incidents, strict=True) for window in incident.windows]
    execute_values(cursor, query("upsert_alert_windows"), windows, page_size=1000)


def save_vetoed(cursor: Cursor, windows: Iterable[tuple[str, JudgedWindow]]) -> None:
    """Insert (keyword, closed window) pairs that raised no alert because too few authors stand behind them."""
    rows = [
        (keyword, window_start(window.number), "few authors", window.posts,
         estimate_distinct([window.authors_bitmap], at_most=window.posts), window.expected, window.score, window.top_post_id)
        for keyword, window in windows
    ]  # fmt: skip
    if rows:
        execute_values(cursor, query("insert_vetoed_windows"), rows, page_size=1000)


def withdraw_unconfirmed(cursor: Cursor, *, closed_until: datetime, confirmed: Iterable[UUID]) -> None:
    """Withdraw provisional alerts whose first window is closed, unless they are among `confirmed`."""
    cursor.execute(query("withdraw_alerts"), {"closed_until": closed_until, "alert_ids": list(confirmed)})


def _alert_row(keyword: str, incident: Incident, threshold: float, resolved: bool, quiet_windows: int) -> tuple[object, ...]:
    windows = incident.windows
    posts = sum(window.posts for window in windows)
    top = max(windows, key=lambda window: (window.top_likes, window.top_post_id))
    return (
        alert_id(keyword, incident.opened), keyword, "resolved" if resolved else "open", incident.provisional,
        window_start(incident.opened), window_start(incident.last),
        window_start(incident.last + 1 + quiet_windows) if resolved else None,
        windows[0].first_post_at, posts, sum(window.expected for window in windows), windows[-1].score, incident.peak_score,
        severity(incident.peak_score, threshold),
        estimate_distinct([window.authors_bitmap for window in windows], at_most=posts),
        estimate_distinct([window.texts_bitmap for window in windows], at_most=posts),
        windows[0].first_post_id, max(window.latest_post_id for window in windows), top.top_post_id,
        windows[0].statistics_as_of, RULE_VERSION,
    )  # fmt: skip


def _window_row(key: UUID, window: JudgedWindow) -> tuple[object, ...]:
    return (
        key, window_start(window.number), window.posts, window.total_posts, window.ratio, window.expected, window.scale,
        window.score, window.statistics_as_of, window.closed, window.authors_bitmap, window.texts_bitmap, window.first_post_at,
        window.first_post_id, window.latest_post_id, window.top_post_id, window.top_likes,
    )  # fmt: skip
