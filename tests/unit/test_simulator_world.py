"""Simulated world: a day depends only on its world and its number, and the labels match the files."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.errors import BadInputError
from producer.posts import NotAPost, read_record, usable_id
from producer.simulate.events import events_of_day, has_outage
from producer.simulate.files import simulate_days
from producer.simulate.render import cached_plan
from producer.simulate.text import words_of
from producer.simulate.world import World
from producer.sources import Input

WORLD = World(seed=3, start=date(2026, 11, 13), posts_per_day=4_000)
LIVE_DAY = 7


def simulate(folder: Path, days: Iterable[int], *, world: World = WORLD, compress: bool = False) -> Path:
    simulate_days(world, days, folder, compress=compress, report=lambda records, size: None)
    return folder


def rows(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate(tmp_path_factory.mktemp("world"), [0, 1, LIVE_DAY])


@pytest.fixture(scope="module")
def live_posts(folder: Path) -> dict[int, dict[str, Any]]:
    """Return the usable posts of the live day by id, as first delivered."""
    posts: dict[int, dict[str, Any]] = {}
    for line in Input(str(folder / "posts-2026-11-20.ndjson")).lines():
        try:
            posts.setdefault(usable_id(read_record(line.data)), json.loads(line.data))
        except NotAPost:
            continue
    return posts


@pytest.mark.slow
def test_the_same_world_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    again = simulate(tmp_path, [0, 1, LIVE_DAY])
    for name in ("posts-2026-11-13.ndjson", "posts-2026-11-20.ndjson", "truth.ndjson", "days.ndjson"):
        assert (again / name).read_bytes() == (folder / name).read_bytes()


def test_a_day_made_alone_later_is_the_day_of_the_longer_run(folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path, [0, 1])
    simulate(tmp_path, [LIVE_DAY])
    for name in ("posts-2026-11-14.ndjson", "posts-2026-11-20.ndjson", "truth.ndjson", "days.ndjson"):
        assert (tmp_path / name).read_bytes() == (folder / name).read_bytes()


@pytest.mark.slow
def test_many_processes_write_what_one_writes(tmp_path: Path) -> None:
    busy = World(seed=3, start=date(2026, 11, 13), posts_per_day=13_000)
    simulate(tmp_path, [0], world=busy)
    lines = (tmp_path / "posts-2026-11-13.ndjson").read_bytes().splitlines()
    assert len(lines) == rows(tmp_path / "days.ndjson")[0]["records"]


def test_another_seed_is_another_world(folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path, [0], world=World(seed=4, start=WORLD.start, posts_per_day=WORLD.posts_per_day))
    first_day = "posts-2026-11-13.ndjson"
    assert (tmp_path / first_day).read_bytes() != (folder / first_day).read_bytes()


def test_a_folder_holds_only_one_world(folder: Path) -> None:
    with pytest.raises(BadInputError, match="holds days of another world"):
        simulate(folder, [0], world=World(seed=4, start=WORLD.start, posts_per_day=WORLD.posts_per_day))


def test_a_compressed_day_holds_the_same_lines(folder: Path, tmp_path: Path) -> None:
    simulate(tmp_path, [0], compress=True)
    lines = b"".join(line.data for line in Input(str(tmp_path / "posts-2026-11-13.ndjson.zst")).lines())
    assert lines == (folder / "posts-2026-11-13.ndjson").read_bytes()


def test_a_days_totals_are_what_its_file_holds(folder: Path) -> None:
    for day in rows(folder / "days.ndjson"):
        ids, unusable = Counter[int](), 0
        lines = (folder / day["file"]).read_bytes().splitlines()
        for line in lines:
            try:
                ids[usable_id(read_record(line))] += 1
            except NotAPost:
                unusable += 1
        assert (len(lines), len(ids), unusable) == (day["records"], day["posts"], day["unusable"])
        assert ids.total() == day["posts"] + day["again"] + day["edited"]


def test_ids_are_unique_over_days_and_hold_the_creation_time(folder: Path) -> None:
    created: dict[int, int] = {}
    for name in ("posts-2026-11-13.ndjson", "posts-2026-11-14.ndjson"):
        for line in (folder / name).read_bytes().splitlines():
            try:
                post = read_record(line)
                post_id = usable_id(post)
            except NotAPost:
                continue
            text = str(post["itemInfos"].get("createTime"))
            moment = int(text) if text.isdigit() else 0
            assert created.setdefault(post_id, moment) == moment
            if len(text) == 10 and text.startswith("17"):
                age = moment - (post_id >> 32)
                assert 1 <= age <= 222 or age > 364 * 86_400
    assert len(created) == sum(day["posts"] for day in rows(folder / "days.ndjson")[:2])


def test_an_events_posts_authors_and_texts_are_in_the_file(
    folder: Path, live_posts: dict[int, dict[str, Any]]
) -> None:
    posts_of: defaultdict[str, set[int]] = defaultdict(set)
    authors_of: defaultdict[str, set[str]] = defaultdict(set)
    texts_of: defaultdict[str, set[str]] = defaultdict(set)
    for post_id, post in live_posts.items():
        text = post["itemInfos"].get("text")
        for word in set(re.split(r'[\s#"!,]+', text.lower())) if isinstance(text, str) else ():
            posts_of[word].add(post_id)
            authors_of[word].add(post["itemInfos"]["authorId"])
            texts_of[word].add(text)
    truth = rows(folder / "truth.ndjson")
    events = [event for event in truth if event["day_number"] == LIVE_DAY and event["keyword"]]
    assert len(events) == 11
    for event in events:
        keyword = event["keyword"]
        if event["kind"] in ("organic_unseen", "copy_paste", "spam"):
            assert (len(posts_of[keyword]), len(authors_of[keyword])) == (event["posts"], event["authors"])
        else:
            assert len(posts_of[keyword]) >= event["posts"]
        assert event["posts"] >= event["texts"] >= 1
        created = [str(live_posts[post_id]["itemInfos"].get("createTime")) for post_id in posts_of[keyword]]
        moments = [int(text) for text in created if text.isdigit()]
        assert sum(event["start"] <= moment <= event["end"] for moment in moments) >= event["posts"]


def test_a_live_day_has_events_of_every_kind_and_the_history_some() -> None:
    assert Counter(event.kind for event in events_of_day(WORLD, LIVE_DAY)) == {
        "organic_known": 3,
        "organic_unseen": 3,
        "copy_paste": 1,
        "spam": 1,
        "slow_climb": 1,
        "habit": 2,
    }
    history = Counter(event.kind for event in events_of_day(WORLD, 0))
    assert history == {"organic_known": 1, "organic_unseen": 1, "slow_climb": 1, "habit": 2}


def test_an_organic_burst_is_of_many_authors_and_texts_and_spam_of_one_author() -> None:
    for event in events_of_day(WORLD, LIVE_DAY):
        if event.kind.startswith("organic"):
            assert 60 <= event.authors <= event.posts == event.texts <= 150
            assert 20 * 60 <= event.seconds <= 40 * 60
        if event.kind == "spam":
            assert (event.authors, event.posts) == (1, 120)
        if event.kind == "copy_paste":
            assert (event.authors, event.texts) == (6, 3)


def test_a_habit_is_at_the_same_hour_of_every_day_with_the_same_word_and_size() -> None:
    days = [[event for event in events_of_day(WORLD, day) if event.kind == "habit"] for day in range(10)]
    assert all(habits == days[0] for habits in days)
    assert len({habit.keyword for habit in days[0]}) == 2
    assert all(habit.start_second % 3600 == 0 and habit.seconds == 3600 for habit in days[0])


def test_no_two_events_of_a_fortnight_share_a_never_seen_word() -> None:
    events = [event for day in range(14) for event in events_of_day(WORLD, day)]
    words = [event.keyword for event in events if event.kind in ("organic_unseen", "copy_paste", "spam")]
    assert len(words) == len(set(words))


def test_a_burst_of_several_words_has_each_in_its_keywords_and_about_half_of_its_posts(
    tmp_path: Path,
) -> None:
    world = World(WORLD.seed, WORLD.start, WORLD.posts_per_day, words_per_event=4)
    simulate(tmp_path, [LIVE_DAY], world=world)
    plan = cached_plan(world, LIVE_DAY)
    for number, (event, row) in enumerate(zip(plan.events, rows(tmp_path / "truth.ndjson"), strict=True)):
        if not event.kind.startswith("organic"):
            assert event.companions == ()
            continue
        assert row["keywords"] == [event.keyword, *sorted(event.companions)]
        assert len(set(event.companions)) == 3
        texts = [words_of(plan, int(post)) for post in (plan.event == number).nonzero()[0]]
        for word in event.companions:
            assert 0.3 < sum(word in text for text in texts) / len(texts) < 0.7


def test_bursts_of_several_words_come_two_at_a_time_and_share_none() -> None:
    world = World(WORLD.seed, WORLD.start, WORLD.posts_per_day, words_per_event=4)
    bursts = [event for event in events_of_day(world, LIVE_DAY) if event.kind.startswith("organic")]
    words = [word for event in bursts for word in event.companions]
    assert len(words) == len(set(words)) == 18
    overlapping = [
        (one, other)
        for one in bursts
        for other in bursts
        if one != other and one.start_second < other.end_second and other.start_second < one.end_second
    ]
    assert overlapping


def test_days_of_one_word_and_of_several_words_are_different_worlds(tmp_path: Path) -> None:
    several = World(WORLD.seed, WORLD.start, WORLD.posts_per_day, words_per_event=4)
    for first, second in ((WORLD, several), (several, WORLD)):
        folder = tmp_path / str(first.words_per_event)
        simulate(folder, [0], world=first)
        with pytest.raises(BadInputError, match="holds days of another world"):
            simulate(folder, [1], world=second)
        simulate(folder, [1], world=first)


@pytest.mark.parametrize("seed", range(5))
def test_one_day_of_the_first_week_has_an_hour_with_nearly_no_posts(seed: int) -> None:
    world = World(seed=seed, start=date(2026, 11, 13), posts_per_day=4_000)
    [day] = [day for day in range(7) if has_outage(world, day)]
    [outage] = [event for event in events_of_day(world, day) if event.kind == "outage"]
    plan = cached_plan(world, day)
    seconds = plan.created - world.midnight(day)
    during = ((seconds >= outage.start_second) & (seconds < outage.end_second)).sum()
    before = ((seconds >= outage.start_second - 3600) & (seconds < outage.start_second)).sum()
    assert 2 <= day <= 5
    assert during < 0.1 * before


def test_a_copied_texts_other_words_are_labelled_too(folder: Path) -> None:
    truth = rows(folder / "truth.ndjson")
    [event] = [row for row in truth if row["kind"] == "copy_paste" and row["day_number"] == LIVE_DAY]
    plan = cached_plan(WORLD, LIVE_DAY)
    [number] = [number for number, planned in enumerate(plan.events) if planned.kind == "copy_paste"]
    posts = [post for post in range(len(plan.event)) if plan.event[post] == number]
    assert set().union(*(words_of(plan, post) for post in posts)) == set(event["keywords"])
