"""Simulated posts: the shape of real ones with all their oddities, and a vocabulary with a long tail."""

import re
from collections import Counter
from datetime import date
from typing import Any

import numpy as np
import orjson
import pytest

from core.function_words import function_words
from core.records import POST_SCHEMA
from producer.posts import NotAPost, read_record, usable_id
from producer.simulate.damage import DAMAGE_KINDS, ODD, UNUSABLE, damage
from producer.simulate.events import LARGEST_KNOWN_RATE, known_words
from producer.simulate.plan import plan_day
from producer.simulate.render import cached_plan, render_post, render_slice
from producer.simulate.vocabulary import LANGUAGES, coined_word, draw_ranks, spell
from producer.simulate.world import World

WORLD = World(seed=3, start=date(2026, 11, 13), posts_per_day=24_000)


@pytest.fixture(scope="module")
def posts() -> list[dict[str, Any]]:
    """Return the undamaged posts among the day's first records."""
    plan = cached_plan(WORLD, 0)
    undamaged = [post for post in plan.record_post[:6_000].tolist() if plan.damage[post] == 0]
    return [orjson.loads(render_post(plan, 0, post)) for post in undamaged]


def share(matches: list[bool]) -> float:
    return sum(matches) / len(matches)


def test_a_record_has_the_fields_of_the_contract_and_about_2_700_bytes(posts: list[dict[str, Any]]) -> None:
    lines = render_slice(WORLD, 0, (0, 2_000)).splitlines()
    assert 2_500 < sum(map(len, lines)) / len(lines) < 3_000
    fields = {field.name for field in POST_SCHEMA.fields}
    assert {name for post in posts for name in post} == fields - {"time_stamp"}


def test_a_real_record_and_a_simulated_one_have_the_same_members(posts: list[dict[str, Any]]) -> None:
    post = next(post for post in posts if "playCount" in post["itemInfos"] and "authorStats" in post)
    assert " ".join(post) == (
        "itemInfos authorInfos musicInfos challengeInfoList duetInfo textExtra authorStats"
    )
    assert " ".join(post["itemInfos"]) == (
        "id text createTime authorId musicId covers coversOrigin coversDynamic video diggCount shareCount "
        "playCount commentCount isOriginal isOfficial isActivityItem warnInfo"
    )
    assert " ".join(post["authorInfos"]) == (
        "secUid userId uniqueId nickName signature verified covers coversMedium coversLarger isSecret"
    )
    assert (
        " ".join(post["musicInfos"])
        == "musicId musicName authorName original playUrl covers coversMedium coversLarger"
    )
    assert " ".join(post["authorStats"]) == "followingCount followerCount heartCount videoCount diggCount"


@pytest.mark.parametrize(
    ("oddity", "least", "most"),
    [
        (lambda post: post["itemInfos"]["text"] == "", 0.22, 0.28),
        (lambda post: isinstance(post["itemInfos"]["createTime"], int), 0.01, 0.06),
        (lambda post: "playCount" not in post["itemInfos"], 0.2, 0.3),
        (lambda post: post["musicInfos"]["original"] is True, 0.5, 0.7),
        (lambda post: post["musicInfos"]["original"] == "", 0.3, 0.45),
        (lambda post: "authorStats" not in post, 0.8, 0.92),
        (lambda post: "challengeInfoList" in post and post["challengeInfoList"] is None, 0.002, 0.02),
        (lambda post: "challengeInfoList" not in post, 0.002, 0.02),
        (lambda post: post.get("challengeInfoList") == [], 0.75, 0.95),
        (lambda post: bool(post.get("challengeInfoList")), 0.05, 0.25),
        (lambda post: post["duetInfo"] != "0", 0.03, 0.1),
        (lambda post: len(post["itemInfos"]["authorId"]) < 19, 0.005, 0.05),
        (lambda post: "\n" in post["itemInfos"]["text"], 0.001, 0.1),
        (lambda post: '"' in post["itemInfos"]["text"], 0.001, 0.1),
    ],
)
def test_every_oddity_of_the_real_data_occurs_in_about_its_share(
    posts: list[dict[str, Any]], oddity: Any, least: float, most: float
) -> None:
    assert least < share([oddity(post) for post in posts]) < most


def test_heart_counts_are_text(posts: list[dict[str, Any]]) -> None:
    assert all(post["authorStats"]["heartCount"].isdigit() for post in posts if "authorStats" in post)


def test_textExtra_points_at_hashtags_and_mentions_in_characters_and_in_utf_16_units(
    posts: list[dict[str, Any]],
) -> None:
    seen = Counter[int]()
    for post in posts:
        text = post["itemInfos"]["text"]
        units = text.encode("utf-16-le")
        for extra in post["textExtra"]:
            pointed = text[extra["Start"] : extra["End"]]
            assert units[2 * extra["Start"] : 2 * extra["End"]].decode("utf-16-le") == pointed
            assert (
                pointed.lower() == "#" + extra["HashtagName"]
                if extra["Type"] == 1
                else pointed.startswith("@") and extra["UserId"]
            )
            seen[extra["Type"]] += 1
    assert seen[0] > 1_000 and seen[1] > 1_000


