"""Step `load`: a day's records into the tables of posts and histories; repeatable, days in any order."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from itertools import chain

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.tables.copy import COPIED, copy_partition, create_staging
from batch.tables.entities import TABLES, describe_entities
from batch.tables.newest import newest_deliveries
from batch.tables.partitions import (
    BUILD_MEMORY,
    attach_partition,
    build_partition,
    drop_old_partitions,
    fill_partition,
)
from batch.timing import timed
from core.settings import Settings
from sql.arrow import copy_batch
from sql.connection import query, transaction

STEP = "load"
BY_DAY = ("post_keywords", "post_stats", "author_stats", "post_hashtags")
"""Tables with a partition per day, the one with the most rows first."""
MERGED = (*TABLES, "hashtags")
"""Tables that hold the newest state of each row."""
NEGATIVE_COUNTS = "negative_counts"


def load_day(records: DataFrame, *, settings: Settings, day: date) -> dict[str, int]:
    """Load what `records` of `day` describe and return how many rows of each table the day has.

    If there are any, NEGATIVE_COUNTS is how many counts were negative and are null in the tables.

    COPY from every Spark partition fills the staging tables. Then one transaction merges them into the
    tables that hold the newest state, and attaches the day's partitions, which are built beside their
    tables: a day is visible completely or not at all.
    """
    with transaction(settings) as cursor:
        create_staging(cursor, STEP, TABLES)
        cursor.execute(query("create_staged_history"))
    described = records.transform(describe_entities, future_minutes=settings.future_minutes)
    with timed("copy from the archive"):
        copied = described.mapInArrow(CopyEntities(settings), f"{COPIED}, {NEGATIVE_COUNTS} bigint")
        negative = copied.agg(F.sum(NEGATIVE_COUNTS)).first()
    # The day's partitions are filled in parallel with the merges, which use one core.
    with ThreadPoolExecutor(1) as pool, transaction(settings, application_name="groundswell batch") as cursor:
        fills = [pool.submit(fill_partition, settings, table, day) for table in BY_DAY]
        cursor.execute(f"SET LOCAL work_mem = '{BUILD_MEMORY}'")
        counts = _merge(cursor)
        for fill in fills:
            fill.result()
        if counts["posts"]:
            for table in BY_DAY:
                attach_partition(cursor, table, day)
        cursor.execute(query("drop_staged"))
        cursor.execute(query("mark_day_loaded"), {"day": day, "posts": counts["posts"]})
    _drop_old_days(settings, loaded=day)
    return counts | ({NEGATIVE_COUNTS: negative[0]} if negative and negative[0] else {})


def load_collected_day(
    described: Iterable[pa.RecordBatch], *, settings: Settings, day: date, is_first: bool, is_last: bool
) -> dict[str, int]:
    """Load a small day as `load_day` does, from collected rows of `describe_entities`, in one transaction.

    The first of several days creates the staging tables, the others empty them. The last one drops them, and
    partitions that are no longer kept.
    """
    negative = 0
    with transaction(settings, application_name="groundswell batch") as cursor:
        if is_first:
            create_staging(cursor, STEP, TABLES)
            cursor.execute(query("create_staged_history"))
        else:
            cursor.execute(query("empty_staged"))
        for batch in described:
            negative += pc.sum(batch.column(NEGATIVE_COUNTS)).as_py() or 0
            for table, rows in staged_rows(batch):
                copy_batch(cursor, f"staging.{table}", rows)
        counts = _merge(cursor)
        if counts["posts"]:
            for table in BY_DAY:
                build_partition(cursor, table, day)
            for table in BY_DAY:
                attach_partition(cursor, table, day)
        if is_last:
            cursor.execute(query("drop_staged"))
        cursor.execute(query("mark_day_loaded"), {"day": day, "posts": counts["posts"]})
    if is_last:
        _drop_old_days(settings, loaded=day)
    return counts | ({NEGATIVE_COUNTS: negative} if negative else {})


def _drop_old_days(settings: Settings, *, loaded: date) -> None:
    """Drop the partitions that are older than the settings keep; `loaded` is the day loaded last."""
    for table in BY_DAY:
        keep_days = settings.keywords_keep_days if table == "post_keywords" else settings.history_keep_days
        drop_old_partitions(settings, table, keep_days, loaded=loaded)


def _merge(cursor: Cursor) -> dict[str, int]:
    """Merge the staged rows and return how many distinct ones were staged, by table."""
    with timed("count"):
        cursor.execute(query("count_staged"))
        tables = (column.name for column in cursor.description or ())
        counts = dict(zip(tables, cursor.fetchone() or (), strict=True))
    for table in MERGED:
        with timed(f"merge {table}"):
            cursor.execute(query(f"merge_{table}"))
    return counts


@dataclass(frozen=True)
class CopyEntities:
    """Copies the output of `describe_entities` for one Spark partition into the staging tables."""

    settings: Settings

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield one row: how many rows were `copied`, and the sum of `negative_counts`."""
        negative: list[int] = []

        def counted(described: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
            negative.append(pc.sum(described.column(NEGATIVE_COUNTS)).as_py() or 0)
            return staged_rows(described)

        copied = copy_partition(STEP, chain.from_iterable(map(counted, batches)), self.settings)
        yield copied.append_column(NEGATIVE_COUNTS, pa.array([sum(negative)], pa.int64()))


def staged_rows(described: pa.RecordBatch) -> Iterator[tuple[str, pa.RecordBatch]]:
    """Yield (staging table, rows) for a batch of `describe_entities`; nulls give no rows."""
    for table in ("posts", "authors"):
        yield table, _valid(described.column(table))
    yield "music", newest_deliveries(_valid(described.column("music")), "music_id")
    challenges = elements(described, "challenges", post_id="post_id")
    yield "challenges", newest_deliveries(challenges.drop_columns("post_id"), "challenge_id")
    yield (
        "post_challenges",
        challenges.select(["post_id", "challenge_id", "first_seen", "last_seen", "collected_at"]),
    )
    yield "post_hashtags", elements(described, "post_hashtags", post_id="post_id", seen_at="event_time")
    yield "post_keywords", elements(described, "post_keywords", named="keyword", post_id="post_id")


def _valid(column: pa.StructArray) -> pa.RecordBatch:
    return pa.RecordBatch.from_struct_array(column.filter(column.is_valid()))


def elements(batch: pa.RecordBatch, name: str, *, named: str = "", **repeated: str) -> pa.RecordBatch:
    """Explode the lists in column `name` into one row per element.

    The row has the element's fields, or with `named` the element itself in that column, and the list's own
    columns `repeated` (new name=column).

    >>> lists = pa.record_batch({"id": [7, 8, 9], "tags": [["a", "b"], None, ["c"]]})
    >>> elements(lists, "tags", named="tag", post="id").to_pydict()
    {'tag': ['a', 'b', 'c'], 'post': [7, 7, 9]}
    """
    lists = batch.column(name)
    values, parents = lists.flatten(), pc.list_parent_indices(lists)
    rows = (
        pa.RecordBatch.from_arrays([values], [named]) if named else pa.RecordBatch.from_struct_array(values)
    )
    for new_name, column in repeated.items():
        rows = rows.append_column(new_name, batch.column(column).take(parents))
    return rows
