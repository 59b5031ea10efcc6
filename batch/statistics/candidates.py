"""Candidates: the windows of a day that detection would count to alerts, out of a batch of keywords."""

from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch.statistics.keyword_batch import EPOCH, LOOKBACK_WINDOWS, KeywordBatch
from core.windows import WINDOWS_PER_DAY
from detection.authors import authors_or_infinity
from detection.budget import CandidateWindows
from detection.judge_day import DayCounts, JudgedDay, judge_day
from detection.learn import KeywordRows, Traffic
from detection.lifecycle import ACTIVE_THRESHOLD_RATIO
from detection.score import KEPT_POSTS, WINDOWS_PER_HOUR, AnomalyRule
from detection.verdicts import Flags, Floats

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
"""Columns of a candidate that a threshold is put to."""


@dataclass(frozen=True)
class JudgedKeywords:
    """The keywords of a batch that were judged, J of them."""

    chosen: NDArray[np.int64]
    """Their places in the batch [J]."""
    posts: Floats
    """Posts of the day's windows [J, 96]."""
    rows: KeywordRows
    authors: Floats
    """Estimated distinct authors of window and, below, of hour [J, 96]."""
    hourly_authors: Floats
    day: JudgedDay


def candidate_windows(
    batch: KeywordBatch, *, day: date, traffic: Traffic, total_posts: Floats, anomaly_rule: AnomalyRule
) -> pa.RecordBatch:
    """Rows of `candidate_windows` [threshold_ratio at least a half by `alarm`] of the keywords that have an anomaly on `day`.

    Judged by the rows of the batch and by `traffic`, both as of the day before; `total_posts` [3 + 96] are those of all
    keywords.
    """
    chosen = np.flatnonzero(may_open(batch.counts, anomaly_rule.min_posts))
    judged = judge_keywords(
        batch, chosen, traffic=traffic, total_posts=total_posts, anomaly_rule=anomaly_rule
    )
    active: Flags = judged.day.verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO
    active &= np.any(judged.day.verdicts.anomalous, axis=1)[:, None]
    return _rows(batch, judged, day, active)


def judge_keywords(
    batch: KeywordBatch,
    chosen: NDArray[np.int64],
    *,
    traffic: Traffic | None,
    total_posts: Floats,
    anomaly_rule: AnomalyRule,
    planned: Flags | bool = False,
    hourly_planned: Flags | bool = False,
) -> JudgedKeywords:
    """Judge the keywords at the places `chosen` [J] by their rows and `traffic`; arguments as `detection.judge_day.judge_day` has them."""
    counts, bitmaps = batch.counts[chosen], batch.authors[chosen]
    authors, hourly_authors = (
        authors_or_infinity(bitmaps[:, LOOKBACK_WINDOWS:]),
        authors_or_infinity(_ored(np.where(counts >= KEPT_POSTS, bitmaps, 0))),
    )
    rows = KeywordRows(
        *(
            getattr(batch.rows, name)[chosen]
            for name in ("level", "hour_deviation", "variance", "dispersion", "hourly_spread")
        )
    )
    judged = judge_day(
        DayCounts(
            counts[:, LOOKBACK_WINDOWS:],
            counts[:, :LOOKBACK_WINDOWS],
            total_posts[LOOKBACK_WINDOWS:],
            total_posts[:LOOKBACK_WINDOWS],
        ),
        rows,
        traffic,
        anomaly_rule,
        authors=authors,
        hourly_authors=hourly_authors,
        planned=planned,
        hourly_planned=hourly_planned,
    )
    return JudgedKeywords(chosen, counts[:, LOOKBACK_WINDOWS:], rows, authors, hourly_authors, judged)


def may_open(counts: Floats, min_posts: int) -> Flags:
    """Keywords with enough posts in a window or an hour for an anomaly."""
    kept = np.where(counts >= KEPT_POSTS, counts, 0.0)
    hours = sum(kept[:, back : counts.shape[1] - LOOKBACK_WINDOWS + back] for back in range(WINDOWS_PER_HOUR))
    enough: Flags = np.any(counts[:, LOOKBACK_WINDOWS:] >= min_posts, axis=1) | np.any(
        hours >= 2 * min_posts, axis=1
    )
    return enough


def _ored(bitmaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bitmaps [K, 96] of the hours that end with each window of the day, from those of windows [K, 3 + 96]."""
    hours = bitmaps[:, LOOKBACK_WINDOWS:].copy()
    for back in range(1, WINDOWS_PER_HOUR):
        hours |= bitmaps[:, LOOKBACK_WINDOWS - back : bitmaps.shape[1] - back]
    return hours


def candidates_of_table(rows: pa.Table) -> CandidateWindows:
    """The candidates of some days as arrays; columns as `candidate_windows` gives them, in order of keyword and window."""
    figures = {name: rows[name].to_numpy().astype(float) for name in FIGURES}
    return CandidateWindows(
        keyword=rows["keyword"].to_pylist(), number=rows["number"].to_numpy().astype(np.int64), **figures
    )


def _rows(batch: KeywordBatch, judged: JudgedKeywords, day: date, active: Flags) -> pa.RecordBatch:
    keyword, window = np.nonzero(active)
    of_day = judged.day
    return pa.record_batch(
        {
            "day": pa.repeat(pa.scalar(day, pa.date32()), len(keyword)),
            "keyword": batch.keyword.take(pa.array(judged.chosen[keyword])),
            "number": pa.array(((day - EPOCH).days * WINDOWS_PER_DAY + window).astype(np.int32)),
            "posts": pa.array(judged.posts[active].astype(np.int32)),
            "expected": _reals(of_day.expected[active]),
            "scale": _reals(of_day.scale[keyword]),
            "hourly_posts": pa.array(of_day.hourly_posts[active].astype(np.int32)),
            "hourly_expected": _reals(of_day.hourly_expected[active]),
            "hourly_spread": _reals(judged.rows.hourly_spread[keyword]),
            "authors": _reals(judged.authors[active]),
            "hourly_authors": _reals(judged.hourly_authors[active]),
        }
    )


def _reals(values: Floats) -> pa.Array:
    return pa.array(values.astype(np.float32))
