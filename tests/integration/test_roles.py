"""Laws of the roles: an analyst reads everything and changes nothing; the pipeline owns only what it must."""

import json
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from pydantic import SecretStr
from pyspark.sql import SparkSession

from alerts.listing import BEGINNING, alerts_updated_since
from batch.statistics.learn import forget_statistics
from batch.tables.partitions import partition_name
from core.settings import Settings
from deploy.local.servers.postgres import create_databases, drop_databases
from sql.figures import read_figures
from sql.migrate import migrate
from tests.archived import run_batch
from tests.factories import a_post
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import learn_nothing, rows

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAY = date(2026, 3, 2)
HOSTILE = "'; DROP TABLE posts; -- \\'); DELETE FROM anomaly_alerts; %s %(x)s $1"
NAME = 'Robert"); DROP TABLE authors; --'


@pytest.fixture(scope="module")
def login(stack: Settings) -> Iterator[Callable[[Settings, str], Settings]]:
    """`login(settings, options)` creates a role for this module and returns settings that log in with it."""
    names = []

    def make(settings: Settings, options: str) -> Settings:
        name = f"u{uuid.uuid4().hex[:12]}"
        rows(stack, f"CREATE ROLE {name} LOGIN PASSWORD 'secret' {options}")
        names.append(name)
        return settings.model_copy(update={"postgres_user": name, "postgres_password": SecretStr("secret")})

    yield make
    for name in names:
        rows(stack, f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def pipeline(module_settings: Settings, login: Callable[[Settings, str], Settings]) -> Settings:
    """The pipeline as docs/security.md sets it up."""
    settings = login(module_settings, "IN ROLE groundswell_pipeline")
    rows(module_settings, f"ALTER ROLE {settings.postgres_user} SET role = groundswell_pipeline")
    rows(module_settings, "SELECT give_partitions_to_pipeline()")
    lake = module_settings.catalog_database
    rows(
        module_settings.model_copy(update={"postgres_database": lake}),
        "GRANT USAGE, CREATE ON SCHEMA public TO groundswell_pipeline",
    )
    return settings


@pytest.fixture(scope="module")
def world(pipeline: Settings, spark_for: Callable[[Settings], SparkSession]) -> Settings:
    """Posts with hostile text and names, streamed, judged and loaded twice, all by the pipeline role."""
    spark = spark_for(pipeline)
    posts = [
        a_post(
            time_stamp=(START + timedelta(seconds=10 * number)).timestamp(),
            itemInfos={
                "id": str(7_000_000_000_000_000_000 + number),
                "text": f"{HOSTILE} #meteor word{number}x",
            },
            authorInfos={"userId": str(number + 1), "uniqueId": f"u{number}", "nickName": NAME},
            challengeInfoList=[],
            textExtra=[],
            **{"itemInfos.authorId": str(number + 1)},
        )
        for number in range(60)
    ]
    learn_nothing(pipeline)
    send(pipeline, [json.dumps(post).encode() for post in posts] + [HOSTILE.encode()])
    drain_topics(spark, pipeline)
    let_time_decide(pipeline, START + timedelta(days=2))
    run_batch(spark, pipeline, [DAY])
    run_batch(spark, pipeline, [DAY], start_over=True)
    return pipeline


@pytest.fixture(scope="module")
def analyst(module_settings: Settings, login: Callable[[Settings, str], Settings]) -> Settings:
    """A login with the analyst's role."""
    return login(module_settings, "IN ROLE groundswell_analyst")


def test_the_pipeline_streams_and_loads_and_forgets_days_without_owning_the_alerts(
    world: Settings,
) -> None:
    owners = dict(rows(world, "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'"))
    assert owners[partition_name("post_stats", DAY)] == owners["keyword_statistics"] == "groundswell_pipeline"
    assert rows(world, "SELECT DISTINCT status FROM batch_days") == [("fitted",)]
    forget_statistics(world)
    assert rows(world, "SELECT count(*) FROM keyword_statistics") == [(0,)]
    for statement in (
        "DROP TABLE anomaly_alerts",
        "ALTER TABLE posts DROP COLUMN text",
        "DELETE FROM _yoyo_log",
        "CREATE ROLE x",
    ):
        with pytest.raises(InsufficientPrivilege):
            rows(world, statement)


def test_hostile_text_is_stored_unchanged_and_its_words_alert(world: Settings) -> None:
    assert rows(world, "SELECT DISTINCT split_part(text, ' #meteor', 1) FROM posts") == [(HOSTILE,)]
    assert rows(world, "SELECT DISTINCT nickname FROM authors") == [(NAME,)]
    assert rows(world, "SELECT record_head FROM rejected_records") == [(HOSTILE,)]
    assert rows(world, "SELECT count(*) FROM posts") == rows(world, "SELECT count(*) FROM authors") == [(60,)]
    alerts = {alert.keyword for alert in alerts_updated_since(world, BEGINNING)}
    assert {"meteor", "drop"} <= alerts
    assert rows(world, "SELECT keyword FROM recent_alerts WHERE keyword = %s", HOSTILE) == []


def test_an_analyst_reads_tables_views_later_partitions_and_the_figures(
    world: Settings, analyst: Settings
) -> None:
    assert ("meteor",) in rows(analyst, "SELECT keyword FROM recent_alerts")
    assert rows(analyst, f"SELECT count(*) FROM {partition_name('post_stats', DAY)}") == [(60,)]
    assert read_figures(analyst)["rejected_records"] == {(world.posts_topic,): 1}
    unreadable = """
        SELECT relname FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
            AND NOT has_table_privilege(oid, 'SELECT')
    """
    assert rows(analyst, unreadable) == []


def test_the_analyst_reads_and_the_pipeline_writes_tables_of_later_migrations(
    module_settings: Settings, pipeline: Settings, analyst: Settings
) -> None:
    rows(module_settings, "CREATE TABLE later (number int)")
    rows(pipeline, "INSERT INTO later VALUES (5)")
    assert rows(analyst, "SELECT number FROM later") == [(5,)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO watchlist (phrase) VALUES ('x')",
        "DELETE FROM anomaly_alerts",
        "UPDATE posts SET text = ''",
        "TRUNCATE posts",
        "DROP TABLE posts",
        "CREATE TABLE mine (number int)",
        "CREATE TABLE staging.mine (number int)",
        "CREATE SCHEMA mine",
        "SELECT grant_to_roles()",
        "SET ROLE groundswell_pipeline",
    ],
)
def test_an_analyst_changes_nothing(analyst: Settings, statement: str) -> None:
    with pytest.raises(InsufficientPrivilege):
        rows(analyst, statement)


def test_a_migration_without_the_right_to_create_roles_succeeds_and_they_can_be_added_later(
    stack: Settings, login: Callable[[Settings, str], Settings]
) -> None:
    database = f"t{uuid.uuid4().hex[:12]}"
    owner = login(stack.model_copy(update={"postgres_database": database}), "NOCREATEROLE")
    analyst = login(owner, "IN ROLE groundswell_analyst")
    create_databases(stack, [database])
    try:
        rows(stack, f"ALTER DATABASE {database} OWNER TO {owner.postgres_user}")
        assert "0031.roles" in migrate(owner)
        with pytest.raises(InsufficientPrivilege):
            rows(analyst, "SELECT * FROM recent_alerts")
        rows(stack, f"GRANT groundswell_pipeline TO {owner.postgres_user}")
        for _ in range(2):
            rows(owner, "SELECT grant_to_roles()")
            rows(owner, "SELECT give_partitions_to_pipeline()")
        assert rows(analyst, "SELECT * FROM recent_alerts") == rows(owner, "SELECT * FROM post_stats") == []
        with pytest.raises(psycopg2.Error):
            rows(analyst, "DELETE FROM posts")
    finally:
        drop_databases(stack, [database])
