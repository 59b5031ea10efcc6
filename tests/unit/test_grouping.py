"""Laws of grouping: one event is one group, events at the same time are several, and an index finds them."""

import random
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import combinations
from math import sqrt

import numpy as np
import pytest

from alerts.grouping import (
    HEADLINE_ERRORS,
    JOIN_COVERAGE,
    MERGE_COVERAGE,
    NEIGHBOURS,
    STANDARD_ERRORS,
    AlertPosts,
    group_alerts,
)
from alerts.shared_posts import LEAST_FREQUENT, shared_posts
from benchmarks.grouping.quality import Quality, quality_of
from benchmarks.grouping.rules import average_linkage, components, in_use
from benchmarks.grouping.speed import make_alerts
from benchmarks.grouping.texts import events_of_texts
from benchmarks.grouping.worlds import (
    World,
    large_event,
    long_event,
    simultaneous_events,
)

EVERY_POST = 10_000
Sets = Sequence[set[int]]


def alert_posts(
    sets: Sets, *, excess: float = 1.0, traffic: int = EVERY_POST, windows: Sequence[tuple[int, int]] = ()
) -> AlertPosts:
    count = len(sets)
    spans = np.array(windows or [(0, 0)] * count, dtype=float)
    return AlertPosts(
        posts=[np.array(sorted(posts), dtype=np.int64) for posts in sets],
        sizes=np.array([len(posts) for posts in sets]),
        ceilings=np.full(count, EVERY_POST),
        fractions=np.ones(count),
        excess=np.full(count, excess),
        traffic=np.full(count, float(traffic)),
        opened=spans[:, 0],
        last=spans[:, 1],
    )


def grouped(sets: Sets, **others) -> list[list[int]]:
    return sorted(group.members.tolist() for group in group_alerts(alert_posts(sets, **others)))


def posts(*spans: tuple[int, int]) -> set[int]:
    return {post for first, end in spans for post in range(first, end)}


def some(rng: random.Random, every: Iterable[int], probability: float = 0.6) -> set[int]:
    return {post for post in every if rng.random() < probability}


def test_two_alerts_are_one_event_from_a_coverage_of_two_fifths() -> None:
    # shared * union / (100 * 100): 22 shared are .3916, 23 are .4071.
    assert grouped([posts((0, 100)), posts((78, 178))]) == [[0], [1]]
    assert grouped([posts((0, 100)), posts((77, 177))]) == [[0, 1]]


def test_words_that_share_only_the_headlines_posts_are_one_event_with_it() -> None:
    assert grouped([posts((0, 300)), posts((0, 20)), posts((20, 45)), posts((100, 130))]) == [[0, 1, 2, 3]]


def test_a_word_of_two_events_does_not_make_them_one() -> None:
    rng = random.Random(1)
    first, second = (
        [{p for p in range(start, start + 120) if rng.random() < 0.6} for _ in range(4)] for start in (0, 120)
    )
    both = {p for p in range(240) if rng.random() < 0.6}
    groups = grouped([*first, *second, both])
    assert len(groups) == 2
    assert [sum(number in group for group in groups) for number in range(9)] == [1] * 9
    assert {frozenset(group) - {8} for group in groups} == {frozenset(range(4)), frozenset(range(4, 8))}


def test_what_expected_posts_share_by_chance_joins_nothing_and_what_events_share_beyond_it_does() -> None:
    rng = random.Random(2)
    tag, event = set(rng.sample(range(2_000), 1_000)), set(rng.sample(range(2_000), 200))
    assert grouped([tag, event], excess=0.0, traffic=2_000) == [[0], [1]]
    assert grouped([tag, set(rng.sample(sorted(tag), 200))], excess=0.0, traffic=2_000) == [[0, 1]]


def test_a_part_of_an_event_is_known_by_its_headline() -> None:
    headline = {post for post in range(400) if post % 10 < 9}
    parts = [
        {post for post in range(start, start + 200) if post % 7 < 4 + word}
        for start in (0, 200)
        for word in (0, 1)
    ]
    assert grouped([headline, *parts]) == [[0, 1, 2, 3, 4]]


def test_words_of_other_hours_do_not_speak_against_a_headline_that_lasts() -> None:
    hours = [posts((hour * 100, hour * 100 + 60 + word)) for hour in range(4) for word in range(3)]
    windows = [(0, 15), *((hour * 4, hour * 4 + 3) for hour in range(4) for _ in range(3))]
    assert grouped([posts((0, 400)), *hours], windows=windows) == [list(range(13))]


