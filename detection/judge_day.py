"""Judge a day: all windows of a day for a batch of keywords, by the statistics of the days before it.

The backtest and the nightly budget replay days with it; its verdict on a window is that of the stream once
the window has closed.
"""

from dataclasses import dataclass, replace

import numpy as np

from detection.arrays import Flags, Floats
from detection.learn import KeywordRows, expected_by_window
from detection.score import KEPT_POSTS, AnomalyRule, scale
from detection.seasonality import QUARTER_HOURS, Seasonality
from detection.traffic_baseline import DayTraffic, Traffic, day_traffic
from detection.verdicts import Verdicts, judge


@dataclass(frozen=True)
class DayCounts:
    """Posts in a day's windows, and in the windows just before it that its first hourly windows include.

    An hourly window adds up four windows, so 3 windows before the day belong to it; a `Seasonality` with
    single windows as slots has no hourly windows and needs none before.
    """

    posts: Floats
    """Posts with each of K keywords [K, 96], 0 if absent."""
    before: Floats
    """The same for the last three windows of the day before [K, 3]."""
    total: Floats
    """Posts of all keywords [96]; if unknown, 1 for every observed window, with `unknown_traffic`."""
    total_before: Floats
    """The same for the last three windows of the day before [3]."""


@dataclass(frozen=True)
class JudgedDay:
    """The verdicts on the windows of K keywords [K, 96], and the figures behind them."""

    expected: Floats
    """Expected posts [K, 96]."""
    scale: Floats
    """Scale of each keyword [K]."""
    hourly_posts: Floats
    """Posts of the hourly window [K, 96]; windows below 3 posts count as none. 0 without hourly windows."""
    hourly_expected: Floats
    """Expected posts of the hourly window [K, 96]."""
    verdicts: Verdicts
    """Each [K, 96]. A window of fewer than 3 posts is not judged: threshold ratio 0, and no anomaly."""


def unknown_traffic(seasonality: Seasonality = QUARTER_HOURS) -> Traffic:
    """Return the traffic for counts without totals: a total of 1 a window gives ratio and hour share 1."""
    return Traffic(expected_posts=np.ones(seasonality.slots), history_days=0.0)


def judge_day(
    counts: DayCounts,
    rows: KeywordRows,
    traffic: Traffic | None,
    anomaly_rule: AnomalyRule,
    seasonality: Seasonality = QUARTER_HOURS,
    *,
    authors: Floats | float = np.inf,
    hourly_authors: Floats | float = np.inf,
    planned: Flags | bool = False,
    hourly_planned: Flags | bool = False,
) -> JudgedDay:
    """Judge the windows of a day by `rows` and `traffic` as of the day before (None on the first day).

    The same rows apply to all four windows of an hourly window, also to those of the day before. `authors`
    and `hourly_authors` [K, 96] are the estimated distinct authors of window and hourly window, inf if not
    counted; `planned` and `hourly_planned` [K, 96] flag those that touch a time of the calendar. Rows are
    independent: any batch of keywords gives the same verdicts.

    >>> from detection.learn import default_rows
    >>> from detection.score import rule_for
    >>> posts = np.zeros((1, 96)); posts[0, [50, 60, 61, 62, 63]] = 14, 8, 8, 8, 8
    >>> total = np.full(96, 500.0)
    >>> quiet = DayCounts(posts, before=np.zeros((1, 3)), total=total, total_before=total[:3])
    >>> judge_day(quiet, default_rows(1), None, rule_for(4.5, 10)).verdicts.anomalous.nonzero()[1].tolist()
    [50, 62, 63]
    """
    known = traffic if traffic is not None else unknown_traffic(seasonality)
    day = day_traffic(counts.total, known, seasonality)
    expected = expected_by_window(rows, day, seasonality)
    hourly_posts, hourly_expected = np.zeros_like(expected), np.zeros_like(expected)
    if windows_before(seasonality) > 0:
        expected_before = _expected_before(rows, counts.total_before, known, float(day.hour_share[-1]))
        hourly_posts = _hourly_sums(_kept(np.hstack([counts.before, counts.posts])), seasonality)
        hourly_expected = _hourly_sums(np.hstack([expected_before, expected]), seasonality)
    keyword_scale = scale(rows.variance, rows.dispersion)
    verdicts = judge(
        counts.posts,
        expected,
        hourly_posts=hourly_posts,
        hourly_expected=hourly_expected,
        scale=keyword_scale[:, None],
        hourly_spread=rows.hourly_spread[:, None],
        anomaly_rule=anomaly_rule,
        authors=authors,
        hourly_authors=hourly_authors,
        planned=planned,
        hourly_planned=hourly_planned,
    )
    judged = _restricted(verdicts, counts.posts >= KEPT_POSTS)
    return JudgedDay(expected, keyword_scale, hourly_posts, hourly_expected, judged)


def windows_before(seasonality: Seasonality) -> int:
    """Return how many windows before a day its hourly windows include: all but one of an hour's."""
    return seasonality.windows_per_slot - 1


def _expected_before(rows: KeywordRows, total: Floats, traffic: Traffic, hour_share: float) -> Floats:
    """Return the expected posts [K, 3] of the windows before the day, in the last hour of the day before."""
    last_hour = Seasonality(window_seconds=0, slots=1, windows_per_slot=len(total))
    ratio = day_traffic(total, Traffic(traffic.expected_posts[-1:], traffic.history_days), last_hour).ratio
    before = DayTraffic(ratio=ratio, hour_share=np.full(len(total), hour_share))
    return expected_by_window(replace(rows, hour_deviation=rows.hour_deviation[:, -1:]), before, last_hour)


def _kept(posts: Floats) -> Floats:
    return np.where(posts >= KEPT_POSTS, posts, 0.0)


def _hourly_sums(values: Floats, seasonality: Seasonality) -> Floats:
    """Sum the hour that ends with each window of the day; a plain sum of four, the same in every batch."""
    total = values[:, windows_before(seasonality) :].copy()
    for back in range(1, seasonality.windows_per_slot):
        total += values[:, windows_before(seasonality) - back : values.shape[1] - back]
    return total


def _restricted(verdicts: Verdicts, judged: Flags) -> Verdicts:
    """Return the verdicts with no threshold ratio, anomaly or reason where a window is not `judged`."""
    return replace(
        verdicts,
        threshold_ratio=np.where(judged, verdicts.threshold_ratio, 0.0),
        anomalous=verdicts.anomalous & judged,
        few_authors=verdicts.few_authors & judged,
        planned=verdicts.planned & judged,
    )
