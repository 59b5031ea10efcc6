"""Laws of labels: each has its one effect on the next fit, and no other."""

import numpy as np
import pytest

from detection.day_counts import DayCounts
from detection.judge_day import judge_day
from detection.labels import Label, LabelledAlert, fit_labelled
from detection.learn import KeywordRows, default_rows, fit_day
from detection.score import rule_for, scale, smallest_anomalous_posts
from detection.traffic_baseline import DayTraffic, Traffic

DAY = DayTraffic(np.ones(96), np.ones(96))
ANOMALY_RULE = rule_for(4.5, 10)
BURST = (40, 41, 42, 43)
STEADY = Traffic(np.full(24, 1_000.0), 7.0)


def a_word(posts: float, *, days: int = 7) -> KeywordRows:
    """The row after days of Poisson traffic."""
    rng = np.random.default_rng(4)
    rows = default_rows(1)
    for age in range(days):
        rows = fit_day(rng.poisson(posts, (1, 96)).astype(float), DAY, rows, float(age))
    return rows


def a_burst(usual: float, height: float) -> np.ndarray:
    counts = np.random.default_rng(5).poisson(usual, (1, 96)).astype(float)
    counts[0, BURST] = height
    return counts


def threshold_ratio(counts: np.ndarray, rows: KeywordRows) -> float:
    day = DayCounts(counts, np.zeros((1, 3)), np.full(96, 1_000.0), np.full(3, 1_000.0))
    return float(judge_day(day, rows, STEADY, ANOMALY_RULE).verdicts.threshold_ratio.max())


def smallest(rows: KeywordRows) -> float:
    return float(
        smallest_anomalous_posts(rows.typical_posts, scale(rows.variance, rows.dispersion), ANOMALY_RULE)[0]
    )


@pytest.mark.parametrize("label", [Label.REAL, Label.SPAM])
def test_a_burst_that_was_real_or_spam_does_not_raise_the_smallest_anomalous_count(label: Label) -> None:
    before, counts = a_word(5.0), a_burst(5.0, 120.0)
    unlabelled = fit_day(counts, DAY, before, 7.0)
    labelled = fit_labelled(counts, DAY, before, 7.0, LabelledAlert(label, BURST, 5.0))
    assert smallest(unlabelled) > 1.15 * smallest(before)
    assert smallest(labelled) == pytest.approx(smallest(before), rel=0.1)


def test_an_expected_burst_is_expected_in_its_hour_the_next_day() -> None:
    before, counts = a_word(5.0), a_burst(5.0, 120.0)
    unlabelled = fit_day(counts, DAY, before, 7.0)
    labelled = fit_labelled(counts, DAY, before, 7.0, LabelledAlert(Label.EXPECTED, BURST, 5.0))
    assert threshold_ratio(counts, unlabelled) > 1.0
    assert threshold_ratio(counts, labelled) < 0.5
    elsewhere = np.delete(np.arange(24), 10)
    assert (labelled.hour_deviation[0, elsewhere] == unlabelled.hour_deviation[0, elsewhere]).all()
    assert labelled.level == unlabelled.level


def test_a_new_normal_is_the_level_from_the_next_day_on() -> None:
    before, counts = a_word(5.0), a_burst(5.0, 120.0)
    counts[0, 40:] = 120.0
    labelled = fit_labelled(
        counts, DAY, before, 7.0, LabelledAlert(Label.NEW_NORMAL, tuple(range(40, 96)), 5.0)
    )
    assert labelled.typical_posts[0] == pytest.approx(120.0, rel=0.15)
    unlabelled, next_day = fit_day(counts, DAY, before, 7.0), np.full((1, 96), 120.0)
    assert threshold_ratio(next_day, labelled) < 1.0 < threshold_ratio(next_day, unlabelled)


def test_a_word_in_the_wrong_sense_is_no_anomaly_at_the_same_height_again() -> None:
    before, counts = a_word(5.0), a_burst(5.0, 60.0)
    height = threshold_ratio(counts, before)
    labelled = fit_labelled(counts, DAY, before, 7.0, LabelledAlert(Label.WRONG_SENSE, BURST, height))
    assert height > 1.0
    assert threshold_ratio(counts, labelled) < 1.0
    assert threshold_ratio(a_burst(5.0, 600.0), labelled) > 1.0
