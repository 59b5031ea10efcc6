"""Streams of which one word makes a large share, as those collected by a topic: what is found, and falsely.

A post has the heavy word, or the neighbour, or neither; every post, the heavy word's too, may have each of
the generic words. At a share of 1 every post has the heavy word, and there is no neighbour.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.stationary import WordsHistory, exposures
from benchmarks.accuracy.worlds import NoiseWorld, Words, make_words
from detection.arrays import Flags, Floats
from detection.judge_day import unknown_traffic
from detection.score import AnomalyRule
from detection.seasonality import WINDOWS

HISTORY_DAYS = 14
GENERIC_WORDS = 20
HEAVY, NEIGHBOUR, GENERIC = 0, 1, slice(2, 2 + GENERIC_WORDS)
"""Rows of the keywords in counts and flags."""
_REST = 2
_RISE = slice(40, 44)
_RISE_ENDS = 45
_GENERIC_SHARES = 0.3 / np.arange(1, GENERIC_WORDS + 1)
_NEIGHBOUR_SHARE, _NEIGHBOUR_POSTS = 0.03, 3.0
_REST_DISPERSION = 0.01


@dataclass(frozen=True)
class Stream:
    """A stream in which one word, the heavy one, has `share` of all posts."""

    posts_a_day: int
    share: float
    dispersion: float
    """Of the heavy word, the neighbour and the generic words; the rest of the posts vary less."""


@dataclass(frozen=True)
class Rise:
    """What happens for an hour: factors on the posts of the heavy word and of its neighbour."""

    heavy: float = 1.0
    neighbour: float = 1.0


@dataclass(frozen=True)
class Found:
    """What was found of a rise, over the seeds."""

    heavy: float
    """Share of seeds with an anomalous window of the heavy word in the hour or just after it."""
    heavy_minutes: float
    """Minutes from the rise to the end of its first anomalous window, median of the seeds found, or NaN."""
    neighbour: float
    neighbour_minutes: float
    generic: float
    """Generic words with an anomalous window, mean over the seeds."""


@dataclass
class TopicHistory:
    """A stream as learned over two weeks."""

    stream: Stream
    words: Words
    """Heavy word, neighbour and rest: no post has two of them."""
    known: WordsHistory = field(default_factory=lambda: WordsHistory.empty(2 + GENERIC_WORDS))

    def draw(
        self, day: int, random: np.random.Generator, factor: Floats | float = 1.0
    ) -> tuple[Floats, Floats]:
        """Draw the posts with each keyword [22, 96] and all posts [96] of `day`.

        `factor` [3, 96] multiplies the means of heavy word, neighbour and rest.
        """
        apart = self.words.counts(day, random, factor)
        total: Floats = apart.sum(axis=0)
        noise = replace(
            self.words, rate=_GENERIC_SHARES, dispersion=np.full(GENERIC_WORDS, self.stream.dispersion)
        ).noise(random)
        generic = random.binomial(total.astype(np.int64), np.minimum(_GENERIC_SHARES[:, None] * noise, 1.0))
        return np.vstack([apart[:_REST], generic]), total

    def anomalous(self, posts: Floats, total: Floats, rule: AnomalyRule) -> Flags:
        """Return which windows of the day after the history are anomalies, by keyword [22, 96]."""
        judged, verdicts = self.known.judge(posts, total, rule)
        flags = np.zeros(posts.shape, dtype=bool)
        flags[judged] = verdicts.anomalous
        return flags


def learn_streams(stream: Stream, seeds: int, seed: int) -> list[TopicHistory]:
    """Simulate and learn `stream` once for each seed."""
    return [_learned(stream, [seed, number]) for number in range(seeds)]


def find_rise(
    histories: list[TopicHistory], rise: Rise, rule: AnomalyRule, seed: int, *, totals: bool = True
) -> Found:
    """Return what `rule` finds of `rise` in one day of each stream; without `totals` they are unknown."""
    days = [_day_with(history, rise, rule, [seed, n], totals) for n, history in enumerate(histories)]
    first: Flags = np.stack(days)[:, :, _RISE.start : _RISE_ENDS]
    found: Flags = np.any(first, axis=2)
    minutes = (first.argmax(axis=2) + 1) * 15
    return Found(
        heavy=float(found[:, HEAVY].mean()),
        heavy_minutes=_median(minutes[found[:, HEAVY], HEAVY]),
        neighbour=float(found[:, NEIGHBOUR].mean()),
        neighbour_minutes=_median(minutes[found[:, NEIGHBOUR], NEIGHBOUR]),
        generic=float(found[:, GENERIC].sum(axis=1).mean()),
    )


def steady_days() -> dict[str, Floats]:
    """Return factors [96] on all posts of days on which nothing takes off."""
    grown = np.ones(WINDOWS)
    grown[40:44] = 1.5, 2.0, 2.5, 3.0
    grown[44:] = 3.0
    return exposures() | {"grown to three times in an hour": grown, "a tenth of each": np.full(WINDOWS, 0.1)}


def count_false_alerts(
    histories: list[TopicHistory], rule: AnomalyRule, seed: int
) -> dict[str, tuple[int, int]]:
    """Count anomalous windows of the heavy word, and of all other keywords, by steady day, one per stream.

    A tenth of each window is what an early look sees.
    """
    counted = {}
    for name, factor in steady_days().items():
        heavy = others = 0
        for number, history in enumerate(histories):
            flags = history.anomalous(*history.draw(HISTORY_DAYS, _random([seed, number]), factor), rule)
            heavy += int(flags[HEAVY].sum())
            others += int(flags[HEAVY + 1 :].sum())
        counted[name] = heavy, others
    return counted


def _learned(stream: Stream, seed: list[int]) -> TopicHistory:
    random = _random([*seed, stream.posts_a_day, round(stream.share * 1_000)])
    world = NoiseWorld("topic", stream.dispersion)
    words = make_words(world, _rates(stream), random)
    words = replace(words, dispersion=np.array([stream.dispersion, stream.dispersion, _REST_DISPERSION]))
    history = TopicHistory(stream, words)
    for day in range(HISTORY_DAYS):
        history.known.learn(*history.draw(day, random))
    return history


def _rates(stream: Stream) -> Floats:
    """Return the posts a window of heavy word, neighbour and rest."""
    posts = stream.posts_a_day / WINDOWS
    others = posts * (1 - stream.share)
    neighbour = min(max(_NEIGHBOUR_POSTS, _NEIGHBOUR_SHARE * posts), others / 2)
    return np.array([posts * stream.share, neighbour, others - neighbour])


def _day_with(history: TopicHistory, rise: Rise, rule: AnomalyRule, seed: list[int], totals: bool) -> Flags:
    factor = np.ones((3, WINDOWS))
    factor[HEAVY, _RISE], factor[NEIGHBOUR, _RISE] = rise.heavy, rise.neighbour
    posts, total = history.draw(HISTORY_DAYS, _random(seed), factor)
    if totals:
        return history.anomalous(posts, total, rule)
    known = replace(history.known, traffic=unknown_traffic(), total_before=np.ones(3))
    return replace(history, known=known).anomalous(posts, np.ones(WINDOWS), rule)


def _random(seed: list[int]) -> np.random.Generator:
    return np.random.default_rng(seed)


def _median(minutes: NDArray[np.int64]) -> float:
    return float(np.median(minutes)) if len(minutes) else float("nan")
