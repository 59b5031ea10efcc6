"""Laws of the tables that keep a day: counts as deliveries brought them, hashtags and keywords, on a real archive and a real Postgres."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import psycopg2
import pytest
from pyspark.sql import SparkSession

from archive.days import read_archived_day
from archive.table import create_archive
from batch.failures import sentence_for
from batch.tables.load import BY_DAY, MERGED, load_day
from core.catalog import RAW_POSTS
from core.settings import Settings
from sql.connection import query, transaction
from tests.archived import archive_posts
from tests.factories import ABSENT, a_post
from tests.tables import rows

MONDAY, TUESDAY, WEDNESDAY = date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
DAY_SECONDS = 86_400
TABLES = (*MERGED, *BY_DAY)


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(settings, f"SELECT * FROM {table} AS r ORDER BY r::text") for table in TABLES}


def load(spark: SparkSession, settings: Settings, *days: date) -> None:
    for day in days:
        load_day(read_archived_day(spark, settings, day), settings=settings, day=day)


def at(hour: int, minute: int = 0, *, day: int = 5) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


@pytest.fixture(scope="module")
def shared_lake(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> SparkSession:
    lake = spark_for(module_settings)
    create_archive(lake)
    return lake


@pytest.fixture
def settings(module_settings: Settings) -> Settings:
    """The settings of a world whose tables are empty."""
    with transaction(module_settings) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(MERGED)}, batch_days")
        for table in BY_DAY:
            cursor.execute(query("partitions_of_table"), {"table": table})
            for partition, _ in cursor.fetchall():
                cursor.execute(f"DROP TABLE {partition}")
    return module_settings


@pytest.fixture
def lake(shared_lake: SparkSession) -> SparkSession:
    """A session whose archive is empty."""
    shared_lake.sql(f"DELETE FROM {RAW_POSTS}")
    return shared_lake


def test_counts_of_a_post_are_kept_where_they_changed_and_once_a_day(
    lake: SparkSession, settings: Settings
) -> None:
    likes = [(0, 1), (60, 1), (120, 4), (DAY_SECONDS, 4), (DAY_SECONDS + 60, 4)]
    deliveries = [
        a_post(time_stamp=NOON + seconds, itemInfos={"diggCount": count}) for seconds, count in likes
    ]
    archive_posts(lake, settings, deliveries)
    load(lake, settings, MONDAY, TUESDAY)
    assert rows(settings, "SELECT day, seen_at, like_count, play_count FROM post_stats ORDER BY seen_at") == [
        (MONDAY, at(12), 1, 45000),
        (MONDAY, at(12, 2), 4, 45000),
        (TUESDAY, at(12, day=6), 4, 45000),
    ]
    assert rows(settings, "SELECT DISTINCT post_id, author_id, music_id, challenge_ids FROM post_stats") == [
        (6807325450981969158, 5831967, 6799337212367407877, [7893])
    ]


def test_of_two_deliveries_at_the_same_moment_the_later_offset_is_in_the_history(
    lake: SparkSession, settings: Settings
) -> None:
    archive_posts(
        lake, settings, [a_post(time_stamp=NOON, itemInfos={"diggCount": count}) for count in (5, 3)]
    )
    load(lake, settings, MONDAY)
    assert rows(settings, "SELECT seen_at, like_count FROM post_stats") == [(at(12), 3)]


def test_unknown_counts_are_null_in_the_history_and_never_zero(
    lake: SparkSession, settings: Settings
) -> None:
    unknown = {"playCount": ABSENT, "diggCount": "many", "shareCount": None, "commentCount": 0}
    archive_posts(
        lake,
        settings,
        [a_post(time_stamp=NOON, itemInfos=unknown, authorStats=ABSENT, challengeInfoList=None)],
    )
    load(lake, settings, MONDAY)
    assert rows(
        settings, "SELECT play_count, like_count, share_count, comment_count, challenge_ids FROM post_stats"
    ) == [(None, None, None, 0, [])]
    assert rows(settings, "SELECT * FROM author_stats") == []


def test_counts_of_an_author_are_kept_where_they_changed(lake: SparkSession, settings: Settings) -> None:
    followers = [(0, 10), (60, 10), (120, 12), (180, None)]
    posts = [
        a_post(
            time_stamp=NOON + seconds,
            itemInfos={"id": str(seconds + 1)},
            authorStats={"followerCount": count},
        )
        for seconds, count in followers
    ]
    archive_posts(lake, settings, posts)
    load(lake, settings, MONDAY)
    assert rows(
        settings, "SELECT seen_at, author_id, follower_count, heart_count FROM author_stats ORDER BY 1"
    ) == [
        (at(12), 5831967, 10, 2426012173),
        (at(12, 2), 5831967, 12, 2426012173),
        (at(12, 3), 5831967, None, 2426012173),
    ]


def test_hashtags_come_from_the_caption_and_from_text_extra_and_say_so(
    lake: SparkSession, settings: Settings
) -> None:
    extra = [
        {"HashtagName": "Winter", "HashtagId": "77", "Type": 1},
        {"HashtagName": "beside Only", "HashtagId": "x", "Type": "1"},
        {"HashtagName": "nobody", "HashtagId": "5", "Type": 0},
        {"HashtagName": "\0", "Type": 1},
        None,
    ]
    text = "first #WINTER #fyp#2020 @you#not https://x.example/#link ＃ｗｉｄｅ #Straße"
    archive_posts(
        lake, settings, [a_post(time_stamp=NOON, itemInfos={"id": "9", "text": text}, textExtra=extra)]
    )
    load(lake, settings, MONDAY)
    assert rows(
        settings, "SELECT hashtag, post_id, in_text, in_text_extra FROM post_hashtags ORDER BY hashtag"
    ) == [
        ("2020", 9, True, False),
        ("besideonly", 9, False, True),
        ("fyp", 9, True, False),
        ("not", 9, True, False),
        ("strasse", 9, True, False),
        ("wide", 9, True, False),
        ("winter", 9, True, True),
    ]
    assert rows(settings, "SELECT hashtag, hashtag_id FROM hashtags WHERE hashtag_id IS NOT NULL") == [
        ("winter", 77)
    ]


def test_a_post_without_a_readable_text_extra_has_the_hashtags_of_its_caption(
    lake: SparkSession, settings: Settings
) -> None:
    extras: list[Any] = [ABSENT, None, [], "none", [7]]
    posts = [
        a_post(time_stamp=NOON, itemInfos={"id": str(place + 1)}, textExtra=extra)
        for place, extra in enumerate(extras)
    ]
    archive_posts(lake, settings, posts)
    load(lake, settings, MONDAY)
    found = rows(settings, "SELECT post_id, hashtag, in_text, in_text_extra FROM post_hashtags ORDER BY 1")
    assert found == [(post_id, "winter", True, False) for post_id in (1, 2, 3, 4, 5)]


def test_who_started_a_hashtag_is_the_earliest_delivery_in_any_order_of_days(
    lake: SparkSession, settings: Settings
) -> None:
    posts = [
        a_post(time_stamp=NOON + seconds, itemInfos={"id": str(post_id), "text": "#snow"}, textExtra=[])
        for post_id, seconds in [(8, 0), (7, 0), (5, 60), (6, DAY_SECONDS)]
    ]
    archive_posts(lake, settings, posts)
    load(lake, settings, TUESDAY)
    assert rows(settings, "SELECT first_post_id, first_seen, last_seen FROM hashtags") == [
        (6, at(12, day=6), at(12, day=6))
    ]
    load(lake, settings, MONDAY)
    assert rows(settings, "SELECT first_post_id, first_seen, last_seen FROM hashtags") == [
        (7, at(12), at(12, day=6))
    ]


def test_keywords_of_a_post_are_those_of_all_its_deliveries_of_the_day_each_once(
    lake: SparkSession, settings: Settings
) -> None:
    texts = [(0, "first snow"), (60, "first snow melts"), (DAY_SECONDS, "ice")]
    archive_posts(
        lake,
        settings,
        [a_post(time_stamp=NOON + s, itemInfos={"id": "3", "text": text}) for s, text in texts],
    )
    load(lake, settings, MONDAY, TUESDAY)
    assert rows(settings, "SELECT day, post_id, keyword FROM post_keywords ORDER BY 1, 3") == [
        (MONDAY, 3, "melts"),
        (MONDAY, 3, "snow"),
        (TUESDAY, 3, "ice"),
    ]


def three_days() -> list[dict[str, Any]]:
    """Posts that come again the days after, with other counts, texts and challenges."""
    return [
        a_post(
            time_stamp=NOON + DAY_SECONDS * day + 10 * number,
            itemInfos={"id": str(1 + number), "text": f"word{number} #tag{day}", "diggCount": day * number},
            challengeInfoList=[{"challengeId": str(1 + day)}],
            authorStats={"followerCount": 100 * day + number},
        )
        for day in range(3)
        for number in range(4)
    ]


def test_days_loaded_backwards_and_again_give_the_same_rows(lake: SparkSession, settings: Settings) -> None:
    archive_posts(lake, settings, three_days())
    load(lake, settings, MONDAY, TUESDAY, WEDNESDAY)
    forwards = everything(settings)
    assert [len(forwards[table]) for table in TABLES] == [4, 1, 1, 3, 12, 4, 24, 12, 12, 24]
    load(lake, settings, TUESDAY)
    assert everything(settings) == forwards
    with transaction(settings) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
    load(lake, settings, WEDNESDAY, TUESDAY, MONDAY)
    assert everything(settings) == forwards


def test_a_delivery_that_was_archived_late_is_merged_when_its_day_is_loaded_again(
    lake: SparkSession, settings: Settings
) -> None:
    archive_posts(
        lake, settings, [a_post(time_stamp=NOON + seconds, itemInfos={"diggCount": 1}) for seconds in (0, 60)]
    )
    load(lake, settings, MONDAY)
    late = a_post(time_stamp=NOON + 30, itemInfos={"diggCount": 9, "text": "late #word"}, textExtra=[])
    archive_posts(lake, settings, [late], first_offset=2)
    load(lake, settings, MONDAY)
    assert [likes for (likes,) in rows(settings, "SELECT like_count FROM post_stats ORDER BY seen_at")] == [
        1,
        9,
        1,
    ]
    assert rows(settings, "SELECT hashtag FROM post_hashtags ORDER BY 1") == [("winter",), ("word",)]
    assert rows(settings, "SELECT text FROM posts") == [("first snow #winter",)]


def test_a_load_that_breaks_in_the_middle_leaves_every_table_as_it_was(
    lake: SparkSession, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_posts(lake, settings, three_days())
    load(lake, settings, MONDAY)
    before = everything(settings)
    calls = []

    def lose_connection(cursor: Any, table: str, day: date) -> None:
        calls.append(table)
        if len(calls) == 2:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr("batch.tables.load.attach_partition", lose_connection)
    with pytest.raises(psycopg2.Error) as raised:
        load(lake, settings, TUESDAY)
    assert (sentence_for(raised.value, settings) or "").startswith("Postgres does not answer at 127.0.0.1")
    assert everything(settings) == before
    assert rows(settings, "SELECT day FROM batch_days") == [(MONDAY,)]
    monkeypatch.undo()
    load(lake, settings, TUESDAY)
    assert rows(settings, "SELECT count(DISTINCT day) FROM post_stats") == [(2,)]


def test_only_the_newest_days_are_kept_where_days_are_partitions(
    lake: SparkSession, settings: Settings
) -> None:
    archive_posts(lake, settings, [a_post(time_stamp=NOON + days * DAY_SECONDS) for days in (0, 8, 9)])
    short = settings.model_copy(update={"keywords_keep_days": 8, "history_keep_days": 9})
    load(lake, short, MONDAY, date(2026, 1, 13))
    kept = {
        table: [day for (day,) in rows(settings, f"SELECT DISTINCT day FROM {table} ORDER BY 1")]
        for table in BY_DAY
    }
    assert kept == {
        "post_keywords": [date(2026, 1, 13)],
        "post_stats": [MONDAY, date(2026, 1, 13)],
        "author_stats": [MONDAY, date(2026, 1, 13)],
        "post_hashtags": [MONDAY, date(2026, 1, 13)],
    }
    load(lake, short, date(2026, 1, 14))
    assert rows(settings, "SELECT DISTINCT day FROM post_stats ORDER BY 1") == [
        (date(2026, 1, 13),),
        (date(2026, 1, 14),),
    ]


def test_a_reader_who_holds_an_old_partition_delays_its_end_and_nothing_else(
    lake: SparkSession, settings: Settings
) -> None:
    archive_posts(lake, settings, [a_post(time_stamp=NOON), a_post(time_stamp=NOON + 8 * DAY_SECONDS)])
    short = settings.model_copy(update={"keywords_keep_days": 8})
    load(lake, short, MONDAY)
    with transaction(settings) as reader:
        reader.execute("SELECT count(*) FROM post_keywords_20260105")
        load(lake, short, date(2026, 1, 13))
    assert rows(settings, "SELECT DISTINCT day FROM post_keywords ORDER BY 1") == [
        (MONDAY,),
        (date(2026, 1, 13),),
    ]
    assert rows(settings, "SELECT count(*) FROM batch_days") == [(2,)]
