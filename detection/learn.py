"""Learn: update the baselines of keywords with a day's counts, in numpy; the daily batch uses it.

Yesterday's rows and today's counts go in, today's rows come out. Expected posts and scale are the functions
of `detection.score`, so learning and live scoring cannot drift apart. Windows are 15 minutes, 96 a day,
aligned to UTC; another `Seasonality` brings other windows, and cycles and slots in place of days and hours.
"""

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Flags, Floats, Integers
from detection.clocks import moved
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
from detection.traffic_baseline import HALF_LIFE_DAYS, MOVED_SHARES, DayTraffic

PROFILE_TYPICAL_POSTS = 0.5
"""Typical posts a window from which a keyword has its own hour profile; rarer ones follow the traffic."""
FORGET_TYPICAL_POSTS, FORGET_DAYS = 0.005, 28
"""A keyword rarer and unseen for this many days is dropped: its row says no more than the default."""
_Z_CEILING, _Y_CEILING = 12.0, 5.0
_DISPERSION_LEAP, _VARIANCE_LEAP, _SPREAD_LEAP = 10.0, 5.0, 10.0
_LEAST_RATIO = 0.1
_MOVED_CEILING, _MOVED_GAIN = 5.0, 16.0
"""Standard deviations that one window counts at most, and by how much a moved profile must fit better."""


@dataclass(frozen=True)
class KeywordRows:
    """Baselines of K keywords, one array per column of `keyword_statistics`.

    `hour_deviation` is [K, 24], NaN for a keyword without a profile.
    """

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

    def part(self, some: slice | Flags | Integers) -> "KeywordRows":
        """Return the baselines of some of the keywords."""
        return KeywordRows(*(getattr(self, field.name)[some] for field in fields(self)))


def default_rows(count: int, seasonality: Seasonality = QUARTER_HOURS) -> KeywordRows:
    """Return the rows of `count` keywords that were never seen."""
    return KeywordRows(
        level=np.full(count, DEFAULT_LEVEL),
        hour_deviation=np.full((count, seasonality.slots), np.nan),
        variance=np.full(count, DEFAULT_VARIANCE),
        dispersion=np.full(count, DEFAULT_DISPERSION),
        hourly_spread=np.full(count, DEFAULT_HOURLY_SPREAD),
    )


def fit_day(
    counts: Floats, day: DayTraffic, rows: KeywordRows, age: float, seasonality: Seasonality = QUARTER_HOURS
) -> KeywordRows:
    """Return the rows of K keywords after a day with `counts` [K, 96] (0 if absent).

    `rows` are those of the day before, `age` the history of the whole system in days; 0 starts it. mean() is
    over the ok windows (ratio at least .25, so that an outage does not update the baseline), wd their part of
    the day, g = max(1 - 2^(-wd/7), wd/(age + wd)), E the expected posts of `detection.score`, sd =
    sqrt(variance + .25) and y = 2*sqrt(count + 3/8) - 2*sqrt(E + 3/8):
        level           at age 0 the mean of 2*sqrt(count + 3/8), then += g*mean(y)
        variance        at age 0 mean(y^2),
                        then += g*(min(mean(min(y, 5 sd)^2), 5*(variance + .25)) - variance)
        dispersion      at age 0 z2 = mean(min(y/sd, 12)^2),
                        then += g*(min(z2, 10*max(dispersion, .1)) - dispersion)
        hour_deviation  for hour h the old one, or that of the traffic, += g*(mean of y in h - mean(y));
                        kept for keywords with at least .5 typical posts a window
        hourly_spread   with m = mean over hours of four ok windows of min(hourly y / scale, 12)^2:
                        at age 0 m, by the fitted scale; then, by the scale that the day was scored with,
                        += g*(min(m, 10*max(hourly_spread, .1)) - hourly_spread)
    After a clock change the profile is moved first, by half or whole, if the day fits that better; the day of
    the change itself, which has hours of both clocks, changes the level alone of a keyword with a profile.
    Only the upper side is clipped, so that one burst at most doubles the count that makes an anomaly, and is
    forgotten in a week. A day without an ok window changes nothing. Rows are independent: any batch of
    keywords gives the same.

    >>> even = DayTraffic(np.ones(96), np.ones(96))
    >>> steady = fit_day(np.full((1, 96), 6.0), even, default_rows(1), age=0)
    >>> steady.typical_posts.round(6), steady.variance.round(6), steady.hour_deviation[0, :2].round(6)
    (array([6.]), array([0.]), array([0., 0.]))
    """
    learned = day.learned_days
    if learned == 0:
        return rows
    first = age == 0
    gain = 1.0 if first else max(1 - 2 ** (-learned / HALF_LIFE_DAYS), learned / (age + learned))
    if first:
        rows = replace(rows, level=_mean(square_root_posts(counts), day.ok))
    elif day.clocks.before:
        some = rows.has_profile
        profiles = rows.hour_deviation.copy()
        profiles[some] = _following_clocks(counts[some], day, rows.part(some), seasonality)
        rows = replace(rows, hour_deviation=profiles)
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
    fitted = _without_small_profiles(fitted)
    return _level_alone(rows, fitted) if day.clocks.today and not first else fitted