def plain_groups(
    sets: Sets, windows: Sequence[tuple[int, int]], traffic: int, excess: float
) -> list[list[int]]:
    """The rule without an index and without numpy."""

    def overlapping(group: list[int], other: list[int]) -> list[int]:
        opened, last = min(windows[n][0] for n in other), max(windows[n][1] for n in other)
        return [n for n in group if windows[n][0] <= last and windows[n][1] >= opened]

    def union(group: list[int]) -> set[int]:
        return set().union(*(sets[n] for n in group))

    def chance(a: float, b: float) -> float:
        return a * b * (1 - excess * excess) / traffic

    def covered(left: list[int], right: list[int]) -> float:
        products = [
            sum(post in sets[n] for n in left) * sum(post in sets[n] for n in right)
            for post in union(left) & union(right)
        ]
        a, b = (sum(len(sets[n]) for n in overlapping(*pair)) for pair in ((left, right), (right, left)))
        if not products or not a * b:
            return 0.0
        beyond = sum(products) - chance(a, b)
        each = sum(product**2 for product in products) / sum(products)
        enough = beyond >= STANDARD_ERRORS * sqrt(each * (chance(a, b) + 0.25 * each))
        return beyond * len(union(left) | union(right)) / (a * b) if enough else 0.0

    def named(group: list[int], other: list[int]) -> bool:
        headline, own = max(group, key=lambda n: len(sets[n])), sets[max(other, key=lambda n: len(sets[n]))]
        if covered([headline], other) < MERGE_COVERAGE:
            return False
        here = sets[headline] & union(other)
        more = len(here) - chance(len(sets[headline]), len(union(other))) - excess * len(own)
        return more >= HEADLINE_ERRORS * sqrt(len(here ^ own))

    def one(left: list[int], right: list[int]) -> bool:
        if min(len(left), len(right)) == 1:
            return covered(left, right) >= JOIN_COVERAGE
        return covered(left, right) >= MERGE_COVERAGE or named(left, right) or named(right, left)

    groups, grown = [[n] for n in range(len(sets))], set(range(len(sets)))
    while grown:
        tried = []
        for left, right in combinations(range(len(groups)), 2):
            both = [union(groups[left]), union(groups[right])]
            alike, either = len(both[0] & both[1]), len(both[0] | both[1])
            products = sum(len(sets[a] & sets[b]) for a in groups[left] for b in groups[right])
            sizes = [sum(len(sets[n]) for n in groups[number]) for number in (left, right)]
            worth = alike and products * either / (sizes[0] * sizes[1]) >= 0.1
            if worth and {left, right} & grown and overlapping(groups[left], groups[right]):
                tried.append((-alike / either, left, right))
        now = list(range(len(groups)))
        for _, left, right in sorted(tried):
            first, second = sorted((now[left], now[right]))
            if first != second and one(groups[first], groups[second]):
                groups[first] = groups[first] + groups[second]
                now = [first if number == second else number for number in now]
        kept = sorted(set(now))
        grown = {kept.index(number) for number in kept if now.count(number) > 1}
        groups = [groups[number] for number in kept]
    return sorted(sorted(group) for group in groups)


def overlapping_sets(rng: random.Random) -> list[set[int]]:
    every = rng.choice([60, 150, 400])
    sets = [set(rng.sample(range(every), rng.randint(5, 40))) for _ in range(6)]
    while len(sets) < NEIGHBOURS + 1:
        one = sorted(sets[rng.randrange(6)])
        sets.append(set(rng.sample(one, max(3, int(len(one) * rng.random())))) | {rng.randrange(every)})
    return sets


def parts_with_a_headline(rng: random.Random) -> list[set[int]]:
    parts = [range(start, start + 100) for start in range(0, 400, 100)]
    words = [some(rng, part, rng.uniform(0.4, 0.7)) for part in parts for _ in range(4)]
    return [some(rng, range(400), rng.uniform(0.6, 1.0)), *words]


@pytest.mark.parametrize("make", [overlapping_sets, parts_with_a_headline])
@pytest.mark.parametrize("seed", range(40))
def test_groups_are_those_of_the_rule_without_an_index(
    seed: int, make: Callable[[random.Random], list[set[int]]]
) -> None:
    rng = random.Random(seed)
    sets, excess = make(rng), rng.choice([0.5, 1.0])
    windows = [(start, start + rng.randint(3, 6)) for start in (rng.randint(0, 4) for _ in sets)]
    found = grouped(sets, excess=excess, traffic=1_000, windows=windows)
    assert found == plain_groups(sets, windows, 1_000, excess)


