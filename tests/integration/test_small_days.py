"""Law of small days: read together or one by one, they leave the same rows."""

from datetime import date, timedelta
from typing import Any

from pyspark.sql import SparkSession

from batch.run import Step
from batch.statistics.learn import forget_statistics
from batch.tables.load import BY_DAY, MERGED
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from sql.connection import query, transaction
from tests.archived import archive_posts, run_batch
from tests.factories import a_post
from tests.integration.test_recount import odd_records
from tests.integration.three_days import post_at, posts_of
from tests.tables import rows

DAYS = [date(2026, 1, 4) + number * ONE_DAY for number in range(4)]
"""The third has no posts."""
STATISTICS = ("keyword_statistics", "traffic_statistics", "candidate_windows", "quality_checks")
TABLES = (*MERGED, *BY_DAY, "daily_trends", "batch_days", *STATISTICS)
STEPS = [step for step in Step if step is not Step.COMPLETE]
TIMES = ("loaded_at", "fitted_at", "trended_at", "checked_at")


def posts() -> list[dict[str, Any] | bytes]:
    """Posts of the day's counts, odd records, overflowed counts, NUL, and a keyword that takes off."""
    whole = [post for place in (0, 1, 3) for post in posts_of(DAYS[place])]
    burst = [post_at(DAYS[3], 40_000 + number, 900_000 + number, f"storm w{number}") for number in range(60)]
    edge = [post_at(DAYS[number], 86_399.5, 800_000 + number, "last\0 second") for number in (0, 1, 3)]
    negative = a_post(time_stamp=day_start(DAYS[1]).timestamp(), itemInfos={"id": "7", "diggCount": -5})
    odd = [record for day in (0, 3) for record in odd_records(day_start(DAYS[day]) + timedelta(hours=12))]
    return [*whole, *burst, *edge, negative, *odd]


def emptied(settings: Settings) -> None:
    forget_statistics(settings)
    with transaction(settings) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(MERGED)}, daily_trends, quality_checks, batch_days")
        for table in BY_DAY:
            cursor.execute(query("partitions_of_table"), {"table": table})
            for partition, _ in cursor.fetchall():
                cursor.execute(f"DROP TABLE {partition}")


def contents(settings: Settings) -> dict[str, list[Any]]:
    """All rows of the tables but for the times at which steps ran."""
    without = " ".join(f"- '{name}'" for name in TIMES)
    return {
        table: rows(settings, f"SELECT to_jsonb(r) {without} AS row FROM {table} AS r ORDER BY 1")
        for table in TABLES
    }


def test_days_that_are_read_together_leave_the_rows_of_days_read_one_by_one(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(empty_lake, empty_world, posts())
    emptied(empty_world)
    for day in DAYS:
        run_batch(empty_lake, empty_world, [day], STEPS)
    one_by_one = contents(empty_world)
    emptied(empty_world)
    lines = run_batch(empty_lake, empty_world, DAYS, STEPS)
    together = contents(empty_world)
    assert [table for table in TABLES if one_by_one[table] != together[table]] == []
    empty = [table for table in TABLES if not together[table]]
    assert empty == [], "a table without rows compares nothing"
    assert sum("upkeep" in line for line in lines) == 2  # that of the group, and that of the archive
    assert any(
        line.startswith("Negative counts in the records of 2026-01-04 to 2026-01-07") for line in lines
    )