def test_texts_are_in_many_scripts(posts: list[dict[str, Any]]) -> None:
    text = " ".join(post["itemInfos"]["text"] for post in posts)
    scripts = (
        "a-z а-я \u0620-\u064a \u0905-\u0939 \u4e00-\u9fff ぁ-ヿ ก-ฮ 가-힣 \U0001f600-\U0001f64f".split()
    )
    for script in scripts:
        assert len(re.findall(f"[{script}]", text)) > 200


def test_a_redelivered_post_keeps_its_id_and_an_edited_one_changes_its_text() -> None:
    plan = plan_day(WORLD, 0)
    for variant, texts in ((1, 1), (2, 2)):
        post = int(plan.record_post[plan.record_variant == variant][0])
        first, again = (orjson.loads(render_post(plan, 0, post, kind)) for kind in (0, variant))
        assert first["itemInfos"]["id"] == again["itemInfos"]["id"]
        assert len({first["itemInfos"]["text"], again["itemInfos"]["text"]}) == texts


def test_some_records_are_late_by_minutes_and_a_few_by_hours() -> None:
    plan = plan_day(WORLD, 0)
    first = plan.record_post[plan.record_variant == 0]
    created = plan.created[first]
    late_seconds = np.maximum.accumulate(created) - created
    assert 0.01 < (late_seconds > 60).mean() < 0.05
    assert 0.0005 < (late_seconds > 3600).mean() < 0.004


@pytest.mark.parametrize("name", DAMAGE_KINDS)
def test_a_broken_record_is_unusable_or_odd_as_its_kind_says(name: str) -> None:
    plan = cached_plan(WORLD, 0)
    line = render_post(plan, 0, next(post for post in range(100) if plan.damage[post] == 0))
    broken = damage(line, DAMAGE_KINDS.index(name) + 1)
    assert broken != line
    if name in UNUSABLE:
        with pytest.raises(NotAPost):
            usable_id(read_record(broken))
    else:
        assert name in ODD and usable_id(read_record(broken)) == usable_id(read_record(line))


def test_four_of_five_words_are_seen_once_and_the_vocabulary_grows_as_tokens_to_the_power_of_0_8() -> None:
    ranks = draw_ranks(np.random.default_rng(1), 200_000, exponent=1.25, head=12.0)
    counts = np.unique(ranks, return_counts=True)[1]
    assert 0.74 < (counts == 1).mean() < 0.84
    assert 0.87 < (counts < 5).mean() < 0.97
    growth = np.log(len(counts) / len(np.unique(ranks[:20_000]))) / np.log(10)
    assert 0.75 < growth < 0.85


def test_a_word_of_a_plan_is_poisson_within_an_hour() -> None:
    plan = plan_day(WORLD, 0)
    ends = plan.word_ends
    post_of_word = np.searchsorted(ends, np.arange(len(plan.words)), side="right")
    english = (plan.language[post_of_word] == 0) & (plan.event[post_of_word] < 0) & (plan.words == 1)
    window = (plan.created[post_of_word[english]] - WORLD.midnight(0)) // 900
    windows = np.bincount(window, minlength=96).reshape(24, 4)
    assert 0.6 < windows.var(axis=1, ddof=1).sum() / windows.mean(axis=1).sum() < 1.6


def test_different_ranks_are_different_words() -> None:
    for language in LANGUAGES:
        words = [language.word(rank) for rank in range(20_000)]
        assert len(set(words)) == len(words)
    assert spell(0, ["a", "b"]) != spell(1, ["a", "b"])


def test_no_language_has_a_coined_word() -> None:
    vocabulary = {language.word(rank) for language in LANGUAGES for rank in range(20_000)}
    for cyrillic in (False, True):
        assert not vocabulary & {coined_word(number, cyrillic=cyrillic) for number in range(2_000)}


def test_no_event_is_about_a_function_word_or_a_word_too_frequent_to_burst() -> None:
    words = known_words(WORLD)
    assert len(words) > 60
    assert not {word.word for word in words} & function_words().keys()
    assert all(0.5 <= word.posts_per_window <= LARGEST_KNOWN_RATE for word in words)


def test_posts_follow_the_hour_the_weekday_and_growth() -> None:
    by_day = [WORLD.posts_per_minute(day).sum() for day in range(15)]
    assert by_day[14] / by_day[0] == pytest.approx(1.004**14)
    assert max(by_day[:7]) / min(by_day[:7]) > 1.1
    english = WORLD.posts_per_minute(0)[:, 0].reshape(24, 60).sum(axis=1)
    assert english.argmax() in (23, 0) and english.max() / english.min() > 2
