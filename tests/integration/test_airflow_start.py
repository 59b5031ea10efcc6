"""Laws of the first day that `make airflow` schedules: after the last learned day, or the archive's first."""

from collections.abc import Callable
from datetime import UTC, date, datetime

from pyspark.sql import SparkSession

from core.settings import Settings
from deploy.local.servers.airflow import first_day_to_schedule
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import a_post

TODAY = date(2026, 1, 10)


def test_only_archived_days_that_were_not_learned_are_caught_up(
    settings: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    assert first_day_to_schedule(settings, TODAY) == TODAY
    noons = [datetime(2026, 1, day, 12, tzinfo=UTC).timestamp() for day in (1, 5, 6, 7)]
    archive_posts(spark_for(settings), settings, [a_post(time_stamp=noon) for noon in noons])
    assert first_day_to_schedule(settings, TODAY) == date(2026, 1, 5)
    with transaction(settings) as cursor:
        cursor.execute(
            "INSERT INTO batch_days (day, loaded_at, loaded_posts) VALUES ('2026-01-07', now(), 1)"
        )
    assert first_day_to_schedule(settings, TODAY) == date(2026, 1, 5)
    with transaction(settings) as cursor:
        cursor.execute(
            "INSERT INTO batch_days (day, status, fitted_at, counted_posts, keywords) "
            "VALUES ('2026-01-05', 'fitted', now(), 1, 1), ('2026-01-06', 'empty', now(), 0, 0)"
        )
    assert first_day_to_schedule(settings, TODAY) == date(2026, 1, 7)
