"""Traffic baseline: expected posts of all keywords in each hour, and how a day's windows compare with them.

`day_traffic` compares a day with the baseline up to the day before; `learn_traffic` updates the baseline with
the day. Windows are 15 minutes, 96 a day, aligned to UTC; another `Seasonality` brings other windows, and
cycles and slots in place of days and hours.
"""

from dataclasses import dataclass, replace

import numpy as np

from detection.arrays import Flags, Floats
from detection.clocks import Clocks, moved
from detection.seasonality import QUARTER_HOURS, Seasonality

HALF_LIFE_DAYS = 7.0
NO_CHANGE = Clocks()
MOVED_SHARES = (0.5, 1.0)
"""Shares of a habit that a day may show to have moved with the clocks."""
_MOVED_MISFIT = 0.5
"""Traffic has moved if its misfit to a day is less than this part of what it is otherwise."""
OUTAGE_RATIO = 0.25
"""A window with less than this part of the expected traffic is an outage: it updates no baseline."""


@dataclass(frozen=True)
class Traffic:
    """Expected posts of all keywords per window, by UTC hour [24], and days of history without outages."""

    expected_posts: Floats
    history_days: float
    same_rule: bool = True
    """Whether the present keyword rule learned them; an older one did not count every keyword."""

    @property
    def covered(self) -> Flags:
        """Hours in which posts are expected, because some were seen [24]."""
        return self.expected_posts > 0


@dataclass(frozen=True)
class DayTraffic:
    """A day's windows [96] compared with the expected traffic.

    `ratio` is posts over expected posts; `hour_share` is the hour's expected posts over the mean of all
    hours.
    """

    ratio: Floats
    hour_share: Floats
    clocks: Clocks = NO_CHANGE
    """Clock changes that the day is learned with."""

    @property
    def ok(self) -> Flags:
        """Windows that update the baseline: those with at least a quarter of the expected traffic."""
        return self.ratio >= OUTAGE_RATIO

    @property
    def learned_days(self) -> float:
        """The part of the day that updates the baseline, 0 to 1."""
        return float(self.ok.mean())


def suffices(traffic: Traffic | None) -> bool:
    """Return whether there are statistics, and those of every hour and every keyword."""
    return traffic is not None and traffic.same_rule and bool(traffic.covered.all())


def hourly_means(posts: Floats, seasonality: Seasonality = QUARTER_HOURS) -> Floats:
    """Return the posts per window of each hour [24], from the posts of a day's windows [96]."""
    means: Floats = posts.reshape(seasonality.slots, seasonality.windows_per_slot).mean(axis=1)
    return means


def hour_shares(expected_posts: Floats) -> Floats:
    """Return each hour's share of the daily mean [24]: expected_posts[h] / mean(expected_posts).

    1 for an hour without expected posts: it was never seen, and a share of 0 would make every frequent
    keyword an anomaly.

    >>> hour_shares(np.repeat([10.0, 30.0, 0.0], 8))[[0, 8, 16]].round(2)
    array([0.75, 2.25, 1.  ])
    """
    mean = max(float(expected_posts.mean()), np.finfo(float).tiny)
    return np.where(expected_posts > 0, expected_posts / mean, 1.0)


def day_traffic(
    posts: Floats,
    yesterday: Traffic | None,
    seasonality: Seasonality = QUARTER_HOURS,
    clocks: Clocks = NO_CHANGE,
) -> DayTraffic:
    """Return the ratio and hour share of a day's windows by yesterday's traffic.

    The very first day is compared with its own hourly means. ratio = posts / expected_posts[h]; an hour
    without expected posts gives a ratio of 1, or 0 for a window without posts.

    >>> day = day_traffic(np.repeat([10.0, 30.0], 48), None)
    >>> day.ratio[0], day.hour_share[0], day.hour_share[95]
    (np.float64(1.0), np.float64(0.5), np.float64(1.5))
    """
    by_hour = hourly_means(posts, seasonality) if yesterday is None else yesterday.expected_posts
    expected = np.repeat(by_hour, seasonality.windows_per_slot)
    known = expected > 0
    ratio = np.where(known, posts / np.where(known, expected, 1.0), posts > 0)
    shares = np.repeat(hour_shares(by_hour), seasonality.windows_per_slot)
    return DayTraffic(ratio=ratio, hour_share=shares, clocks=clocks)


def following_clocks(
    yesterday: Traffic, posts: Floats, clocks: Clocks, seasonality: Seasonality = QUARTER_HOURS
) -> Traffic:
    """Return the baseline that a day is learned on top of: moved, by half or whole, if the day has moved.

    `posts` are those of the day's windows [96]. Days are compared by their hours' shares; the baseline has
    moved if the sum of squared differences is less than half of that of the unmoved one.

    >>> evening = Traffic(np.where(np.arange(24) == 20, 90.0, 10.0), 9.0)
    >>> earlier = np.where(np.arange(96) // 4 == 19, 80.0, 8.0)
    >>> following_clocks(evening, earlier, Clocks(before=(1,))).expected_posts[[19, 20]]
    array([90., 10.])
    """
    today = hourly_means(posts, seasonality)
    if not clocks.before or not yesterday.covered.all() or not today.any():
        return yesterday

    def misfit(by_hour: Floats) -> float:
        return float(((by_hour / by_hour.mean() - today / today.mean()) ** 2).sum())

    expected = yesterday.expected_posts
    least, best = _MOVED_MISFIT * misfit(expected), expected
    for hours in clocks.before:
        for share in MOVED_SHARES:
            by_clocks = (1 - share) * expected + share * moved(expected, hours)
            if misfit(by_clocks) < least:
                least, best = misfit(by_clocks), by_clocks
    return replace(yesterday, expected_posts=best)


def learn_traffic(
    yesterday: Traffic | None,
    posts: Floats,
    learned_days: float,
    seasonality: Seasonality = QUARTER_HOURS,
    clocks: Clocks = NO_CHANGE,
) -> Traffic:
    """Return the traffic baseline after a day: exponential smoothing of the hourly means, half-life a week.

    expected_posts += gain*(hourly mean - expected_posts), gain = max(1 - 2^(-1/7), 1/(days + 1)): a plain
    mean in the first days. Outages count too: a platform that shrinks for good must be believed after some
    days. A day on which clocks change has hours of both clocks, and changes the mean of all hours alone.

    >>> first = learn_traffic(None, np.full(96, 8.0), 1.0)
    >>> second = learn_traffic(first, np.full(96, 16.0), 1.0)
    >>> second.expected_posts[0], second.history_days
    (np.float64(12.0), 2.0)
    """
    today = hourly_means(posts, seasonality)
    if yesterday is None:
        return Traffic(expected_posts=today, history_days=learned_days)
    gain = max(1 - 2 ** (-1 / HALF_LIFE_DAYS), 1 / (yesterday.history_days + 1))
    if clocks.today and yesterday.covered.all():
        today = yesterday.expected_posts * (today.mean() / yesterday.expected_posts.mean())
    return Traffic(
        expected_posts=yesterday.expected_posts + gain * (today - yesterday.expected_posts),
        history_days=yesterday.history_days + learned_days,
    )
