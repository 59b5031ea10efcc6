"""Judge a day in which clocks changed: an anomaly must be one by the habits of before and by the moved ones.

Statistics know no clock change before they have learned a whole day after it (`detection.clocks`). Until then
a habit may follow either clock, so what is an anomaly is judged again by profile and traffic moved by the
hour, and the verdict by which it is less unusual holds. A burst that is an anomaly by both alerts at once.
"""

from collections.abc import Iterable
from dataclasses import fields, replace
from typing import Any, TypeVar

import numpy as np

from detection.arrays import Flags, Integers
from detection.clocks import moved
from detection.day_counts import DayCounts
from detection.judge_day import JudgedDay, judge_day
from detection.learn import KeywordRows
from detection.score import AnomalyRule
from detection.seasonality import QUARTER_HOURS, Seasonality
from detection.traffic_baseline import Traffic
from detection.verdicts import Verdicts

FIGURES = ("ratio", "expected", "scale", "hourly_expected", "hourly_spread")
"""Figures of a window that follow from what it is judged by."""
_BY_WINDOW = ("authors", "hourly_authors", "planned", "hourly_planned")
Columns = TypeVar("Columns")


def judge_by_clocks(
    hours: tuple[int, ...],
    counts: DayCounts,
    rows: KeywordRows,
    traffic: Traffic | None,
    anomaly_rule: AnomalyRule,
    seasonality: Seasonality = QUARTER_HOURS,
    **others: Any,
) -> JudgedDay:
    """Return the verdicts of `judge_day` with a day's `hours`, the changes that statistics do not know.

    `others` are its further arguments. Windows of which another verdict holds have all their figures by that.
    """
    judged = judge_day(counts, rows, traffic, anomaly_rule, seasonality, **others)
    if traffic is None:
        return judged
    for one in hours:
        unusual = np.flatnonzero(judged.verdicts.anomalous.any(axis=1))
        if not len(unusual):
            break
        part: dict[str, Any] = {
            name: np.broadcast_to(value, counts.posts.shape)[unusual] if name in _BY_WINDOW else value
            for name, value in others.items()
        }
        again = judge_day(
            replace(counts, posts=counts.posts[unusual], before=counts.before[unusual]),
            moved_rows(rows, unusual, one),
            moved_traffic(traffic, one),
            anomaly_rule,
            seasonality,
            **part,
        )
        judged = _with_less_unusual(judged, again, unusual, one)
    return judged


def moved_rows(rows: KeywordRows, some: Integers, hours: int) -> KeywordRows:
    """Return the baselines at the indices `some`, with their profiles moved."""
    part = rows.part(some)
    return replace(part, hour_deviation=moved(part.hour_deviation, hours))


def moved_traffic(traffic: Traffic, hours: int) -> Traffic:
    """Return `traffic` with its hours moved."""
    return replace(traffic, expected_posts=moved(traffic.expected_posts, hours))


def less_unusual(judged: Verdicts, again: Verdicts) -> Flags:
    """Return of which anomalies of `judged` the verdict of `again` holds; arrays of equal shape."""
    lower: Flags = again.threshold_ratio < judged.threshold_ratio
    return judged.anomalous & (lower | ~again.anomalous)


def merged(
    columns: Columns, others: object, names: Iterable[str], at: tuple[Any, ...], chosen: Any
) -> Columns:
    """Return the dataclass `columns` with the arrays `names` of `others` at indices `at`, where `chosen`."""
    changed = {}
    for name in names:
        changed[name] = np.array(getattr(columns, name))
        changed[name][at] = np.where(chosen, getattr(others, name), changed[name][at])
    return replace(columns, **changed)  # type: ignore[type-var]


def merged_verdicts(judged: Verdicts, again: Verdicts, at: tuple[Any, ...], chosen: Flags) -> Verdicts:
    """Return `judged` with the verdicts of `again` at its indices `at`, where `chosen`."""
    return merged(judged, again, (field.name for field in fields(Verdicts)), at, chosen)


def _with_less_unusual(judged: JudgedDay, again: JudgedDay, rows: Integers, hours: int) -> JudgedDay:
    """Return `judged` with the verdicts and figures of `again`, which has its `rows`, where those hold."""
    of_rows = Verdicts(*(getattr(judged.verdicts, field.name)[rows] for field in fields(Verdicts)))
    chosen = less_unusual(of_rows, again.verdicts)
    moved_hours = np.array(judged.moved_hours)
    moved_hours[rows] = np.where(chosen, hours, moved_hours[rows])
    return replace(
        merged(judged, again, FIGURES, (rows,), chosen),
        verdicts=merged_verdicts(judged.verdicts, again.verdicts, (rows,), chosen),
        moved_hours=moved_hours,
    )
