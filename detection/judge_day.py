"""Judge a day: all windows of a day for a batch of keywords, by the statistics of the days before it.

The backtest and the nightly budget replay days with it; its verdict on a window is that of the stream once
the window has closed.
"""

from dataclasses import dataclass

import numpy as np

from detection.arrays import Flags, Floats
from detection.day_counts import DayCounts, kept, normal_posts, windows_before
from detection.dominant import ratio_by_others
from detection.first_day import (
    PastWindows,
    first_day_expected,
    first_day_hourly_spread,
    first_day_overdispersion,
    first_day_ratio,
    first_day_scale,
    past_windows,
)
from detection.learn import KeywordRows
from detection.score import KEPT_POSTS, AnomalyRule
from detection.seasonality import QUARTER_HOURS, Seasonality
from detection.traffic_baseline import Traffic
from detection.verdicts import Verdicts, judge

PAST_GAP = 2
"""Windows by which the past of a window ends before it, at a lateness of one window."""


@dataclass(frozen=True)
class JudgedDay:
    """The verdicts on the windows of K keywords [K, 96], and the figures behind them."""

    ratio: Floats
    """Traffic ratio [K, 96]; on a first day over the posts that the keyword is compared with."""
    expected: Floats
    """Expected posts [K, 96]."""
    scale: Floats
    """Scale [K, 96]."""
    hourly_posts: Floats
    """Posts of the hourly window [K, 96]; windows below 3 posts count as none. 0 without hourly windows."""
    hourly_expected: Floats
    """Expected posts of the hourly window [K, 96]."""
    hourly_spread: Floats
    """Hourly spread [K, 96]."""
    verdicts: Verdicts
    """Each [K, 96]. A window of fewer than 3 posts is not judged: threshold ratio 0, and no anomaly."""
    first_day: Flags
    """Windows judged by those before them, for want of statistics [96]."""
    moved_hours: Floats
    """Hours by which clocks went forward, if profile and traffic were moved by them; else 0 [K, 96]."""
    past: PastWindows | None = None
    """The past of the day's windows; None if statistics cover the day."""


@dataclass(frozen=True)
class _Expectation:
    """What is expected in the w windows before a day that its hourly windows include, and in the day."""

    expected: Floats
    """Expected posts [K, w + 96]."""
    ratio: Floats
    """Traffic ratio [K, w + 96]."""
    scale: Floats
    """Scale of each keyword in the day's windows [K, 96]."""
    hourly_spread: Floats
    """Hourly spread in the day's windows [K, 96]."""
    first_day: Flags
    """Windows judged by those before them [w + 96]."""
    learning: Flags
    """Windows with neither statistics nor enough past, which are not judged [w + 96]."""
    past: PastWindows | None


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
    beside: Floats | float = np.inf,
    past_gap: int = PAST_GAP,
    authors: Floats | float = np.inf,
    hourly_authors: Floats | float = np.inf,
    planned: Flags | bool = False,
    hourly_planned: Flags | bool = False,
) -> JudgedDay:
    """Judge the windows of a day by `rows` and `traffic` as of the day before (None: no statistics yet).

    The same rows apply to all four windows of an hourly window, also to those of the day before. Windows
    without statistics, and those in an hour in which nothing was ever posted, are judged by the windows
    before them (`detection.first_day`); `past_gap` is their gap. `authors` and `hourly_authors` [K, 96] are
    the estimated distinct authors of window and hourly window, inf if not counted; `planned` and
    `hourly_planned` [K, 96] flag those that touch a time of the calendar. Rows are independent: any batch of
    keywords gives the same verdicts.

    >>> from detection.learn import default_rows
    >>> from detection.score import rule_for
    >>> posts = np.zeros((1, 96)); posts[0, [50, 60, 61, 62, 63]] = 14, 8, 8, 8, 8
    >>> total = np.full(96, 500.0)
    >>> quiet = DayCounts(posts, before=np.zeros((1, 3)), total=total, total_before=total[:3])
    >>> steady = Traffic(np.full(24, 500.0), 1.0)
    >>> judge_day(quiet, default_rows(1), steady, rule_for(4.5, 10)).verdicts.anomalous.nonzero()[1].tolist()
    [50, 62, 63]
    """
    by = _expectation(counts, rows, traffic, beside, seasonality, past_gap)
    before = windows_before(seasonality)
    expected = by.expected[:, before:]
    hourly_posts, hourly_expected = np.zeros_like(expected), np.zeros_like(expected)
    if before > 0:
        posts = np.hstack([counts.before[:, counts.before.shape[1] - before :], counts.posts])
        hourly_posts = _hourly_sums(kept(posts), seasonality)
        hourly_expected = _hourly_sums(by.expected, seasonality)
    verdicts = judge(
        counts.posts,
        expected,
        hourly_posts=hourly_posts,
        hourly_expected=hourly_expected,
        scale=by.scale,
        hourly_spread=by.hourly_spread,
        anomaly_rule=anomaly_rule,
        authors=authors,
        hourly_authors=hourly_authors,
        planned=planned,
        hourly_planned=hourly_planned,
    )
    return JudgedDay(
        ratio=by.ratio[:, before:],
        expected=expected,
        scale=by.scale,
        hourly_posts=hourly_posts,
        hourly_expected=hourly_expected,
        hourly_spread=by.hourly_spread,
        verdicts=verdicts.restricted((counts.posts >= KEPT_POSTS) & ~by.learning[before:]),
        first_day=by.first_day[before:],
        moved_hours=np.zeros_like(expected),
        past=by.past,
    )


