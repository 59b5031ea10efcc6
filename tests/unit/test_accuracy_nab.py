"""Laws of the Numenta Anomaly Benchmark's scoring, from its definition; and the score on the real series."""

import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.accuracy.nab import blind_clock, detectors, load_folder, predecessor, total, with_cool_down
from benchmarks.accuracy.nab_score import (
    LOW_FALSE_NEGATIVES,
    LOW_FALSE_POSITIVES,
    PROFILES,
    STANDARD,
    SeriesScore,
    score_series,
)
from core.errors import BadInputError, NotReadyError

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "counts"
TIMES = np.datetime64("2015-03-01T00:00:00") + np.arange(1_000) * np.timedelta64(300, "s")
FIRST, SECOND = (TIMES[200], TIMES[299]), (TIMES[600], TIMES[699])


def score(
    *hits: int, windows: tuple[tuple[np.datetime64, np.datetime64], ...] = (FIRST, SECOND)
) -> SeriesScore:
    detected = np.zeros(len(TIMES), dtype=bool)
    detected[list(hits)] = True
    return score_series(TIMES, detected, windows)


def test_a_detector_at_the_left_edges_is_perfect_and_one_that_never_detects_scores_zero() -> None:
    perfect, nothing = score(200, 600), score()
    assert [perfect.normalised(profile) for profile in PROFILES] == pytest.approx([100.0] * 3)
    assert [nothing.normalised(profile) for profile in PROFILES] == [0.0] * 3
    assert (nothing.raw["standard"], nothing.raw["reward_low_FN_rate"]) == (-2.0, -4.0)


def test_a_window_is_worth_less_the_later_it_is_found_and_its_middle_has_the_defined_value() -> None:
    values = [score(hit, 600).raw["standard"] for hit in (200, 225, 250, 275, 299)]
    assert values == sorted(values, reverse=True)
    middle = (2 / (1 + math.exp(-2.5)) - 1) / (2 / (1 + math.exp(-5)) - 1)
    assert values[2] - 1 == pytest.approx(middle)


def test_only_the_earliest_detection_in_a_window_counts() -> None:
    assert score(230, 231, 290).raw == score(230).raw


def test_a_detection_before_all_windows_costs_the_whole_weight_and_so_does_one_long_after() -> None:
    assert score(200, 600, 160).raw["standard"] == pytest.approx(2 - 0.11)
    assert score(200, 600, 599).raw["standard"] == pytest.approx(2 - 0.11, abs=1e-6)
    assert score(200, 600, 160).raw["reward_low_FP_rate"] == pytest.approx(2 - 0.22)


def test_a_detection_just_after_a_window_costs_little_and_one_a_width_after_nearly_all() -> None:
    assert score(200, 600, 300).raw["standard"] == pytest.approx(2 - 0.11 * (1 - 2 / (1 + math.exp(5 / 99))))
    assert score(200, 600, 299 + 99).raw["standard"] == pytest.approx(2 - 0.11 * 0.98661, abs=1e-5)


def test_a_missed_window_costs_its_weight_in_each_profile() -> None:
    missed = score(200)
    profiles = (STANDARD, LOW_FALSE_POSITIVES, LOW_FALSE_NEGATIVES)
    assert [missed.normalised(profile) for profile in profiles] == pytest.approx([50.0] * 3)
    assert (missed.found, missed.windows) == (1, 2)


def test_nothing_counts_in_the_first_fifteen_percent() -> None:
    early = (TIMES[20], TIMES[119])
    assert score(10, 30, 149, windows=(early,)).raw["standard"] == 0.0
    assert (score(10, windows=(early,)).windows, score(10, windows=(early,)).false_alerts) == (0, 0)
    assert score(150, windows=(FIRST,)).false_alerts == 1


def test_a_window_that_reaches_out_of_probation_is_found_only_after_it() -> None:
    reaching = (TIMES[100], TIMES[199])
    assert score(140, windows=(reaching,)).found == 0
    assert score(160, windows=(reaching,)).found == 1


def test_scores_of_series_add_up_before_they_are_normalised() -> None:
    assert (score(200, 600) + score()).normalised(STANDARD) == pytest.approx(50.0)


def test_a_label_that_is_not_a_row_of_the_series_is_rejected() -> None:
    with pytest.raises(BadInputError, match="does not begin and end at rows"):
        score(windows=((np.datetime64("2015-03-01T00:00:01"), TIMES[30]),))


def test_a_day_passes_between_two_detections_that_count() -> None:
    window = np.arange(300)
    assert np.flatnonzero(with_cool_down(window, np.ones(300, dtype=bool))).tolist() == [0, 96, 192, 288]


def test_a_folder_without_labels_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotReadyError, match="has no anomaly_windows"):
        load_folder(tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real series are not in ../shared/data/counts")
def test_on_the_real_series_the_rule_scores_as_designed_and_beats_its_competitors() -> None:
    series = load_folder(REAL)
    rule = {name: total(series, detector).normalised(STANDARD) for name, detector in detectors().items()}
    ours = rule.pop("Groundswell at 4.5")
    clock = total(series, lambda one: blind_clock(one, 12)).normalised(STANDARD)
    assert ours >= 79
    assert ours > max(*rule.values(), clock)


@pytest.mark.slow
@pytest.mark.skipif(not REAL.is_dir(), reason="the real series are not in ../shared/data/counts")
def test_the_predecessor_detects_nothing_before_two_whole_days() -> None:
    for one in load_folder(REAL):
        first_days = one.window // 96 < one.window[0] // 96 + 3
        assert not predecessor(one, divisor=96)[first_days].any()
