"""Two simulated days of a stream that has just begun: words of six languages that wake at different hours.

The posts of all languages together vary about fourfold between night and evening. A language's words have
Zipf frequencies; most follow its hours closely, some have hours of their own, and morning words come and go
within a few hours. Noise is that of `benchmarks.accuracy.worlds`. The seed determines everything.
"""

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.worlds import NoiseWorld, Words
from detection.arrays import Floats
from detection.seasonality import WINDOWS

BOTH_DAYS = 2 * WINDOWS
WINDOW_MINUTES = 15
LOOKS = 30
"""Early looks at a window, one every half minute; the last one sees all of it."""
LANGUAGES = np.array(
    [(0.38, 21, 1.15), (0.2, 19, 1.0), (0.14, 22.5, 1.0), (0.12, 17, 1.15), (0.1, 12, 1.15), (0.06, 4, 1.15)]
)
"""Share of the posts, peak hour (UTC) and swing: a word's rate goes with exp(swing * cos(hour - peak))."""
LASTING = NoiseWorld("dispersion .2 that lasts", 0.2, correlation=0.7, season=False)
BURSTY = NoiseWorld("dispersion .1, 5 % of words at 1", 0.1, bursty_share=0.05, season=False)
TRAFFIC = NoiseWorld("traffic", 0.08**2, correlation=0.9, season=False)
"""Noise of all posts together."""
FIRST_BURSTY_RANK = 10
TOP_SHARE = 0.35
"""Share of a language's posts that its most frequent word is in; rank r is in .35/r."""
LEAST_RATE = 0.02
"""Posts a window of the rarest word that is simulated: rarer ones never have ten."""
LEAST_POSTS, LEAST_KEPT_RATE = 5, 0.5
"""Words with neither are not kept: their counts raise no alert, and no burst is planted in them."""
_CHUNK_WORDS = 10_000
_OWN_SWING, _STRONG_SWING, _MORNING_SWING = 0.4, (0.8, 2.0), 4.0
_STRONG_SHARE, _MORNING_SHARE, _MORNING_HOURS_BEFORE_PEAK = 0.05, 0.01, 13.0


@dataclass(frozen=True)
class FirstDays:
    """A stream that begins in minute `start` of its first day."""

    posts_a_day: int
    noise: NoiseWorld
    start: int
    seed: int
    factor: Floats | None = None
    """What happens to the whole stream, as factors on all posts of both days [192]."""
    language_factor: Floats | None = None
    """What happens to the posts of single languages [6, 192]."""

    def random(self, purpose: str) -> np.random.Generator:
        """Return the random numbers for one purpose."""
        name = f"{purpose} {self.noise.name}"
        return np.random.default_rng([self.seed, self.posts_a_day, self.start, zlib.crc32(name.encode())])

    @property
    def first_window(self) -> int:
        """Number of the first window with posts."""
        return self.start // WINDOW_MINUTES


@dataclass
class Counts:
    """Posts of both days: of K keywords and of all, by window."""

    posts: Floats
    """[K, 192]."""
    means: Floats
    """The mean of those before noise [K, 192]."""
    total: Floats
    """Posts of all keywords so far at each look of each window [192, 30]; the last one is the whole."""


def simulate(world: FirstDays) -> Counts:
    """Draw the posts of a world in which nothing takes off."""
    random = world.random("posts")
    by_language = _language_means(world, random)
    whole = random.poisson(by_language.sum(axis=0))
    chunks = [
        _kept_words(world, language, ranks, by_language[language] / LANGUAGES[language, 0], whole, random)
        for language, ranks in _ranks(world)
    ]
    posts, means = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
    return Counts(posts, means, spread_over_looks(whole, world, random))


def spread_over_looks(whole: NDArray[np.int64], world: FirstDays, random: np.random.Generator) -> Floats:
    """Spread the posts of each window [192] over its looks; return those so far [192, 30].

    The first window begins with the stream.
    """
    looks = random.multinomial(whole, np.full(LOOKS, 1 / LOOKS))
    missed = _missed_looks(world)
    rest = np.full(LOOKS - missed, 1 / (LOOKS - missed))
    looks[world.first_window, :missed] = 0
    looks[world.first_window, missed:] = random.multinomial(whole[world.first_window], rest)
    so_far: Floats = looks.cumsum(axis=1).astype(float)
    return so_far


