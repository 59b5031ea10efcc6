"""Find candidates in a batch of keywords: the windows of a day that detection would count towards alerts."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch.statistics.keyword_batch import EPOCH, LOOKBACK_WINDOWS, KeywordBatch
from core.windows import WINDOWS_PER_DAY
from detection.arrays import Flags, Floats
from detection.authors import authors_or_infinity
from detection.budget import CandidateWindows
from detection.clock_changes import judge_by_clocks
from detection.day_counts import DayCounts
from detection.judge_day import PAST_GAP, JudgedDay
from detection.learn import KeywordRows
from detection.lifecycle import ACTIVE_THRESHOLD_RATIO
from detection.score import KEPT_POSTS, WINDOWS_PER_HOUR, AnomalyRule
from detection.traffic_baseline import Traffic

FIGURES = (
    "posts",
    "expected",
    "scale",
    "hourly_posts",
    "hourly_expected",
    "hourly_spread",
    "authors",
    "hourly_authors",
)
"""Columns of a candidate that decide whether it passes a threshold."""


@dataclass(frozen=True)
class JudgedKeywords:
    """The J keywords of a batch that were judged."""

    chosen: NDArray[np.int64]
    """Their indices in the batch [J]."""
    posts: Floats
    """Posts of the day's windows [J, 96]."""
    rows: KeywordRows
    authors: Floats
    """Estimated distinct authors of each window [J, 96]."""
    hourly_authors: Floats
    """Estimated distinct authors of the hour that ends with each window [J, 96]."""
    day: JudgedDay


def candidate_windows(
    batch: KeywordBatch,
    *,
    day: date,
    traffic: Traffic,
    total_posts: Floats,
    anomaly_rule: AnomalyRule,
    beside: Floats | float = np.inf,
    hours: tuple[int, ...] = (),
) -> pa.RecordBatch:
    """Return rows of `candidate_windows`: windows with a threshold ratio of at least a half.

    Only of keywords that have an anomaly on `day` under `anomaly_rule`. The windows are judged by the rows
    of the batch and by `traffic`, both as of the day before; `total_posts` [B + 96] are those of all
    keywords, `beside` [3 + 96] is their highest traffic ratio, `hours` are the clock changes of the day that
    its statistics do not know. Windows in hours that `traffic` does not cover
    are none, nor are those of keywords that an older keyword rule did not learn.
    """
    chosen = np.flatnonzero(may_open(batch.counts, anomaly_rule.min_posts))
    judged = judge_keywords(
        batch,
        chosen,
        traffic=traffic,
        total_posts=total_posts,
        beside=beside,
        anomaly_rule=anomaly_rule,
        hours=hours,
    )
    active: Flags = judged.day.verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO
    active &= np.repeat(traffic.covered, WINDOWS_PER_HOUR)
    if not traffic.same_rule:
        active &= batch.known[chosen, None]
    active &= np.any(judged.day.verdicts.anomalous & active, axis=1)[:, None]
    return _rows(batch, judged, day, active)


def judge_keywords(
    batch: KeywordBatch,
    chosen: NDArray[np.int64],
    *,
    traffic: Traffic | None,
    total_posts: Floats,
    anomaly_rule: AnomalyRule,
    beside: Floats | float = np.inf,
    hours: tuple[int, ...] = (),
    past_gap: int = PAST_GAP,
    planned: Flags | bool = False,
    hourly_planned: Flags | bool = False,
) -> JudgedKeywords:
    """Judge the keywords at the indices `chosen` [J] by their rows and `traffic`.

    The other arguments are those of `detection.clock_changes.judge_by_clocks`.
    """
    counts, bitmaps, lookback = batch.counts[chosen], batch.authors[chosen], batch.lookback
    authors = authors_or_infinity(bitmaps[:, lookback:])
    kept = np.where(counts >= KEPT_POSTS, bitmaps, 0)
    hourly_authors = authors_or_infinity(_hourly_bitmaps(kept[:, lookback - LOOKBACK_WINDOWS :]))
    rows = batch.rows.part(chosen)
    judged = judge_by_clocks(
        hours,
        DayCounts(
            posts=counts[:, lookback:],
            before=counts[:, :lookback],
            total=total_posts[lookback:],
            total_before=total_posts[:lookback],
        ),
        rows,
        traffic,
        anomaly_rule,
        beside=beside,
        past_gap=past_gap,
        authors=authors,
        hourly_authors=hourly_authors,
        planned=planned,
        hourly_planned=hourly_planned,
    )
    return JudgedKeywords(chosen, counts[:, lookback:], rows, authors, hourly_authors, judged)


def may_open(counts: Floats, min_posts: int) -> Flags:
    """Return which keywords have enough posts [K, B + 96] in a window or an hour for an anomaly."""
    counts = counts[:, counts.shape[1] - LOOKBACK_WINDOWS - WINDOWS_PER_DAY :]
    kept = np.where(counts >= KEPT_POSTS, counts, 0.0)
    hours = sum(kept[:, back : counts.shape[1] - LOOKBACK_WINDOWS + back] for back in range(WINDOWS_PER_HOUR))
    in_a_window = np.any(counts[:, LOOKBACK_WINDOWS:] >= min_posts, axis=1)
    enough: Flags = in_a_window | np.any(hours >= 2 * min_posts, axis=1)
    return enough


def _hourly_bitmaps(bitmaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Combine bitmaps of windows [K, 3 + 96] into those of the hours that end with each one [K, 96]."""
    hours = bitmaps[:, LOOKBACK_WINDOWS:].copy()
    for back in range(1, WINDOWS_PER_HOUR):
        hours |= bitmaps[:, LOOKBACK_WINDOWS - back : bitmaps.shape[1] - back]
    return hours


def candidates_of_table(rows: pa.Table) -> CandidateWindows:
    """Return candidates as arrays; columns as in `candidate_windows`, ordered by keyword and window."""
    figures = {name: rows[name].to_numpy().astype(float) for name in FIGURES}
    return CandidateWindows(
        keyword=rows["keyword"].to_pylist(), number=rows["number"].to_numpy().astype(np.int64), **figures
    )


def _rows(batch: KeywordBatch, judged: JudgedKeywords, day: date, active: Flags) -> pa.RecordBatch:
    keyword, window = np.nonzero(active)
    judged_day = judged.day
    return pa.record_batch(
        {
            "day": pa.repeat(pa.scalar(day, pa.date32()), len(keyword)),
            "keyword": batch.keyword.take(pa.array(judged.chosen[keyword])),
            "number": pa.array(((day - EPOCH).days * WINDOWS_PER_DAY + window).astype(np.int32)),
            "posts": pa.array(judged.posts[active].astype(np.int32)),
            "expected": _reals(judged_day.expected[active]),
            "scale": _reals(judged_day.scale[active]),
            "hourly_posts": pa.array(judged_day.hourly_posts[active].astype(np.int32)),
            "hourly_expected": _reals(judged_day.hourly_expected[active]),
            "hourly_spread": _reals(judged_day.hourly_spread[active]),
            "authors": _reals(judged.authors[active]),
            "hourly_authors": _reals(judged.hourly_authors[active]),
        }
    )


def _reals(values: Floats) -> pa.Array:
    return pa.array(values.astype(np.float32))
