"""Step `trends`: count in Postgres what a loaded day was about, into daily_trends, in one transaction."""

from datetime import date, timedelta
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from batch.days import command, loaded_days
from batch.tables.partitions import BUILD_MEMORY
from batch.timing import timed
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY
from sql.connection import query, transaction

LEAST_POSTS = 3
"""Posts that a key needs to be kept: with fewer, growth is at most .2 and means nothing."""
ONE_WEEK = timedelta(days=7)
_TABLES = ("trend_posts", "trend_kept", "trend_hours", "trend_authors", "trend_before")


class TrendCount(NamedTuple):
    """What the step did for a day."""

    trends: int | None
    """Number of rows; None if the day's own posts are no longer kept, so that its trends are unchanged."""
    lost: list[date]
    """Of the day and those that its growth compares with: those with posts that are no longer kept."""


def count_trends(settings: Settings, day: date) -> TrendCount:
    """Replace the trends of `day`.

    Growth over a day that is no longer kept is as it was counted before, or unknown. Raises NotReadyError if
    `day` was not loaded. Intermediate results go to unlogged tables, because Postgres cannot work in parallel
    on temporary ones.
    """
    with transaction(settings, application_name="groundswell batch") as cursor:
        known, lost = compared_days(cursor, day)
        return TrendCount(None if day in lost else _replace(cursor, settings, day, known, lost), lost)


def _replace(cursor: Cursor, settings: Settings, day: date, known: list[date], lost: list[date]) -> int:
    staged = ", ".join(f"staging.{table}" for table in _TABLES)
    values = {
        "day": day,
        "known": known,
        "lost": lost,
        "least_posts": LEAST_POSTS,
        "keep_ranks": settings.trends_keep_ranks,
    }
    cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
    cursor.execute(f"DROP TABLE IF EXISTS {staged}")
    for table in _TABLES:
        with timed(table.replace("_", " ")):
            cursor.execute(query(table), values)
        cursor.execute(f"ANALYZE staging.{table}")
    cursor.execute(query("delete_daily_trends"), values)
    with timed("insert trends"):
        cursor.execute(query("insert_daily_trends"), values)
    trends = cursor.rowcount
    cursor.execute(f"DROP TABLE {staged}")
    cursor.execute(query("mark_day_trended"), {"day": day, "trends": trends})
    return trends


def compared_days(cursor: Cursor, day: date) -> tuple[list[date], list[date]]:
    """Of `day`, the day before and the same weekday a week before, return those known and those lost.

    Both were loaded; the keywords and counts of a lost day's posts are no longer kept. Raises NotReadyError
    if `day` was not loaded.
    """
    loaded = loaded_days(cursor, [day, day - ONE_DAY, day - ONE_WEEK])
    if day not in [other.day for other in loaded]:
        raise NotReadyError(
            f"{day} has not been loaded yet, and trends are counted from loaded days. "
            f"Run: {command(day, day)} --steps load,trends"
        )
    lost = [other.day for other in loaded if other.posts and not other.kept]
    return [other.day for other in loaded if other.day not in lost], lost


def days_grown_on(settings: Settings, days: list[date]) -> list[date]:
    """Return the days outside `days` with trends whose growth compares with one of `days`, oldest first."""
    following = {day + gap for day in days for gap in (ONE_DAY, ONE_WEEK)} - set(days)
    with transaction(settings) as cursor:
        return sorted(other.day for other in loaded_days(cursor, sorted(following)) if other.has_trends)
