"""Laws of dominant keywords: neither they nor what rises beside them is hidden by their own posts."""

import numpy as np
import pytest

from detection.arrays import Floats
from detection.day_counts import DayCounts, dominant_keywords, traffic_beside
from detection.dominant import MOST_BESIDE, ratio_beside
from detection.judge_day import judge_day
from detection.learn import KeywordRows, default_rows, fit_day
from detection.score import rule_for
from detection.traffic_baseline import DayTraffic, Traffic

TOPIC, BESIDE, SMALL = 0, 1, 2
USUAL = np.array([200.0, 20.0, 4.0])
"""Posts a window of the topic, of a word beside it, and of a small one."""
EXPECTED = 600.0
TRAFFIC = Traffic(np.full(24, EXPECTED), 14.0)
RULE = rule_for(6.0, 10)
RISE = 50
"""The window in which something happens."""


def learned() -> KeywordRows:
    steady = DayTraffic(np.ones(96), np.ones(96))
    return fit_day(np.repeat(USUAL[:, None], 96, axis=1), steady, default_rows(3), age=0)


def a_day(topic: float = 1.0, beside: float = 1.0, all_posts: float = 1.0) -> DayCounts:
    posts = np.repeat(USUAL[:, None], 96, axis=1)
    total = np.full(96, EXPECTED)
    posts[TOPIC, RISE] *= topic
    posts[BESIDE, RISE] *= beside
    total[RISE] += posts[:, RISE].sum() - USUAL.sum()
    posts[:, RISE] *= all_posts
    total[RISE] *= all_posts
    return DayCounts(posts, np.repeat(USUAL[:, None], 3, axis=1), total, np.full(3, EXPECTED))


def bound(counts: DayCounts) -> Floats:
    return traffic_beside(counts, learned(), TRAFFIC)


def anomalous(counts: DayCounts) -> list[int]:
    verdicts = judge_day(counts, learned(), TRAFFIC, RULE, beside=bound(counts)).verdicts
    return np.flatnonzero(verdicts.anomalous[:, RISE]).tolist()


def test_a_word_beside_a_topic_that_rises_is_found_in_the_same_window() -> None:
    counts = a_day(topic=20, beside=12)
    assert anomalous(counts) == [TOPIC, BESIDE]
    alone = judge_day(counts, learned(), TRAFFIC, RULE).verdicts.anomalous[:, RISE]
    assert alone.tolist() == [True, False, False]


@pytest.mark.parametrize(
    "change", [{}, {"all_posts": 3}, {"all_posts": 0.1}, {"topic": 1.9}, {"beside": 1.5}]
)
def test_a_day_on_which_no_topic_takes_off_has_no_bound(change: dict[str, float]) -> None:
    assert np.all(np.isinf(bound(a_day(**change))))


@pytest.mark.parametrize("rise", [3, 5, 20, 100])
def test_what_is_expected_of_others_falls_by_a_third_at_most(rise: float) -> None:
    counts = a_day(topic=rise)
    ratio = counts.total[RISE] / EXPECTED
    lowered = bound(counts)[3 + RISE]
    assert ratio / MOST_BESIDE <= lowered <= ratio
    assert np.all(np.isinf(np.delete(bound(counts), 3 + RISE)))


def test_unusual_windows_before_midnight_bound_the_hour_after_it() -> None:
    day = a_day()
    before, total = day.before.copy(), day.total_before.copy()
    before[TOPIC, 1], total[1] = 4_000, 4_400
    counts = DayCounts(day.posts, before, day.total, total)
    assert np.flatnonzero(np.isfinite(bound(counts))).tolist() == [1]


def test_only_dominant_keywords_count() -> None:
    counts, rows = a_day(topic=20, beside=12), learned()
    chosen = dominant_keywords(counts)
    assert chosen.tolist() == [TOPIC, BESIDE]
    columns = rows.level, rows.hour_deviation, rows.variance, rows.dispersion, rows.hourly_spread
    heavy = KeywordRows(*(column[chosen] for column in columns))
    some = DayCounts(counts.posts[chosen], counts.before[chosen], counts.total, counts.total_before)
    assert traffic_beside(some, heavy, TRAFFIC).tolist() == bound(counts).tolist()


def test_unknown_totals_and_missing_statistics_bound_nothing() -> None:
    counts = a_day(topic=20)
    assert np.all(np.isinf(traffic_beside(counts, learned(), None)))
    ones = np.ones(2)
    some = np.array([[50.0, 9.0]])
    assert np.all(np.isinf(ratio_beside(some, some / 20, np.ones((1, 1)), ones, ones)))
    assert np.all(np.isinf(ratio_beside(some, some / 20, np.ones((1, 1)), 60 * ones, 0 * ones)))
