"""Candidates: the windows of a day that detection would count to incidents, out of a batch of keywords."""

from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from batch.keyword_batch import EPOCH, EVENING, KeywordBatch
from core.judge import Flags, Floats
from core.judge_day import DayCounts, JudgedDay, judge_day
from core.learn import KeywordRows, Traffic
from core.lifecycle import ACTIVE_STRENGTH
from core.people import authors_or_infinity
from core.score import KEPT_POSTS, SECOND_LOOK_WINDOWS, AlarmRule
from core.windows import WINDOWS_PER_DAY


def candidate_windows(
    batch: KeywordBatch, *, day: date, traffic: Traffic, total_posts: Floats, alarm: AlarmRule, opening_only: bool = True
) -> pa.RecordBatch:
    """Rows of `candidate_windows` [strength at least a half by `alarm`] of the keywords that have an anomaly on `day`.

    Judged by the rows of the batch and by `traffic`, both as of the day before; `total_posts` [3 + 96] are those of all
    keywords. Without `opening_only` also those of keywords that have none: they keep an incident of the day before going.
    """
    chosen = np.flatnonzero(_may_open(batch.counts, alarm.floor) if opening_only else np.any(batch.posts >= KEPT_POSTS, axis=1))
    counts, bitmaps = batch.counts[chosen], batch.authors[chosen]
    bitmaps60 = _ored(np.where(counts >= KEPT_POSTS, bitmaps, 0))
    rows = KeywordRows(*(getattr(batch.rows, name)[chosen] for name in ("level", "hour_deviation", "variance", "burst", "spread60")))
    authors, authors60 = authors_or_infinity(bitmaps[:, EVENING:]), authors_or_infinity(bitmaps60)
    judged = judge_day(
        DayCounts(counts[:, EVENING:], counts[:, :EVENING], total_posts[EVENING:], total_posts[:EVENING]),
        rows, traffic, alarm, authors=authors, authors60=authors60,
    )  # fmt: skip
    active: Flags = judged.verdicts.strength >= ACTIVE_STRENGTH
    if opening_only:
        active &= np.any(judged.verdicts.anomalous, axis=1)[:, None]
    return _rows(batch, chosen, day, judged, active, rows, counts[:, EVENING:], authors, authors60)


def _may_open(counts: Floats, floor: int) -> Flags:
    """Keywords with enough posts in a window or an hour for an anomaly."""
    kept = np.where(counts >= KEPT_POSTS, counts, 0.0)
    hours = sum(kept[:, back : counts.shape[1] - EVENING + back] for back in range(SECOND_LOOK_WINDOWS))
    enough: Flags = np.any(counts[:, EVENING:] >= floor, axis=1) | np.any(hours >= 2 * floor, axis=1)
    return enough


def _ored(bitmaps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bitmaps [K, 96] of the hours that end with each window of the day, from those of windows [K, 3 + 96]."""
    hours = bitmaps[:, EVENING:].copy()
    for back in range(1, SECOND_LOOK_WINDOWS):
        hours |= bitmaps[:, EVENING - back : bitmaps.shape[1] - back]
    return hours


def _rows(
    batch: KeywordBatch, chosen: NDArray[np.int64], day: date, judged: JudgedDay, active: Flags, rows: KeywordRows, posts: Floats,
    authors: Floats, authors60: Floats,
) -> pa.RecordBatch:  # fmt: skip
    keyword, window = np.nonzero(active)
    expected, scale, expected60 = judged.expected[active], judged.scale[keyword], judged.expected60[active]
    return pa.record_batch(
        {
            "day": pa.repeat(pa.scalar(day, pa.date32()), len(keyword)),
            "keyword": batch.keyword.take(pa.array(chosen[keyword])),
            "number": pa.array(((day - EPOCH).days * WINDOWS_PER_DAY + window).astype(np.int32)),
            "posts": pa.array(posts[active].astype(np.int32)),
            "expected": _reals(expected),
            "scale": _reals(scale),
            "posts60": pa.array(judged.posts60[active].astype(np.int32)),
            "expected60": _reals(expected60),
            "spread60": _reals(rows.spread60[keyword]),
            "authors": _reals(authors[active]),
            "authors60": _reals(authors60[active]),
        }
    )


def _reals(values: Floats) -> pa.Array:
    return pa.array(values.astype(np.float32))
