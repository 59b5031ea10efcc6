"""Laws of a budget of alerts a day: its threshold in simulated days, and its candidate windows."""

from datetime import date

import numpy as np
import pyarrow as pa
import pytest

from batch.statistics.candidates import candidate_windows
from batch.statistics.keyword_batch import KeywordBatch
from detection.budget import CandidateWindows, alerts_at, threshold_within
from detection.day_counts import DayCounts
from detection.judge_day import judge_day
from detection.learn import KeywordRows, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.traffic_baseline import Traffic, day_traffic

RULE = LifecycleRule()
WORDS, DAYS = 3_000, 5
STEADY = Traffic(np.full(24, 5_000.0), 14.0)
TOTAL = np.full(99, 5_000.0)


@pytest.fixture(scope="module")
def week() -> tuple[CandidateWindows, list[tuple[KeywordRows, np.ndarray]]]:
    """Candidates of some days of noisy words (dispersion 1), and those days with the rows before them."""
    rng = np.random.default_rng(6)
    rates = rng.pareto(1.0, WORDS) * 0.5
    rows, days, kept = default_rows(WORDS), [], []
    keyword = pa.array([f"word{number}" for number in range(WORDS)])
    traffic = day_traffic(TOTAL[3:], STEADY)
    for number in range(7 + DAYS):
        counts = rng.poisson(rates[:, None] * rng.gamma(1.0, 1.0, (WORDS, 99))).astype(float)
        if number >= 7:
            days.append((rows, counts))
            authors = np.full((WORDS, 99), -1, np.int64)
            known, last_seen = np.ones(WORDS, bool), np.zeros(WORDS, np.int64)
            batch = KeywordBatch(keyword, counts, authors, rows, known, last_seen)
            day = date(2026, 1, 1 + number)
            kept.append(
                candidate_windows(
                    batch, day=day, traffic=STEADY, total_posts=TOTAL, anomaly_rule=rule_for(4.25, 10)
                )
            )
        rows = fit_day(counts[:, 3:], traffic, rows, float(number))
    table = pa.Table.from_batches(kept)
    figures = {
        name: table[name].to_numpy().astype(float)
        for name in table.column_names
        if name not in ("day", "keyword", "number")
    }
    return CandidateWindows(
        keyword=table["keyword"].to_pylist(), number=table["number"].to_numpy().astype(np.int64), **figures
    ), days


def test_candidates_include_every_anomaly_of_every_higher_threshold(week) -> None:
    candidates, days = week
    for threshold in (4.25, 5.0, 6.5):
        anomalous = 0
        for rows, counts in days:
            day = DayCounts(counts[:, 3:], counts[:, :3], TOTAL[3:], TOTAL[:3])
            verdicts = judge_day(day, rows, STEADY, rule_for(threshold, 10)).verdicts
            anomalous += int(verdicts.anomalous.any(axis=1).sum())
        opened = alerts_at(candidates, threshold, min_posts=10, rule=RULE)
        assert 0 < opened <= anomalous * 4


def test_the_threshold_is_the_smallest_within_the_budget(week) -> None:
    candidates, _ = week
    for alerts in (5.0, 20.0, 60.0):
        found = threshold_within(candidates, alerts=alerts, min_posts=10, rule=RULE)
        assert found.alerts == alerts_at(candidates, found.threshold, min_posts=10, rule=RULE) <= alerts
        assert alerts_at(candidates, round(found.threshold - 0.05, 2), min_posts=10, rule=RULE) > alerts


def test_an_unlimited_budget_gives_the_lowest_threshold_and_an_impossible_one_the_highest(
    week,
) -> None:
    candidates, _ = week
    assert threshold_within(candidates, alerts=1e9, min_posts=10, rule=RULE).threshold == 4.25
    assert threshold_within(candidates, alerts=-1, min_posts=10, rule=RULE).threshold == 8.0