def _expectation(
    counts: DayCounts,
    rows: KeywordRows,
    traffic: Traffic | None,
    beside: Floats | float,
    seasonality: Seasonality,
    past_gap: int,
) -> _Expectation:
    if traffic is None:
        return _by_past(counts, None, np.zeros(0, dtype=bool), seasonality, past_gap)
    by_statistics = _by_statistics(counts, rows, traffic, beside, seasonality)
    covered = np.repeat(traffic.covered, seasonality.windows_per_slot)
    if covered.all() or counts.before.shape[1] < seasonality.windows:
        return by_statistics
    covered = np.hstack([covered[len(covered) - windows_before(seasonality) :], covered])
    return _by_past(counts, by_statistics, covered, seasonality, past_gap)


def _by_statistics(
    counts: DayCounts,
    rows: KeywordRows,
    traffic: Traffic,
    beside: Floats | float,
    seasonality: Seasonality,
) -> _Expectation:
    normal = normal_posts(counts, rows, traffic, seasonality)
    ratio = ratio_by_others(
        kept(normal.posts), normal.expected, normal.scale, normal.total, normal.by_hour, beside
    )
    nowhere = np.zeros(len(normal.total), dtype=bool)
    return _Expectation(
        expected=normal.expected * ratio,
        ratio=ratio,
        scale=np.broadcast_to(normal.scale, counts.posts.shape),
        hourly_spread=np.broadcast_to(rows.hourly_spread[:, None], counts.posts.shape),
        first_day=nowhere,
        learning=nowhere,
        past=None,
    )


def _by_past(
    counts: DayCounts,
    otherwise: _Expectation | None,
    covered: Flags,
    seasonality: Seasonality,
    past_gap: int,
) -> _Expectation:
    """Return what the windows before a window make expected, where statistics do not cover it.

    Without any statistics, a window with too little past is not judged, and expects what was posted in it.
    """
    before = windows_before(seasonality)
    first, in_day = counts.before.shape[1] - before, slice(before, None)
    posts, total = np.hstack([counts.before, counts.posts]), np.hstack([counts.total_before, counts.total])
    past = past_windows(posts, total, gap=past_gap).from_window(first)
    posts, total = kept(posts[:, first:]), total[first:]
    expected = np.where(past.ready, first_day_expected(past, posts, total), posts)
    ratio = np.where(past.ready, first_day_ratio(past, total), 0.0)
    of_day = past.from_window(before)
    overdispersion = first_day_overdispersion(of_day)
    scales = first_day_scale(ratio[..., in_day], expected[:, in_day], overdispersion)
    spread = np.ones_like(scales)
    if before:
        sums = _hourly_sums(ratio, seasonality), _hourly_sums(expected, seasonality)
        spread = first_day_hourly_spread(scales, *sums, overdispersion)
    if otherwise is None:
        return _Expectation(
            expected, ratio, scales, spread, first_day=past.ready, learning=~past.ready, past=of_day
        )
    first_day = past.ready & ~covered
    return _Expectation(
        expected=np.where(first_day, expected, otherwise.expected),
        ratio=np.where(first_day, ratio, otherwise.ratio),
        scale=np.where(first_day[in_day], scales, otherwise.scale),
        hourly_spread=np.where(first_day[in_day], spread, otherwise.hourly_spread),
        first_day=first_day,
        learning=otherwise.learning,
        past=of_day,
    )


def _hourly_sums(values: Floats, seasonality: Seasonality) -> Floats:
    """Sum the hour that ends with each window of the day; a plain sum of four, the same in every batch."""
    total = values[:, windows_before(seasonality) :].copy()
    for back in range(1, seasonality.windows_per_slot):
        total += values[:, windows_before(seasonality) - back : values.shape[1] - back]
    return total
