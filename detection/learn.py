"""Learn: what a day of posts teaches about every keyword and about the traffic, in numpy, used by the daily batch.

Yesterday's rows and today's counts go in, today's rows come out; what was expected and its scale are the functions of
`detection.score`, so learning and live scoring cannot drift apart. A day has 96 windows of 15 minutes, aligned to UTC; another
`Seasonality` gives other windows, and cycles and slots instead of days and hours.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.score import (
    ANSCOMBE,
    DEFAULT_DISPERSION,
    DEFAULT_HOURLY_SPREAD,
    DEFAULT_LEVEL,
    DEFAULT_VARIANCE,
    expected_posts,
    scale,
    square_root_posts,
)
from detection.seasonality import QUARTER_HOURS, Seasonality

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

HOURS, WINDOWS = QUARTER_HOURS.slots, QUARTER_HOURS.windows
HALF_LIFE_DAYS = 7.0
OUTAGE_RATIO = 0.25
"""A window with less than this part of the expected traffic is an outage and teaches nothing."""
PROFILE_TYPICAL_POSTS = 0.5
"""Typical posts a window from which a keyword has an hour profile of its own; rarer ones follow the traffic."""
FORGET_TYPICAL_POSTS, FORGET_DAYS = 0.005, 28
"""A keyword rarer than this that was unseen for so many days is dropped: its row says no more than the default."""
_Z_CEILING, _Y_CEILING = 12.0, 5.0
_DISPERSION_LEAP, _VARIANCE_LEAP, _SPREAD_LEAP = 10.0, 5.0, 10.0
_LEAST_RATIO = 0.1


@dataclass(frozen=True)
class KeywordRows:
    """Statistics of K keywords, one array a column of `keyword_statistics`; hour_deviation is [K, 24], NaN where there is none."""

    level: Floats
    hour_deviation: Floats
    variance: Floats
    dispersion: Floats
    hourly_spread: Floats

    @property
    def typical_posts(self) -> Floats:
        """Posts a window at normal traffic: max(level^2/4 - 3/8, 0)."""
        return np.maximum(self.level**2 / 4 - ANSCOMBE, 0.0)

    @property
    def has_profile(self) -> Flags:
        """Whether the keyword has an hour profile of its own."""
        return ~np.isnan(self.hour_deviation[:, 0])


@dataclass(frozen=True)
class Traffic:
    """Posts of all keywords expected in a window, by UTC hour [24], and the days of history behind it, outages not counted."""

    expected_posts: Floats
    history_days: float


@dataclass(frozen=True)
class DayTraffic:
    """How a day's windows [96] were filled: `ratio` is posts over expected posts, `hour_share` the hour's part of the daily mean."""

    ratio: Floats
    hour_share: Floats

    @property
    def ok(self) -> Flags:
        """Windows that teach: those with at least a quarter of the expected traffic."""
        return self.ratio >= OUTAGE_RATIO

    @property
    def learned_days(self) -> float:
        """The part of the day that teaches, 0 to 1."""
        return float(self.ok.mean())


def default_rows(count: int, seasonality: Seasonality = QUARTER_HOURS) -> KeywordRows:
    """The rows of `count` keywords that were never seen."""
    return KeywordRows(
        level=np.full(count, DEFAULT_LEVEL),
        hour_deviation=np.full((count, seasonality.slots), np.nan),
        variance=np.full(count, DEFAULT_VARIANCE),
        dispersion=np.full(count, DEFAULT_DISPERSION),
        hourly_spread=np.full(count, DEFAULT_HOURLY_SPREAD),
    )


def hourly_means(posts: Floats, seasonality: Seasonality = QUARTER_HOURS) -> Floats:
    """Posts per window of each hour [24] from the posts of a day's windows [96]."""
    means: Floats = posts.reshape(seasonality.slots, seasonality.windows_per_slot).mean(axis=1)
    return means


def hour_shares(expected_posts: Floats) -> Floats:
    """What part of the daily mean each hour [24] has: expected_posts[h] / mean(expected_posts).

    1 for an hour without expected posts: it was never seen, and a share of 0 would make every frequent keyword an anomaly.

    >>> hour_shares(np.repeat([10.0, 30.0, 0.0], 8))[[0, 8, 16]].round(2)
    array([0.75, 2.25, 1.  ])
    """
    return np.where(
        expected_posts > 0, expected_posts / max(float(expected_posts.mean()), np.finfo(float).tiny), 1.0
    )


def day_traffic(
    posts: Floats, yesterday: Traffic | None, seasonality: Seasonality = QUARTER_HOURS
) -> DayTraffic:
    """Ratio and hour share of a day's windows by yesterday's traffic; on the very first day by the day's own hourly means.

    ratio = posts / expected_posts[h]. An hour without expected posts says nothing about its posts: their ratio is 1, and
    0 where nothing came.

    >>> day = day_traffic(np.repeat([10.0, 30.0], 48), None)
    >>> day.ratio[0], day.hour_share[0], day.hour_share[95]
    (np.float64(1.0), np.float64(0.5), np.float64(1.5))
    """
    by_hour = hourly_means(posts, seasonality) if yesterday is None else yesterday.expected_posts
    expected = np.repeat(by_hour, seasonality.windows_per_slot)
    known = expected > 0
    ratio = np.where(known, posts / np.where(known, expected, 1.0), posts > 0)
    return DayTraffic(ratio=ratio, hour_share=np.repeat(hour_shares(by_hour), seasonality.windows_per_slot))