def expected_by_window(
    rows: KeywordRows, day: DayTraffic, seasonality: Seasonality = QUARTER_HOURS
) -> Floats:
    """Return the expected posts [K, 96] of K keywords in a day's windows by `score.expected_posts`."""
    deviation = np.repeat(np.nan_to_num(rows.hour_deviation), seasonality.windows_per_slot, axis=1)
    expected: Floats = expected_posts(
        rows.level[:, None], deviation, rows.has_profile[:, None], day.hour_share[None, :], day.ratio[None, :]
    )
    return expected


def as_stored(rows: KeywordRows) -> KeywordRows:
    """Round the rows to `real` as Postgres does; replaying days without Postgres needs the same rounding."""
    columns = (rows.level, rows.hour_deviation, rows.variance, rows.dispersion, rows.hourly_spread)
    return KeywordRows(*(column.astype(np.float32).astype(np.float64) for column in columns))


def forgettable(rows: KeywordRows, unseen_days: NDArray[np.int64]) -> Flags:
    """Flag rows to drop: fewer than .005 typical posts a window and unseen for 28 days or more."""
    return (rows.typical_posts < FORGET_TYPICAL_POSTS) & (unseen_days >= FORGET_DAYS)


def _mean(values: Floats, ok: Flags) -> Floats:
    """Mean over the ok windows: a plain sum along the row, so that it does not depend on the other rows."""
    means: Floats = (values * ok).sum(axis=1) / ok.sum()
    return means


def _moved_towards(old: Floats, today: Floats, gain: float, *, leap: float, least: Floats) -> Floats:
    """Move `old` by `gain` towards `today`, of which at most `leap` times `least` counts."""
    return old + gain * (np.minimum(today, leap * least) - old)


def _first_moments(rows: KeywordRows, y: Floats, ok: Flags) -> KeywordRows:
    variance = _mean(y**2, ok)
    z2 = _mean(np.minimum(y / np.sqrt(variance + 0.25)[:, None], _Z_CEILING) ** 2, ok)
    return replace(rows, variance=variance, dispersion=z2)


def _next_moments(rows: KeywordRows, y: Floats, ok: Flags, gain: float) -> KeywordRows:
    deviation = np.sqrt(rows.variance + 0.25)[:, None]
    z2 = _mean(np.minimum(y / deviation, _Z_CEILING) ** 2, ok)
    y2 = _mean(np.minimum(y, _Y_CEILING * deviation) ** 2, ok)
    least_dispersion = np.maximum(rows.dispersion, _LEAST_RATIO)
    return replace(
        rows,
        level=rows.level + gain * _mean(y, ok),
        variance=_moved_towards(rows.variance, y2, gain, leap=_VARIANCE_LEAP, least=rows.variance + 0.25),
        dispersion=_moved_towards(rows.dispersion, z2, gain, leap=_DISPERSION_LEAP, least=least_dispersion),
    )


