"""The posts that evidence is made from: the alerts' own, and a sample of the same windows for comparison.

They are read from the archive without Spark, whole windows at a time, and written to Parquet files.
"""

import logging
from array import array
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import pyarrow as pa
import xxhash

from alerts.explain.mentions import Mentions
from archive.records import Record, RecordReader, open_records, pieces
from archive.spans import Span
from core.errors import BadInputError
from core.function_words import is_counted_only_if_watched
from core.post_fields import read_post_details, read_post_fields
from core.settings import Settings
from core.text_keywords import text_hashtags, text_keywords
from core.windows import WINDOW
from detection.plain_counts import SPARK_SEED
from sql.lake import quoted

SAMPLED_POSTS = 20_000
"""Approximate size of the sample of a window's posts; a window with no more posts is taken whole."""
PIECE_RECORDS = 100_000
"""Records of whole windows that a process reads at a time; a window with more is a piece of its own."""
SCRATCH_MEMORY = "256MB"
SHOWN_CHARACTERS = 10_000
"""Characters kept of a text, so that posts fit into memory; people write fewer."""
POSTS = pa.schema(
    {
        "record": pa.int64(),
        "post_id": pa.int64(),
        "window": pa.int64(),
        "event_micros": pa.int64(),
        "sampled": pa.bool_(),
        "text": pa.string(),
        "likes": pa.int64(),
        "author_id": pa.string(),
        "author_name": pa.string(),
        "music_id": pa.string(),
        "music_name": pa.string(),
        "keywords": pa.list_(pa.string()),
        "hashtags": pa.list_(pa.string()),
        "tags": pa.list_(pa.string()),
    }
)
_WINDOW_MICROS = int(WINDOW.total_seconds()) * 1_000_000
_HASHES = 2**31
_BUFFERED_POSTS = 2_000
_BUFFERED_DELIVERIES = 100_000
_TABLES = """
CREATE TABLE posts AS FROM some_posts;
CREATE TABLE deliveries (post_id BIGINT, "window" BIGINT, "offset" BIGINT, "partition" BIGINT, record BIGINT);
"""
_FIRST_DELIVERIES = """
COPY (
    SELECT * EXCLUDE (record) FROM posts SEMI JOIN (
        SELECT arg_min(record, "offset"::HUGEINT * 4294967296 + "partition") AS record
        FROM deliveries GROUP BY post_id, "window"
    ) USING (record)
) TO {file} (FORMAT parquet, ROW_GROUP_SIZE 2048)
"""

log = logging.getLogger(__name__)


class _Wanted(NamedTuple):
    """Which posts are wanted."""

    alerted: Sequence[str]
    """Keywords of alerts; all posts with one of them."""
    limits: Mapping[int, int]
    """Below which hash of its id a post is in the sample, by window; all posts where a window is absent."""


def write_posts(
    settings: Settings, spans: Iterable[Span], alerted: Sequence[str], folder: Path, *, processes: int = 1
) -> list[Path]:
    """Write posts with a keyword in `alerted`, and a sample of all posts of `spans`, to files in `folder`.

    Like the stream, it takes the first delivery of a post. The sample depends on the post ids alone, so it is
    reproducible. Extracting keywords is the most expensive part, so it is done for no other post. `spans`
    begin and end with windows; pieces of them are shared between `processes`.

    Grain: one row per post and window in which it was delivered. Columns: those of `POSTS` without record;
    window as in `core.windows.window_number`, event_micros in Unix microseconds, likes null where unknown,
    hashtags are keywords that are hashtags, tags are keywords in `alerted`, sampled says whether the post is
    in the sample. Returns the files. Raises NotReadyError if there is no archive, or S3 does not answer.
    """
    with open_records(settings, threads=1) as reader:
        by_window = reader.count(spans)
        shares = pieces(by_window, most=PIECE_RECORDS)
        wanted = _Wanted(
            alerted,
            {
                window: _HASHES * SAMPLED_POSTS // posts
                for window, posts in by_window.items()
                if posts > SAMPLED_POSTS
            },
        )
        files = [folder / f"{number}.parquet" for number in range(len(shares))]
        if processes == 1 or len(shares) <= 1:
            for share, file in zip(shares, files, strict=True):
                _write_piece(reader, wanted, share, file)
            return files
    with ProcessPoolExecutor(min(processes, len(shares)), mp_context=get_context("spawn")) as pool:
        list(pool.map(partial(_write_in_process, settings, wanted), shares, files))
    return files


