"""Rejected records: from the archive, which holds them whole, to `rejected_records` with the reason."""

from collections.abc import Sequence

from psycopg2.extras import execute_values
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from archive.table import is_rejected
from core.catalog import RAW_POSTS
from core.records import IDENTITY_SCHEMA, NOT_SENT, parse_records, rejection_reason
from core.settings import Settings
from sql.connection import query, transaction

HEAD_CHARACTERS = 500
ROWS_A_ROUND = 5_000


def store_rejected_records(spark: SparkSession, settings: Settings) -> int:
    """Store the reason of every rejected record that the archive holds and the table lacks; returns how many.

    Reads the archive and inserts by natural key, so it may run at any time, repeatedly, and after any crash.
    """
    stored = 0
    while True:
        with transaction(settings, application_name="groundswell rejects") as cursor:
            cursor.execute(
                'SELECT topic, partition, max("offset") FROM rejected_records GROUP BY topic, partition'
            )
            rows = _next_rejected(spark, settings, cursor.fetchall())
            if not rows:
                return stored
            execute_values(cursor, query("insert_rejected_records"), rows, page_size=1000)
            stored += len(rows)


def _next_rejected(
    spark: SparkSession, settings: Settings, stored: Sequence[tuple[str, int, int]]
) -> list[tuple[object, ...]]:
    rejected = spark.table(RAW_POSTS).where(is_rejected(settings))
    for topic, partition, offset in stored:
        known = (F.col("topic") == topic) & (F.col("partition") == partition) & (F.col("offset") <= offset)
        rejected = rejected.where(~known)
    # By offset, so that what is stored never has a gap within a partition.
    rows = _with_reason(rejected, settings).orderBy("offset").limit(ROWS_A_ROUND).collect()
    return [
        (row.topic, row.partition, row.offset, row.kafka_time, _storable(row.reason), _storable(row.head))
        for row in rows
    ]


def _with_reason(rejected: DataFrame, settings: Settings) -> DataFrame:
    """Add the reason, as bytes: it quotes the record, which may hold what Postgres does not accept."""
    parsed = rejected.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=settings.future_minutes)
    reason = F.when(
        F.col("topic") == settings.posts_topic, rejection_reason(future_minutes=settings.future_minutes)
    ).otherwise(_producers_reason())
    head = F.substring("value", 1, 4 * HEAD_CHARACTERS)
    return parsed.select(
        "topic",
        "partition",
        "offset",
        "kafka_time",
        reason.cast("binary").alias("reason"),
        head.alias("head"),
    )


def _producers_reason() -> Column:
    """Return the reason that the producer wrote into a record of the rejected topic."""
    reason = F.get_json_object(F.col("value").cast("string"), "$.reason")
    return F.coalesce(F.concat(F.lit(f"{NOT_SENT}: "), reason), F.lit(NOT_SENT))


def _storable(text: bytes | None) -> str | None:
    """Return the first characters as text that Postgres accepts: U+FFFD for what is not UTF-8, and no NUL."""
    if text is None:
        return None
    return bytes(text).decode("utf-8", errors="replace").replace("\0", "")[:HEAD_CHARACTERS]