def _following_clocks(counts: Floats, day: DayTraffic, rows: KeywordRows, seasonality: Seasonality) -> Floats:
    """Return the profiles [K, 24] of `rows`, which all have one, moved by half or whole if that fits better.

    The misfit is the sum over the ok windows of min(|y|/scale, 5)^2, and a moved profile must have 16 less.
    Half of the posts move, not half of their square roots. A keyword that was not posted fits both alike.
    """
    deviations = scale(rows.variance, rows.dispersion)[:, None]
    posts = np.maximum(rows.level[:, None] + rows.hour_deviation, 0.0) ** 2

    def misfit(some: KeywordRows) -> Floats:
        y = square_root_posts(counts) - square_root_posts(expected_by_window(some, day, seasonality))
        squares: Floats = np.minimum(np.abs(y) / deviations, _MOVED_CEILING) ** 2
        misfits: Floats = (squares * day.ok).sum(axis=1)
        return misfits

    least, best = misfit(rows) - _MOVED_GAIN, rows.hour_deviation
    for hours in day.clocks.before:
        for share in MOVED_SHARES:
            by_clocks = np.sqrt((1 - share) * posts + share * moved(posts, hours)) - rows.level[:, None]
            fit = misfit(replace(rows, hour_deviation=by_clocks))
            best = np.where((fit < least)[:, None], by_clocks, best)
            least = np.minimum(least, fit)
    return best


def _level_alone(before: KeywordRows, fitted: KeywordRows) -> KeywordRows:
    """Return the rows `before` with the level of `fitted`, of the keywords that have a profile in both."""
    kept = before.has_profile & fitted.has_profile
    return KeywordRows(
        level=fitted.level,
        hour_deviation=np.where(kept[:, None], before.hour_deviation, fitted.hour_deviation),
        variance=np.where(kept, before.variance, fitted.variance),
        dispersion=np.where(kept, before.dispersion, fitted.dispersion),
        hourly_spread=np.where(kept, before.hourly_spread, fitted.hourly_spread),
    )


def _hour_deviation(
    before: KeywordRows, after: KeywordRows, y: Floats, day: DayTraffic, gain: float, seasonality: Seasonality
) -> Floats:
    """Return the hour profile [K, 24] after the day; a keyword without one starts from the traffic's."""
    hour_share = day.hour_share[None, :: seasonality.windows_per_slot]
    by_traffic = square_root_posts(after.typical_posts[:, None] * hour_share) - after.level[:, None]
    profile = np.where(before.has_profile[:, None], before.hour_deviation, by_traffic)
    by_hour = (seasonality.slots, seasonality.windows_per_slot)
    windows = day.ok.reshape(by_hour).sum(axis=1)
    hourly_y = y.reshape(-1, *by_hour).sum(axis=2) / np.maximum(windows, 1)
    after_day: Floats = profile + gain * (hourly_y - _mean(y, day.ok)[:, None]) * (windows > 0)
    return after_day


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
    before = scored_with.hourly_spread
    if not whole_hours.any():
        return before
    hourly_posts = counts.reshape(-1, *by_hour).sum(axis=2)
    hourly_expected = expected.reshape(-1, *by_hour).sum(axis=2)
    keyword_scale = scale(scored_with.variance, scored_with.dispersion)[:, None]
    z = (square_root_posts(hourly_posts) - square_root_posts(hourly_expected)) / keyword_scale
    m: Floats = (np.minimum(z, _Z_CEILING) ** 2 * whole_hours).sum(axis=1) / whole_hours.sum()
    if first:
        return m
    return _moved_towards(before, m, gain, leap=_SPREAD_LEAP, least=np.maximum(before, _LEAST_RATIO))


def _without_small_profiles(rows: KeywordRows) -> KeywordRows:
    is_frequent = (rows.typical_posts >= PROFILE_TYPICAL_POSTS)[:, None]
    return replace(rows, hour_deviation=np.where(is_frequent, rows.hour_deviation, np.nan))
