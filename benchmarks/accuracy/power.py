"""Power: which bursts the rule finds, and how soon; many seeds at once, minute by minute.

Each seed is a word of its own with four weeks of history, and a random minute of the day after, in whose hour it has `rate`
posts a window. From then on `extra` posts fall evenly into `minutes`. The window is looked at every minute, half full with
half the expectation, as the stream does.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.worlds import WINDOWS, NoiseWorld, make_words, platform_posts
from detection.learn import (
    KeywordRows,
    Traffic,
    day_traffic,
    default_rows,
    expected_by_window,
    fit_day,
    learn_traffic,
)
from detection.score import KEPT_POSTS, AnomalyRule, scale
from detection.verdicts import Flags, Floats, judge

HISTORY_DAYS = 28
WINDOW_MINUTES = 15
_EARLIEST, _LATEST = 120, 1_200
_HOUR = 4


@dataclass(frozen=True)
class Burst:
    """Posts beyond the usual ones, and in how many minutes they come."""

    extra: int
    minutes: int


@dataclass(frozen=True)
class Found:
    """What became of a burst, over the seeds."""

    share: float
    """Part of the seeds in which a closed window alarms, from the burst's first minute to an hour after its last."""
    median_early: float
    """Minutes from the first extra post to the first look that alarms, median of the seeds found; NaN where none was."""
    median_closed: float
    """The same to the end of the first closed window that alarms."""


@dataclass(frozen=True)
class History:
    """Words with what four weeks taught: a word a seed."""

    rows: KeywordRows
    traffic: Traffic
    means: Floats
    """Mean posts [S, 96] on the day that follows."""
    world: NoiseWorld
    start: NDArray[np.int64]
    """The minute of that day in which the burst begins [S]."""


def learn_history(world: NoiseWorld, rate: float, seeds: int, seed: int) -> History:
    """Simulate and learn `seeds` words at `rate` posts a window when they burst; a word at 0 was never seen and has no row."""
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
    """What `rule` finds of `burst`, a draw for each seed of the history."""
    random = np.random.default_rng([seed, burst.extra, burst.minutes])
    start = history.start
    extra = _extra_posts(start, burst, random)
    by_minute = _usual_posts(history, random) + extra
    alarms = _looks(history, by_minute, platform_posts(history.world, HISTORY_DAYS, random), rule)
    minute = np.arange(alarms.shape[1])[None, :]
    watched = (minute >= start[:, None]) & (minute <= start[:, None] + burst.minutes + 60)
    closed = alarms & watched & (minute % WINDOW_MINUTES == WINDOW_MINUTES - 1)
    first_post = extra.argmax(axis=1) if burst.extra == 0 else (extra > 0).argmax(axis=1)
    found = closed.any(axis=1)
    early, late = ((flags.argmax(axis=1) + 1 - first_post)[found] for flags in (alarms & watched, closed))
    return Found(float(found.mean()), _median(early), _median(late))


def without_hourly_window(rule: AnomalyRule) -> AnomalyRule:
    """The rule as if hours were not looked at."""
    return replace(rule, hourly_threshold=np.inf)


def _median(minutes: NDArray[np.int64]) -> float:
    return float(np.median(minutes)) if len(minutes) else float("nan")


def _extra_posts(start: NDArray[np.int64], burst: Burst, random: np.random.Generator) -> Floats:
    """Extra posts by minute of the day [S, 1440]."""
    posts = np.zeros((len(start), WINDOWS * WINDOW_MINUTES))
    minutes = start[:, None] + random.integers(0, burst.minutes, (len(start), burst.extra))
    np.add.at(posts, (np.repeat(np.arange(len(start)), burst.extra), minutes.ravel()), 1.0)
    return posts


def _usual_posts(history: History, random: np.random.Generator) -> Floats:
    """Baseline posts by minute of the day [S, 1440]: the noise is that of the window."""
    means = history.means
    if history.world.dispersion > 0:
        means = (
            means
            * random.standard_gamma(1 / history.world.dispersion, means.shape)
            * history.world.dispersion
        )
    return random.poisson(np.repeat(means / WINDOW_MINUTES, WINDOW_MINUTES, axis=1)).astype(float)


def _looks(history: History, by_minute: Floats, total: Floats, rule: AnomalyRule) -> Flags:
    """Whether the look at the end of each minute alarms [S, 1440]."""
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
    """Sum of the three windows before each; at midnight those of the day before are left out, nothing bursts there."""
    total = np.zeros_like(by_window)
    for back in range(1, _HOUR):
        total[:, back:] += by_window[:, :-back]
    return total
