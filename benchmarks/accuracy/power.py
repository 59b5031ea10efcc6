"""Power: which bursts the rule finds, and how soon; many seeds at once, minute by minute.

Each seed is a word of its own with four weeks of history, and a random minute of the day after, in whose hour
it has `rate` posts a window. From then on `extra` posts fall evenly into `minutes`. The window is judged
every minute as the stream does: half full against half the expected posts.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.worlds import NoiseWorld, make_words, platform_posts
from detection.arrays import Flags, Floats
from detection.learn import KeywordRows, default_rows, expected_by_window, fit_day
from detection.score import KEPT_POSTS, AnomalyRule, scale
from detection.seasonality import WINDOWS
from detection.traffic_baseline import Traffic, day_traffic, learn_traffic
from detection.verdicts import judge

HISTORY_DAYS = 28
WINDOW_MINUTES = 15
_EARLIEST, _LATEST = 120, 1_200
_HOUR = 4


@dataclass(frozen=True)
class Burst:
    """Posts beyond the baseline, and the minutes in which they arrive."""

    extra: int
    minutes: int


@dataclass(frozen=True)
class Found:
    """How a burst was found, over the seeds."""

    share: float
    """Share of seeds with an anomalous closed window, from the burst's start to an hour after its end."""
    median_early: float
    """Minutes from first extra post to first anomalous minute, median of the seeds found; NaN without any."""
    median_closed: float
    """The same to the end of the first anomalous closed window."""


@dataclass(frozen=True)
class History:
    """Words as learned over four weeks, one per seed."""

    rows: KeywordRows
    traffic: Traffic
    means: Floats
    """Mean posts [S, 96] on the next day."""
    world: NoiseWorld
    start: NDArray[np.int64]
    """Minute of that day in which the burst begins [S]."""


def learn_history(world: NoiseWorld, rate: float, seeds: int, seed: int) -> History:
    """Simulate and learn `seeds` words at `rate` posts a window when they burst, or never seen at 0."""
    random = np.random.default_rng([seed, round(rate * 1_000), round(world.dispersion * 1_000)])
    start = random.integers(_EARLIEST, _LATEST, seeds)
    words = make_words(world, np.ones(seeds), random)
    share = words.means(HISTORY_DAYS)[np.arange(seeds), start // WINDOW_MINUTES + _HOUR // 2]
    words = replace(words, rate=rate / share)
    rows, traffic = default_rows(seeds), None
    for day in range(HISTORY_DAYS):
        total = platform_posts(world, day, random)
        exposure = day_traffic(total, traffic)
        if rate > 0:
            rows = fit_day(words.counts(day, random), exposure, rows, float(day))
        traffic = learn_traffic(traffic, total, exposure.learned_days)
    assert traffic is not None
    return History(rows, traffic, words.means(HISTORY_DAYS), world, start)


def find(history: History, burst: Burst, rule: AnomalyRule, seed: int) -> Found:
    """Return how `rule` finds `burst`, drawn once for each seed of the history."""
    random = np.random.default_rng([seed, burst.extra, burst.minutes])
    start = history.start
    extra = _extra_posts(start, burst, random)
    by_minute = _baseline_posts(history, random) + extra
    total = platform_posts(history.world, HISTORY_DAYS, random)
    anomalous = _anomalous_minutes(history, by_minute, total, rule)
    minute = np.arange(anomalous.shape[1])[None, :]
    watched = (minute >= start[:, None]) & (minute <= start[:, None] + burst.minutes + 60)
    closed = anomalous & watched & (minute % WINDOW_MINUTES == WINDOW_MINUTES - 1)
    first_post = extra.argmax(axis=1) if burst.extra == 0 else (extra > 0).argmax(axis=1)
    found = closed.any(axis=1)
    early, late = ((flags.argmax(axis=1) + 1 - first_post)[found] for flags in (anomalous & watched, closed))
    return Found(float(found.mean()), _median(early), _median(late))


def without_hourly_window(rule: AnomalyRule) -> AnomalyRule:
    """Return the rule without its hourly part."""
    return replace(rule, hourly_threshold=np.inf)


def _median(minutes: NDArray[np.int64]) -> float:
    return float(np.median(minutes)) if len(minutes) else float("nan")


def _extra_posts(start: NDArray[np.int64], burst: Burst, random: np.random.Generator) -> Floats:
    """Draw the extra posts by minute of the day [S, 1440]."""
    posts = np.zeros((len(start), WINDOWS * WINDOW_MINUTES))
    minutes = start[:, None] + random.integers(0, burst.minutes, (len(start), burst.extra))
    np.add.at(posts, (np.repeat(np.arange(len(start)), burst.extra), minutes.ravel()), 1.0)
    return posts


def _baseline_posts(history: History, random: np.random.Generator) -> Floats:
    """Draw the baseline posts by minute of the day [S, 1440]; noise is per window."""
    means, dispersion = history.means, history.world.dispersion
    if dispersion > 0:
        means = means * random.standard_gamma(1 / dispersion, means.shape) * dispersion
    return random.poisson(np.repeat(means / WINDOW_MINUTES, WINDOW_MINUTES, axis=1)).astype(float)


def _anomalous_minutes(history: History, by_minute: Floats, total: Floats, rule: AnomalyRule) -> Flags:
    """Return whether the window so far is an anomaly at the end of each minute [S, 1440]."""
    rows = history.rows
    seeds = len(by_minute)
    so_far = by_minute.reshape(seeds, WINDOWS, WINDOW_MINUTES).cumsum(axis=2)
    whole = expected_by_window(rows, day_traffic(total, history.traffic))
    expected = whole[:, :, None] * (np.arange(WINDOW_MINUTES) + 1) / WINDOW_MINUTES
    kept, kept_whole = _kept(so_far), _kept(so_far[:, :, -1])
    verdicts = judge(
        so_far,
        expected,
        hourly_posts=kept + _three_before(kept_whole)[:, :, None],
        hourly_expected=expected + _three_before(whole)[:, :, None],
        scale=scale(rows.variance, rows.dispersion)[:, None, None],
        hourly_spread=rows.hourly_spread[:, None, None],
        anomaly_rule=rule,
    )
    return (verdicts.anomalous & (so_far >= KEPT_POSTS)).reshape(seeds, -1)


def _kept(posts: Floats) -> Floats:
    return np.where(posts >= KEPT_POSTS, posts, 0.0)


def _three_before(by_window: Floats) -> Floats:
    """Sum the three windows before each, without those of the day before: nothing bursts at midnight."""
    total = np.zeros_like(by_window)
    for back in range(1, _HOUR):
        total[:, back:] += by_window[:, :-back]
    return total
