"""Every test has topics, databases, warehouse and checkpoints of its own."""

from collections.abc import Callable

from kafka import KafkaAdminClient
from pyspark.sql import SparkSession

from core.catalog import RAW_POSTS
from core.settings import Settings
from sql.connection import transaction


def test_a_test_has_its_own_migrated_database(settings: Settings, module_settings: Settings) -> None:
    with transaction(settings) as cursor:
        cursor.execute("INSERT INTO traffic_windows (window_start, posts) VALUES ('2026-01-01', 5)")
    with transaction(module_settings) as cursor:
        cursor.execute("SELECT count(*) FROM traffic_windows")
        assert cursor.fetchone() == (0,)


def test_a_test_has_its_own_topics(settings: Settings) -> None:
    admin = KafkaAdminClient(**settings.kafka_python_arguments())
    assert {settings.posts_topic, settings.rejected_topic} <= set(admin.list_topics())
    admin.close()


def test_the_same_table_name_is_another_table_in_another_world(
    settings: Settings, module_settings: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    one, other = spark_for(settings), spark_for(module_settings)
    one.sql("CREATE NAMESPACE IF NOT EXISTS lake.tiktok")
    one.sql(f"CREATE TABLE {RAW_POSTS} USING iceberg AS SELECT 1 AS partition")
    assert one.table(RAW_POSTS).count() == 1
    assert not other.catalog.tableExists(RAW_POSTS)
