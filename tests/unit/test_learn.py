"""Laws of learning: against an independent scalar implementation on random data, and on the named traps."""

import math

import numpy as np
import pytest

from detection.learn import KeywordRows, default_rows, fit_day, forgettable
from detection.score import rule_for, smallest_anomalous_posts
from detection.traffic_baseline import DayTraffic, Traffic, day_traffic, learn_traffic

FLAT = DayTraffic(ratio=np.ones(96), hour_share=np.ones(96))


def slow_fit(counts, ratio, share, row, age):
    """Fit one keyword in plain Python, from the formulas alone.

    row = (level, deviations or None, variance, dispersion, hourly_spread)
    """
    level, deviations, variance, dispersion, spread = row
    ok = [r >= 0.25 for r in ratio]
    if not any(ok):
        return row
    wd = sum(ok) / 96

    def mean(values):
        return sum(v for v, good in zip(values, ok, strict=True) if good) / sum(ok)

    roots = [2 * math.sqrt(c + 3 / 8) for c in counts]
    if age == 0:
        level = mean(roots)
    expected = []
    for w in range(96):
        b = max(level + (deviations[w // 4] if deviations else 0), 0)
        expected.append(max(b * b / 4 - 0.375, 0) * (1 if deviations else share[w]) * ratio[w])
    y = [
        root - 2 * math.sqrt(e + 3 / 8) if good else 0
        for root, e, good in zip(roots, expected, ok, strict=True)
    ]
    old_variance, old_dispersion = variance, dispersion
    if age == 0:
        variance = mean([v * v for v in y])
    sd = math.sqrt(variance + 0.25)
    z2 = mean([min(v / sd, 12) ** 2 for v in y])
    y2 = mean([min(v, 5 * sd) ** 2 for v in y])
    g = max(1 - 2 ** (-wd / 7), wd / (age + wd))
    ybar = mean(y)
    if age == 0:
        dispersion = z2
        s = max(1, math.sqrt((variance + 0.25) * dispersion))
    else:
        s = max(1, math.sqrt((old_variance + 0.25) * old_dispersion))
        dispersion += g * (min(z2, 10 * max(dispersion, 0.1)) - dispersion)
        variance += g * (min(y2, 5 * (variance + 0.25)) - variance)
        level += g * ybar
    typical = max(level**2 / 4 - 0.375, 0)
    hours = []
    for h in range(24):
        start = deviations[h] if deviations else 2 * math.sqrt(typical * share[4 * h] + 0.375) - level
        good = [w for w in range(4 * h, 4 * h + 4) if ok[w]]
        if good:
            start += g * (sum(y[w] for w in good) / len(good) - ybar)
        hours.append(start)
    hourly_z2 = []
    for h in range(24):
        windows = range(4 * h, 4 * h + 4)
        if all(ok[w] for w in windows):
            c4, e4 = sum(counts[w] for w in windows), sum(expected[w] for w in windows)
            hourly_z2.append(min((2 * math.sqrt(c4 + 0.375) - 2 * math.sqrt(e4 + 0.375)) / s, 12) ** 2)
    if hourly_z2:
        m = sum(hourly_z2) / len(hourly_z2)
        spread = m if age == 0 else spread + g * (min(m, 10 * max(spread, 0.1)) - spread)
    return level, hours if typical >= 0.5 else None, variance, dispersion, spread


def scalar_row(rows, k):
    deviations = None if np.isnan(rows.hour_deviation[k, 0]) else rows.hour_deviation[k].tolist()
    return rows.level[k], deviations, rows.variance[k], rows.dispersion[k], rows.hourly_spread[k]


def assert_row(rows, k, expected):
    level, deviations, variance, dispersion, spread = scalar_row(rows, k)
    assert (deviations is None) == (expected[1] is None)
    assert [level, variance, dispersion, spread] == pytest.approx(
        [expected[0], *expected[2:]], rel=1e-9, abs=1e-12
    )
    if deviations:
        assert deviations == pytest.approx(expected[1], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_two_weeks_of_random_days_equal_the_formulas_worked_out_one_keyword_at_a_time(seed):
    random = np.random.default_rng(seed)
    means = np.array([0.0, 0.01, 0.3, 0.7, 2.0, 30.0, 4000.0])
    rows, age, traffic = default_rows(7), 0.0, None
    scalar = [scalar_row(rows, k) for k in range(7)]
    for day_number in range(14):
        season = np.repeat(random.uniform(0.3, 2.0, 24), 4)
        counts = random.poisson(means[:, None] * season * random.gamma(2.0, 0.5, (7, 96))).astype(float)
        total = counts.sum(axis=0) + 50
        if day_number % 4 == 3:
            total[20:30] = 0
            counts[:, 20:30] = 0
        day = day_traffic(total, traffic)
        scalar = [
            slow_fit(counts[k].tolist(), day.ratio.tolist(), day.hour_share.tolist(), scalar[k], age)
            for k in range(7)
        ]
        rows = fit_day(counts, day, rows, age)
        traffic = learn_traffic(traffic, total, day.learned_days)
        age = traffic.history_days
        for k in range(7):
            assert_row(rows, k, scalar[k])


def test_a_keyword_gets_the_same_row_in_any_batch():
    random = np.random.default_rng(4)
    counts = random.poisson(3.0, (50, 96)).astype(float)
    together = fit_day(counts, FLAT, default_rows(50), 0)
    alone = fit_day(counts[17:18], FLAT, default_rows(1), 0)
    for name in ("level", "dispersion", "hourly_spread"):
        assert getattr(together, name)[17] == getattr(alone, name)[0]
    assert together.hour_deviation[17].tolist() == alone.hour_deviation[0].tolist()


def test_on_the_first_day_the_typical_count_is_the_days_own():
    rows = fit_day(np.full((1, 96), 12.0), FLAT, default_rows(1), 0)
    assert rows.typical_posts[0] == pytest.approx(12.0)
    assert (rows.variance[0], rows.dispersion[0], rows.hourly_spread[0]) == pytest.approx(
        (0.0, 0.0, 0.0), abs=1e-12
    )


def test_zero_spread_stays_finite_and_the_scale_at_one():
    steady = fit_day(np.full((1, 96), 12.0), FLAT, default_rows(1), 0)
    rows = fit_day(np.full((1, 96), 12.0), FLAT, steady, 1.0)
    assert np.isfinite(rows.hour_deviation).all()
    assert rows.variance[0] == pytest.approx(0.0)


def test_windows_of_an_outage_do_not_update_the_baseline():
    rows = fit_day(np.full((1, 96), 20.0), FLAT, default_rows(1), 0)
    counts, ratio = np.full((1, 96), 20.0), np.ones(96)
    counts[0, 40:52], ratio[40:52] = 0.0, 0.0
    after = fit_day(counts, DayTraffic(ratio, np.ones(96)), rows, 1.0)
    assert after.typical_posts[0] == pytest.approx(20.0)
    assert after.hour_deviation[0] == pytest.approx(np.zeros(24))
    assert after.variance[0] == pytest.approx(0.0)


def test_a_day_that_is_one_outage_changes_no_row():
    rows = fit_day(np.full((2, 96), 20.0), FLAT, default_rows(2), 0)
    assert fit_day(np.zeros((2, 96)), DayTraffic(np.zeros(96), np.ones(96)), rows, 1.0) is rows


def test_growth_of_the_platform_does_not_update_the_baseline_of_a_keyword():
    rows = fit_day(np.full((1, 96), 20.0), FLAT, default_rows(1), 0)
    tripled = fit_day(np.full((1, 96), 60.0), DayTraffic(np.full(96, 3.0), np.ones(96)), rows, 1.0)
    assert tripled.typical_posts[0] == pytest.approx(20.0)


def test_a_burst_at_most_doubles_the_smallest_anomalous_count_and_is_forgotten_in_a_week():
    random = np.random.default_rng(5)
    rows, age = default_rows(1), 0.0
    for _ in range(20):
        rows = fit_day(random.poisson(5.0, (1, 96)).astype(float), FLAT, rows, age)
        age += 1.0
    before = smallest_anomaly(rows)
    burst = random.poisson(5.0, (1, 96)).astype(float)
    burst[0, 48:56] = 800.0
    rows = fit_day(burst, FLAT, rows, age)
    assert before < smallest_anomaly(rows) <= 2.2 * before
    for _ in range(10):
        age += 1.0
        rows = fit_day(random.poisson(5.0, (1, 96)).astype(float), FLAT, rows, age)
    assert smallest_anomaly(rows) <= 1.3 * before


def smallest_anomaly(rows: KeywordRows) -> float:
    scale = max(1.0, float(np.sqrt((rows.variance[0] + 0.25) * rows.dispersion[0])))
    return float(smallest_anomalous_posts(float(rows.typical_posts[0]), scale, rule_for(4.5, 10)))


def test_a_new_word_starts_with_zeros_for_the_days_before_it():
    counts = np.zeros((1, 96))
    counts[0, :48] = 8.0
    rows = fit_day(counts, FLAT, default_rows(1), 29.0)
    gain = 1 - 2 ** (-1 / 7)
    mean_root = (2 * math.sqrt(8.375) - 2 * math.sqrt(0.375)) / 2
    assert rows.level[0] == pytest.approx(2 * math.sqrt(0.375) + gain * mean_root)


@pytest.mark.parametrize(("posts_a_window", "has_profile"), [(0.4, False), (0.6, True)])
def test_an_hour_profile_is_kept_from_half_a_post_a_window(posts_a_window, has_profile):
    level = 2 * math.sqrt(posts_a_window + 0.375)
    rows = KeywordRows(np.array([level]), np.full((1, 24), np.nan), np.ones(1), np.ones(1), np.ones(1))
    after = fit_day(np.full((1, 96), posts_a_window), FLAT, rows, 9.0)
    assert after.has_profile.tolist() == [has_profile]


def test_a_rare_word_unseen_for_28_days_may_go_and_no_other():
    level = np.array([1.2247, 1.2247, 3.0])
    rows = KeywordRows(level, np.full((3, 24), np.nan), np.zeros(3), np.ones(3), np.ones(3))
    assert forgettable(rows, np.array([28, 27, 28])).tolist() == [True, False, False]


def test_traffic_is_a_plain_mean_in_the_first_week_and_then_forgets_half_in_a_week():
    week = Traffic(np.full(24, 100.0), 6.0)
    assert learn_traffic(week, np.full(96, 170.0), 1.0).expected_posts[5] == pytest.approx(110.0)
    traffic = Traffic(np.full(24, 100.0), 60.0)
    for _ in range(7):
        traffic = learn_traffic(traffic, np.zeros(96), 1.0)
    assert traffic.expected_posts[5] == pytest.approx(50.0)


def test_the_ratio_of_a_window_is_its_traffic_over_that_of_its_hour():
    traffic = Traffic(np.repeat([100.0, 300.0], 12), 3.0)
    day = day_traffic(np.full(96, 150.0), traffic)
    assert (day.ratio[0], day.ratio[95]) == (1.5, 0.5)
    assert (day.hour_share[0], day.hour_share[95]) == (0.5, 1.5)


def test_an_hour_without_expected_posts_has_ratio_and_share_one_with_posts_and_is_an_outage_without():
    traffic = Traffic(np.repeat([0.0, 300.0], 12), 1.0)
    posts = np.full(96, 150.0)
    posts[1] = 0.0
    day = day_traffic(posts, traffic)
    assert (day.ratio[0], day.hour_share[0], day.ratio[1]) == (1.0, 1.0, 0.0)
    assert day.ok[:3].tolist() == [True, False, True]
