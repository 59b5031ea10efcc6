"""Compare the tables of load and trends with DuckDB, which computes them without our code."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from pyspark.sql import SparkSession

from batch.run import Batch, Step
from benchmarks.oracle import SAME_IN_BOTH, Oracle, with_time_stamps
from core.settings import Settings
from producer.simulate.render import cached_plan, render_slice
from producer.simulate.world import World
from sql.connection import transaction
from tests.archived import archive_posts
from tests.conftest import own_world

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts"
DAYS = [date(2026, 1, 5), date(2026, 1, 6)]
WORLD = World(seed=5, start=DAYS[0], posts_per_day=1_200)
LATER = datetime(2026, 2, 1, tzinfo=UTC)
Both = tuple[Settings, Oracle]


def simulated() -> list[bytes]:
    return [
        line
        for number, day in enumerate(DAYS)
        for line in with_time_stamps(
            render_slice(WORLD, number, (0, len(cached_plan(WORLD, number).record_post))).splitlines(), day
        )
    ]


def real() -> list[bytes]:
    if not REAL_POSTS.is_dir():
        pytest.skip(f"{REAL_POSTS} is absent: the real posts are not part of the project")
    first, second = ("web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson")
    return [
        *with_time_stamps((REAL_POSTS / first).read_bytes().splitlines(), DAYS[0]),
        *with_time_stamps((REAL_POSTS / second).read_bytes().splitlines(), DAYS[1]),
    ]


@pytest.fixture(scope="module", params=[simulated, real], ids=["simulated", "real"])
def both(
    request: pytest.FixtureRequest,
    stack: Settings,
    tmp_path_factory: pytest.TempPathFactory,
    spark_for: Callable[[Settings], SparkSession],
) -> Iterator[Both]:
    """The same lines in our tables and in DuckDB."""
    lines: list[bytes] = request.param()
    with own_world(stack, tmp_path_factory.mktemp("world")) as settings, duckdb.connect() as database:
        lake = spark_for(settings)
        archive_posts(lake, settings, lines)
        list(
            Batch(settings, session=lambda: lake, now=lambda: LATER).run_days(DAYS, [Step.LOAD, Step.TRENDS])
        )
        oracle = Oracle(database)
        oracle.add(lines)
        oracle.conclude(keep_ranks=settings.trends_keep_ranks)
        yield settings, oracle


def ours(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with transaction(settings) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


@pytest.mark.parametrize("name", SAME_IN_BOTH)
def test_what_our_tables_hold_duckdb_computes_from_the_lines(both: Both, name: str) -> None:
    settings, oracle = both
    assert oracle.agrees_with(settings, name)


def test_frequent_words_are_in_as_many_posts_of_as_many_authors_as_a_search_finds(both: Both) -> None:
    settings, oracle = both
    words = (
        "SELECT key, posts, authors FROM daily_trends "
        "WHERE kind = 'keyword' AND day = '2026-01-06' AND key ~ '^[a-z]{3,}$'"
    )
    found = ours(settings, f"{words} ORDER BY rank LIMIT 20")
    assert len(found) >= 5
    unspaced, letter = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}ー]", r"[\p{L}\p{M}\p{N}_]"
    # A whole hashtag is one keyword; in running text an unspaced script ends a word.
    search = f"""
        SELECT count(DISTINCT post_id), count(DISTINCT author_id) FROM delivered
        WHERE day = '2026-01-06'
          AND regexp_matches(regexp_replace(said, '#{letter}*{unspaced}{letter}*', ' ', 'g'), ?)
    """
    other = rf"[^\p{{L}}\p{{M}}\p{{N}}_']|{unspaced}"
    around = rf"(^|{other}|(^|{other})')%s({other}|'[^\p{{L}}\p{{M}}\p{{N}}_]|'$|$)"
    assert [(word, *oracle.rows(search, [around % word])[0]) for word, _, _ in found] == found
