"""The tables of load and trends against DuckDB, which computes them from the lines of ndjson and shares no code with ours."""

import json
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import orjson
import pyarrow as pa
import pytest
from duckdb.sqltypes import VARCHAR
from pyspark.sql import SparkSession

from batch.run import Batch, Step
from core.settings import Settings
from producer.simulate.render import cached_plan, render_slice
from producer.simulate.world import World
from sql.connection import transaction
from tests.archived import archive_posts
from tests.conftest import own_world

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts"
ORACLE = (Path(__file__).parent / "batch_oracle.sql").read_text()
DAYS = [date(2026, 1, 5), date(2026, 1, 6)]
WORLD = World(seed=5, start=DAYS[0], posts_per_day=1_200)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
Rows = list[tuple[Any, ...]]
Both = tuple[Settings, duckdb.DuckDBPyConnection]


def with_time_stamps(lines: list[bytes], day: date) -> list[bytes]:
    """The lines with event times spread over the day; those that are no JSON object stay as they are."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    stamped = []
    for place, line in enumerate(lines):
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        at = midnight + place * 86_400 / len(lines)
        stamped.append(json.dumps({**record, "time_stamp": at}).encode() if isinstance(record, dict) else line)
    return stamped


def simulated() -> list[bytes]:
    return [
        line
        for number, day in enumerate(DAYS)
        for line in with_time_stamps(render_slice(WORLD, number, (0, len(cached_plan(WORLD, number).record_post))).splitlines(), day)
    ]


def real() -> list[bytes]:
    if not REAL_POSTS.is_dir():
        pytest.skip(f"{REAL_POSTS} is absent: the real posts are no part of the project")
    first, second = ("web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson")
    return [
        *with_time_stamps((REAL_POSTS / first).read_bytes().splitlines(), DAYS[0]),
        *with_time_stamps((REAL_POSTS / second).read_bytes().splitlines(), DAYS[1]),
    ]


def fold(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


@pytest.fixture(scope="module", params=[simulated, real], ids=["simulated", "real"])
def both(
    request: pytest.FixtureRequest,
    stack: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    spark_for: Callable[[Settings], SparkSession],
) -> Iterator[Both]:
    """The same lines in our tables and in DuckDB."""
    lines: list[bytes] = request.param()
    with own_world(stack, tmp_path_factory.mktemp("world")) as settings, duckdb.connect() as oracle:
        lake = spark_for(settings)
        archive_posts(lake, settings, lines)
        list(Batch(settings, session=lambda: lake, now=lambda: LATER).run_days(DAYS, [Step.LOAD, Step.TRENDS]))
        oracle.create_function("fold", fold, [VARCHAR], VARCHAR)
        texts = [line.decode(errors="replace") for line in lines]
        oracle.register("lines", pa.table({"kafka_offset": range(len(texts)), "line": texts}))
        oracle.execute(ORACLE)
        yield settings, oracle


def plain(rows: Iterable[tuple[Any, ...]]) -> Rows:
    """The rows with every number that is no integer rounded to 12 digits, as text: the two servers have different types for it."""
    return [tuple(f"{cell:.12g}" if isinstance(cell, float | Decimal) else cell for cell in row) for row in rows]


def ours(settings: Settings, sql: str) -> Rows:
    with transaction(settings) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


TRENDS = "SELECT {} FROM daily_trends WHERE kind <> 'keyword' ORDER BY day, kind, key"
SAME_IN_BOTH = {
    "rows of the history of counts": "SELECT day, count(*), count(DISTINCT post_id) FROM post_stats GROUP BY day ORDER BY day",
    "posts of which plays are unknown": "SELECT count(*) FROM post_stats WHERE play_count IS NULL",
    "sums of the history of counts": """
        SELECT sum(like_count)::float8, sum(play_count)::float8, sum(share_count)::float8, sum(comment_count)::float8 FROM post_stats
    """,
    "counts of authors": """
        SELECT day, count(*), count(DISTINCT author_id), sum(follower_count)::float8, sum(heart_count)::float8
        FROM author_stats GROUP BY day ORDER BY day
    """,
    "hashtags of posts by their source": """
        SELECT day, in_text, in_text_extra, count(*) FROM post_hashtags
        GROUP BY day, in_text, in_text_extra ORDER BY day, in_text, in_text_extra
    """,
    "hashtags with their first post": "SELECT hashtag, hashtag_id, first_post_id FROM hashtags ORDER BY hashtag",
    "posts and authors of keys": TRENDS.format("day, kind, key, rank, posts, authors"),
    "sums of keys": TRENDS.format("day, kind, key, plays::float8, likes::float8, shares::float8, comments::float8"),
    "rates of keys": TRENDS.format("day, kind, key, engagement_rate::float8, virality::float8, discussion::float8"),
    "growth of keys": TRENDS.format("day, kind, key, growth_1d, growth_7d, growth_1h, steepest_hour"),
}


@pytest.mark.parametrize("name", SAME_IN_BOTH)
def test_what_our_tables_hold_duckdb_computes_from_the_lines(both: Both, name: str) -> None:
    settings, oracle = both
    found = plain(ours(settings, SAME_IN_BOTH[name]))
    assert found and found == plain(oracle.execute(SAME_IN_BOTH[name]).fetchall())


def test_frequent_words_are_in_as_many_posts_of_as_many_authors_as_a_search_finds(both: Both) -> None:
    settings, oracle = both
    words = "SELECT key, posts, authors FROM daily_trends WHERE kind = 'keyword' AND day = '2026-01-06' AND key ~ '^[a-z]{3,}$'"
    found = ours(settings, f"{words} ORDER BY rank LIMIT 20")
    assert len(found) >= 5
    unspaced, letter = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]", r"[\p{L}\p{M}\p{N}_]"
    # A hashtag is one keyword as a whole, and in running text an unspaced script ends a word.
    search = f"""
        SELECT count(DISTINCT post_id), count(DISTINCT author_id) FROM delivered
        WHERE day = '2026-01-06' AND regexp_matches(regexp_replace(said, '#{letter}*{unspaced}{letter}*', ' ', 'g'), ?)
    """
    other = rf"[^\p{{L}}\p{{M}}\p{{N}}_']|{unspaced}"
    around = rf"(^|{other}|(^|{other})')%s({other}|'[^\p{{L}}\p{{M}}\p{{N}}_]|'$|$)"
    assert [(word, *(oracle.execute(search, [around % word]).fetchone() or ())) for word, _, _ in found] == found
