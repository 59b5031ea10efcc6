"""Laws of the tables of hashtags and keywords of a day, on a real archive and a real Postgres."""

from typing import Any

from pyspark.sql import SparkSession

from core.settings import Settings
from tests.archived import archive_posts
from tests.factories import ABSENT, a_post
from tests.integration.loading import DAY_SECONDS, MONDAY, NOON, TUESDAY, at, load
from tests.tables import rows


def test_hashtags_come_from_the_caption_and_from_text_extra_and_say_so(
    empty_lake: SparkSession, empty_world: Settings
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
        empty_lake,
        empty_world,
        [a_post(time_stamp=NOON, itemInfos={"id": "9", "text": text}, textExtra=extra)],
    )
    load(empty_lake, empty_world, MONDAY)
    assert rows(
        empty_world, "SELECT hashtag, post_id, in_text, in_text_extra FROM post_hashtags ORDER BY hashtag"
    ) == [
        ("2020", 9, True, False),
        ("besideonly", 9, False, True),
        ("fyp", 9, True, False),
        ("not", 9, True, False),
        ("strasse", 9, True, False),
        ("wide", 9, True, False),
        ("winter", 9, True, True),
    ]
    assert rows(empty_world, "SELECT hashtag, hashtag_id FROM hashtags WHERE hashtag_id IS NOT NULL") == [
        ("winter", 77)
    ]


def test_a_post_without_a_readable_text_extra_has_the_hashtags_of_its_caption(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    extras: list[Any] = [ABSENT, None, [], "none", [7]]
    posts = [
        a_post(time_stamp=NOON, itemInfos={"id": str(place + 1)}, textExtra=extra)
        for place, extra in enumerate(extras)
    ]
    archive_posts(empty_lake, empty_world, posts)
    load(empty_lake, empty_world, MONDAY)
    found = rows(empty_world, "SELECT post_id, hashtag, in_text, in_text_extra FROM post_hashtags ORDER BY 1")
    assert found == [(post_id, "winter", True, False) for post_id in (1, 2, 3, 4, 5)]


def test_who_started_a_hashtag_is_the_earliest_delivery_in_any_order_of_days(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    posts = [
        a_post(time_stamp=NOON + seconds, itemInfos={"id": str(post_id), "text": "#snow"}, textExtra=[])
        for post_id, seconds in [(8, 0), (7, 0), (5, 60), (6, DAY_SECONDS)]
    ]
    archive_posts(empty_lake, empty_world, posts)
    load(empty_lake, empty_world, TUESDAY)
    assert rows(empty_world, "SELECT first_post_id, first_seen, last_seen FROM hashtags") == [
        (6, at(12, day=6), at(12, day=6))
    ]
    load(empty_lake, empty_world, MONDAY)
    assert rows(empty_world, "SELECT first_post_id, first_seen, last_seen FROM hashtags") == [
        (7, at(12), at(12, day=6))
    ]


def test_keywords_of_a_post_are_those_of_all_its_deliveries_of_the_day_each_once(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    texts = [(0, "first snow"), (60, "first snow melts"), (DAY_SECONDS, "ice")]
    archive_posts(
        empty_lake,
        empty_world,
        [a_post(time_stamp=NOON + s, itemInfos={"id": "3", "text": text}) for s, text in texts],
    )
    load(empty_lake, empty_world, MONDAY, TUESDAY)
    assert rows(empty_world, "SELECT day, post_id, keyword FROM post_keywords ORDER BY 1, 3") == [
        (MONDAY, 3, "first"),
        (MONDAY, 3, "melts"),
        (MONDAY, 3, "snow"),
        (TUESDAY, 3, "ice"),
    ]
