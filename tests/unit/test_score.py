"""Laws of the score, checked against the formulas in plain Python."""

from math import ceil, sqrt

import numpy as np
import pytest

from detection import score as rule


def plain_score(
    posts: int,
    level: float,
    deviation: float | None,
    share: float,
    ratio: float,
    variance: float,
    dispersion: float,
) -> float:
    b = max(level + (deviation or 0.0), 0.0)
    expected = max(b * b / 4 - 0.375, 0.0) * (1.0 if deviation is not None else share) * ratio
    return (2 * sqrt(posts + 0.375) - 2 * sqrt(expected + 0.375)) / max(
        1.0, sqrt((variance + 0.25) * dispersion)
    )


def test_the_score_of_arrays_is_the_formula_row_by_row() -> None:
    rng = np.random.default_rng(3)
    rows = 2_000
    posts, level, deviation = (
        rng.integers(0, 5_000, rows),
        rng.uniform(1.2, 80, rows),
        rng.uniform(-5, 5, rows),
    )
    own, share, ratio = rng.random(rows) < 0.5, rng.uniform(0.2, 3, rows), rng.uniform(0, 4, rows)
    variance, dispersion = rng.uniform(0, 9, rows), rng.uniform(0, 5, rows)
    expected = rule.expected_posts(level, deviation, own, share, ratio)
    scored = rule.score(posts, expected, rule.scale(variance, dispersion))
    own_deviation = [value if has_own else None for value, has_own in zip(deviation, own, strict=True)]
    arguments = zip(posts.tolist(), level, own_deviation, share, ratio, variance, dispersion, strict=True)
    plain = [plain_score(*row) for row in arguments]
    np.testing.assert_allclose(scored, plain, rtol=1e-12)


def test_nine_posts_of_a_new_word_are_no_anomaly_with_min_posts_of_ten() -> None:
    verdicts = [
        rule.anomalous(posts, 0.0, rule.score(posts, 0.0, 1.0), rule.rule_for(4.5, 10)) for posts in (9, 10)
    ]
    assert verdicts == [False, True]


def test_two_posts_against_none_never_alert() -> None:
    assert not rule.anomalous(2, 0.0, 1e9, rule.rule_for(4.5, 10))


def test_a_high_score_on_a_heavy_word_needs_a_lift_too() -> None:
    assert not rule.anomalous(1_500, 1_000.0, rule.score(1_500, 1_000.0, 1.0), rule.rule_for(6.0, 10))


def test_a_window_half_full_is_compared_with_half_of_what_is_expected() -> None:
    whole = rule.expected_posts(10.0, 0.0, False, 1.0, 1.0)
    assert rule.expected_posts(10.0, 0.0, False, 1.0, 0.5) == whole / 2


def test_the_smallest_anomalous_count_is_where_anomalies_begin() -> None:
    for expected in (0.0, 0.4, 3.0, 40.0, 900.0):
        for scale in (1.0, 2.5):
            for threshold in (4.5, 6.0, 7.5):
                anomaly_rule = rule.rule_for(threshold, 10)
                bound = ceil(rule.smallest_anomalous_posts(expected, scale, anomaly_rule) - 1e-9)
                verdicts = [
                    bool(rule.anomalous(posts, expected, rule.score(posts, expected, scale), anomaly_rule))
                    for posts in (bound - 1, bound)
                ]
                assert verdicts == [False, True], (expected, scale, threshold)


def test_counts_too_small_to_be_kept_cannot_keep_an_alert_active_whatever_was_expected() -> None:
    assert rule.score(rule.KEPT_POSTS - 1, 0.0, 1.0) < 4.25 / 2


def test_thirty_posts_of_a_new_word_spread_over_an_hour_are_an_anomaly_of_the_hourly_window_only() -> None:
    anomaly_rule = rule.rule_for(6.0, 10)
    assert not rule.anomalous(8, 0.0, rule.score(8, 0.0, 1.0), anomaly_rule)
    assert rule.hourly_anomalous(30, 0.0, rule.hourly_score(30, 0.0, 1.0, 1.0), anomaly_rule)


def test_an_hourly_window_needs_twice_the_expected_posts_plus_twice_min_posts() -> None:
    anomaly_rule = rule.rule_for(6.0, 10)
    verdicts = [bool(rule.hourly_anomalous(posts, 100.0, 99.0, anomaly_rule)) for posts in (219, 220)]
    assert verdicts == [False, True]


def test_huge_counts_and_zero_spread_stay_finite() -> None:
    assert np.isfinite(rule.score(2**40, 0.0, rule.scale(0.0, 0.0)))


@pytest.mark.parametrize(
    ("hourly_expected", "scale", "hourly_spread", "threshold"),
    [(0.0, 1.0, 1.0, 6.0), (40.0, 1.3, 2.5, 4.5), (900.0, 2.0, 0.5, 5.0)],
)
def test_the_smallest_anomalous_hour_is_an_anomaly_and_one_post_fewer_is_not(
    hourly_expected, scale, hourly_spread, threshold
):
    anomaly_rule = rule.rule_for(threshold, 10)
    least = np.ceil(
        rule.smallest_anomalous_hourly_posts(hourly_expected, scale, hourly_spread, anomaly_rule) - 1e-9
    )
    verdicts = [
        bool(rule.hourly_anomalous(posts, hourly_expected, score, anomaly_rule))
        for posts in (least - 1, least)
        for score in [rule.hourly_score(posts, hourly_expected, scale, hourly_spread)]
    ]
    assert verdicts == [False, True]
