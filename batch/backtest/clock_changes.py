"""Habits after a clock change: an anomaly that is none by the profile moved by an hour raises no alert.

A habit at nine in the evening of one country moves by an hour in UTC when its clocks change, and the profile,
which is by hours of UTC, learns it only in weeks. Nothing says in which country a keyword is at home, so for
some weeks after any of the changes below a keyword may follow its old profile or the moved one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Floats
from detection.day_counts import DayCounts
from detection.judge_day import JudgedDay, judge_day
from detection.learn import KeywordRows
from detection.score import AnomalyRule
from detection.seasonality import Seasonality
from detection.traffic_baseline import Traffic
from detection.verdicts import Verdicts

CHANGE_DAYS = 14
"""Days for which a clock change is reckoned with: two half-lives, after which habits raise no more alerts."""
ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "America/Mexico_City",
    "America/Sao_Paulo",
    "America/Santiago",
    "Africa/Cairo",
    "Australia/Sydney",
)
"""One time zone for each rule by which many people change their clocks, or did so in the last ten years."""
_EPOCH, _DAY = date(1970, 1, 1), 86_400
_FIGURES = ("ratio", "expected", "scale", "hourly_posts", "hourly_expected", "hourly_spread")


@cache
def hours_forward(day: int) -> tuple[int, ...]:
    """Return by how many hours clocks change on a day, numbered from 1970 in UTC: 1 forward, -1 back.

    >>> day = (date(2026, 3, 8) - _EPOCH).days
    >>> [hours_forward(day + more) for more in (-1, 0, 1, 21, 28)]
    [(), (1,), (), (1,), (-1,)]
    """
    midnights = [_EPOCH + timedelta(days=day + more) for more in (0, 1)]
    moments = [datetime(one.year, one.month, one.day, tzinfo=UTC) for one in midnights]
    offsets = [[moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in moments] for zone in ZONES]
    hours = {round((after - before) / timedelta(hours=1)) for before, after in offsets if before and after}
    return tuple(sorted(hours - {0}))


@dataclass(frozen=True)
class ClockChange:
    """A clock change, and what was known when it came."""

    cycle: int
    slots_forward: int
    """Slots of the profile by which clocks went forward; habits come earlier in UTC by as many."""
    hour_deviation: NDArray[np.floating]
    """Profiles of all keywords [K, 24], NaN for one without."""
    traffic: Traffic

    def moved(self, keywords: NDArray[np.int64], rows: KeywordRows) -> KeywordRows:
        """Return the baselines `rows` of `keywords` with their profiles of then, moved; others are left."""
        then = np.roll(self.hour_deviation[keywords], -self.slots_forward, axis=1)
        return replace(rows, hour_deviation=np.where(np.isnan(then), rows.hour_deviation, then))

    def moved_traffic(self, traffic: Traffic) -> Traffic:
        """Return `traffic` with its hours of then, moved, and its mean of now."""
        then = np.roll(self.traffic.expected_posts, -self.slots_forward)
        return replace(traffic, expected_posts=then * (traffic.expected_posts.mean() / then.mean()))


def changes_at(
    changes: tuple[ClockChange, ...],
    cycle: int,
    hour_deviation: Callable[[], NDArray[np.floating]],
    traffic: Traffic | None,
    seasonality: Seasonality,
) -> tuple[ClockChange, ...]:
    """Return the changes that count on the day `cycle`: those of `changes` that still do, and the day's own.

    `hour_deviation` returns a copy of all profiles [K, 24]; they and `traffic` were learned before the day.
    There is none among windows of a day, or before anything was learned.
    """
    recent = tuple(change for change in changes if cycle < change.cycle + CHANGE_DAYS)
    if traffic is None or seasonality.windows * seasonality.window_seconds != _DAY:
        return recent
    hours = hours_forward(cycle)
    return (*recent, *(ClockChange(cycle, one, hour_deviation(), traffic) for one in hours))


def judge_after_changes(
    changes: tuple[ClockChange, ...],
    keywords: NDArray[np.int64],
    counts: DayCounts,
    rows: KeywordRows,
    traffic: Traffic | None,
    anomaly_rule: AnomalyRule,
    seasonality: Seasonality,
    beside: Floats | float = np.inf,
) -> JudgedDay:
    """Return the verdicts of `judge_day`, in which what follows a moved profile is no anomaly.

    Such a window has all its figures by that profile.
    """
    judged = judge_day(counts, rows, traffic, anomaly_rule, seasonality, beside=beside)
    if traffic is None:
        return judged
    for change in changes:
        unusual = np.flatnonzero(judged.verdicts.anomalous.any(axis=1))
        if len(unusual):
            some = replace(counts, posts=counts.posts[unusual], before=counts.before[unusual])
            moved = change.moved(keywords[unusual], _rows_of(rows, unusual))
            by_moved = judge_day(
                some, moved, change.moved_traffic(traffic), anomaly_rule, seasonality, beside=beside
            )
            judged = _explained(judged, by_moved, unusual)
    return judged


def _rows_of(rows: KeywordRows, some: NDArray[np.int64]) -> KeywordRows:
    return KeywordRows(**{one.name: getattr(rows, one.name)[some] for one in fields(rows)})


def _explained(judged: JudgedDay, by_moved: JudgedDay, rows: NDArray[np.int64]) -> JudgedDay:
    """Return `judged` with the figures of `by_moved`, which has its `rows`, where only those are usual."""
    usual = judged.verdicts.anomalous[rows] & ~by_moved.verdicts.anomalous

    def merged(plain: Any, moved: Any, names: Iterable[str]) -> dict[str, Any]:
        columns = {name: np.array(getattr(plain, name)) for name in names}
        for name, column in columns.items():
            column[rows] = np.where(usual, getattr(moved, name), column[rows])
        return columns

    verdicts = Verdicts(**merged(judged.verdicts, by_moved.verdicts, (f.name for f in fields(Verdicts))))
    return replace(judged, verdicts=verdicts, **merged(judged, by_moved, _FIGURES))
