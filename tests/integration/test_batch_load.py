"""Laws of the step `load`, on a real archive and a real Postgres."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from batch.tables.copy import copy_partition, create_staging
from batch.tables.entities import TABLES
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import a_post
from tests.integration.loading import DAY_SECONDS, MONDAY, NOON, TUESDAY, at, contents, load
from tests.tables import rows

REAL_POSTS = Path(__file__).parents[3] / "shared" / "data" / "posts"


@pytest.mark.parametrize("name", ["web_api_march_2020_24.ndjson", "trending_december_2020_1000.ndjson"])
def test_tables_of_a_real_file_match_counts_made_by_hand(empty_lake, empty_world, name):
    if not REAL_POSTS.is_dir():
        pytest.skip(f"{REAL_POSTS} is absent: the real posts are not part of the project")
    records = [json.loads(line) for line in (REAL_POSTS / name).read_bytes().splitlines()]
    archive_posts(
        empty_lake,
        empty_world,
        [{**record, "time_stamp": NOON + number} for number, record in enumerate(records)],
    )
    load(empty_lake, empty_world)
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
    assert {table: rows(empty_world, f"SELECT count(*) FROM {table}")[0][0] for table in TABLES} == by_hand
    likes = sum(int(record["itemInfos"]["diggCount"]) for record in records)
    texts = sorted(record["itemInfos"]["text"].replace("\0", "") for record in records)
    assert rows(empty_world, "SELECT sum(like_count) FROM posts") == [(likes,)]
    assert sorted(text for (text,) in rows(empty_world, "SELECT text FROM posts")) == texts


def test_every_field_of_a_post_goes_to_its_column(empty_lake, empty_world):
    archive_posts(empty_lake, empty_world, [a_post(time_stamp=NOON)], first_offset=7, partition=1)
    load(empty_lake, empty_world)
    noon, created = at(12), datetime(2020, 3, 23, 8, 59, 28, tzinfo=UTC)
    seen = (noon, noon, 1, 7, noon)
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
    assert contents(empty_world, TABLES) == {
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
        "post_challenges": [(6807325450981969158, 7893, noon, noon, noon)],
    }


def test_of_several_deliveries_the_newest_is_shown_by_event_time_and_then_by_offset(empty_lake, empty_world):
    first = a_post(time_stamp=NOON, itemInfos={"diggCount": 1}, authorInfos={"nickName": "old"})
    newest = a_post(
        time_stamp=NOON + 60,
        itemInfos={"diggCount": 3},
        authorInfos={"nickName": "new"},
        challengeInfoList=[],
    )
    same_time = a_post(time_stamp=NOON + 60, itemInfos={"diggCount": 2}, authorInfos={"nickName": "between"})
    archive_posts(empty_lake, empty_world, [same_time, newest, first])
    assert load(empty_lake, empty_world) == dict.fromkeys(TABLES, 1)
    noon, later = at(12), at(12, 1)
    assert rows(empty_world, "SELECT like_count, first_seen, last_seen, kafka_offset FROM posts") == [
        (3, noon, later, 1)
    ]
    assert rows(empty_world, "SELECT nickname, first_seen FROM authors") == [("new", noon)]


def test_days_may_be_loaded_in_any_order_and_again(empty_lake, empty_world):
    monday = a_post(
        time_stamp=NOON,
        itemInfos={"diggCount": 5},
        challengeInfoList=[{"challengeId": "1", "challengeName": "one"}],
    )
    tuesday = a_post(
        time_stamp=NOON + DAY_SECONDS,
        itemInfos={"diggCount": 9},
        challengeInfoList=[{"challengeId": "2", "challengeName": "two"}],
    )
    archive_posts(empty_lake, empty_world, [monday, tuesday])
    load(empty_lake, empty_world, TUESDAY)
    load(empty_lake, empty_world, MONDAY)
    backwards = contents(empty_world, TABLES)
    noon = at(12)
    assert rows(empty_world, "SELECT like_count, first_seen FROM posts") == [(9, noon)]
    assert rows(empty_world, "SELECT challenge_id FROM post_challenges ORDER BY 1") == [(1,), (2,)]
    for day in (MONDAY, TUESDAY):
        load(empty_lake, empty_world, day)
    assert contents(empty_world, TABLES) == backwards


def test_a_record_that_is_in_the_archive_twice_changes_nothing(empty_lake, empty_world):
    archive_posts(empty_lake, empty_world, [a_post(time_stamp=NOON)])
    load(empty_lake, empty_world)
    once = contents(empty_world, TABLES)
    archive_posts(empty_lake, empty_world, [a_post(time_stamp=NOON)])
    load(empty_lake, empty_world)
    assert contents(empty_world, TABLES) == once


def test_a_day_without_posts_changes_nothing(empty_lake, empty_world):
    archive_posts(empty_lake, empty_world, [a_post(time_stamp=NOON)])
    assert load(empty_lake, empty_world, date(2026, 1, 4)) == dict.fromkeys(TABLES, 0)
    assert contents(empty_world, TABLES) == {table: [] for table in TABLES}


def test_a_partition_that_is_retried_after_its_commit_is_copied_once(empty_world):
    batch = pa.record_batch(
        {
            "post_id": [1],
            "challenge_id": [2],
            "first_seen": ["2026-01-05"],
            "last_seen": ["2026-01-05"],
            "collected_at": ["2026-01-05"],
        }
    )
    with transaction(empty_world) as cursor:
        create_staging(cursor, "load", ["post_challenges"])
    for _ in range(2):
        assert copy_partition("load", [("post_challenges", batch)], empty_world).to_pydict() == {
            "copied": [1]
        }
    assert rows(empty_world, "SELECT post_id, challenge_id FROM staging.post_challenges") == [(1, 2)]
