"""Thresholds for a budget of alerts a day: kept candidates of the last week in, rows of `detection_thresholds` out."""

from collections.abc import Sequence
from datetime import date, timedelta

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor

from batch.statistics.candidates import FIGURES, candidates_of_table
from core.settings import Settings
from detection.budget import REPLAYED_DAYS, CandidateWindows, threshold_within
from detection.lifecycle import LifecycleRule
from sql.connection import query


def set_thresholds(cursor: Cursor, settings: Settings, day: date) -> None:
    """Take the staged candidates of `day` over, forget those older than a week, and set the thresholds as of `day`.

    A scope without a budget has no row, and neither has a day without a week, or part of one, to replay.
    """
    cursor.execute(
        query("take_candidate_windows"), {"day": day, "oldest": day - timedelta(days=REPLAYED_DAYS - 1)}
    )
    cursor.execute("DELETE FROM detection_thresholds WHERE as_of = %s", (day,))
    cursor.execute(query("replayable_days"), {"day": day, "oldest": day - timedelta(days=REPLAYED_DAYS - 1)})
    (days,) = cursor.fetchone() or (0,)
    budgets = {"discovery": settings.alerts_per_day, "watched": settings.watched_alerts_per_day}
    for scope, alerts_per_day in budgets.items():
        if alerts_per_day is not None and days:
            cursor.execute(query("candidates_of_scope"), {"day": day, "watched": scope == "watched"})
            found = threshold_within(
                _candidates(cursor.fetchall()),
                alerts=alerts_per_day * days,
                min_posts=settings.min_posts,
                rule=LifecycleRule(settings.cool_down_windows, settings.quiet_windows),
            )
            cursor.execute(
                "INSERT INTO detection_thresholds (as_of, scope, alerts_per_day, threshold, replayed_days, replayed_per_day) "
                "VALUES (%s, %s, %s, %s, %s, %s)",
                (day, scope, alerts_per_day, found.threshold, days, found.alerts / days),
            )


def _candidates(rows: Sequence[tuple[object, ...]]) -> CandidateWindows:
    names = ("keyword", "number", *FIGURES)
    return candidates_of_table(
        pa.table([[row[place] for row in rows] for place in range(len(names))], names=names)
    )