def hours(swing: Floats, peak: Floats) -> Floats:
    """Return factors [K, 192] with mean 1 that go with exp(swing * cos(hour - peak)), peak in hours.

    >>> round(float(hours(np.array([1.0]), np.array([12.0])).max()), 2)
    2.15
    """
    hour = (np.arange(BOTH_DAYS) + 0.5) * 24 / WINDOWS
    raw = np.exp(swing[:, None] * np.cos((hour - peak[:, None]) * np.pi / 12))
    shaped: Floats = raw / raw.mean(axis=1, keepdims=True)
    return shaped


def observed(world: FirstDays) -> Floats:
    """Return which part of each window [192] is after the stream's start."""
    part = np.ones(BOTH_DAYS)
    part[: world.first_window] = 0.0
    part[world.first_window] = 1 - _missed_looks(world) / LOOKS
    return part


def noise_of(noise: NoiseWorld, dispersion: Floats, random: np.random.Generator) -> Floats:
    """Draw noise [K, 192] as in the other simulations, each day by itself."""
    count = len(dispersion)
    words = Words(
        np.ones(count), np.zeros(count), np.zeros(count), np.ones(count), dispersion, noise.correlation
    )
    days = [np.broadcast_to(words.noise(random), (count, WINDOWS)) for _ in range(BOTH_DAYS // WINDOWS)]
    return np.hstack(days)


def _missed_looks(world: FirstDays) -> int:
    return world.start % WINDOW_MINUTES * LOOKS // WINDOW_MINUTES


def _language_means(world: FirstDays, random: np.random.Generator) -> Floats:
    """Return the mean posts [6, 192] of each language, none before the stream begins."""
    means = world.posts_a_day / WINDOWS * LANGUAGES[:, :1] * hours(LANGUAGES[:, 2], LANGUAGES[:, 1])
    means = means * noise_of(TRAFFIC, np.array([TRAFFIC.dispersion]), random)
    for factor in (world.factor, world.language_factor):
        means = means if factor is None else means * factor
    posts: Floats = means * observed(world)
    return posts


def _ranks(world: FirstDays) -> Iterator[tuple[int, NDArray[np.int64]]]:
    for language, share in enumerate(LANGUAGES[:, 0]):
        words = int(world.posts_a_day / WINDOWS * share * TOP_SHARE / LEAST_RATE)
        for first in range(1, words + 1, _CHUNK_WORDS):
            yield language, np.arange(first, min(first + _CHUNK_WORDS, words + 1))


def _kept_words(
    world: FirstDays,
    language: int,
    ranks: NDArray[np.int64],
    activity: Floats,
    whole: NDArray[np.int64],
    random: np.random.Generator,
) -> tuple[Floats, Floats]:
    """Draw words of one language; return posts and means [K, 192] of those that matter.

    `activity` [192] is what the language would post if it were all of the stream.
    """
    share = LANGUAGES[language, 0] * TOP_SHARE / ranks
    swing, peak = _own_hours(len(ranks), LANGUAGES[language, 1], random)
    means = share[:, None] * hours(swing, peak) * activity
    bursty = (random.random(len(ranks)) < world.noise.bursty_share) & (ranks >= FIRST_BURSTY_RANK)
    dispersion = np.where(bursty, world.noise.bursty_dispersion, world.noise.dispersion)
    noisy = random.poisson(means * noise_of(world.noise, dispersion, random))
    posts = np.minimum(noisy, whole).astype(float)
    kept = (posts.max(axis=1) >= LEAST_POSTS) | (means.max(axis=1) >= LEAST_KEPT_RATE)
    return posts[kept], means[kept]


def _own_hours(count: int, peak: float, random: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw swing and peak hour of words: most swing a little, some strongly, a few are morning words."""
    kind = random.random(count)
    strong = kind < _MORNING_SHARE + _STRONG_SHARE
    morning = kind < _MORNING_SHARE
    swing = np.where(strong, random.uniform(*_STRONG_SWING, count), random.uniform(0, _OWN_SWING, count))
    mornings = peak - _MORNING_HOURS_BEFORE_PEAK + random.normal(0, 1, count)
    return np.where(morning, _MORNING_SWING, swing), np.where(morning, mornings, random.uniform(0, 24, count))
