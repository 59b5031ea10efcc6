"""Laws of the tables that keep the counts of each delivery, on a real archive and a real Postgres."""

from datetime import date
from typing import Any

import psycopg2
import pytest
from pyspark.sql import SparkSession

from batch.failures import sentence_for
from batch.tables.load import BY_DAY, MERGED
from core.settings import Settings
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import ABSENT, a_post
from tests.integration.loading import DAY_SECONDS, MONDAY, NOON, TUESDAY, WEDNESDAY, at, contents, load
from tests.tables import rows

TABLES = (*MERGED, *BY_DAY)
NEWER = date(2026, 1, 13)


def test_counts_of_a_post_are_kept_when_they_changed_and_once_a_day(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    likes = [(0, 1), (60, 1), (120, 4), (DAY_SECONDS, 4), (DAY_SECONDS + 60, 4)]
    deliveries = [
        a_post(time_stamp=NOON + seconds, itemInfos={"diggCount": count}) for seconds, count in likes
    ]
    archive_posts(empty_lake, empty_world, deliveries)
    load(empty_lake, empty_world, MONDAY, TUESDAY)
    assert rows(
        empty_world, "SELECT day, seen_at, like_count, play_count FROM post_stats ORDER BY seen_at"
    ) == [
        (MONDAY, at(12), 1, 45000),
        (MONDAY, at(12, 2), 4, 45000),
        (TUESDAY, at(12, day=6), 4, 45000),
    ]
    assert rows(
        empty_world, "SELECT DISTINCT post_id, author_id, music_id, challenge_ids FROM post_stats"
    ) == [(6807325450981969158, 5831967, 6799337212367407877, [7893])]


def test_of_two_deliveries_at_the_same_moment_the_later_offset_is_in_the_history(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(
        empty_lake, empty_world, [a_post(time_stamp=NOON, itemInfos={"diggCount": count}) for count in (5, 3)]
    )
    load(empty_lake, empty_world, MONDAY)
    assert rows(empty_world, "SELECT seen_at, like_count FROM post_stats") == [(at(12), 3)]


def test_unknown_counts_are_null_in_the_history_and_never_zero(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    unknown = {"playCount": ABSENT, "diggCount": "many", "shareCount": None, "commentCount": 0}
    archive_posts(
        empty_lake,
        empty_world,
        [a_post(time_stamp=NOON, itemInfos=unknown, authorStats=ABSENT, challengeInfoList=None)],
    )
    load(empty_lake, empty_world, MONDAY)
    assert rows(
        empty_world,
        "SELECT play_count, like_count, share_count, comment_count, challenge_ids FROM post_stats",
    ) == [(None, None, None, 0, [])]
    assert rows(empty_world, "SELECT * FROM author_stats") == []


def test_counts_of_an_author_are_kept_when_they_changed(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    followers = [(0, 10), (60, 10), (120, 12), (180, None)]
    posts = [
        a_post(
            time_stamp=NOON + seconds,
            itemInfos={"id": str(seconds + 1)},
            authorStats={"followerCount": count},
        )
        for seconds, count in followers
    ]
    archive_posts(empty_lake, empty_world, posts)
    load(empty_lake, empty_world, MONDAY)
    assert rows(
        empty_world, "SELECT seen_at, author_id, follower_count, heart_count FROM author_stats ORDER BY 1"
    ) == [
        (at(12), 5831967, 10, 2426012173),
        (at(12, 2), 5831967, 12, 2426012173),
        (at(12, 3), 5831967, None, 2426012173),
    ]


def three_days() -> list[dict[str, Any]]:
    """Posts that are delivered again on the next days, with other counts, texts and challenges."""
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


def test_days_loaded_backwards_and_again_give_the_same_rows(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(empty_lake, empty_world, three_days())
    load(empty_lake, empty_world, MONDAY, TUESDAY, WEDNESDAY)
    forwards = contents(empty_world, TABLES)
    assert [len(forwards[table]) for table in TABLES] == [4, 1, 1, 3, 12, 4, 24, 12, 12, 24]
    load(empty_lake, empty_world, TUESDAY)
    assert contents(empty_world, TABLES) == forwards
    with transaction(empty_world) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
    load(empty_lake, empty_world, WEDNESDAY, TUESDAY, MONDAY)
    assert contents(empty_world, TABLES) == forwards


def test_a_delivery_that_was_archived_late_is_merged_when_its_day_is_loaded_again(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(
        empty_lake,
        empty_world,
        [a_post(time_stamp=NOON + seconds, itemInfos={"diggCount": 1}) for seconds in (0, 60)],
    )
    load(empty_lake, empty_world, MONDAY)
    late = a_post(time_stamp=NOON + 30, itemInfos={"diggCount": 9, "text": "late #word"}, textExtra=[])
    archive_posts(empty_lake, empty_world, [late], first_offset=2)
    load(empty_lake, empty_world, MONDAY)
    assert rows(empty_world, "SELECT like_count FROM post_stats ORDER BY seen_at") == [(1,), (9,), (1,)]
    assert rows(empty_world, "SELECT hashtag FROM post_hashtags ORDER BY 1") == [("winter",), ("word",)]
    assert rows(empty_world, "SELECT text FROM posts") == [("first snow #winter",)]


def test_a_load_that_breaks_in_the_middle_leaves_every_table_as_it_was(
    empty_lake: SparkSession, empty_world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive_posts(empty_lake, empty_world, three_days())
    load(empty_lake, empty_world, MONDAY)
    before = contents(empty_world, TABLES)
    attached = []

    def lose_connection(cursor: Any, table: str, day: date) -> None:
        attached.append(table)
        if len(attached) == 2:
            cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr("batch.tables.load.attach_partition", lose_connection)
    with pytest.raises(psycopg2.Error) as raised:
        load(empty_lake, empty_world, TUESDAY)
    assert (sentence_for(raised.value, empty_world) or "").startswith("Postgres does not answer at 127.0.0.1")
    assert contents(empty_world, TABLES) == before
    assert rows(empty_world, "SELECT day FROM batch_days") == [(MONDAY,)]
    monkeypatch.undo()
    load(empty_lake, empty_world, TUESDAY)
    assert rows(empty_world, "SELECT count(DISTINCT day) FROM post_stats") == [(2,)]


def test_only_the_newest_days_of_tables_partitioned_by_day_are_kept(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(
        empty_lake, empty_world, [a_post(time_stamp=NOON + days * DAY_SECONDS) for days in (0, 8, 9)]
    )
    short = empty_world.model_copy(update={"keywords_keep_days": 8, "history_keep_days": 9})
    load(empty_lake, short, MONDAY, NEWER)
    kept = {
        table: [day for (day,) in rows(empty_world, f"SELECT DISTINCT day FROM {table} ORDER BY 1")]
        for table in BY_DAY
    }
    assert kept == {
        "post_keywords": [NEWER],
        "post_stats": [MONDAY, NEWER],
        "author_stats": [MONDAY, NEWER],
        "post_hashtags": [MONDAY, NEWER],
    }
    load(empty_lake, short, date(2026, 1, 14))
    assert rows(empty_world, "SELECT DISTINCT day FROM post_stats ORDER BY 1") == [
        (NEWER,),
        (date(2026, 1, 14),),
    ]


def test_a_reader_of_an_old_partition_delays_its_drop_and_nothing_else(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    archive_posts(
        empty_lake, empty_world, [a_post(time_stamp=NOON), a_post(time_stamp=NOON + 8 * DAY_SECONDS)]
    )
    short = empty_world.model_copy(update={"keywords_keep_days": 8})
    load(empty_lake, short, MONDAY)
    with transaction(empty_world) as reader:
        reader.execute("SELECT count(*) FROM post_keywords_20260105")
        load(empty_lake, short, NEWER)
    assert rows(empty_world, "SELECT DISTINCT day FROM post_keywords ORDER BY 1") == [
        (MONDAY,),
        (NEWER,),
    ]
    assert rows(empty_world, "SELECT count(*) FROM batch_days") == [(2,)]
