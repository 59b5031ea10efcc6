"""Step `load`: a day's records into posts, authors, music, challenges and their histories; safe to repeat, in any order of days."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

import pyarrow as pa
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame

from batch.copy import COPIED, copy_partition, create_staging, total_copied
from batch.entities import STAGED, TABLES, describe_entities
from batch.partitions import BUILD_MEMORY, attach_partition, drop_old_partitions, fill_partition
from batch.parts import part
from core.settings import Settings
from sql.connection import query, transaction

STEP = "load"
BY_DAY = ("post_keywords", "post_stats", "author_stats", "post_hashtags")
"""Tables of which a day is a partition, the one with the most rows first."""
MERGED = (*TABLES, "hashtags")


def load_day(records: DataFrame, *, settings: Settings, day: date) -> dict[str, int]:
    """Bring what `records` of `day` describe into the tables; returns how many of each the day holds, by table.

    Rows go to staging tables first, by COPY from every Spark partition. From there one transaction merges what has one row a
    thing, and puts in place the partitions of the day, which are made beside their tables: a day is there or is not.
    """
    with transaction(settings) as cursor:
        create_staging(cursor, STEP, TABLES)
        cursor.execute(query("create_staged_history"))
    described = records.transform(describe_entities, future_minutes=settings.future_minutes)
    with part("copy from the archive"):
        total_copied(described.mapInArrow(CopyEntities(settings), COPIED))
    # Partitions of the day are filled beside the merges, which one core would do alone.
    with ThreadPoolExecutor(1) as pool, transaction(settings, application_name="groundswell batch") as cursor:
        filled = [pool.submit(fill_partition, settings, table, day) for table in BY_DAY]
        cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
        counts = _merge(cursor)
        for done in filled:
            done.result()
        if counts["posts"]:
            for table in BY_DAY:
                attach_partition(cursor, table, day)
        cursor.execute(query("drop_staged"))
        cursor.execute(query("mark_day_loaded"), {"day": day, "posts": counts["posts"]})
    for table in BY_DAY:
        drop_old_partitions(settings, table, settings.keywords_keep_days if table == "post_keywords" else settings.history_keep_days)
    return counts


def _merge(cursor: Cursor) -> dict[str, int]:
    """Merge what is staged into the tables that hold the newest of everything; returns how many different ones are staged, by table."""
    with part("count"):
        cursor.execute(query("count_staged"))
        counts = dict(zip(TABLES, cursor.fetchone() or (), strict=True))
    for table in MERGED:
        with part(f"merge {table}"):
            cursor.execute(query(f"merge_{table}"))
    return counts


@dataclass(frozen=True)
class CopyEntities:
    """Copies the rows that `describe_entities` gives for one Spark partition, each kind into its staging table."""

    settings: Settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yields one row: how many rows were `copied`."""
        pairs = ((table, rows_of(batch.column(table))) for batch in batches for table in STAGED)
        yield copy_partition(STEP, pairs, self.settings)


def rows_of(column: pa.StructArray | pa.ListArray) -> pa.RecordBatch:
    """The rows that a column of structs, or of lists of structs, holds; nulls hold none.

    >>> rows_of(pa.array([[{"id": 1}, {"id": 2}], None, []])).to_pydict()
    {'id': [1, 2]}
    >>> rows_of(pa.array([None, {"id": 3}])).to_pydict()
    {'id': [3]}
    """
    structs = column.flatten() if pa.types.is_list(column.type) else column
    return pa.RecordBatch.from_struct_array(structs.filter(structs.is_valid()))
