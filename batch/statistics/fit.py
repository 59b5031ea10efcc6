"""Fit Arrow batches of keywords: yesterday's rows and today's sparse counts in, today's rows out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from batch.statistics.candidates import candidate_windows
from batch.statistics.keyword_batch import EPOCH, KeywordBatch, keyword_batch
from batch.tables.copy import copy_partition
from core.settings import Settings
from detection.arrays import Flags, Floats
from detection.budget import LOWEST_THRESHOLD
from detection.labels import LabelledAlert, fit_labelled
from detection.learn import KeywordRows, fit_day, forgettable
from detection.score import rule_for
from detection.seasonality import HOURS
from detection.traffic_baseline import DayTraffic, Traffic

STEP = "statistics"
STATISTICS, CANDIDATES = "keyword_statistics", "candidate_windows"
"""Tables that the step fills in `staging`."""


@dataclass(frozen=True)
class DayFit:
    """What all keywords of a day share: the day, its traffic, what was known before, and the settings."""

    day: date
    traffic: DayTraffic
    before: Traffic | None
    """Traffic as of the day before; None on the first day of history."""
    total_posts: Floats
    """Posts of all keywords [3 + 96]: in the last windows of the day before and in the day's own."""
    beside: Floats
    """Highest traffic ratio beside dominant keywords [3 + 96]."""
    settings: Settings
    labelled: Mapping[str, LabelledAlert]
    """Labelled alerts of the day by keyword."""

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Fit the batches of one Spark partition, copy the rows to `staging`, yield how many were `copied`.

        Candidates are copied to `staging.candidate_windows` as well, but not counted.
        """
        tables = self._tables(map(keyword_batch, batches))
        yield copy_partition(STEP, tables, self.settings, counted=STATISTICS)

    def _tables(self, batches: Iterable[KeywordBatch]) -> Iterator[tuple[str, pa.RecordBatch]]:
        for batch in batches:
            if self.before is not None:
                yield CANDIDATES, self._candidates(batch, self.before)
            yield (
                STATISTICS,
                fit_batch(
                    batch, day=self.day, traffic=self.traffic, before=self.before, labelled=self.labelled
                ),
            )

    def _candidates(self, batch: KeywordBatch, before: Traffic) -> pa.RecordBatch:
        return candidate_windows(
            batch,
            day=self.day,
            traffic=before,
            total_posts=self.total_posts,
            beside=self.beside,
            hours=self.traffic.clocks.unlearned,
            anomaly_rule=rule_for(LOWEST_THRESHOLD, self.settings.min_posts),
        )


def fit_batch(
    batch: KeywordBatch,
    *,
    day: date,
    traffic: DayTraffic,
    before: Traffic | None,
    labelled: Mapping[str, LabelledAlert],
) -> pa.RecordBatch:
    """Return rows of `keyword_statistics` as of `day`, one per keyword, without forgettable ones.

    Columns out: those of the table; hour_deviation as the text of a Postgres array. `labelled` keywords are
    fitted with the effect of their label. A keyword without a row begins its history with the day where the
    rows are of an older keyword rule, which may not have counted it.
    """
    age = before.history_days if before else 0.0
    rows = fit_day(batch.posts, traffic, batch.rows, age)
    if before is not None and not before.same_rule:
        new = ~batch.known
        _put(rows, new, fit_day(batch.posts[new], traffic, batch.rows.part(new), age=0))
    for index, alert in _labelled_indices(batch.keyword, labelled):
        one = slice(index, index + 1)
        _put(rows, one, fit_labelled(batch.posts[one], traffic, batch.rows.part(one), age, alert))
    today = (day - EPOCH).days
    last_seen = np.where(batch.seen, today, batch.last_seen)
    fitted = pa.record_batch(
        {
            "as_of": pa.repeat(pa.scalar(day, pa.date32()), len(batch.keyword)),
            "keyword": batch.keyword,
            "level": _reals(rows.level),
            "hour_deviation": _postgres_arrays(rows),
            "variance": _reals(rows.variance),
            "dispersion": _reals(rows.dispersion),
            "hourly_spread": _reals(rows.hourly_spread),
            "last_seen": pa.array(last_seen.astype(np.int32)).cast(pa.date32()),
        }
    )
    return fitted.filter(pa.array((batch.seen | batch.known) & ~forgettable(rows, today - last_seen)))


def _labelled_indices(
    keywords: pa.Array, labelled: Mapping[str, LabelledAlert]
) -> Iterator[tuple[int, LabelledAlert]]:
    """Yield the index in the batch and the alert of each labelled keyword."""
    if labelled:
        wanted = pa.array(sorted(labelled), keywords.type)
        for index in pc.indices_nonzero(pc.is_in(keywords, wanted)).to_pylist():
            yield index, labelled[keywords[index].as_py()]


def _put(rows: KeywordRows, part: slice | Flags, fitted: KeywordRows) -> None:
    for field in fields(KeywordRows):
        getattr(rows, field.name)[part] = getattr(fitted, field.name)


def _reals(values: Floats) -> pa.Array:
    return pa.array(values.astype(np.float32))


def _postgres_arrays(rows: KeywordRows) -> pa.Array:
    """Return hour_deviation as `{1.5,...}`, null for a keyword without one."""
    numbers = _reals(rows.hour_deviation[rows.has_profile].ravel()).cast(pa.string())
    lists = pa.ListArray.from_arrays(np.arange(0, len(numbers) + 1, HOURS, dtype=np.int32), numbers)
    texts = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
    indices = np.cumsum(rows.has_profile) - 1
    return texts.take(pa.array(indices, mask=~rows.has_profile))
