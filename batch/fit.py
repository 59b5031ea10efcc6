"""Fits batches of keywords: an Arrow batch of yesterday's rows and today's sparse counts in, today's rows out."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from batch.copy import copy_partition
from core.labels import LabelledAlert, fit_labelled
from core.learn import HOURS, WINDOWS, DayTraffic, Floats, KeywordRows, fit_day, forgettable
from core.score import DEFAULT_BURST, DEFAULT_LEVEL, DEFAULT_SPREAD60, DEFAULT_VARIANCE
from core.settings import Settings

STEP = "statistics"
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class DayFit:
    """What all keywords of a day share: the day, its traffic, the days of history before it, and where Postgres is."""

    day: date
    traffic: DayTraffic
    age: float
    settings: Settings
    labelled: Mapping[str, LabelledAlert]
    """Labelled alerts of the day by keyword."""

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Fit the batches of one Spark partition and copy the rows to `staging`; yields one row: how many were `copied`."""
        fitted = (fit_batch(batch, day=self.day, traffic=self.traffic, age=self.age, labelled=self.labelled) for batch in batches)
        yield copy_partition(STEP, (("keyword_statistics", rows) for rows in fitted), self.settings)


def fit_batch(
    batch: pa.RecordBatch, *, day: date, traffic: DayTraffic, age: float, labelled: Mapping[str, LabelledAlert]
) -> pa.RecordBatch:
    """Rows of `keyword_statistics` as of `day`, one a keyword, without those that may be forgotten.

    Columns in: keyword; windows, posts (lists of int, parallel; null: unseen that day); level, variance, burst, spread60
    (float), hour_deviation (list of 24 floats or null), last_seen (date32): the row before, all null for a new keyword.
    Columns out: those of the table; hour_deviation as the text of a Postgres array. `labelled` keywords are fitted with
    the effect of their label.
    """
    seen = batch.column("windows").is_valid()
    counts, before = dense_counts(batch.column("windows"), batch.column("posts")), _rows_before(batch)
    rows = fit_day(counts, traffic, before, age)
    for place, alert in _labelled_places(batch.column("keyword"), labelled):
        one = slice(place, place + 1)
        _put(rows, one, fit_labelled(counts[one], traffic, _part(before, one), age, alert))
    today = (day - _EPOCH).days
    last_seen = np.where(seen, today, _numbers(batch.column("last_seen").cast(pa.int32()), today)).astype(np.int32)
    fitted = pa.record_batch(
        {
            "as_of": pa.repeat(pa.scalar(day, pa.date32()), batch.num_rows),
            "keyword": batch.column("keyword"),
            "level": _reals(rows.level),
            "hour_deviation": _postgres_arrays(rows),
            "variance": _reals(rows.variance),
            "burst": _reals(rows.burst),
            "spread60": _reals(rows.spread60),
            "last_seen": pa.array(last_seen).cast(pa.date32()),
        }
    )
    return fitted.filter(pa.array(~forgettable(rows, today - last_seen.astype(np.int64))))


def dense_counts(windows: pa.ListArray, posts: pa.ListArray) -> Floats:
    """Counts [K, 96] from parallel lists of window numbers and posts; 0 where a window is not listed.

    >>> dense_counts(pa.array([[0, 95], None]), pa.array([[3, 4], None]))[:, [0, 1, 95]].tolist()
    [[3.0, 0.0, 4.0], [0.0, 0.0, 0.0]]
    """
    counts = np.zeros((len(windows), WINDOWS))
    keyword_rows = pc.list_parent_indices(windows).to_numpy()
    counts[keyword_rows, windows.flatten().to_numpy()] = posts.flatten().to_numpy()
    return counts


def _labelled_places(keywords: pa.Array, labelled: Mapping[str, LabelledAlert]) -> Iterator[tuple[int, LabelledAlert]]:
    """Where in the batch labelled keywords stand."""
    if labelled:
        told = pa.array(sorted(labelled), keywords.type)
        for place in pc.indices_nonzero(pc.is_in(keywords, told)).to_pylist():
            yield place, labelled[keywords[place].as_py()]


def _part(rows: KeywordRows, part: slice) -> KeywordRows:
    return KeywordRows(*(getattr(rows, field.name)[part] for field in fields(KeywordRows)))


def _put(rows: KeywordRows, part: slice, fitted: KeywordRows) -> None:
    for field in fields(KeywordRows):
        getattr(rows, field.name)[part] = getattr(fitted, field.name)


def _rows_before(batch: pa.RecordBatch) -> KeywordRows:
    profiles = batch.column("hour_deviation")
    deviation = np.full((batch.num_rows, HOURS), np.nan)
    deviation[profiles.is_valid().to_numpy(zero_copy_only=False)] = profiles.flatten().to_numpy().reshape(-1, HOURS)
    return KeywordRows(
        level=_numbers(batch.column("level"), DEFAULT_LEVEL),
        hour_deviation=deviation,
        variance=_numbers(batch.column("variance"), DEFAULT_VARIANCE),
        burst=_numbers(batch.column("burst"), DEFAULT_BURST),
        spread60=_numbers(batch.column("spread60"), DEFAULT_SPREAD60),
    )


def _numbers(column: pa.Array, default: float) -> Floats:
    numbers: Floats = pc.fill_null(column.cast(pa.float64()), default).to_numpy(zero_copy_only=False)
    return numbers


def _reals(values: Floats) -> pa.Array:
    return pa.array(values.astype(np.float32))


def _postgres_arrays(rows: KeywordRows) -> pa.Array:
    """hour_deviation as `{1.5,...}`, null where a keyword has none."""
    numbers = _reals(rows.hour_deviation[rows.has_profile].ravel()).cast(pa.string())
    lists = pa.ListArray.from_arrays(np.arange(0, len(numbers) + 1, HOURS, dtype=np.int32), numbers)
    texts = pc.binary_join_element_wise("{", pc.binary_join(lists, ","), "}", "")
    places = np.cumsum(rows.has_profile) - 1
    return texts.take(pa.array(places, mask=~rows.has_profile))