def scratch(folder: Path) -> duckdb.DuckDBPyConnection:
    """Return a database in memory that puts what does not fit into `SCRATCH_MEMORY` into `folder`."""
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": SCRATCH_MEMORY,
        "threads": 1,
        "temp_directory": str(folder),
        "preserve_insertion_order": False,
    }
    database = duckdb.connect(config=options)
    database.execute("SET enable_progress_bar = false")
    # Joins look up wide posts in narrow rows, however few posts there are.
    database.execute("SET disabled_optimizers = 'build_side_probe_side'")
    return database


def _write_in_process(settings: Settings, wanted: _Wanted, piece: list[Span], file: Path) -> None:
    with open_records(settings, threads=1) as reader:
        _write_piece(reader, wanted, piece, file)


def _write_piece(reader: RecordReader, wanted: _Wanted, piece: list[Span], file: Path) -> None:
    with scratch(file.with_suffix(".scratch")) as database:
        posts = _Piece(wanted, database)
        for record in reader.read(piece):
            posts.add(record)
        posts.write(file)


class _Piece:
    """The wanted posts among the records of some windows, and all deliveries there."""

    def __init__(self, wanted: _Wanted, database: duckdb.DuckDBPyConnection) -> None:
        self._wanted = wanted
        self._mentions = Mentions(wanted.alerted)
        self._alerted = frozenset(wanted.alerted)
        self._phrases = [keyword for keyword in wanted.alerted if is_counted_only_if_watched(keyword)]
        self._database = database
        self._records = 0
        self._unreadable = 0
        self._posts: list[tuple[Any, ...]] = []
        self._deliveries = array("q")
        some_posts = POSTS.empty_table()  # noqa: F841 (DuckDB finds it by its name)
        database.execute(_TABLES)

    def add(self, record: Record) -> None:
        """Note a delivery, and the post if it is wanted."""
        try:
            fields = read_post_fields(record.value)
            window = record.event_micros // _WINDOW_MICROS
            sampled = self._is_sampled(window, fields.post_id)
            if sampled or self._mentions.may_be_in(fields.text):
                self._add_post(record, fields.post_id, window, sampled)
        except BadInputError:  # Spark counts a record that Python cannot read
            self._unreadable += 1
            return
        self._deliveries.extend((fields.post_id, window, record.offset, record.partition, self._records))
        self._records += 1
        if self._records % _BUFFERED_DELIVERIES == 0:
            self._flush_deliveries()

    def _is_sampled(self, window: int, post_id: int) -> bool:
        limit = self._wanted.limits.get(window)
        if limit is None:
            return True
        return xxhash.xxh64_intdigest(post_id.to_bytes(8, "little"), SPARK_SEED) % _HASHES < limit

    def _add_post(self, record: Record, post_id: int, window: int, sampled: bool) -> None:
        details = read_post_details(record.value)
        keywords = text_keywords(details.text, self._phrases)
        hashtags = set(text_hashtags(details.text))
        self._posts.append(
            (
                *(self._records, post_id, window, record.event_micros, sampled),
                *details._replace(text=details.text and details.text[:SHOWN_CHARACTERS]),
                keywords,
                [keyword for keyword in keywords if keyword in hashtags],
                [keyword for keyword in keywords if keyword in self._alerted],
            )
        )
        if len(self._posts) >= _BUFFERED_POSTS:
            self._flush_posts()

    def write(self, file: Path) -> None:
        """Write the posts as first delivered to a Parquet file."""
        self._flush_posts()
        self._flush_deliveries()
        if self._unreadable:
            log.warning(
                "evidence: %d records cannot be read without Spark and are left out", self._unreadable
            )
        self._database.execute(_FIRST_DELIVERIES.format(file=quoted(str(file))))

    def _flush_posts(self) -> None:
        columns = list(zip(*self._posts, strict=True)) or [()] * len(POSTS)
        some_posts = pa.table(  # noqa: F841 (DuckDB finds it by its name)
            [pa.array(column, field.type) for column, field in zip(columns, POSTS, strict=True)], schema=POSTS
        )
        self._database.execute("INSERT INTO posts FROM some_posts")
        self._posts.clear()

    def _flush_deliveries(self) -> None:
        columns = (pa.array(self._deliveries[place::5], pa.int64()) for place in range(5))
        names = ["post_id", "window", "offset", "partition", "record"]
        some_deliveries = pa.table(list(columns), names=names)  # noqa: F841 (DuckDB finds it by its name)
        self._database.execute("INSERT INTO deliveries FROM some_deliveries")
        del self._deliveries[:]
