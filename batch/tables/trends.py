"""Step `trends`: count in Postgres what a loaded day was about, into daily_trends, in one transaction."""

from datetime import date, timedelta

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


def count_trends(settings: Settings, day: date) -> int:
    """Replace the trends of `day` and return its number of rows.

    Raises NotReadyError if the day was not loaded, or if it or a day that its growth compares with is no
    longer kept. Intermediate results go to unlogged tables, because Postgres cannot work in parallel on
    temporary ones.
    """
    staged = ", ".join(f"staging.{table}" for table in _TABLES)
    with transaction(settings, application_name="groundswell batch") as cursor:
        values = {
            "day": day,
            "known": known_days(cursor, day),
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


def known_days(cursor: Cursor, day: date) -> list[date]:
    """Return which of `day`, the day before and the same weekday a week before were loaded.

    Raises NotReadyError as `count_trends` does.
    """
    loaded = loaded_days(cursor, [day, day - ONE_DAY, day - ONE_WEEK])
    if day not in [other.day for other in loaded]:
        raise NotReadyError(
            f"{day} has not been loaded yet, and trends are counted from loaded days. "
            f"Run: {command(day, day)} --steps load,trends"
        )
    for other in loaded:
        if other.posts and not other.kept:
            raise NotReadyError(
                f"The trends of {day} need the keywords and counts of {other.day}, which are no longer kept. "
                "The trends counted earlier are unchanged. To count them again, raise "
                f"GROUNDSWELL_KEYWORDS_KEEP_DAYS and run: {command(day - ONE_WEEK, day)} --steps load,trends"
            )
    return [other.day for other in loaded]


def days_grown_on(settings: Settings, days: list[date]) -> list[date]:
    """Return the days outside `days` with trends whose growth compares with one of `days`, oldest first."""
    following = {day + gap for day in days for gap in (ONE_DAY, ONE_WEEK)} - set(days)
    with transaction(settings) as cursor:
        return sorted(other.day for other in loaded_days(cursor, sorted(following)) if other.has_trends)
