"""Derive thresholds for a budget of alerts a day from the candidates of the last week."""

from datetime import date, timedelta

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor

from batch.statistics.candidates import candidates_of_table
from core.settings import Settings
from detection.budget import REPLAYED_DAYS, CandidateWindows, threshold_within
from detection.lifecycle import LifecycleRule
from sql.connection import query


def set_thresholds(cursor: Cursor, settings: Settings, day: date) -> None:
    """Take over the staged candidates of `day`, drop those older than a week, and set thresholds as of `day`.

    A scope without a budget gets no row; nor does a day with no day before it to replay.
    """
    week = {"day": day, "oldest": day - timedelta(days=REPLAYED_DAYS - 1)}
    cursor.execute(query("take_candidate_windows"), week)
    cursor.execute(query("delete_detection_thresholds"), {"as_of": day})
    cursor.execute(query("replayable_days"), week)
    (days,) = cursor.fetchone() or (0,)
    budgets = {"discovery": settings.alerts_per_day, "watched": settings.watched_alerts_per_day}
    for scope, alerts_per_day in budgets.items():
        if alerts_per_day is not None and days:
            cursor.execute(query("candidates_of_scope"), {"day": day, "watched": scope == "watched"})
            found = threshold_within(
                _candidates(cursor),
                alerts=alerts_per_day * days,
                min_posts=settings.min_posts,
                rule=LifecycleRule(settings.cool_down_windows, settings.quiet_windows),
            )
            row = {
                "as_of": day,
                "scope": scope,
                "alerts_per_day": alerts_per_day,
                "threshold": found.threshold,
                "replayed_days": days,
                "replayed_per_day": found.alerts / days,
            }
            cursor.execute(query("insert_detection_threshold"), row)


def _candidates(cursor: Cursor) -> CandidateWindows:
    names = [column.name for column in cursor.description or ()]
    rows = cursor.fetchall()
    columns = {name: [row[index] for row in rows] for index, name in enumerate(names)}
    return candidates_of_table(pa.table(columns))