def learn_traffic(
    yesterday: Traffic | None, posts: Floats, learned_days: float, seasonality: Seasonality = QUARTER_HOURS
) -> Traffic:
    """Traffic after a day: an average of the hourly means that forgets half in a week, a plain mean in the first days.

    expected_posts += gain*(hourly mean - expected_posts), gain = max(1 - 2^(-1/7), 1/(days + 1)). Windows of an outage
    count too: a platform that shrinks for good must be believed after some days.

    >>> first = learn_traffic(None, np.full(96, 8.0), 1.0)
    >>> second = learn_traffic(first, np.full(96, 16.0), 1.0)
    >>> second.expected_posts[0], second.history_days
    (np.float64(12.0), 2.0)
    """
    today = hourly_means(posts, seasonality)
    if yesterday is None:
        return Traffic(expected_posts=today, history_days=learned_days)
    gain = max(1 - 2 ** (-1 / HALF_LIFE_DAYS), 1 / (yesterday.history_days + 1))
    return Traffic(
        expected_posts=yesterday.expected_posts + gain * (today - yesterday.expected_posts),
        history_days=yesterday.history_days + learned_days,
    )


def fit_day(
    counts: Floats, day: DayTraffic, rows: KeywordRows, age: float, seasonality: Seasonality = QUARTER_HOURS
) -> KeywordRows:
    """The rows of K keywords after a day with `counts` [K, 96] (0 where absent), from the rows before it.

    `age` is the days of history of the whole system; 0 starts it. With mean() over the windows that are ok (ratio at
    least .25, so that an outage teaches nothing), wd their part of the day, g = max(1 - 2^(-wd/7), wd/(age + wd)),
    E the expected posts of `detection.score`, y = 2*sqrt(count + 3/8) - 2*sqrt(E + 3/8) and sd = sqrt(variance + .25):
        level     at age 0 the mean of 2*sqrt(count + 3/8), then += g*mean(y)
        variance  at age 0 mean(y^2), then += g*(min(mean(min(y, 5 sd)^2), 5*(variance + .25)) - variance)
        dispersion     at age 0 z2 = mean(min(y/sd, 12)^2), then += g*(min(z2, 10*max(dispersion, .1)) - dispersion)
        hour_deviation[h]  the old one, or what the traffic's hours say, += g*(mean of y in h - mean(y)); kept where
                  at least .5 posts a window are typical
        hourly_spread  m = mean over hours with four ok windows of min(hourly y / scale, 12)^2, with the scale that the day was
                  scored with; at age 0 that is the fitted one and hourly_spread = m, then += g*(min(m, 10*max(hourly_spread, .1)) - hourly_spread)
    Only the upper side is clipped, so that one dispersion at most doubles what it takes to alarm, and is forgotten in a week.
    A day without an ok window changes nothing. Rows do not depend on each other: any batch of keywords gives the same.

    >>> steady = fit_day(np.full((1, 96), 6.0), DayTraffic(np.ones(96), np.ones(96)), default_rows(1), age=0)
    >>> steady.typical_posts.round(6), steady.variance.round(6), steady.hour_deviation[0, :2].round(6)
    (array([6.]), array([0.]), array([0., 0.]))
    """
    learned = day.learned_days
    if learned == 0:
        return rows
    first = age == 0
    gain = 1.0 if first else max(1 - 2 ** (-learned / HALF_LIFE_DAYS), learned / (age + learned))
    if first:
        rows = _with_level(rows, _mean(square_root_posts(counts), day.ok))
    expected = expected_by_window(rows, day, seasonality)
    y = (square_root_posts(counts) - square_root_posts(expected)) * day.ok
    moments = _first_moments(rows, y, day.ok) if first else _next_moments(rows, y, day.ok, gain)
    scored_with = moments if first else rows
    fitted = KeywordRows(
        level=moments.level,
        hour_deviation=_hour_deviation(rows, moments, y, day, gain, seasonality),
        variance=moments.variance,
        dispersion=moments.dispersion,
        hourly_spread=_hourly_spread(counts, expected, scored_with, day.ok, first, gain, seasonality),
    )
    return _without_small_profiles(fitted)


def expected_by_window(
    rows: KeywordRows, day: DayTraffic, seasonality: Seasonality = QUARTER_HOURS
) -> Floats:
    """Expected posts [K, 96] of K keywords in a day's windows, by `detection.score.expected_posts`."""
    own = rows.has_profile
    deviation = np.repeat(np.nan_to_num(rows.hour_deviation), seasonality.windows_per_slot, axis=1)
    expected: Floats = expected_posts(
        rows.level[:, None], deviation, own[:, None], day.hour_share[None, :], day.ratio[None, :]
    )
    return expected


