"""Clock changes: false alerts of habits that move by an hour of UTC, and bursts that are found meanwhile.

Each of 400 words is posted 3 to 20 times as often in one or two hours of the day. Its habit, and the traffic,
come an hour earlier from 1 o'clock UTC on the day of the change. Half of a habit moves if half of the people
live elsewhere.
"""

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np

from benchmarks.accuracy.tables import new_console, new_table
from detection.arrays import Floats, Integers
from detection.clock_changes import judge_by_clocks
from detection.clocks import Clocks, clocks, moved
from detection.day_counts import DayCounts
from detection.learn import KeywordRows, as_stored, default_rows, fit_day
from detection.score import rule_for
from detection.seasonality import WINDOWS
from detection.traffic_baseline import Traffic, day_traffic, following_clocks, learn_traffic

WORDS, HISTORY_DAYS, DAYS_AFTER = 400, 36, 14
BURST = 30
CHANGE = date(2026, 3, 29)
"""The day of a change in Europe; three weeks before it clocks changed in North America."""
MOVING = {"all of it": 1.0, "half of it": 0.5, "nothing": 0.0}
DISPERSIONS = (0.05, 0.2)
SHOWN_DAYS = (-1, 0, 1, 2, 4, 6, 13)
_PLATFORM_POSTS, _PLATFORM_SWING, _BEFORE = 50_000.0, 0.5, 3


@dataclass(frozen=True)
class ByDay:
    """What was found on a day, in days after the change."""

    false_alerts: int
    """Words with an anomaly."""
    found: float
    """Share of bursts of 30 posts that are found in the hour before the moved habit."""


def after_change(
    moving: float, dispersion: float, threshold: float, seed: int, *, known: bool
) -> dict[int, ByDay]:
    """Return what is found by day if the share `moving` of a habit moves; `known`: with the rule for it."""
    random = np.random.default_rng(seed)
    rate = np.exp(random.uniform(np.log(1), np.log(30), WORDS))
    lift, hours, peak = (
        random.uniform(3, 20, WORDS),
        random.integers(1, 3, WORDS),
        random.integers(0, 24, WORDS),
    )
    habits = _habits(lift, hours, peak)
    rows, traffic = default_rows(WORDS), None
    before, total_before = np.zeros((WORDS, _BEFORE)), np.zeros(_BEFORE)
    found: dict[int, ByDay] = {}
    for number in range(HISTORY_DAYS + DAYS_AFTER):
        day = CHANGE + timedelta(days=number - HISTORY_DAYS)
        changes = clocks(day - timedelta(days=1), day) if known and traffic else Clocks()
        has_changed = np.arange(WINDOWS) >= 4 if day == CHANGE else np.full(WINDOWS, day > CHANGE)
        share = moving * has_changed.astype(float)
        season = _moving(_platform_hours(), share) * (1.2 if day.weekday() >= 5 else 1.0)
        mean = rate[:, None] * _moving(habits, share) * season
        posts = random.poisson(mean * random.gamma(1 / dispersion, dispersion, mean.shape)).astype(float)
        total = random.poisson(_PLATFORM_POSTS * season).astype(float)
        if traffic is not None and number - HISTORY_DAYS >= SHOWN_DAYS[0]:
            counts = DayCounts(posts, before, total, total_before)
            found[number - HISTORY_DAYS] = _judged(counts, rows, traffic, threshold, changes, peak)
        followed = following_clocks(traffic, total, changes) if traffic else None
        exposure = day_traffic(total, followed, clocks=changes)
        rows = as_stored(fit_day(posts, exposure, rows, float(number)))
        traffic = learn_traffic(followed, total, exposure.learned_days, clocks=changes)
        before, total_before = posts[:, -_BEFORE:], total[-_BEFORE:]
    return found


def _judged(
    counts: DayCounts, rows: KeywordRows, traffic: Traffic, threshold: float, changes: Clocks, peak: Integers
) -> ByDay:
    rule = rule_for(threshold, 10)
    usual = judge_by_clocks(changes.unlearned, counts, rows, traffic, rule)
    at = np.arange(WORDS), (peak - 2) % 24 * 4 + 1
    posts = counts.posts.copy()
    posts[at] += BURST
    burst = judge_by_clocks(
        changes.unlearned,
        DayCounts(posts, counts.before, counts.total, counts.total_before),
        rows,
        traffic,
        rule,
    )
    return ByDay(
        false_alerts=int(usual.verdicts.anomalous.any(axis=1).sum()),
        found=float(burst.verdicts.anomalous[at].mean()),
    )


def _habits(lift: Floats, hours: Integers, peak: Integers) -> Floats:
    """Return the factors on the rate of each word by hour [K, 24]."""
    factors = np.ones((len(lift), 24))
    for later in range(2):
        some = np.flatnonzero(hours > later)
        factors[some, (peak[some] + later) % 24] = lift[some]
    return factors


def _platform_hours() -> Floats:
    hours: Floats = 1 + _PLATFORM_SWING * np.sin((np.arange(24) + 0.5 - 14) * np.pi / 12)
    return hours


def _moving(by_hour: Floats, share: Floats) -> Floats:
    """Return factors by hour [..., 24] as factors by window [..., 96], of which `share` has moved."""
    old, new = np.repeat(by_hour, 4, axis=-1), np.repeat(moved(by_hour, 1), 4, axis=-1)
    mixed: Floats = old * (1 - share) + new * share
    return mixed


def show_clocks(seed: int) -> None:
    """Print false alerts and found bursts by day after a clock change, without and with the rule for it."""
    console = new_console()
    for figure in ("words with a false alert", f"bursts of {BURST} posts found"):
        table = new_table(
            f"Days after a clock change, {WORDS} words with a daily habit, threshold 4.5: {figure}",
            "dispersion, what moves",
            "rule",
            *map(str, SHOWN_DAYS),
        )
        for dispersion in DISPERSIONS:
            for name, moving in MOVING.items():
                for known in (False, True):
                    by_day = after_change(moving, dispersion, 4.5, seed, known=known)
                    cells = [
                        f"{by_day[day].found:.2f}" if "bursts" in figure else f"{by_day[day].false_alerts}"
                        for day in SHOWN_DAYS
                    ]
                    table.add_row(f"{dispersion:g}, {name}", "clocks" if known else "none", *cells)
        console.print(table)
