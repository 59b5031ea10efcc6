"""Step `load`: a day's deliveries into posts, authors, music, challenges and post_challenges; safe to repeat, in any order of days."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date

from pyspark.sql import DataFrame

from batch.copy import copy_rows_of, create_staging
from batch.entities import ENTITIES
from core.settings import Settings
from sql.connection import query, transaction


def load_day(deliveries: DataFrame, *, settings: Settings, day: date) -> dict[str, int]:
    """Merge the entities of `day` into their tables, in one transaction; returns how many of each the day holds, by table.

    Rows go to staging tables first, by COPY from every Spark partition; nothing is seen until all of them are merged.
    """
    with transaction(settings) as cursor:
        create_staging(cursor, list(ENTITIES))
    # Side by side, because a small Spark job is mostly waiting.
    with ThreadPoolExecutor(len(ENTITIES)) as pool:
        counts = dict(zip(ENTITIES, pool.map(lambda table: _stage(deliveries, table, settings), ENTITIES), strict=True))
    with transaction(settings) as cursor:
        if counts["posts"]:
            for table in ENTITIES:
                cursor.execute(query(f"merge_{table}"))
        for table in ENTITIES:
            cursor.execute(f"DROP TABLE staging.{table}")
        cursor.execute(query("mark_day_loaded"), {"day": day, "posts": counts["posts"]})
    return counts


def _stage(deliveries: DataFrame, table: str, settings: Settings) -> int:
    return copy_rows_of(deliveries.transform(ENTITIES[table]), f"staging.{table}", settings)
