"""Laws of fitting a batch: sparse counts and earlier rows in Arrow in, rows of the table out."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from batch.statistics.fit import fit_batch as fit
from batch.statistics.keyword_batch import dense, keyword_batch
from detection.learn import default_rows, fit_day
from detection.traffic_baseline import DayTraffic, Traffic

FLAT = DayTraffic(ratio=np.ones(96), hour_share=np.ones(96))
DAY = date(2026, 1, 29)


def a_batch(
    keyword="snow",
    *,
    windows=None,
    posts=None,
    level=None,
    hour_deviation=None,
    variance=None,
    dispersion=None,
    last_seen=None,
):
    return pa.record_batch(
        {
            "keyword": [keyword],
            "windows": pa.array([windows], pa.list_(pa.int32())),
            "posts": pa.array([posts], pa.list_(pa.int32())),
            "authors": pa.array([posts], pa.list_(pa.int64())),
            "level": pa.array([level], pa.float32()),
            "hour_deviation": pa.array([hour_deviation], pa.list_(pa.float32())),
            "variance": pa.array([variance], pa.float32()),
            "dispersion": pa.array([dispersion], pa.float32()),
            "hourly_spread": pa.array([dispersion], pa.float32()),
            "last_seen": pa.array([last_seen], pa.date32()),
        }
    )


def fit_batch(batch, age=9.0, *, day=DAY, same_rule=True):
    before = Traffic(np.ones(24), age, same_rule)
    return fit(keyword_batch(batch), day=day, traffic=FLAT, before=before, labelled={})


def test_a_keyword_seen_only_in_the_lookback_is_not_a_keyword_of_the_day():
    batch = a_batch(windows=[-3, -1], posts=[7, 2])
    assert fit_batch(batch).num_rows == 0


def test_a_keyword_that_an_older_rule_did_not_count_begins_its_history_with_the_day():
    batch = a_batch(windows=list(range(96)), posts=[40] * 96)
    fitted = fit_batch(batch, same_rule=False).to_pylist()[0]
    assert fitted["level"] == pytest.approx(2 * np.sqrt(40.375))
    known = a_batch(
        windows=list(range(96)), posts=[40] * 96, level=2.0, variance=0.1, dispersion=1.0, last_seen=DAY
    )
    for same_rule in (False, True):
        fitted = fit_batch(known, same_rule=same_rule).to_pylist()[0]
        assert 2 < fitted["level"] < 4


def test_a_new_keyword_is_fitted_from_the_default_row():
    batch = a_batch(windows=[0, 95], posts=[7, 2])
    fitted = fit_batch(batch).to_pylist()[0]
    counts = np.zeros((1, 96))
    counts[0, 0], counts[0, 95] = 7, 2
    expected = fit_day(counts, FLAT, default_rows(1), 9.0)
    assert fitted["as_of"] == DAY
    assert fitted["last_seen"] == DAY
    assert fitted["hour_deviation"] is None
    assert fitted["level"] == pytest.approx(expected.level[0], rel=1e-6)
    assert fitted["dispersion"] == pytest.approx(expected.dispersion[0], rel=1e-6)


def test_an_unseen_keyword_keeps_the_day_it_was_seen_last_and_counts_as_zeros():
    batch = a_batch(level=3.0, variance=1.0, dispersion=1.0, last_seen=date(2026, 1, 20))
    fitted = fit_batch(batch).to_pylist()[0]
    assert fitted["last_seen"] == date(2026, 1, 20)
    assert fitted["level"] < 3.0


def test_a_rare_keyword_unseen_for_28_days_is_dropped():
    batch = a_batch(level=1.2247, variance=0.0, dispersion=1.0, last_seen=date(2026, 1, 1))
    assert fit_batch(batch, 40.0).num_rows == 0
    assert fit_batch(batch, 40.0, day=date(2026, 1, 28)).num_rows == 1


def test_an_hour_profile_is_written_as_a_postgres_array_of_24_numbers():
    batch = a_batch(
        windows=list(range(96)),
        posts=[4] * 96,
        level=4.183300,
        hour_deviation=[0.5] * 24,
        variance=1.0,
        dispersion=1.0,
    )
    text = fit_batch(batch).to_pylist()[0]["hour_deviation"]
    numbers = [float(number) for number in text.strip("{}").split(",")]
    assert text[0] + text[-1] == "{}"
    assert len(numbers) == 24
    assert numbers == pytest.approx([0.5] * 24)


def test_an_empty_batch_gives_an_empty_batch():
    assert fit_batch(a_batch().slice(0, 0), 1.0).num_rows == 0


def test_counts_of_several_keywords_go_to_their_own_rows():
    windows = pa.array([None, [1], [0, 95]], pa.list_(pa.int32()))
    posts = pa.array([None, [5], [3, 4]], pa.list_(pa.int32()))
    counts = dense(windows, posts, np.zeros((3, 99)))
    assert counts[0].sum() == 0.0
    assert (counts[1, 4], counts[2, 3], counts[2, 98]) == (5.0, 3.0, 4.0)
    assert counts.sum() == 12.0
