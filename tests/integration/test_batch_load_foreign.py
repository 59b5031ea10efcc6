"""Laws of the step `load`: a value that is absent, unreadable or endless affects nothing else."""

import json

import numpy as np

from batch.run import Step
from tests.archived import archive_posts, run_batch
from tests.factories import ABSENT, a_post
from tests.integration.loading import DAY_SECONDS, MONDAY, NOON, TUESDAY, load
from tests.tables import rows


def test_what_is_absent_or_unreadable_is_null_and_never_zero(empty_lake, empty_world):
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
    archive_posts(empty_lake, empty_world, [odd])
    load(empty_lake, empty_world)
    counts = "play_count, like_count, share_count, comment_count"
    others = "created_at, is_original, duration_seconds, duet_of_post_id"
    assert rows(empty_world, f"SELECT {counts}, {others} FROM posts") == [
        (None, None, None, 12, None, None, None, 6807191893592509702)
    ]
    assert rows(empty_world, "SELECT follower_count, heart_count FROM authors") == [(None, None)]
    assert rows(empty_world, "SELECT is_original FROM music") == [(False,)]


def test_negative_counts_are_null_and_said_once(empty_lake, empty_world):
    whole = a_post(time_stamp=NOON, itemInfos={"id": "1", "diggCount": 10})
    overflowed = a_post(
        time_stamp=NOON + 1,
        itemInfos={"id": "2", "diggCount": -2147483000, "playCount": "-1", "shareCount": "-2.5e3"},
        authorStats={"heartCount": "-977433948", "followerCount": 0},
    )
    next_day = a_post(time_stamp=NOON + DAY_SECONDS, itemInfos={"id": "3", "commentCount": -(2**63)})
    archive_posts(empty_lake, empty_world, [whole, overflowed, next_day])
    lines = run_batch(empty_lake, empty_world, [MONDAY, TUESDAY], [Step.LOAD, Step.TRENDS])
    assert [line for line in lines if "egative" in line] == [
        "Negative counts in the records of 2026-01-05 to 2026-01-06: 5. Their source overflowed or did not "
        "know them, so they are null in the tables."
    ]
    counts = "SELECT post_id, like_count, play_count, share_count, comment_count FROM {} ORDER BY 1"
    for table in ("posts", "post_stats"):
        assert rows(empty_world, counts.format(table)) == [
            (1, 10, 45000, 30, 80),
            (2, None, None, None, 80),
            (3, 1200, 45000, 30, None),
        ]
    hearts = "SELECT follower_count, heart_count FROM author_stats WHERE day = '2026-01-05' ORDER BY seen_at"
    assert rows(empty_world, hearts) == [(40431380, 2426012173), (0, None)]
    trends = "SELECT posts, likes FROM daily_trends WHERE day = '2026-01-05' AND kind = 'all'"
    assert rows(empty_world, trends) == [(2, 10)]


def test_a_post_without_author_music_and_challenges_is_a_post_all_the_same(empty_lake, empty_world):
    bare = {"itemInfos": {"id": "42"}, "time_stamp": NOON}
    item = {"id": "43", "authorId": "x"}
    odd = a_post(
        time_stamp=NOON,
        itemInfos=item,
        authorInfos="gone",
        musicInfos=None,
        challengeInfoList=[None, {"text": "t"}],
    )
    archive_posts(empty_lake, empty_world, [bare, odd])
    assert load(empty_lake, empty_world) == {
        "posts": 2,
        "authors": 0,
        "music": 0,
        "challenges": 0,
        "post_challenges": 0,
    }
    assert rows(empty_world, "SELECT post_id, text, author_id FROM posts ORDER BY 1") == [
        (42, None, None),
        (43, "first snow #winter", None),
    ]


def test_nul_characters_quotes_and_backslashes_arrive_as_text(empty_lake, empty_world):
    text = 'a\0b "c", \\N \n{d}\t🎉'
    post = a_post(time_stamp=NOON, itemInfos={"text": text}, authorInfos={"signature": ""})
    archive_posts(empty_lake, empty_world, [post])
    load(empty_lake, empty_world)
    assert rows(empty_world, "SELECT text FROM posts") == [('ab "c", \\N \n{d}\t🎉',)]
    assert rows(empty_world, "SELECT signature FROM authors") == [("",)]


def test_lone_surrogates_and_invalid_bytes_cost_only_their_characters(empty_lake, empty_world):
    surrogate = json.dumps(a_post(time_stamp=NOON, itemInfos={"text": "half \ud83d of it"})).encode()
    broken = (
        json.dumps(a_post(time_stamp=NOON, itemInfos={"id": "44", "text": "X"}))
        .encode()
        .replace(b'"X"', b'"ab\xff\xfecd"')
    )
    archive_posts(empty_lake, empty_world, [surrogate, broken])
    assert load(empty_lake, empty_world)["posts"] == 2
    assert [text[:2] for (text,) in rows(empty_world, "SELECT text FROM posts ORDER BY post_id")] == [
        "ab",
        "ha",
    ]


def test_names_and_lists_without_an_end_cost_only_their_ends(empty_lake, empty_world):
    endless = "".join(map(chr, np.random.default_rng(1).integers(0x4E00, 0x9FA5, 5_000)))
    listed = [
        {"challengeId": str(n), "challengeName": endless if n < 200 else "short"} for n in range(1, 20_001)
    ]
    extra = [{"Type": 1, "HashtagName": f"tag{n}", "HashtagId": str(n)} for n in range(1, 20_001)]
    post = a_post(
        time_stamp=NOON,
        authorInfos={"uniqueId": endless, "nickName": endless, "secUid": endless},
        challengeInfoList=listed,
        musicInfos={"musicName": endless, "authorName": endless},
        textExtra=extra,
        itemInfos={"text": endless},
    )
    archive_posts(empty_lake, empty_world, [post])
    assert load(empty_lake, empty_world) == {
        "posts": 1,
        "authors": 1,
        "music": 1,
        "challenges": 100,
        "post_challenges": 100,
    }
    start = endless[:500]
    assert rows(empty_world, "SELECT unique_id, nickname, sec_uid FROM authors") == [(start, start, start)]
    assert rows(empty_world, "SELECT name, author_name FROM music") == [(start, start)]
    assert rows(empty_world, "SELECT DISTINCT name FROM challenges") == [(start,)]
    assert rows(empty_world, "SELECT text FROM posts") == [(endless,)]
    assert rows(empty_world, "SELECT count(*) FROM post_hashtags") == [(100,)]


def test_rejected_records_and_other_topics_describe_nothing(empty_lake, empty_world):
    archive_posts(
        empty_lake,
        empty_world,
        [b"no json", a_post(time_stamp="soon"), a_post(time_stamp=NOON, itemInfos={"id": "x"})],
    )
    archive_posts(empty_lake, empty_world, [a_post(time_stamp=NOON)], topic=empty_world.rejected_topic)
    assert load(empty_lake, empty_world)["posts"] == 0
