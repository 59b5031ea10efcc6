"""Laws of rebuilding: the commands of docs/rebuild.md restore from the archive what Postgres lost."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from pyspark.sql import SparkSession

from batch.rebuild import Rebuild
from batch.run import Batch, Step
from core.errors import BadInputError, NotReadyError
from core.settings import Settings
from deploy.local.layout import layout_for
from deploy.local.servers.postgres import create_databases, drop_databases
from sql.connection import transaction
from tests.archived import archive_posts, run_batch
from tests.integration.test_batch_command import batch, tables
from tests.integration.three_days import DAYS, posts_of
from tests.kafka_posts import REPOSITORY, environment
from tests.tables import rows

ALL_DAYS = ("--from", str(DAYS[0]), "--to", str(DAYS[-1]), "--assume-complete")


@pytest.fixture(scope="module")
def learned(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> Settings:
    """Three days in the archive, loaded and learned."""
    settings = module_settings.model_copy(
        update={"spark_jars_dir": str(layout_for().jars / "spark"), "spark_driver_memory": "1g"}
    )
    archive_posts(spark_for(settings), settings, [post for day in DAYS for post in posts_of(day)])
    run_batch(spark_for(settings), settings, DAYS)
    return settings


def learned_days(settings: Settings) -> list[tuple[object, ...]]:
    return rows(
        settings, "SELECT day, status, counted_posts, keywords, loaded_posts FROM batch_days ORDER BY day"
    )


def test_starting_over_restores_damaged_statistics(learned: Settings, spark_for) -> None:
    before = tables(learned), learned_days(learned)
    with transaction(learned) as cursor:
        cursor.execute("UPDATE keyword_statistics SET level = level + 1, variance = 7")
        cursor.execute("UPDATE traffic_statistics SET expected_posts = 0")
        cursor.execute(
            "INSERT INTO keyword_statistics "
            "SELECT as_of, 'made up', level, NULL, variance, dispersion, hourly_spread, NULL "
            "FROM keyword_statistics WHERE keyword = 'snow'"
        )
    run_batch(spark_for(learned), learned, DAYS, [Step.STATISTICS], start_over=True)
    assert (tables(learned), learned_days(learned)) == before
    assert len(before[0][5]) > 12


def test_migrate_and_the_batch_fill_an_empty_database_with_the_same_rows(
    learned: Settings, spark_for
) -> None:
    empty = learned.model_copy(update={"postgres_database": f"{learned.postgres_database}_again"})
    create_databases(learned, [empty.postgres_database])
    try:
        subprocess.run(
            [sys.executable, "-m", "sql", "migrate"],
            cwd=REPOSITORY,
            env=environment(empty),
            check=True,
            capture_output=True,
        )
        run_batch(spark_for(learned), empty, DAYS)
        assert (tables(empty), learned_days(empty)) == (tables(learned), learned_days(learned))
    finally:
        drop_databases(learned, [empty.postgres_database])


def test_days_without_posts_between_others_are_marked_without_work(settings: Settings, spark_for) -> None:
    lake, later = spark_for(settings), DAYS[0] + timedelta(days=100)
    archive_posts(lake, settings, [*posts_of(DAYS[0]), *posts_of(later)])
    lines = list(Rebuild(settings, session=lambda: lake, now=lambda: datetime.now(UTC)).run(None, None))
    quiet = [line for line in lines if line.endswith("  no posts in the archive")]
    assert quiet == [f"{DAYS[0] + timedelta(days=2)} to {later - timedelta(days=1)}  no posts in the archive"]
    assert len(lines) < 20
    assert rows(settings, "SELECT status, count(*)::int FROM batch_days GROUP BY 1 ORDER BY 1") == [
        ("empty", 99),
        ("fitted", 2),
    ]
    again = list(Rebuild(settings, session=lambda: lake, now=lambda: datetime.now(UTC)).run(None, None))
    assert len(again) == 1


@pytest.mark.parametrize(
    ("days", "steps", "error", "sentence"),
    [
        (
            DAYS,
            [Step.LOAD],
            BadInputError,
            "--start-over forgets the statistics, but --steps load would not learn them again",
        ),
        (
            [date(2025, 12, 31)],
            [Step.STATISTICS],
            NotReadyError,
            "The archive holds no posts of 2025-12-31, so nothing was forgotten",
        ),
        (
            [date(2026, 2, 1)],
            [Step.STATISTICS],
            NotReadyError,
            "2026-02-01 is not complete before 2026-02-02 00:15 UTC",
        ),
    ],
)
def test_what_cannot_be_learned_again_is_not_forgotten(
    learned: Settings, spark_for, days: list[date], steps: list[Step], error: type[Exception], sentence: str
) -> None:
    before = tables(learned)
    lake = spark_for(learned)
    now = datetime(2026, 2, 1, tzinfo=UTC)
    learner = Batch(
        learned, session=lambda: lake, now=lambda: now, assume_complete=days[0] < date(2026, 2, 1)
    )
    with pytest.raises(error, match=sentence):
        learner.start_over(days, steps)
    assert tables(learned) == before


def test_with_s3_down_starting_over_forgets_nothing_and_names_the_endpoint(learned: Settings) -> None:
    before = tables(learned)
    away = batch(learned.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}), *ALL_DAYS, "--start-over")
    assert away.returncode == 1
    [sentence] = [
        line for line in away.stderr.splitlines() if not line.startswith("WARNING: Using incubator")
    ]
    assert sentence.startswith(
        "Nothing more was done. S3 does not answer at http://127.0.0.1:9. "
        "Start it, or correct GROUNDSWELL_S3_"
    )
    assert tables(learned) == before