@pytest.mark.parametrize("in_every", [0, 3])
def test_shared_posts_are_those_of_plain_sets_whether_posts_are_rare_or_in_every_set(in_every: int) -> None:
    rng = random.Random(in_every)
    count = LEAST_FREQUENT * 2
    sets = [sorted(set(rng.sample(range(3, 400), 30)) | set(range(in_every))) for _ in range(count)]
    weights = [[rng.randint(1, 3) for _ in some] for some in sets]
    carried = [dict(zip(*pair, strict=True)) for pair in zip(sets, weights, strict=True)]
    found = {}
    numbers = [np.unique(np.concatenate(sets), return_inverse=True)[1]]
    split = np.split(numbers[0], np.cumsum([len(some) for some in sets])[:-1])
    for shared in shared_posts(split, [np.array(some) for some in weights], np.arange(count)):
        for other, weighted, alike in zip(shared.others, shared.weighted, shared.posts, strict=True):
            found[shared.row, int(other)] = (weighted, alike)
    expected = {}
    for left in range(count):
        for right in range(count):
            both = carried[left].keys() & carried[right].keys()
            if left != right and both:
                weighted = sum(carried[left][post] * carried[right][post] for post in both)
                expected[left, right] = (weighted, len(both))
    assert found == expected


WORLDS: dict[str, tuple[Callable[[np.random.Generator], World], float, float]] = {
    "words in three of ten posts": (partial(simultaneous_events, words=8, probability=0.3), 0.97, 0.97),
    "words in half of the posts": (partial(simultaneous_events, words=4, probability=0.5), 0.97, 0.97),
    "words in all posts": (partial(simultaneous_events, words=4, probability=1.0), 0.97, 0.97),
    "three shared words": (partial(simultaneous_events, words=4, probability=0.5, shared=3), 0.97, 0.97),
    "a tag in half of all posts": (
        partial(simultaneous_events, words=4, probability=0.5, tagged=True),
        0.95,
        0.97,
    ),
    "a large event": (partial(large_event, posts=1_000, other_posts=8_000, headline=0.5), 0.97, 0.97),
    "an event of four hours": (long_event, 0.97, 0.97),
}


def measured(maker: Callable[[np.random.Generator], World], rule: Callable = in_use) -> Quality:
    total = Quality()
    for seed in range(3):
        world = maker(np.random.default_rng(100 + seed))
        total += quality_of(rule(world.members), world.events)
    return total


@pytest.mark.parametrize("name", WORLDS)
def test_an_event_is_one_incident_and_events_at_the_same_time_are_several(name: str) -> None:
    maker, precision, recall = WORLDS[name]
    found = measured(maker)
    assert found.pairs > 0
    assert found.precision >= precision
    assert found.recall >= recall


def test_the_worlds_are_not_easy() -> None:
    rare, shared, large = (
        WORLDS[name][0] for name in ("words in three of ten posts", "words in all posts", "a large event")
    )
    half = partial(components, least=0.5)
    assert measured(rare, half).recall < 0.1
    assert measured(shared, half).precision < 0.8
    assert measured(large, partial(average_linkage, least=0.2)).recall < 0.2


@pytest.mark.parametrize(
    ("shape", "groups"),
    [("events", 5), ("unrelated", 40), ("one post in all", 40), ("one headline", 1), ("the same posts", 1)],
)
def test_alerts_to_measure_speed_with_share_posts_as_their_shape_says(shape: str, groups: int) -> None:
    members = make_alerts(np.random.default_rng(1), shape, 40, 60)
    assert len(members) == 40
    assert len(in_use(members)) == groups


def test_words_of_an_events_text_are_about_it_and_those_of_other_texts_are_about_themselves() -> None:
    texts = [[f"text{number} word{word}" for word in range(6)] for number in range(100)]
    world = events_of_texts(np.random.default_rng(1), texts, 0.6)
    about = set().union(*world.events.values())
    assert about == {f"event{number}" for number in range(4)}
    assert len(world.members) == 24
    found = quality_of(in_use(world.members), world.events)
    assert (found.precision, found.recall, found.groups_per_event) == (1.0, 1.0, 1.0)