def as_stored(rows: KeywordRows) -> KeywordRows:
    """The rows as Postgres keeps them, rounded to `real`; whoever replays days without Postgres must round as it does."""
    columns = (rows.level, rows.hour_deviation, rows.variance, rows.dispersion, rows.hourly_spread)
    return KeywordRows(*(column.astype(np.float32).astype(np.float64) for column in columns))


def forgettable(rows: KeywordRows, unseen_days: NDArray[np.int64]) -> Flags:
    """Keywords whose rows may go: fewer than .005 typical posts a window and unseen for 28 days or more."""
    return (rows.typical_posts < FORGET_TYPICAL_POSTS) & (unseen_days >= FORGET_DAYS)


def _mean(values: Floats, ok: Flags) -> Floats:
    """Mean over the ok windows. A plain sum along the row, so that it does not depend on the other rows."""
    means: Floats = (values * ok).sum(axis=1) / ok.sum()
    return means


def _with_level(rows: KeywordRows, level: Floats) -> KeywordRows:
    return KeywordRows(level, rows.hour_deviation, rows.variance, rows.dispersion, rows.hourly_spread)


def _first_moments(rows: KeywordRows, y: Floats, ok: Flags) -> KeywordRows:
    variance = _mean(y**2, ok)
    z2 = _mean(np.minimum(y / np.sqrt(variance + 0.25)[:, None], _Z_CEILING) ** 2, ok)
    return KeywordRows(rows.level, rows.hour_deviation, variance, z2, rows.hourly_spread)


def _next_moments(rows: KeywordRows, y: Floats, ok: Flags, gain: float) -> KeywordRows:
    deviation = np.sqrt(rows.variance + 0.25)[:, None]
    z2 = _mean(np.minimum(y / deviation, _Z_CEILING) ** 2, ok)
    y2 = _mean(np.minimum(y, _Y_CEILING * deviation) ** 2, ok)
    return KeywordRows(
        level=rows.level + gain * _mean(y, ok),
        hour_deviation=rows.hour_deviation,
        variance=rows.variance
        + gain * (np.minimum(y2, _VARIANCE_LEAP * (rows.variance + 0.25)) - rows.variance),
        dispersion=rows.dispersion
        + gain
        * (np.minimum(z2, _DISPERSION_LEAP * np.maximum(rows.dispersion, _LEAST_RATIO)) - rows.dispersion),
        hourly_spread=rows.hourly_spread,
    )


def _hour_deviation(
    before: KeywordRows, after: KeywordRows, y: Floats, day: DayTraffic, gain: float, seasonality: Seasonality
) -> Floats:
    """The hour profile [K, 24] after the day; a keyword without one starts from the hours of the traffic."""
    by_traffic = (
        square_root_posts(
            after.typical_posts[:, None] * day.hour_share[None, :: seasonality.windows_per_slot]
        )
        - after.level[:, None]
    )
    profile = np.where(before.has_profile[:, None], before.hour_deviation, by_traffic)
    by_hour = (seasonality.slots, seasonality.windows_per_slot)
    windows = day.ok.reshape(by_hour).sum(axis=1)
    hourly_y = y.reshape(-1, *by_hour).sum(axis=2) / np.maximum(windows, 1)
    moved: Floats = profile + gain * (hourly_y - _mean(y, day.ok)[:, None]) * (windows > 0)
    return moved


def _hourly_spread(
    counts: Floats,
    expected: Floats,
    scored_with: KeywordRows,
    ok: Flags,
    first: bool,
    gain: float,
    seasonality: Seasonality,
) -> Floats:
    by_hour = (seasonality.slots, seasonality.windows_per_slot)
    whole_hours = ok.reshape(by_hour).all(axis=1)
    if not whole_hours.any():
        return scored_with.hourly_spread
    hourly_posts = counts.reshape(-1, *by_hour).sum(axis=2)
    hourly_expected = expected.reshape(-1, *by_hour).sum(axis=2)
    usual = scale(scored_with.variance, scored_with.dispersion)[:, None]
    z = (square_root_posts(hourly_posts) - square_root_posts(hourly_expected)) / usual
    m: Floats = (np.minimum(z, _Z_CEILING) ** 2 * whole_hours).sum(axis=1) / whole_hours.sum()
    before = scored_with.hourly_spread
    return (
        m
        if first
        else before + gain * (np.minimum(m, _SPREAD_LEAP * np.maximum(before, _LEAST_RATIO)) - before)
    )


def _without_small_profiles(rows: KeywordRows) -> KeywordRows:
    kept = (rows.typical_posts >= PROFILE_TYPICAL_POSTS)[:, None]
    return KeywordRows(
        rows.level,
        np.where(kept, rows.hour_deviation, np.nan),
        rows.variance,
        rows.dispersion,
        rows.hourly_spread,
    )
