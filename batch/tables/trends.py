"""Step `trends`: what a loaded day was about, counted in Postgres from the day's partitions into daily_trends, in one transaction."""

from datetime import date, timedelta

from psycopg2.extensions import cursor as Cursor

from batch.days import command
from batch.tables.partitions import BUILD_MEMORY
from batch.timing import timed
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import ONE_DAY
from sql.connection import query, transaction

LEAST_POSTS = 3
"""Posts that a key needs to be kept: with fewer, growth is at most .2 and says nothing."""
ONE_WEEK = timedelta(days=7)
_TABLES = ("trend_posts", "trend_kept", "trend_hours", "trend_authors", "trend_before")


def count_trends(settings: Settings, day: date) -> int:
    """Replace the trends of `day`; returns how many rows it has.

    Raises NotReadyError where the day was not loaded, or where it or a day that its growth stands on is no longer kept.
    What it counts on the way lies in unlogged tables beside it, because Postgres works in parallel on those alone.
    """
    with transaction(settings, application_name="groundswell batch") as cursor:
        values = {
            "day": day,
            "known": known_days(cursor, day),
            "least_posts": LEAST_POSTS,
            "keep_ranks": settings.trends_keep_ranks,
        }
        cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
        cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'staging.{table}' for table in _TABLES)}")
        for table in _TABLES:
            with timed(table.replace("_", " ")):
                cursor.execute(query(table), values)
            cursor.execute(f"ANALYZE staging.{table}")
        cursor.execute("DELETE FROM daily_trends WHERE day = %(day)s", values)
        with timed("insert trends"):
            cursor.execute(query("insert_daily_trends"), values)
        trends = cursor.rowcount
        cursor.execute(f"DROP TABLE {', '.join(f'staging.{table}' for table in _TABLES)}")
        cursor.execute(query("mark_day_trended"), {"day": day, "trends": trends})
    return trends


def known_days(cursor: Cursor, day: date) -> list[date]:
    """Those of `day`, the day before and the same weekday a week before that were loaded; raises NotReadyError as `count_trends`."""
    cursor.execute(query("loaded_days"), {"days": [day, day - ONE_DAY, day - ONE_WEEK]})
    loaded = cursor.fetchall()
    if day not in [other for other, _, _, _ in loaded]:
        raise NotReadyError(
            f"{day} is not loaded yet, and trends are counted from what is loaded. Run: {command(day, day)} --steps load,trends"
        )
    for other, posts, kept, _ in loaded:
        if posts and not kept:
            raise NotReadyError(
                f"The trends of {day} stand on the keywords and counts of {other}, which are no longer kept. What was counted stays. To "
                f"count again, raise GROUNDSWELL_KEYWORDS_KEEP_DAYS and run: {command(day - ONE_WEEK, day)} --steps load,trends"
            )
    return [other for other, _, _, _ in loaded]


def days_grown_on(settings: Settings, days: list[date]) -> list[date]:
    """Days with trends, other than `days`, whose growth was counted against one of these, oldest first."""
    following = {day + gap for day in days for gap in (ONE_DAY, ONE_WEEK)} - set(days)
    with transaction(settings) as cursor:
        cursor.execute(query("loaded_days"), {"days": sorted(following)})
        return sorted(day for day, _, _, trended in cursor.fetchall() if trended)
