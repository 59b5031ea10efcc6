"""Alerts that share their posts in different ways, to measure what grouping costs."""

from collections.abc import Callable
from uuid import UUID

import numpy as np

from alerts.incidents import Member, sample_posts
from benchmarks.grouping.worlds import NOON
from detection.arrays import Integers

WORDS, PROBABILITY = 8, 0.5
"""Of an event: its words, and the probability with which its posts have each."""
Shape = Callable[[np.random.Generator, int, int], list[Integers]]


def _events(random: np.random.Generator, alerts: int, posts: int) -> list[Integers]:
    size = int(posts / PROBABILITY)
    return [number // WORDS * size + random.permutation(size)[:posts] for number in range(alerts)]


def _unrelated(random: np.random.Generator, alerts: int, posts: int) -> list[Integers]:
    return [random.integers(0, alerts * posts, posts) for _ in range(alerts)]


def _one_post_in_all(random: np.random.Generator, alerts: int, posts: int) -> list[Integers]:
    return [np.append(0, some) for some in _unrelated(random, alerts, posts - 1)]


def _one_headline(random: np.random.Generator, alerts: int, posts: int) -> list[Integers]:
    every = np.arange(alerts * posts // WORDS)
    return [every, *(random.choice(every, posts) for _ in range(alerts - 1))]


def _the_same_posts(random: np.random.Generator, alerts: int, posts: int) -> list[Integers]:
    return [random.permutation(posts + posts // 5)[:posts] for _ in range(alerts)]


SHAPES: dict[str, Shape] = {
    "events": _events,
    "unrelated": _unrelated,
    "one post in all": _one_post_in_all,
    "one headline": _one_headline,
    "the same posts": _the_same_posts,
}


def make_alerts(random: np.random.Generator, shape: str, alerts: int, posts: int) -> list[Member]:
    """Return alerts of one window with about `posts` posts each, which they share as `shape` says."""
    sets = SHAPES[shape](random, alerts, posts)
    traffic = 2 * len(np.unique(np.concatenate(sets)))
    return [
        Member(
            alert_id=UUID(int=number),
            keyword=f"word{number}",
            opened_window=NOON,
            last_window=NOON,
            threshold_ratio=2.0,
            posts=len(some),
            expected=0.2 * len(some),
            traffic=traffic,
            post_ids=sample_posts(some.tolist()),
        )
        for number, some in enumerate(sets)
    ]
