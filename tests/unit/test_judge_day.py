"""Laws of judging whole days: windows and hourly windows by plain sums, midnight, quiet windows, batches."""

import math
from dataclasses import fields

import numpy as np

from detection.day_counts import DayCounts
from detection.judge_day import judge_day, unknown_traffic
from detection.learn import KeywordRows, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.tracker import AlertTracker
from detection.traffic_baseline import DayTraffic, Traffic
from detection.verdicts import Verdicts

ANOMALY_RULE = rule_for(4.5, 10)
STEADY = Traffic(np.full(24, 100.0), 1.0)


def a_world(seed: int, keywords: int) -> tuple[DayCounts, KeywordRows, Traffic]:
    random = np.random.default_rng(seed)
    means = 10 ** random.uniform(-2, 2.5, (keywords, 1))
    rows = default_rows(keywords)
    for age in range(3):
        exposure = DayTraffic(random.uniform(0.5, 1.5, 96), np.repeat(random.uniform(0.5, 1.5, 24), 4))
        rows = fit_day(random.poisson(means, (keywords, 96)).astype(float), exposure, rows, float(age))
    posts = random.poisson(means * random.gamma(0.7, 1.5, (keywords, 99))).astype(float)
    total = random.integers(0, 2_000, 99).astype(float)
    return (
        DayCounts(posts[:, 3:], posts[:, :3], total[3:], total[:3]),
        rows,
        Traffic(random.uniform(500, 1_500, 24), 9.0),
    )


