"""A budget of alerts a day in a simulated world: the nightly thresholds and the alerts that they open."""

import zlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np
import pyarrow as pa

from batch.statistics.candidates import FIGURES, candidate_windows, candidates_of_table
from batch.statistics.keyword_batch import EPOCH, KeywordBatch
from benchmarks.accuracy.stationary import Exposure, WordsHistory
from benchmarks.accuracy.worlds import NoiseWorld, make_words, platform_posts, zipf_rates
from detection.arrays import Floats
from detection.budget import (
    LOWEST_THRESHOLD,
    REPLAYED_DAYS,
    CandidateWindows,
    threshold_within,
    tracked_windows,
)
from detection.lifecycle import LifecycleRule, decide
from detection.score import rule_for
from detection.seasonality import WINDOWS
from detection.tracker import TrackedWindow

BUDGETS = (1, 2, 5, 10, 20)
MIN_POSTS = 10


@dataclass(frozen=True)
class Budgeted:
    """The outcome of a budget."""

    thresholds: list[float]
    """Threshold of each judged day."""
    opened: list[int]
    """Alerts that opened on each of these days."""


def try_budgets(
    world: NoiseWorld, plan: Exposure, workers: int, budgets: Sequence[int] = BUDGETS
) -> dict[int, Budgeted]:
    """Return each budget's thresholds for `plan.scored_days` days and the alerts of those days.

    A threshold comes from the seven days before its day. The words have `plan.history_days` days of history
    before the first replayed day; nothing takes off.
    """
    firsts = range(1, plan.words + 1, plan.chunk_words)
    with ProcessPoolExecutor(workers) as pool:
        chunks = pool.map(_chunk, [(world, plan, first) for first in firsts])
        table = pa.Table.from_batches([batch for chunk in chunks for batch in chunk])
    candidates = candidates_of_table(table)
    return {budget: _follow(candidates, budget, plan) for budget in budgets}


def _chunk(task: tuple[NoiseWorld, Exposure, int]) -> list[pa.RecordBatch]:
    """Return the candidates of one chunk of words for each day after the history."""
    world, plan, first = task
    rates = zipf_rates(first, min(first + plan.chunk_words, plan.words + 1))
    own = np.random.default_rng([plan.seed, zlib.crc32(world.name.encode()), first])
    platform = np.random.default_rng([plan.seed, zlib.crc32(world.name.encode())])
    words, history = make_words(world, rates, own), WordsHistory.empty(len(rates))
    names = pa.array([f"word{first + number}" for number in range(len(rates))])
    batches = []
    for day in range(plan.history_days + REPLAYED_DAYS + plan.scored_days):
        posts, total = words.counts(day, own), platform_posts(world, day, platform)
        if day >= plan.history_days:
            batches.append(_candidates_of_day(day, names, history, posts, total))
        history.learn(posts, total)
    return batches


def _candidates_of_day(
    day: int, names: pa.Array, history: WordsHistory, posts: Floats, total: Floats
) -> pa.RecordBatch:
    """Return what the nightly fit keeps of the day; every post has an author of its own."""
    assert history.traffic is not None
    counts = np.hstack([history.before, posts])
    batch = KeywordBatch(
        keyword=names,
        counts=counts,
        authors=np.full(counts.shape, -1, dtype=np.int64),
        rows=history.rows,
        known=np.ones(len(names), dtype=bool),
        last_seen=np.zeros(len(names), dtype=np.int64),
    )
    totals = np.concatenate([history.total_before, total])
    anomaly_rule = rule_for(LOWEST_THRESHOLD, MIN_POSTS)
    return candidate_windows(
        batch,
        day=EPOCH + timedelta(days=day),
        traffic=history.traffic,
        total_posts=totals,
        anomaly_rule=anomaly_rule,
    )


def _of_days(windows: CandidateWindows, first: int, before: int) -> CandidateWindows:
    """Return the windows of the days from `first` up to, not including, `before`."""
    chosen = np.flatnonzero((windows.number >= first * WINDOWS) & (windows.number < before * WINDOWS))
    arrays = {name: getattr(windows, name)[chosen] for name in ("number", *FIGURES)}
    return replace(windows, keyword=[windows.keyword[i] for i in chosen.tolist()], **arrays)


def _follow(candidates: CandidateWindows, budget: int, plan: Exposure) -> Budgeted:
    """Set a new threshold each night, judge the next day by it, and track the alerts from day to day."""
    rule, start = LifecycleRule(), plan.history_days + REPLAYED_DAYS
    thresholds: list[float] = []
    by_keyword: dict[str, list[TrackedWindow]] = {}
    for day in range(start, start + plan.scored_days):
        week = _of_days(candidates, day - REPLAYED_DAYS, day)
        chosen = threshold_within(week, alerts=budget * REPLAYED_DAYS, min_posts=MIN_POSTS, rule=rule)
        thresholds.append(chosen.threshold)
        today = _of_days(candidates, day, day + 1)
        for keyword, windows in tracked_windows(today, chosen.threshold, min_posts=MIN_POSTS).items():
            by_keyword.setdefault(keyword, []).extend(windows)
    return Budgeted(thresholds, _opened_by_day(by_keyword.values(), rule, start, plan.scored_days))


def _opened_by_day(
    keywords: Iterable[list[TrackedWindow]], rule: LifecycleRule, first: int, days: int
) -> list[int]:
    opened = [0] * days
    for windows in keywords:
        for alert in decide(rule, None, windows, quiet_before=0):
            opened[alert.opened // WINDOWS - first] += 1
    return opened
