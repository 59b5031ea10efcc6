"""Aftermath of a burst: by how much it raises the smallest anomalous count, and which false alerts follow."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.worlds import NoiseWorld, make_words, platform_posts
from detection.arrays import Floats
from detection.day_counts import DayCounts
from detection.judge_day import judge_day
from detection.learn import KeywordRows, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import AnomalyRule, scale, smallest_anomalous_posts
from detection.seasonality import WINDOWS
from detection.tracker import AlertTracker, TrackedAlert
from detection.traffic_baseline import day_traffic, learn_traffic

BURST_DAY, DAYS = 21, 36
BURST_FACTOR = 20.0
_BEFORE = 3


@dataclass(frozen=True)
class Aftermath:
    """Medians over the seeds."""

    usual: float
    """Smallest anomalous count on the day of the burst."""
    grown: dict[int, float]
    """Factor by which it is higher, by days after the burst."""
    false_alerts: int
    """Alerts in the 14 days after the burst, all seeds together."""
    usual_false_alerts: int
    """The same without the burst."""


def after_burst(
    world: NoiseWorld, rate: float, hours: int, seeds: int, rule: AnomalyRule, seed: int
) -> Aftermath:
    """Give words at `rate` posts a window 20 times as many for `hours` hours after three weeks of history."""
    smallest, false_alerts = _simulate(world, rate, hours, seeds, rule, seed)
    _, usual_false_alerts = _simulate(world, rate, 0, seeds, rule, seed)
    usual = smallest[BURST_DAY]
    grown = {later: float(np.median(smallest[BURST_DAY + later] / usual)) for later in (1, 7, 14)}
    return Aftermath(float(np.median(usual)), grown, false_alerts, usual_false_alerts)


def _simulate(
    world: NoiseWorld, rate: float, hours: int, seeds: int, rule: AnomalyRule, seed: int
) -> tuple[dict[int, Floats], int]:
    """Return the smallest anomalous counts [S] by day, and the alerts that opened after the burst's day."""
    random = np.random.default_rng([seed, round(rate * 1_000)])
    words = make_words(world, np.full(seeds, rate), random)
    rows, traffic, tracker = default_rows(seeds), None, AlertTracker(LifecycleRule())
    before, total_before = np.zeros((seeds, _BEFORE)), np.zeros(_BEFORE)
    smallest, false_alerts = {}, 0
    for day in range(DAYS):
        smallest[day] = _smallest(rows, rule)
        total = platform_posts(world, day, random)
        posts = words.counts(day, random)
        if day == BURST_DAY and hours:
            begin = 0 if hours == 24 else WINDOWS // 2
            posts[:, begin : begin + hours * 4] = np.round(posts[:, begin : begin + hours * 4] * BURST_FACTOR)
        if day >= BURST_DAY:
            verdicts = judge_day(DayCounts(posts, before, total, total_before), rows, traffic, rule).verdicts
            false_alerts += _opened_after(tracker.add_day(np.arange(seeds), day * WINDOWS, posts, verdicts))
            false_alerts += _opened_after(tracker.close((day + 1) * WINDOWS))
        exposure = day_traffic(total, traffic)
        rows = fit_day(posts, exposure, rows, float(day))
        traffic = learn_traffic(traffic, total, exposure.learned_days)
        before, total_before = posts[:, -_BEFORE:], total[-_BEFORE:]
    return smallest, false_alerts + _opened_after(tracker.running())


def _opened_after(alerts: Iterable[tuple[int, TrackedAlert]]) -> int:
    """Count the alerts that opened after the burst's day; the burst's own alert may end later."""
    return sum(alert.opened >= (BURST_DAY + 1) * WINDOWS for _, alert in alerts)


def _smallest(rows: KeywordRows, rule: AnomalyRule) -> Floats:
    bound: Floats = smallest_anomalous_posts(rows.typical_posts, scale(rows.variance, rows.dispersion), rule)
    return bound
