"""Streams as a user may have them on the first day: a live event, a few posts, an outage, changing ingest."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.first_day.bursts import Burst, Stream
from benchmarks.first_day.worlds import (
    BOTH_DAYS,
    LANGUAGES,
    LASTING,
    WINDOW_MINUTES,
    Counts,
    FirstDays,
    simulate,
    spread_over_looks,
)
from detection.arrays import Floats

MOMENT = "moment"
LIVE = "live event from the first window"
_WORDS, _EVENT_WORDS, _EVENT_SHARE = 3_000, 60, 0.8
_EVENT_WINDOWS, _EVENT_POSTS = 5, 2_400
_MOMENT_WINDOW, _MOMENT_SHARE = 4, 0.1
_TINY_POSTS, _TINY_WINDOWS = 24, 8
_SHARE_DISPERSION = 0.05
_VOLUME = 100_000


@dataclass(frozen=True)
class Room:
    """A stream by name, and how many alerts it may raise beside those of its bursts."""

    name: str
    stream: Stream
    may_raise: int


def rooms(seed: int) -> Iterator[Room]:
    """Return the streams of one seed."""
    yield Room(LIVE, _live_event(seed), 3)
    yield Room("24 posts in two hours", _tiny(seed), 0)
    for name, factor in _factors().items():
        world = FirstDays(_VOLUME, LASTING, 0, seed, factor=factor)
        yield Room(name, Stream(world, simulate(world)), 3)
    tripled = np.ones((len(LANGUAGES), BOTH_DAYS))
    tripled[1, 40:] = 3.0
    world = FirstDays(_VOLUME, LASTING, 0, seed, language_factor=tripled)
    yield Room("one language tripled at 10:00", Stream(world, simulate(world)), 3)


def _factors() -> dict[str, Floats]:
    """Return factors [192] on all posts of streams that begin at 00:00."""
    early, noon, tripled, grown = (np.ones(BOTH_DAYS) for _ in range(4))
    early[1:4] = 0.0
    noon[48:52], noon[52:56] = 0.0, 2.0
    tripled[40:] = 3.0
    grown[40:44] = 1.5, 2.0, 2.5, 3.0
    grown[44:] = 3.0
    return {
        "out from 00:15 to 01:00": early,
        "out for an hour at 12:00, then its backlog": noon,
        "tripled at 10:00": tripled,
        "grown to three times from 10:00 to 11:00": grown,
    }


def _live_event(seed: int) -> Stream:
    """Return 70 minutes of 2,400 posts a window; four in five are about one event from the start.

    In the last window a new word is in a tenth of them: the moment that is worth telling.
    """
    world = FirstDays(_EVENT_POSTS, LASTING, 5, seed)
    random = world.random("event")
    whole = np.zeros(BOTH_DAYS, dtype=np.int64)
    whole[:_EVENT_WINDOWS] = random.poisson(_EVENT_POSTS, _EVENT_WINDOWS)
    whole[0] = whole[0] * 2 // 3
    event = np.concatenate([[0.95, 0.6], 0.5 / np.arange(2, _EVENT_WORDS)]) * _EVENT_SHARE
    shares = np.concatenate([_everyday_shares(), event, [0.0]])
    posts = random.binomial(whole, _noisy(shares, random)).astype(float)
    posts[-1, _MOMENT_WINDOW] = random.binomial(whole[_MOMENT_WINDOW], _MOMENT_SHARE)
    start = float(_MOMENT_WINDOW * WINDOW_MINUTES)
    size = int(posts[-1, _MOMENT_WINDOW])
    moment = Burst(MOMENT, (len(posts) - 1,), start, WINDOW_MINUTES, size, np.inf, start)
    return Stream(world, Counts(posts, posts, spread_over_looks(whole, world, random)), [moment])


def _tiny(seed: int) -> Stream:
    world = replace(FirstDays(_TINY_POSTS, LASTING, 600, seed))
    random = world.random("tiny")
    whole = np.zeros(BOTH_DAYS, dtype=np.int64)
    shares = np.full(_TINY_WINDOWS, 1 / _TINY_WINDOWS)
    whole[world.first_window : world.first_window + _TINY_WINDOWS] = random.multinomial(_TINY_POSTS, shares)
    posts = random.binomial(whole, _noisy(_everyday_shares(), random)).astype(float)
    return Stream(world, Counts(posts, posts, spread_over_looks(whole, world, random)))


def _everyday_shares() -> Floats:
    shares: Floats = 0.3 / np.arange(1, _WORDS + 1)
    return shares


def _noisy(shares: Floats, random: np.random.Generator) -> Floats:
    """Return shares [K, 192] that vary: the odds of a post with the word are multiplied by gamma noise."""
    noise = random.standard_gamma(1 / _SHARE_DISPERSION, (len(shares), BOTH_DAYS)) * _SHARE_DISPERSION
    odds = (shares / (1 - shares))[:, None] * noise
    varied: Floats = odds / (1 + odds)
    return varied
