"""What a burst leaves behind: how much more it takes to alarm in the days after it, and whether anything alarms for nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.worlds import WINDOWS, NoiseWorld, make_words, platform_posts
from detection.judge_day import DayCounts, judge_day
from detection.learn import KeywordRows, day_traffic, default_rows, fit_day, learn_traffic
from detection.lifecycle import LifecycleRule
from detection.score import AnomalyRule, scale, smallest_anomalous_posts
from detection.tracker import AlertTracker, TrackedAlert
from detection.verdicts import Floats

BURST_DAY, DAYS = 21, 36
BURST_FACTOR = 20.0
_BEFORE = 3


@dataclass(frozen=True)
class Aftermath:
    """Medians over the seeds."""

    usual: float
    """Smallest alarming count on the day of the burst."""
    grown: dict[int, float]
    """By what factor it is higher so many days later."""
    false_alerts: int
    """Alerts on the 14 days after, all seeds together."""
    usual_false_alerts: int
    """The same without the burst."""


def after_burst(
    world: NoiseWorld, rate: float, hours: int, seeds: int, rule: AnomalyRule, seed: int
) -> Aftermath:
    """Words at `rate` posts a window get twenty times as many for `hours` hours, after three weeks of history."""
    smallest, false_alerts = _simulate(world, rate, hours, seeds, rule, seed)
    _, usual_false_alerts = _simulate(world, rate, 0, seeds, rule, seed)
    usual = smallest[BURST_DAY]
    grown = {later: float(np.median(smallest[BURST_DAY + later] / usual)) for later in (1, 7, 14)}
    return Aftermath(float(np.median(usual)), grown, false_alerts, usual_false_alerts)


def _simulate(
    world: NoiseWorld, rate: float, hours: int, seeds: int, rule: AnomalyRule, seed: int
) -> tuple[dict[int, Floats], int]:
    """The smallest alarming counts [S] by day, and the alerts that opened after the burst's day."""
    random = np.random.default_rng([seed, round(rate * 1_000)])
    words = make_words(world, np.full(seeds, rate), random)
    rows, traffic, book = default_rows(seeds), None, AlertTracker(LifecycleRule())
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
            false_alerts += _opened_after(book.take(np.arange(seeds), day * WINDOWS, posts, verdicts))
            false_alerts += _opened_after(book.close((day + 1) * WINDOWS))
        exposure = day_traffic(total, traffic)
        rows = fit_day(posts, exposure, rows, float(day))
        traffic = learn_traffic(traffic, total, exposure.learned_days)
        before, total_before = posts[:, -_BEFORE:], total[-_BEFORE:]
    return smallest, false_alerts + _opened_after(book.running())


def _opened_after(alerts: Iterable[tuple[int, TrackedAlert]]) -> int:
    """Alerts that opened after the burst's day; what the burst itself opened may end later."""
    return sum(alert.opened >= (BURST_DAY + 1) * WINDOWS for _, alert in alerts)


def _smallest(rows: KeywordRows, rule: AnomalyRule) -> Floats:
    bound: Floats = smallest_anomalous_posts(rows.typical_posts, scale(rows.variance, rows.dispersion), rule)
    return bound