def plain_expected(
    rows: KeywordRows, traffic: Traffic, keyword: int, window: int, posts: float, total: float
) -> float:
    """Expected posts in the window `window` quarter hours after midnight; negative: on the day before."""
    hour = (window // 4) % 24
    own = not math.isnan(rows.hour_deviation[keyword, 0])
    b = max(rows.level[keyword] + (rows.hour_deviation[keyword, hour] if own else 0.0), 0.0)
    share = 1.0 if own else traffic.expected_posts[hour] / traffic.expected_posts.mean()
    normal = max(b * b / 4 - 0.375, 0.0) * share
    usual = max(1.0, math.sqrt((rows.variance[keyword] + 0.25) * rows.dispersion[keyword]))
    rest = max(traffic.expected_posts[hour] - normal, 1.0)
    margin = (1 + 4.5 * usual * math.sqrt(normal) / (2 * rest)) ** 2
    bound = max(1.0, (total - (posts if posts >= 3 else 0)) / rest) * margin if margin < 5 else 5.0
    return float(normal * min(total / traffic.expected_posts[hour], bound))


def test_windows_and_hourly_windows_of_a_random_day_equal_the_formulas() -> None:
    counts, rows, traffic = a_world(1, 40)
    judged = judge_day(counts, rows, traffic, ANOMALY_RULE)
    posts, total = (
        np.hstack([counts.before, counts.posts]),
        np.concatenate([counts.total_before, counts.total]),
    )
    anomalies = 0
    for keyword in range(40):
        usual = max(1.0, math.sqrt((rows.variance[keyword] + 0.25) * rows.dispersion[keyword]))
        for window in range(96):
            hour = range(window - 3, window + 1)
            in_hour = [
                (
                    posts[keyword, w + 3],
                    plain_expected(rows, traffic, keyword, w, posts[keyword, w + 3], total[w + 3]),
                )
                for w in hour
            ]
            c4, e4 = sum(c for c, _ in in_hour if c >= 3), sum(e for _, e in in_hour)
            c, e = in_hour[-1]
            score = (2 * math.sqrt(c + 0.375) - 2 * math.sqrt(e + 0.375)) / usual
            hourly_score = (2 * math.sqrt(c4 + 0.375) - 2 * math.sqrt(e4 + 0.375)) / (
                usual * max(1.0, math.sqrt(rows.hourly_spread[keyword]))
            )
            window_alone = score >= 4.5 and c >= 10 and (c >= 10 + 5 * e or (score >= 6 and c >= 10 + 2 * e))
            anomalous = c >= 3 and (window_alone or (hourly_score >= 5.5 and c4 >= 20 + 2 * e4))
            anomalies += anomalous
            got = judged.verdicts
            np.testing.assert_allclose(
                [got.score[keyword, window], got.hourly_score[keyword, window]],
                [score, hourly_score],
                rtol=1e-9,
                atol=1e-9,
            )
            assert bool(got.anomalous[keyword, window]) == anomalous
            threshold_ratio = max(score / 4.5, hourly_score / 5.5) if c >= 3 else 0.0
            np.testing.assert_allclose(
                got.threshold_ratio[keyword, window], threshold_ratio, rtol=1e-9, atol=1e-9
            )
    assert 50 < anomalies < 3_000


def test_a_keyword_is_judged_alike_alone_and_among_many() -> None:
    counts, rows, traffic = a_world(2, 30)
    together = judge_day(counts, rows, traffic, ANOMALY_RULE)
    row = KeywordRows(*(getattr(rows, field.name)[[7]] for field in fields(KeywordRows)))
    its_counts = DayCounts(counts.posts[[7]], counts.before[[7]], counts.total, counts.total_before)
    alone = judge_day(its_counts, row, traffic, ANOMALY_RULE)
    for name in ("score", "hourly_score", "threshold_ratio", "anomalous"):
        assert getattr(together.verdicts, name)[7].tolist() == getattr(alone.verdicts, name)[0].tolist()


def test_a_slow_climb_over_midnight_includes_the_windows_of_the_day_before() -> None:
    posts = np.zeros((1, 96))
    posts[0, 0] = 8
    total = np.full(96, 100.0)
    climbing = DayCounts(posts, np.full((1, 3), 8.0), total, total[:3])
    quiet_before = DayCounts(posts, np.zeros((1, 3)), total, total[:3])
    verdicts = [
        bool(judge_day(counts, default_rows(1), STEADY, ANOMALY_RULE).verdicts.anomalous[0, 0])
        for counts in (climbing, quiet_before)
    ]
    assert verdicts == [True, False]


def test_a_window_of_fewer_than_three_posts_is_quiet_whatever_its_hour_had() -> None:
    posts = np.zeros((1, 96))
    posts[0, 10:14] = 40, 40, 2, 3
    total = np.full(96, 100.0)
    verdicts = judge_day(
        DayCounts(posts, np.zeros((1, 3)), total, total[:3]), default_rows(1), STEADY, ANOMALY_RULE
    ).verdicts
    assert verdicts.anomalous[0, 10:14].tolist() == [True, True, False, True]
    assert verdicts.threshold_ratio[0, 12] == 0.0


def test_nothing_is_expected_in_a_window_in_which_nothing_at_all_was_posted() -> None:
    counts, rows, traffic = a_world(3, 5)
    counts.total[40] = 0.0
    assert judge_day(counts, rows, traffic, ANOMALY_RULE).expected[:, 40].tolist() == [0.0] * 5


def test_without_totals_ratio_and_hour_share_are_one() -> None:
    rows = KeywordRows(np.full(1, 6.0), np.full((1, 24), np.nan), np.ones(1), np.ones(1), np.ones(1))
    observed = DayCounts(np.zeros((1, 96)), np.zeros((1, 3)), np.ones(96), np.ones(3))
    expected = judge_day(observed, rows, unknown_traffic(), ANOMALY_RULE).expected
    assert np.unique(expected).tolist() == [6.0**2 / 4 - 0.375]


def verdicts(threshold_ratio: list[float]) -> Verdicts:
    given = np.array([threshold_ratio])
    known = {"score": given * 4.5, "hourly_score": given, "threshold_ratio": given, "anomalous": given >= 1}
    nothing = np.zeros_like(given, dtype=bool)
    return Verdicts(**{field.name: known.get(field.name, nothing) for field in fields(Verdicts)})


def test_an_alert_continues_over_the_end_of_a_day_and_ends_after_four_quiet_windows() -> None:
    tracker = AlertTracker(LifecycleRule())
    keyword, posts = np.array([5]), np.full((1, 4), 9.0)
    assert list(tracker.add_day(keyword, 0, posts, verdicts([0, 0, 0, 2.0]))) == []
    assert list(tracker.close(4)) == []
    assert list(tracker.add_day(keyword, 4, posts, verdicts([0.6, 0, 0, 0]))) == []
    assert list(tracker.close(8)) == []
    ((ended, alert),) = tracker.close(9)
    assert (ended, alert.opened, alert.last, alert.resolved) == (5, 3, 4, True)
    assert list(tracker.running()) == []


def test_windows_above_half_a_threshold_open_nothing() -> None:
    tracker = AlertTracker(LifecycleRule())
    assert list(tracker.add_day(np.array([1]), 0, np.full((1, 3), 9.0), verdicts([0.9, 0.9, 0.9]))) == []
    assert list(tracker.running()) == []
