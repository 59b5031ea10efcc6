"""Laws of the step `trends`: what is counted, what growth is, what is unknown, which days are refused."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.run import Batch, Step
from batch.tables.trends import count_trends
from core.errors import NotReadyError
from core.settings import Settings
from sql.connection import query, transaction
from tests.archived import archive_posts
from tests.factories import ABSENT, a_post
from tests.tables import rows

WEEK_AGO, DAY_AGO, DAY = date(2026, 1, 1), date(2026, 1, 7), date(2026, 1, 8)
HUGE_DAY = date(2026, 1, 20)
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def post(
    number: int, day: date, text: str, *, hour: int = 12, author: int = 1, music: int = 0, **item: Any
) -> dict[str, Any]:
    seconds = datetime(day.year, day.month, day.day, hour, tzinfo=UTC).timestamp() + number
    infos = {
        "id": str(1000 * day.day + number),
        "text": text,
        "authorId": str(author),
        "musicId": str(music),
        **item,
    }
    return a_post(time_stamp=seconds, itemInfos=infos, musicInfos=ABSENT, challengeInfoList=[], textExtra=[])


def posts_of_the_days() -> list[dict[str, Any]]:
    counts = {"playCount": 100, "diggCount": 10, "shareCount": 4, "commentCount": 1}
    unknown: dict[str, Any] = {"playCount": ABSENT, "diggCount": 7, "shareCount": 7, "commentCount": 7}
    unplayed: dict[str, Any] = {"playCount": 0, "diggCount": 2, "shareCount": ABSENT, "commentCount": 2}
    unshared: dict[str, Any] = {"playCount": 100, "diggCount": 10, "shareCount": ABSENT, "commentCount": 3}
    snow = [
        post(n, DAY, "snow #ice", hour=9 if n < 4 else 10, author=n, music=5, **counts) for n in range(1, 5)
    ]
    snow += [
        post(n, DAY, "snow", hour=10, author=4, **what)
        for n, what in [(5, unknown), (6, unplayed), (7, unshared)]
    ]
    once_more = post(1, DAY, "snow #ice", hour=20, author=1, music=5, **{**counts, "playCount": 200})
    few = [post(n, DAY, "rare", hour=1) for n in (8, 9)]
    return [
        *snow,
        once_more,
        *few,
        *(post(n, DAY_AGO, "snow") for n in range(1, 3)),
        *(post(n, WEEK_AGO, "#ice") for n in range(1, 11)),
        *(
            post(
                n, HUGE_DAY, "huge", playCount=9 * 10**18, diggCount=9 * 10**18, shareCount=0, commentCount=0
            )
            for n in range(3)
        ),
    ]


@pytest.fixture(scope="module")
def batch(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> Batch:
    """A batch over three archived days, the first a week before the last, all loaded and counted."""
    lake = spark_for(module_settings)
    archive_posts(lake, module_settings, posts_of_the_days())
    batch = Batch(module_settings, session=lambda: lake, now=lambda: LATER)
    for day in (WEEK_AGO, DAY_AGO, DAY):
        list(batch.run_days([day], [Step.LOAD, Step.TRENDS]))
    return batch


def trend(settings: Settings, kind: str, key: str, columns: str) -> tuple[Any, ...]:
    [row] = rows(
        settings,
        f"SELECT {columns} FROM daily_trends WHERE day = '{DAY}' AND kind = '{kind}' AND key = '{key}'",
    )
    return row


@pytest.mark.usefixtures("batch")
def test_every_kind_has_its_keys_of_three_posts_and_more_by_rank(module_settings: Settings) -> None:
    found = rows(
        module_settings,
        f"SELECT kind, rank, key, posts, authors FROM daily_trends WHERE day = '{DAY}' ORDER BY 1, 2",
    )
    assert found == [
        ("all", 1, "", 9, 4),
        ("author", 1, "4", 4, 1),
        ("author", 2, "1", 3, 1),
        ("hashtag", 1, "ice", 4, 4),
        ("keyword", 1, "snow", 7, 4),
        ("keyword", 2, "ice", 4, 4),
        ("music", 1, "5", 4, 4),
    ]


@pytest.mark.usefixtures("batch")
def test_counts_are_those_of_the_last_delivery_and_unknown_ones_count_neither_way(
    module_settings: Settings,
) -> None:
    assert trend(module_settings, "keyword", "snow", "plays, likes, shares, comments") == (600, 59, 23, 16)


@pytest.mark.usefixtures("batch")
def test_rates_are_over_the_posts_of_which_everything_in_them_is_known_and_plays_are_not_zero(
    module_settings: Settings,
) -> None:
    # engaged: 4 posts of 15 over 500 plays; shared: 16 over 500; discussed: the unshared post too, 7 over 600
    assert trend(module_settings, "keyword", "snow", "engagement_rate, virality, discussion") == (
        60 / 500,
        16 / 500,
        7 / 600,
    )


@pytest.mark.usefixtures("batch")
def test_growth_compares_with_the_day_before_and_a_week_before_with_a_prior_of_ten_posts(
    module_settings: Settings,
) -> None:
    columns = "posts_day_ago, growth_1d, posts_week_ago, growth_7d"
    assert trend(module_settings, "keyword", "snow", columns) == (2, 17 / 12 - 1, 0, 17 / 10 - 1)
    assert trend(module_settings, "hashtag", "ice", columns) == (0, 14 / 10 - 1, 10, 14 / 20 - 1)
    assert trend(module_settings, "all", "", columns) == (2, 19 / 12 - 1, 10, 19 / 20 - 1)


@pytest.mark.usefixtures("batch")
def test_the_steepest_hour_is_the_one_that_grew_most_over_the_hour_before(module_settings: Settings) -> None:
    assert trend(module_settings, "keyword", "snow", "growth_1h, steepest_hour") == (13 / 10 - 1, 9)
    assert trend(module_settings, "author", "1", "growth_1h, steepest_hour") == (12 / 10 - 1, 1)


@pytest.mark.usefixtures("batch")
def test_growth_over_a_day_that_was_not_loaded_is_unknown_and_not_over_zero(
    module_settings: Settings,
) -> None:
    columns = "key, posts_day_ago, growth_1d, posts_week_ago, growth_7d"
    found = rows(
        module_settings, f"SELECT {columns} FROM daily_trends WHERE day = '{WEEK_AGO}' AND kind = 'hashtag'"
    )
    assert found == [("ice", None, None, None, None)]


def test_a_day_counted_again_has_the_same_rows_and_days_that_compare_with_it_are_named(
    batch: Batch, module_settings: Settings
) -> None:
    before = rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank")
    lines = list(batch.run_days([DAY_AGO], [Step.LOAD, Step.TRENDS]))
    assert [line[:34].rstrip() for line in lines[:2]] == [
        "2026-01-07  load        2 posts, 1",
        "2026-01-07  trends      1 trends,",
    ]
    assert lines[2:] == [
        "Growth on 2026-01-08 compares with outdated counts. Run: groundswell batch 2026-01-08 --steps trends"
    ]
    list(batch.run_days([DAY], [Step.TRENDS]))
    assert rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank") == before
    assert rows(module_settings, "SELECT day, trends FROM batch_days ORDER BY 1") == [
        (WEEK_AGO, 4),
        (DAY_AGO, 1),
        (DAY, 7),
    ]


@pytest.mark.usefixtures("batch")
def test_of_many_keys_those_with_most_posts_are_kept(module_settings: Settings) -> None:
    assert count_trends(module_settings.model_copy(update={"trends_keep_ranks": 1}), DAY).trends == 5
    assert count_trends(module_settings, DAY).trends == 7


@pytest.mark.usefixtures("batch")
def test_a_day_that_was_not_loaded_is_refused_with_the_command_that_comes_first(
    module_settings: Settings,
) -> None:
    with pytest.raises(
        NotReadyError,
        match=r"2026-01-09 has not been loaded yet.* Run: groundswell batch 2026-01-09 --steps load,trends",
    ):
        count_trends(module_settings, date(2026, 1, 9))


@pytest.mark.usefixtures("batch")
def test_a_day_whose_growth_needs_a_day_no_longer_kept_is_counted_and_keeps_that_growth(
    module_settings: Settings,
) -> None:
    before = rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank")
    with transaction(module_settings) as cursor:
        cursor.execute("ALTER TABLE post_keywords_20260101 RENAME TO away")
    assert count_trends(module_settings, DAY) == (7, [WEEK_AGO])
    with transaction(module_settings) as cursor:
        cursor.execute("ALTER TABLE away RENAME TO post_keywords_20260101")
    assert rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank") == before


@pytest.mark.usefixtures("batch")
def test_a_connection_lost_in_the_middle_leaves_the_trends_as_they_were(
    module_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank")
    monkeypatch.setattr("batch.tables.trends.LEAST_POSTS", 1)
    lost = "SELECT pg_terminate_backend(pg_backend_pid())"
    monkeypatch.setattr(
        "batch.tables.trends.query", lambda name: lost if name == "mark_day_trended" else query(name)
    )
    with pytest.raises(Exception, match="closed"):
        count_trends(module_settings, DAY)
    assert rows(module_settings, "SELECT * FROM daily_trends ORDER BY day, kind, rank") == before


@pytest.mark.parametrize(
    ("posts", "before", "growth"), [(0, 0, 0.0), (1, 0, 0.1), (10, 0, 1.0), (1000, 490, 1.02), (0, 90, -0.9)]
)
def test_growth_has_a_prior_of_ten_posts(
    module_settings: Settings, posts: int, before: int, growth: float
) -> None:
    [(found,)] = rows(module_settings, f"SELECT growth({posts}, {before})")
    assert found == pytest.approx(growth)
    assert rows(module_settings, "SELECT growth(5, NULL)") == [(None,)]


def test_sums_beyond_64_bits_are_sums_all_the_same(batch: Batch, module_settings: Settings) -> None:
    list(batch.run_days([HUGE_DAY], [Step.LOAD, Step.TRENDS]))
    found = rows(
        module_settings,
        f"SELECT plays, likes, engagement_rate FROM daily_trends WHERE day = '{HUGE_DAY}' AND kind = 'all'",
    )
    assert found == [(Decimal(27 * 10**18), Decimal(27 * 10**18), 1.0)]
