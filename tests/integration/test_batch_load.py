"""Laws of the load step, on a real archive and a real Postgres."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import SparkSession

from archive.days import read_archived_day
from archive.table import create_archive
from batch.tables.copy import copy_partition, create_staging
from batch.tables.load import load_day
from core.catalog import RAW_POSTS
from core.settings import Settings
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import ABSENT, a_post
from tests.tables import rows

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts"
DAY = date(2026, 1, 5)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC).timestamp()
TABLES = ["posts", "authors", "music", "challenges", "post_challenges"]


def everything(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    return {table: rows(settings, f"SELECT * FROM {table} ORDER BY 1, 2") for table in TABLES}


def load(spark: SparkSession, settings: Settings, day: date = DAY) -> dict[str, int]:
    return load_day(read_archived_day(spark, settings, day), settings=settings, day=day)


@pytest.fixture(scope="module")
def shared_lake(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> SparkSession:
    lake = spark_for(module_settings)
    create_archive(lake)
    return lake


@pytest.fixture
def settings(module_settings: Settings) -> Settings:
    """The settings of a world whose tables are empty."""
    with transaction(module_settings) as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}, batch_days")
    return module_settings


@pytest.fixture
def lake(shared_lake: SparkSession) -> SparkSession:
    """A session whose archive is empty."""
    shared_lake.sql(f"DELETE FROM {RAW_POSTS}")
    return shared_lake


@pytest.mark.parametrize("name", ["web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson"])
def test_tables_of_a_real_file_hold_what_is_counted_in_it_by_hand(lake, settings, name):
    if not REAL_POSTS.is_dir():
        pytest.skip(f"{REAL_POSTS} is absent: the real posts are no part of the project")
    records = [json.loads(line) for line in (REAL_POSTS / name).open()]
    archive_posts(
        lake, settings, [{**record, "time_stamp": NOON + place} for place, record in enumerate(records)]
    )
    load(lake, settings)
    by_hand = {
        "posts": len({record["itemInfos"]["id"] for record in records}),
        "authors": len({record["authorInfos"]["userId"] for record in records}),
        "music": len({record["musicInfos"]["musicId"] for record in records}),
        "challenges": len(
            {entry["challengeId"] for record in records for entry in record["challengeInfoList"]}
        ),
        "post_challenges": len(
            {
                (record["itemInfos"]["id"], entry["challengeId"])
                for record in records
                for entry in record["challengeInfoList"]
            }
        ),
    }
    assert {table: rows(settings, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == by_hand
    likes = sum(int(record["itemInfos"]["diggCount"]) for record in records)
    texts = sorted(record["itemInfos"]["text"].replace("\0", "") for record in records)
    assert rows(settings, "SELECT sum(like_count) FROM posts") == [(likes,)]
    assert sorted(text for (text,) in rows(settings, "SELECT text FROM posts")) == texts


def test_every_field_of_a_post_lands_in_its_column(lake, settings):
    archive_posts(lake, settings, [a_post(time_stamp=NOON)], first_offset=7, partition=1)
    load(lake, settings)
    noon, created = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2020, 3, 23, 8, 59, 28, tzinfo=UTC)
    seen = (noon, noon, 1, 7)
    post = (
        6807325450981969158,
        "first snow #winter",
        created,
        5831967,
        6799337212367407877,
        None,
        1200,
        30,
        80,
        45000,
        15,
        576,
        1024,
    )
    author = (
        5831967,
        "snowflake",
        "Snow Flake",
        "winter all year",
        "MS4wLjABAAAA-VASjiXTh7wDDyXvjk10VFhMWUAoxr8bgfO1kAL1-9s",
    )
    assert everything(settings) == {
        "posts": [(*post, False, False, False, *seen)],
        "authors": [(*author, True, False, 932, 40431380, 2426012173, 1072, 3555, *seen)],
        "music": [
            (
                6799337212367407877,
                "original sound",
                "snowflake",
                True,
                "https://p16.example.com/sound.mp3",
                *seen,
            )
        ],
        "challenges": [(7893, "winter", "show us your winter", "winter", False, *seen)],
        "post_challenges": [(6807325450981969158, 7893, noon, noon)],
    }


def test_what_is_absent_or_unreadable_is_null_and_never_zero(lake, settings):
    odd = a_post(
        time_stamp=NOON,
        itemInfos={
            "playCount": ABSENT,
            "diggCount": "many",
            "shareCount": None,
            "commentCount": "12.0",
            "createTime": "1584953968000",
            "isOriginal": "perhaps",
            "video": "none",
        },
        authorStats=ABSENT,
        duetInfo="6807191893592509702",
        **{"musicInfos.original": ""},
    )
    archive_posts(lake, settings, [odd])
    load(lake, settings)
    counts = "play_count, like_count, share_count, comment_count, created_at, is_original, duration_seconds, duet_of_post_id"
    assert rows(settings, f"SELECT {counts} FROM posts") == [
        (None, None, None, 12, None, None, None, 6807191893592509702)
    ]
    assert rows(settings, "SELECT follower_count, heart_count FROM authors") == [(None, None)]
    assert rows(settings, "SELECT is_original FROM music") == [(False,)]


def test_a_post_without_author_music_and_challenges_is_a_post_all_the_same(lake, settings):
    bare = {"itemInfos": {"id": "42"}, "time_stamp": NOON}
    item = {"id": "43", "authorId": "x"}
    odd = a_post(
        time_stamp=NOON,
        itemInfos=item,
        authorInfos="gone",
        musicInfos=None,
        challengeInfoList=[None, {"text": "t"}],
    )
    archive_posts(lake, settings, [bare, odd])
    assert load(lake, settings) == {
        "posts": 2,
        "authors": 0,
        "music": 0,
        "challenges": 0,
        "post_challenges": 0,
    }
    assert rows(settings, "SELECT post_id, text, author_id FROM posts ORDER BY 1") == [
        (42, None, None),
        (43, "first snow #winter", None),
    ]


def test_nul_characters_quotes_and_backslashes_arrive_as_text(lake, settings):
    archive_posts(
        lake,
        settings,
        [
            a_post(
                time_stamp=NOON, itemInfos={"text": 'a\0b "c", \\N \n{d}\t🎉'}, authorInfos={"signature": ""}
            )
        ],
    )
    load(lake, settings)
    assert rows(settings, "SELECT text FROM posts") == [('ab "c", \\N \n{d}\t🎉',)]
    assert rows(settings, "SELECT signature FROM authors") == [("",)]


def test_lone_surrogates_and_invalid_bytes_cost_their_characters_and_nothing_else(lake, settings):
    surrogate = json.dumps(a_post(time_stamp=NOON, itemInfos={"text": "half \ud83d of it"})).encode()
    broken = (
        json.dumps(a_post(time_stamp=NOON, itemInfos={"id": "44", "text": "X"}))
        .encode()
        .replace(b'"X"', b'"ab\xff\xfecd"')
    )
    archive_posts(lake, settings, [surrogate, broken])
    assert load(lake, settings)["posts"] == 2
    assert [text[:2] for (text,) in rows(settings, "SELECT text FROM posts ORDER BY post_id")] == ["ab", "ha"]


def test_names_and_lists_without_an_end_cost_their_ends_and_nothing_else(lake, settings):
    endless = "".join(map(chr, np.random.default_rng(1).integers(0x4E00, 0x9FA5, 5_000)))
    listed = [
        {"challengeId": str(n), "challengeName": endless if n < 200 else "short"} for n in range(1, 20_001)
    ]
    beside = [{"Type": 1, "HashtagName": f"tag{n}", "HashtagId": str(n)} for n in range(1, 20_001)]
    post = a_post(
        time_stamp=NOON,
        authorInfos={"uniqueId": endless, "nickName": endless, "secUid": endless},
        challengeInfoList=listed,
        musicInfos={"musicName": endless, "authorName": endless},
        textExtra=beside,
        itemInfos={"text": endless},
    )
    archive_posts(lake, settings, [post])
    assert load(lake, settings) == {
        "posts": 1,
        "authors": 1,
        "music": 1,
        "challenges": 100,
        "post_challenges": 100,
    }
    start = endless[:500]
    assert rows(settings, "SELECT unique_id, nickname, sec_uid FROM authors") == [(start, start, start)]
    assert rows(settings, "SELECT name, author_name FROM music") == [(start, start)]
    assert rows(settings, "SELECT DISTINCT name FROM challenges") == [(start,)]
    assert rows(settings, "SELECT text FROM posts") == [(endless,)]
    assert rows(settings, "SELECT count(*) FROM post_hashtags") == [(100,)]


def test_refused_records_and_other_topics_describe_nothing(lake, settings):
    archive_posts(
        lake,
        settings,
        [b"no json", a_post(time_stamp="soon"), a_post(time_stamp=NOON, itemInfos={"id": "x"})],
    )
    archive_posts(lake, settings, [a_post(time_stamp=NOON)], topic=settings.rejected_topic)
    assert load(lake, settings)["posts"] == 0


def test_of_several_deliveries_the_newest_is_shown_by_event_time_and_then_by_offset(lake, settings):
    first = a_post(time_stamp=NOON, itemInfos={"diggCount": 1}, authorInfos={"nickName": "old"})
    newest = a_post(
        time_stamp=NOON + 60,
        itemInfos={"diggCount": 3},
        authorInfos={"nickName": "new"},
        challengeInfoList=[],
    )
    same_time = a_post(time_stamp=NOON + 60, itemInfos={"diggCount": 2}, authorInfos={"nickName": "between"})
    archive_posts(lake, settings, [same_time, newest, first])
    assert load(lake, settings) == {
        "posts": 1,
        "authors": 1,
        "music": 1,
        "challenges": 1,
        "post_challenges": 1,
    }
    noon, later = datetime(2026, 1, 5, 12, tzinfo=UTC), datetime(2026, 1, 5, 12, 1, tzinfo=UTC)
    assert rows(settings, "SELECT like_count, first_seen, last_seen, kafka_offset FROM posts") == [
        (3, noon, later, 1)
    ]
    assert rows(settings, "SELECT nickname, first_seen FROM authors") == [("new", noon)]


def test_days_may_be_loaded_in_any_order_and_again(lake, settings):
    monday = a_post(
        time_stamp=NOON,
        itemInfos={"diggCount": 5},
        challengeInfoList=[{"challengeId": "1", "challengeName": "one"}],
    )
    tuesday = a_post(
        time_stamp=NOON + 86400,
        itemInfos={"diggCount": 9},
        challengeInfoList=[{"challengeId": "2", "challengeName": "two"}],
    )
    archive_posts(lake, settings, [monday, tuesday])
    load(lake, settings, date(2026, 1, 6))
    load(lake, settings, date(2026, 1, 5))
    backwards = everything(settings)
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    assert rows(settings, "SELECT like_count, first_seen FROM posts") == [(9, noon)]
    assert rows(settings, "SELECT challenge_id FROM post_challenges ORDER BY 1") == [(1,), (2,)]
    for day in (date(2026, 1, 5), date(2026, 1, 6)):
        load(lake, settings, day)
    assert everything(settings) == backwards


def test_a_record_that_stands_twice_in_the_archive_changes_nothing(lake, settings):
    archive_posts(lake, settings, [a_post(time_stamp=NOON)])
    load(lake, settings)
    once = everything(settings)
    archive_posts(lake, settings, [a_post(time_stamp=NOON)])
    load(lake, settings)
    assert everything(settings) == once


def test_a_day_without_posts_changes_nothing(lake, settings):
    archive_posts(lake, settings, [a_post(time_stamp=NOON)])
    assert load(lake, settings, date(2026, 1, 4)) == {
        "posts": 0,
        "authors": 0,
        "music": 0,
        "challenges": 0,
        "post_challenges": 0,
    }
    assert everything(settings) == {table: [] for table in TABLES}


def test_a_partition_that_is_tried_again_after_its_commit_is_copied_once(settings):
    batch = pa.record_batch(
        {"post_id": [1], "challenge_id": [2], "first_seen": ["2026-01-05"], "last_seen": ["2026-01-05"]}
    )
    with transaction(settings) as cursor:
        create_staging(cursor, "load", ["post_challenges"])
    for _ in range(2):
        assert copy_partition("load", [("post_challenges", batch)], settings).to_pydict() == {"copied": [1]}
    assert rows(settings, "SELECT post_id, challenge_id FROM staging.post_challenges") == [(1, 2)]
