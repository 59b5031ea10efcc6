"""Laws of the simulated worlds and of what is measured on them, on few words."""

import numpy as np
import pytest

from benchmarks.accuracy.aftermath import after_burst
from benchmarks.accuracy.budget import try_budgets
from benchmarks.accuracy.power import Burst, find, learn_history, without_hourly_window
from benchmarks.accuracy.stationary import RULES, Exposure, count_false_alerts, exposures
from benchmarks.accuracy.worlds import WORLDS, NoiseWorld, make_words, platform_posts, zipf_rates
from detection.score import rule_for

WATCHED = rule_for(4.5, 10)
STEADY = NoiseWorld("steady", 0.1, season=False)


@pytest.mark.parametrize(("dispersion", "variance"), [(0.0, 50.0), (0.2, 50.0 + 0.2 * 50.0**2)])
def test_counts_have_the_mean_and_the_variance_of_their_world(dispersion: float, variance: float) -> None:
    random = np.random.default_rng(1)
    words = make_words(NoiseWorld("w", dispersion, season=False), np.full(500, 50.0), random)
    counts = words.counts(0, random)
    assert counts.mean() == pytest.approx(50.0, rel=0.01)
    assert counts.var() == pytest.approx(variance, rel=0.03)


def test_persistent_noise_has_its_mean_variance_and_correlation() -> None:
    random = np.random.default_rng(6)
    noise = make_words(NoiseWorld("w", 0.2, correlation=0.7), np.full(2_000, 50.0), random).noise(random)
    assert noise.mean() == pytest.approx(1.0, rel=0.01)
    assert noise.var() == pytest.approx(0.2, rel=0.05)
    before, after = np.log(noise[:, :-1]).ravel(), np.log(noise[:, 1:]).ravel()
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(0.7, abs=0.01)


def test_platform_and_words_have_hours_and_weekends() -> None:
    random = np.random.default_rng(2)
    platform = platform_posts(WORLDS[0], 0, random)
    assert platform.max() / platform.min() == pytest.approx(3.0, rel=0.05)
    assert platform_posts(WORLDS[0], 5, random).mean() == pytest.approx(1.2 * platform.mean(), rel=0.01)
    words = make_words(WORLDS[0], np.full(200, 10.0), random)
    assert (words.means(5) / words.means(4)).mean() == pytest.approx(1.2, rel=0.05)
    steady = make_words(STEADY, np.full(3, 10.0), random)
    assert steady.means(5).tolist() == np.full((3, 96), 10.0).tolist()


def test_five_percent_of_the_mixed_world_are_bursty() -> None:
    words = make_words(WORLDS[3], zipf_rates(1, 20_001), np.random.default_rng(3))
    assert (words.dispersion == 1.0).mean() == pytest.approx(0.05, abs=0.005)


@pytest.mark.slow
def test_the_same_seed_gives_the_same_false_alerts_in_one_process_and_in_two() -> None:
    plan = Exposure(words=600, history_days=3, scored_days=2, seed=4, chunk_words=200)
    one, two = (count_false_alerts(WORLDS[3], plan, workers) for workers in (1, 2))
    assert one == two
    assert one["4.5"] > 0
    assert set(RULES) <= set(one)


@pytest.mark.slow
def test_a_larger_budget_lowers_the_threshold_and_opens_more_in_one_process_as_in_two() -> None:
    plan = Exposure(words=600, history_days=3, scored_days=2, seed=4, chunk_words=200)
    one, two = (try_budgets(WORLDS[3], plan, workers, budgets=(1, 4)) for workers in (1, 2))
    assert one == two
    assert [len(one[4].thresholds), len(one[4].opened)] == [2, 2]
    assert max(one[4].thresholds) < min(one[1].thresholds)
    assert sum(one[1].opened) < sum(one[4].opened)


@pytest.mark.slow
def test_a_tripled_stream_raises_hundreds_of_false_alerts_without_the_ratio_and_none_with_it() -> None:
    found = count_false_alerts(WORLDS[0], Exposure(words=600, history_days=7, scored_days=1, seed=5), 1)
    assert (found["tripled|4.5"], found["tripled|4.5|no ratio"] > 300) == (0, True)
    assert [found[f"{exposure}|4.5"] for exposure in exposures()] == [0] * 5


def test_more_posts_are_found_more_often_and_none_are_not() -> None:
    history = learn_history(STEADY, 10.0, 100, 1)
    shares = [find(history, Burst(extra, 60), WATCHED, 1).share for extra in (0, 60, 100, 200)]
    assert shares == sorted(shares)
    assert (shares[0], shares[-1]) == (0.0, 1.0)


def test_thirty_posts_in_ten_minutes_of_a_never_seen_word_are_found_and_sooner_while_provisional() -> None:
    found = find(learn_history(STEADY, 0.0, 100, 1), Burst(30, 10), WATCHED, 1)
    assert found.share == 1.0
    assert found.median_early <= 6 < found.median_closed


@pytest.mark.parametrize("dispersion", [0.1, 0.2])
@pytest.mark.parametrize(("rate", "extra", "share"), [(0.0, 30, 0.95), (10.0, 100, 0.8), (100.0, 1_000, 0.9)])
def test_a_climb_over_an_hour_is_found_by_the_hourly_window(
    dispersion: float, rate: float, extra: int, share: float
) -> None:
    history = learn_history(NoiseWorld("steady", dispersion, season=False), rate, 400, 1)
    both = find(history, Burst(extra, 60), WATCHED, 1).share
    assert both >= share
    assert find(history, Burst(extra, 60), without_hourly_window(WATCHED), 1).share < both


def test_a_burst_in_the_history_raises_the_smallest_anomalous_count_for_a_while_only() -> None:
    after = after_burst(WORLDS[1], 10.0, 24, 50, WATCHED, 1)
    assert 2.2 > after.grown[1] > after.grown[7] > after.grown[14] > 1.0
    assert after.false_alerts == after.usual_false_alerts == 0
