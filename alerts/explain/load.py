"""Load what `explain` needs from Postgres: alerts with their windows, evidence, traffic and statistics."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import cache
from typing import Any
from uuid import UUID

import numpy as np
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import register_uuid

from alerts.baselines import load_baselines
from alerts.explain.day import Baseline, BaselineFor
from alerts.explain.recompute import StoredAlert
from alerts.traffic import load_traffic
from core.dropped_parts import dropped_parts
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from core.text_keywords import text_tokens
from core.windows import window_start
from detection.learn import default_rows
from detection.seasonality import HOURS
from detection.traffic_baseline import Traffic
from sql.connection import query, transaction

Row = dict[str, Any]
"""A row by column."""
_ALL_ALERTS = "SELECT * FROM anomaly_alerts WHERE status <> 'withdrawn' ORDER BY opened_window, keyword"
_ALERT_BY_ID = "SELECT * FROM anomaly_alerts WHERE alert_id = %(name)s"
_NEWEST_ALERT = """
SELECT * FROM anomaly_alerts WHERE keyword = %(name)s
ORDER BY status = 'withdrawn', opened_window DESC
LIMIT 1
"""
_WINDOWS = "SELECT * FROM alert_windows WHERE alert_id = %(alert_id)s ORDER BY window_start"
_EVIDENCE = "SELECT * FROM alert_evidence WHERE alert_id = %(alert_id)s AND rank = 1 ORDER BY role"
_RUN = "SELECT posts, authors, texts FROM evidence_runs WHERE alert_id = %(alert_id)s"
_TERMS = "SELECT * FROM alert_terms WHERE alert_id = %(alert_id)s ORDER BY kind, z_score DESC"

register_uuid()  # type: ignore[no-untyped-call]


def find_alerts(settings: Settings, names: Sequence[str], *, every: bool) -> list[StoredAlert]:
    """Return the alerts of `names`, or with `every` all that were not withdrawn.

    A name is an alert id or a keyword, which gives its newest alert. Raises BadInputError if an alert is not
    found, if there are none, or unless exactly one of `names` and `every` is given.
    """
    if every == bool(names):
        raise BadInputError("Give either alerts (alert_ids, or keywords from `groundswell alerts`) or --all.")
    with transaction(settings, application_name="groundswell explain") as cursor:
        alerts = _rows(cursor, _ALL_ALERTS, {}) if every else [_find(cursor, name) for name in names]
        if not alerts:
            raise BadInputError(
                "There are no alerts yet. `groundswell alerts --follow` prints them as they open."
            )
        found = [StoredAlert(alert, _rows(cursor, _WINDOWS, alert)) for alert in alerts]
    return [stored for stored in found if stored.windows]


def _find(cursor: Cursor, name: str) -> Row:
    try:
        rows = _rows(cursor, _ALERT_BY_ID, {"name": UUID(name)})
    except ValueError:
        # Alone, a keyword of one character is found as a hashtag only.
        tokens = text_tokens(name) or text_tokens(f"#{name.strip()}")
        rows = _rows(cursor, _NEWEST_ALERT, {"name": " ".join(tokens)})
    if not rows:
        reasons = "".join(f" {part} is not counted: {reason}." for part, reason in dropped_parts(name))
        raise BadInputError(
            f"There is no alert {name!r}.{reasons} `groundswell alerts` prints all alerts; give a keyword as "
            "it is spelled there, or an alert_id from the view recent_alerts."
        )
    return rows[0]


def load_evidence(cursor: Cursor, stored: StoredAlert) -> tuple[list[Row], list[Row], Row | None]:
    """Return an alert's first post of each role, its terms, clearest first, and what its evidence counted."""
    posts, terms, runs = (_rows(cursor, statement, stored.alert) for statement in (_EVIDENCE, _TERMS, _RUN))
    return posts, terms, runs[0] if runs else None


def without_late_posts(cursor: Cursor, total_posts: Mapping[int, int]) -> dict[int, int]:
    """Return archived posts by window number, without those that arrived after their window had closed."""
    if not total_posts:
        return {}
    first, before = window_start(min(total_posts)), window_start(max(total_posts) + 1)
    counted = load_traffic(cursor, first=first, before=before)
    return {
        number: min(posts, counted.get(window_start(number), posts)) for number, posts in total_posts.items()
    }


def baseline_loader(cursor: Cursor) -> BaselineFor:
    """Return a function that loads the baselines of keywords as of a day, cached.

    The function raises NotReadyError if the statistics of that day are no longer kept.
    """

    @cache
    def traffic_as_of(as_of: date) -> Traffic:
        rows = _rows(cursor, query("traffic_as_of"), {"as_of": as_of})
        if len(rows) != HOURS:
            raise NotReadyError(
                f"It was judged with the statistics of {as_of}, which are no longer kept "
                "(GROUNDSWELL_STATISTICS_KEEP_DAYS), so its figures cannot be recomputed."
            )
        expected_posts = np.array([row["expected_posts"] for row in rows], dtype=float)
        return Traffic(expected_posts, float(rows[0]["history_days"]))

    @cache
    def baseline_for(keywords: tuple[str, ...], as_of: date | None) -> Baseline:
        if as_of is None:
            return Baseline(default_rows(len(keywords)), None)
        traffic = traffic_as_of(as_of)
        return Baseline(load_baselines(cursor, keywords, as_of), traffic)

    return baseline_for


def as_of_loader(cursor: Cursor) -> Callable[[date], date | None]:
    """Return a function that loads the newest complete day of statistics before a day, cached."""

    @cache
    def as_of_before(day: date) -> date | None:
        rows = _rows(cursor, query("traffic_before_day"), {"day": day})
        return rows[0]["as_of"] if rows else None

    return as_of_before


def _rows(cursor: Cursor, statement: str, parameters: Mapping[str, Any]) -> list[Row]:
    cursor.execute(statement, parameters)
    names = [column.name for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
