"""Compute the batch's tables in DuckDB from ndjson lines, to compare them: with no code of the batch.

Hashtags are found by the keyword rule in Python, the batch finds them by that on Spark.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
from duckdb.sqltypes import VARCHAR

from core.settings import Settings
from core.text_keywords import compiled_patterns, folded_text
from sql.connection import transaction

Rows = list[tuple[Any, ...]]
_TABLES = (Path(__file__).parent / "oracle.sql").read_text()
_TRENDS = "SELECT {} FROM daily_trends WHERE kind <> 'keyword' ORDER BY day, kind, key"
SAME_IN_BOTH = {
    "rows of the tables": """
        SELECT (SELECT count(*) FROM posts), (SELECT count(*) FROM authors), (SELECT count(*) FROM music),
               (SELECT count(*) FROM challenges), (SELECT count(*) FROM post_challenges),
               (SELECT count(*) FROM hashtags), (SELECT count(*) FROM post_hashtags)
    """,
    "posts as delivered last": """
        SELECT count(like_count), sum(like_count)::float8, count(play_count), sum(play_count)::float8,
               count(DISTINCT author_id), count(DISTINCT music_id)
        FROM posts
    """,
    "rows of the history of counts": """
        SELECT day, count(*), count(DISTINCT post_id) FROM post_stats GROUP BY day ORDER BY day
    """,
    "posts with unknown plays": "SELECT count(*) FROM post_stats WHERE play_count IS NULL",
    "sums of the history of counts": """
        SELECT sum(like_count)::float8, sum(play_count)::float8, sum(share_count)::float8,
               sum(comment_count)::float8
        FROM post_stats
    """,
    "counts of authors": """
        SELECT day, count(*), count(DISTINCT author_id), sum(follower_count)::float8, sum(heart_count)::float8
        FROM author_stats GROUP BY day ORDER BY day
    """,
    "hashtags of posts by their source": """
        SELECT day, in_text, in_text_extra, count(*) FROM post_hashtags
        GROUP BY day, in_text, in_text_extra ORDER BY day, in_text, in_text_extra
    """,
    "hashtags with their first post": """
        SELECT hashtag, hashtag_id, first_post_id FROM hashtags ORDER BY hashtag
    """,
    "posts and authors of keys": _TRENDS.format("day, kind, key, rank, posts, authors"),
    "sums of keys": _TRENDS.format(
        "day, kind, key, plays::float8, likes::float8, shares::float8, comments::float8"
    ),
    "rates of keys": _TRENDS.format(
        "day, kind, key, engagement_rate::float8, virality::float8, discussion::float8"
    ),
    "growth of keys": _TRENDS.format("day, kind, key, growth_1d, growth_7d, growth_1h, steepest_hour"),
}
"""Queries by name; Postgres, once the batch has loaded the lines, and the oracle return the same rows."""


def with_time_stamps(lines: Sequence[bytes], day: date) -> Iterator[bytes]:
    """Yield the lines with distinct event times spread over the day; only JSON objects are changed."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    for index, line in enumerate(lines):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        at = midnight + index * 86_400 / len(lines)
        yield json.dumps({**record, "time_stamp": at}).encode() if isinstance(record, dict) else line


class Oracle:
    """A DuckDB database: add lines in order, call `conclude` to compute the tables, then query them."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._lines = 0
        connection.create_function("fold", folded_text, [VARCHAR], VARCHAR)
        connection.create_function("hashtags_in", _hashtags_in, [VARCHAR], duckdb.list_type(VARCHAR))
        connection.execute("CREATE TABLE lines (kafka_offset BIGINT, line VARCHAR)")

    def add(self, lines: Iterable[bytes]) -> None:
        """Add the next lines."""
        texts = [line.decode(errors="replace") for line in lines]
        offsets = pa.array(range(self._lines, self._lines + len(texts)), pa.int64())
        self._connection.register("added", pa.table({"kafka_offset": offsets, "line": texts}))
        self._connection.execute("INSERT INTO lines SELECT * FROM added")
        self._connection.unregister("added")
        self._lines += len(texts)

    def conclude(self, *, keep_ranks: int) -> None:
        """Compute the tables; keep the first `keep_ranks` trends of each kind and day."""
        self._connection.execute(f"CREATE MACRO keep_ranks() AS {keep_ranks}")
        self._connection.execute(_TABLES)

    def rows(self, sql: str, parameters: Sequence[object] = ()) -> Rows:
        """Return the rows of `sql`."""
        return self._connection.execute(sql, list(parameters)).fetchall()

    def agrees_with(self, settings: Settings, name: str) -> bool:
        """Return whether query `name` of `SAME_IN_BOTH` gives the same rows, at least one, in Postgres."""
        with transaction(settings) as cursor:
            cursor.execute(SAME_IN_BOTH[name])
            rows = _plain(cursor.fetchall())
        return bool(rows) and rows == _plain(self.rows(SAME_IN_BOTH[name]))


def _hashtags_in(text: str) -> list[str]:
    """Return the hashtags of a folded `text` without #, numbers and repetitions included."""
    return [tag[1:] for tag in compiled_patterns().hashtag.findall(text)]


def _plain(rows: Rows) -> Rows:
    """Return the rows with non-integers as text of 12 digits: their types differ between the databases."""
    return [
        tuple(f"{cell:.12g}" if isinstance(cell, float | Decimal) else cell for cell in row) for row in rows
    ]
