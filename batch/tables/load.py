"""Step `load`: a day's records into posts, authors, music, challenges and their histories; safe to repeat, in any order of days."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame

from batch.tables.copy import COPIED, copy_partition, create_staging, total_copied
from batch.tables.entities import TABLES, describe_entities
from batch.tables.partitions import BUILD_MEMORY, attach_partition, drop_old_partitions, fill_partition
from batch.timing import timed
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
    with timed("copy from the archive"):
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
        drop_old_partitions(
            settings,
            table,
            settings.keywords_keep_days if table == "post_keywords" else settings.history_keep_days,
        )
    return counts


def _merge(cursor: Cursor) -> dict[str, int]:
    """Merge what is staged into the tables that hold the newest of everything; returns how many different ones are staged, by table."""
    with timed("count"):
        cursor.execute(query("count_staged"))
        counts = dict(zip(TABLES, cursor.fetchone() or (), strict=True))
    for table in MERGED:
        with timed(f"merge {table}"):
            cursor.execute(query(f"merge_{table}"))
    return counts


@dataclass(frozen=True)
class CopyEntities:
    """Copies the rows that `describe_entities` gives for one Spark partition, each kind into its staging table."""

    settings: Settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yields one row: how many rows were `copied`."""
        yield copy_partition(STEP, chain.from_iterable(map(staged_rows, batches)), self.settings)


def staged_rows(described: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """The rows of each staging table that records as `describe_entities` gives them hold; what is null holds none."""
    for table in ("posts", "authors", "music"):
        things = described.column(table)
        yield table, pa.RecordBatch.from_struct_array(things.filter(things.is_valid()))
    challenges = elements(described, "challenges", post_id="post_id")
    yield "challenges", challenges.drop_columns("post_id")
    yield "post_challenges", challenges.select(["post_id", "challenge_id", "first_seen", "last_seen"])
    yield "post_hashtags", elements(described, "post_hashtags", post_id="post_id", seen_at="event_time")
    yield "post_keywords", elements(described, "post_keywords", named="keyword", post_id="post_id")


def elements(batch: pa.RecordBatch, name: str, *, named: str = "", **beside: str) -> pa.RecordBatch:
    """One row an element of the lists in column `name`: its fields, or itself as column `named`, and of its list's row columns `beside`.

    >>> lists = pa.record_batch({"id": [7, 8, 9], "tags": [["a", "b"], None, ["c"]]})
    >>> elements(lists, "tags", named="tag", post="id").to_pydict()
    {'tag': ['a', 'b', 'c'], 'post': [7, 7, 9]}
    """
    lists = batch.column(name)
    found, rows = lists.flatten(), pc.list_parent_indices(lists)
    split = pa.RecordBatch.from_arrays([found], [named]) if named else pa.RecordBatch.from_struct_array(found)
    for new, column in beside.items():
        split = split.append_column(new, batch.column(column).take(rows))
    return split
