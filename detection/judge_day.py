"""Judge a day: all windows of a day for a batch of keywords, by the statistics of the days before; counts in, verdicts out.

The backtest and the nightly budget replay days with it; what it says of a window is what the stream says once the window
has closed.
"""

from dataclasses import dataclass

import numpy as np

from detection.learn import DayTraffic, KeywordRows, Traffic, day_traffic, expected_by_window
from detection.score import KEPT_POSTS, AnomalyRule, scale
from detection.seasonality import QUARTER_HOURS, Seasonality
from detection.verdicts import Flags, Floats, Verdicts, judge


@dataclass(frozen=True)
class DayCounts:
    """What was posted in a day's windows, and in those just before it that the second look still sees.

    The second look adds up one hour, so that 3 windows before the day belong to it; a `Seasonality` whose slots are single
    windows has no second look and none before.
    """

    posts: Floats
    """Posts with each of K keywords [K, 96], 0 where absent."""
    before: Floats
    """The same for the last three windows of the day before [K, 3]."""
    total: Floats
    """Posts of all keywords [96]; where they are unknown, 1 for every window that was observed, with `unknown_traffic`."""
    total_before: Floats
    """The same for the last three windows of the day before [3]."""


@dataclass(frozen=True)
class JudgedDay:
    """The verdicts on K keywords' windows [K, 96], and what they rest on."""

    expected: Floats
    """Expected posts [K, 96]."""
    scale: Floats
    """Scale of each keyword [K]."""
    hourly_posts: Floats
    """Posts of the hour that ends with each window [K, 96], windows of fewer than 3 counting as none; 0 without a second look."""
    hourly_expected: Floats
    """Expected posts of that hour [K, 96]."""
    verdicts: Verdicts
    """Each [K, 96]. A window of fewer than 3 posts is not judged: it has no threshold_ratio and is no anomaly."""


def unknown_traffic(seasonality: Seasonality = QUARTER_HOURS) -> Traffic:
    """The traffic where nobody counted it: with a total of 1 for every observed window, ratio and hour share are 1."""
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
    """Judge the windows of a day by `rows` and `traffic` of the days before it, None where there were none.

    All four windows of a second look are expected by these rows, also those of the day before. `authors` and `hourly_authors`
    [K, 96] are the estimated distinct authors of window and hour, inf where they were not counted; `planned` and
    `hourly_planned` [K, 96] say whether they touch a planned time. Rows do not depend on each other: any batch of keywords
    gives the same verdicts.

    >>> from detection.learn import default_rows
    >>> from detection.score import rule_for
    >>> posts = np.zeros((1, 96)); posts[0, [50, 60, 61, 62, 63]] = 14, 8, 8, 8, 8
    >>> quiet = DayCounts(posts, before=np.zeros((1, 3)), total=np.full(96, 500.0), total_before=np.full(3, 500.0))
    >>> judge_day(quiet, default_rows(1), None, rule_for(4.5, 10)).verdicts.anomalous.nonzero()[1].tolist()
    [50, 62, 63]
    """
    known = traffic if traffic is not None else unknown_traffic(seasonality)
    day = day_traffic(counts.total, known, seasonality)
    expected = expected_by_window(rows, day, seasonality)
    hourly_posts, hourly_expected = np.zeros_like(expected), np.zeros_like(expected)
    if _looks_back(seasonality):
        lookback = _expected_before(rows, counts.total_before, known, float(day.hour_share[-1]))
        hourly_posts = _sums(_kept(np.hstack([counts.before, counts.posts])), seasonality)
        hourly_expected = _sums(np.hstack([lookback, expected]), seasonality)
    usual = scale(rows.variance, rows.dispersion)
    verdicts = judge(
        counts.posts,
        expected,
        hourly_posts=hourly_posts,
        hourly_expected=hourly_expected,
        scale=usual[:, None],
        hourly_spread=rows.hourly_spread[:, None],
        anomaly_rule=anomaly_rule,
        authors=authors,
        hourly_authors=hourly_authors,
        planned=planned,
        hourly_planned=hourly_planned,
    )
    return JudgedDay(
        expected, usual, hourly_posts, hourly_expected, _only(verdicts, counts.posts >= KEPT_POSTS)
    )


def windows_before(seasonality: Seasonality) -> int:
    """How many windows before a day the second look needs: all but one of an hour's."""
    return seasonality.windows_per_slot - 1


def _looks_back(seasonality: Seasonality) -> bool:
    return windows_before(seasonality) > 0


def _expected_before(rows: KeywordRows, total: Floats, traffic: Traffic, hour_share: float) -> Floats:
    """Expected posts [K, 3] of the windows before the day, which lie in the last hour of the day before."""
    last_hour = Seasonality(window_seconds=0, slots=1, windows_per_slot=len(total))
    ratio = day_traffic(total, Traffic(traffic.expected_posts[-1:], traffic.history_days), last_hour).ratio
    lookback = DayTraffic(ratio=ratio, hour_share=np.full(len(total), hour_share))
    of_last_hour = KeywordRows(
        rows.level, rows.hour_deviation[:, -1:], rows.variance, rows.dispersion, rows.hourly_spread
    )
    return expected_by_window(of_last_hour, lookback, last_hour)


def _kept(posts: Floats) -> Floats:
    return np.where(posts >= KEPT_POSTS, posts, 0.0)


def _sums(values: Floats, seasonality: Seasonality) -> Floats:
    """Sums over an hour's windows that end with each window of the day; a plain sum of four, the same in every batch."""
    total = values[:, windows_before(seasonality) :].copy()
    for back in range(1, seasonality.windows_per_slot):
        total += values[:, windows_before(seasonality) - back : values.shape[1] - back]
    return total


def _only(verdicts: Verdicts, judged: Flags) -> Verdicts:
    return Verdicts(
        score=verdicts.score,
        hourly_score=verdicts.hourly_score,
        threshold_ratio=np.where(judged, verdicts.threshold_ratio, 0.0),
        anomalous=verdicts.anomalous & judged,
        few_authors=verdicts.few_authors & judged,
        planned=verdicts.planned & judged,
    )
