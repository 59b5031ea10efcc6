"""What the pages show, read from Postgres: each function runs one statement and returns rows by column."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import register_uuid

from core.settings import Settings
from sql.connection import query, transaction
from sql.rows import fetch_dicts

register_uuid()  # type: ignore[no-untyped-call]

Row = dict[str, Any]
PAGE_ROWS = 50
"""Rows of a list on one page."""
MOST_ENTRIES = 200
"""Rows of the first page at most."""
MOST_MEMBERS = 1_000
"""Alerts of an incident at most."""
TREND_KINDS = ("keyword", "hashtag", "challenge", "music", "author")


_ALL_INCIDENTS = dict.fromkeys(("incident_id", "status", "updated_after", "before_window", "before_id"))
_ALL_ALERTS = _ALL_INCIDENTS | dict.fromkeys(
    ("alert_id", "severity", "origin", "keyword", "watched", "opened_from", "opened_to")
)


class Filter(NamedTuple):
    """Which rows the first page shows; None or False: all."""

    state: str | None = None
    severity: str | None = None
    origin: str | None = None
    watched: bool = False


@contextmanager
def reading(settings: Settings) -> Iterator[Cursor]:
    """Yield a cursor that sees one state of the tables and changes nothing."""
    with transaction(settings, application_name="groundswell web") as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield cursor


def now(cursor: Cursor, chosen: Filter) -> list[Row]:
    """Return incidents, and alerts in none, of the last day of detection's clock; open ones first."""
    return _rows(cursor, "web_now", {**chosen._asdict(), "most": MOST_ENTRIES})


def strip(cursor: Cursor) -> Row:
    """Return where detection is and how much is open, suppressed and amiss."""
    return _rows(cursor, "web_strip", {})[0]


def alerts(cursor: Cursor, *, most: int, **chosen: object) -> list[Row]:
    """Return alerts, newest first, by the parameters of web_alerts; those left out choose all."""
    return _rows(cursor, "web_alerts", {**_ALL_ALERTS, **chosen, "most": most})


def incidents(cursor: Cursor, *, most: int, **chosen: object) -> list[Row]:
    """Return incidents, newest first, by the parameters of web_incidents, likewise."""
    return _rows(cursor, "web_incidents", {**_ALL_INCIDENTS, **chosen, "most": most})


def alert(cursor: Cursor, alert_id: UUID) -> Row | None:
    """Return one alert; None if there is none."""
    return next(iter(alerts(cursor, alert_id=alert_id, most=1)), None)


def windows_by_alert(cursor: Cursor, alert_ids: Sequence[UUID]) -> dict[UUID, list[Row]]:
    """Return the unusual windows of alerts, in order, by alert."""
    windows: dict[UUID, list[Row]] = {alert_id: [] for alert_id in alert_ids}
    for row in _rows(cursor, "web_windows", {"alert_ids": list(alert_ids)}):
        windows[row["alert_id"]].append(row)
    return windows


def evidence(cursor: Cursor, alert_ids: Sequence[UUID], *, most: int = 12) -> list[Row]:
    """Return the posts behind alerts with their roles, most liked first."""
    return _rows(cursor, "web_evidence", {"alert_ids": list(alert_ids), "most": most})


def terms(cursor: Cursor, alert_id: UUID) -> dict[str, list[Row]]:
    """Return what stands out in an alert's posts, clearest first, by kind."""
    cursor.execute(
        "SELECT * FROM alert_terms WHERE alert_id = %(alert_id)s::uuid ORDER BY kind, z_score DESC",
        {"alert_id": alert_id},
    )
    by_kind: dict[str, list[Row]] = {}
    for row in fetch_dicts(cursor):
        by_kind.setdefault(row["kind"], []).append(row)
    return by_kind


def incident(cursor: Cursor, incident_id: UUID) -> tuple[Row, list[Row]] | None:
    """Return an incident and its alerts, those with the most posts first; None if there is none."""
    found = incidents(cursor, incident_id=incident_id, most=1)
    members = alerts(cursor, incident_id=incident_id, most=MOST_MEMBERS)
    return (found[0], sorted(members, key=lambda row: (-row["posts"], row["keyword"]))) if found else None


def days_of_keyword(cursor: Cursor, keyword: str) -> list[Row]:
    """Return what a keyword had on each day of daily_trends, newest first."""
    return _rows(cursor, "web_days_of_keyword", {"keyword": keyword, "most": PAGE_ROWS})


def suppressed(cursor: Cursor, *, keyword: str | None = None, skip: int = 0) -> list[Row]:
    """Return suppressed windows, newest first, one more than a page if there are more."""
    return _rows(cursor, "web_suppressed", {"keyword": keyword, "skip": skip, "most": PAGE_ROWS + 1})


def drops(cursor: Cursor, *, keyword: str | None = None, skip: int = 0) -> list[Row]:
    """Return drops, open ones first, one more than a page if there are more."""
    return _rows(cursor, "web_drops", {"keyword": keyword, "skip": skip, "most": PAGE_ROWS + 1})


def trend_days(cursor: Cursor) -> list[date]:
    """Return the days with trends, newest first, at most 60."""
    cursor.execute("SELECT day FROM batch_days WHERE trends > 0 ORDER BY day DESC LIMIT 60")
    return [day for (day,) in cursor.fetchall()]


def trends(cursor: Cursor, *, day: date, kind: str, skip: int = 0, most: int = PAGE_ROWS + 1) -> list[Row]:
    """Return trends of a day and kind by rank; by default one more than a page if there are more."""
    return _rows(cursor, "web_trends", {"day": day, "kind": kind, "skip": skip, "most": most})


def checks(cursor: Cursor) -> list[Row]:
    """Return failed quality checks of the last 14 checked days, newest first."""
    cursor.execute(
        "SELECT * FROM quality_checks WHERE NOT passed AND day > (SELECT max(day) FROM quality_checks) - 14 "
        'ORDER BY day DESC, blocking DESC, "check"'
    )
    return fetch_dicts(cursor)


def days(cursor: Cursor) -> list[Row]:
    """Return the newest days of the daily batch."""
    cursor.execute("SELECT * FROM batch_days ORDER BY day DESC LIMIT 14")
    return fetch_dicts(cursor)


def rejected(cursor: Cursor) -> list[Row]:
    """Return rejected records by reason, the most frequent first."""
    cursor.execute(
        "SELECT reason, count(*) AS records, max(rejected_at) AS newest FROM rejected_records "
        "GROUP BY reason ORDER BY records DESC, reason LIMIT 20"
    )
    return fetch_dicts(cursor)


def _rows(cursor: Cursor, name: str, parameters: Mapping[str, object]) -> list[Row]:
    cursor.execute(query(name), parameters)
    return fetch_dicts(cursor)
