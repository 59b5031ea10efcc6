"""Judge: live counts are compared with the statistics of the days before and become verdicts."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts
from alerts.beside import load_ratios_beside
from alerts.clock_changes import load_profiles, moved_counts
from alerts.expected import Compared, expectation
from alerts.judged import Judged
from alerts.live_counts import LiveCount
from alerts.past import Past, load_past
from alerts.plans import Plans, Thresholds, load_thresholds
from alerts.traffic import expected_before, load_traffic
from core.settings import Settings
from core.windows import ONE_DAY, day_start
from detection.arrays import Floats
from detection.authors import authors_or_infinity
from detection.clocks import clocks
from detection.score import WINDOWS_PER_HOUR, rule_for
from detection.verdicts import Verdicts, judge


class Judge:
    """Judges live counts in one transaction, each window by the newest complete statistics before its day.

    What counts are compared with is loaded once per day of windows: traffic and counts must have been saved.
    """

    def __init__(self, cursor: Cursor, settings: Settings, plans: Plans) -> None:
        self._cursor = cursor
        self._settings = settings
        self._plans = plans
        self._known: dict[date, tuple[Compared, Thresholds]] = {}
        self._pasts: dict[date, Past] = {}

    def judge(
        self, condition: str, *, first: datetime, before: datetime, keywords: Collection[str] = ()
    ) -> list[Judged]:
        """Judge the counts under a condition of `live_counts` in windows from `first` to `before`, by day."""
        judged = []
        for day in live_counts.days(self._cursor, first=first, before=before):
            start, end = max(first, day_start(day)), min(before, day_start(day) + ONE_DAY)
            compared, _ = self._judged_by(day)
            counts = live_counts.load(
                self._cursor,
                condition,
                first=start,
                before=end,
                as_of=compared.traffic.as_of,
                min_posts=self._settings.min_posts,
                keywords=keywords,
            )
            if counts:
                judged.append(self._judge(counts, day))
        return judged

    def _judge(self, counts: Sequence[LiveCount], day: date) -> Judged:
        compared, thresholds = self._judged_by(day)
        if not compared.traffic.suffices:
            compared = replace(compared, past=self._past_of(day, counts))
        as_of = compared.traffic.as_of
        return judge_by_clocks(
            counts,
            compared,
            clocks(as_of, day).unlearned,
            partial(
                judge_counts,
                plans=self._plans,
                thresholds_of_day=thresholds,
                min_posts=self._settings.min_posts,
            ),
            partial(load_profiles, self._cursor, as_of=as_of),
        )

    def _past_of(self, day: date, counts: Sequence[LiveCount]) -> Past:
        known = self._pasts.get(day)
        missing = {count.keyword for count in counts}.difference(known.live if known else ())
        if known is None or missing:
            further = load_past(self._cursor, self._settings, day, missing)
            self._pasts[day] = known.extended(further) if known else further
        return self._pasts[day]

    def _judged_by(self, day: date) -> tuple[Compared, Thresholds]:
        if day not in self._known:
            span = {"first": day_start(day) - live_counts.EARLIER, "before": day_start(day) + ONE_DAY}
            traffic, posts = expected_before(self._cursor, day), load_traffic(self._cursor, **span)
            beside = load_ratios_beside(self._cursor, traffic, posts, **span)
            thresholds = load_thresholds(self._cursor, self._settings, day)
            self._known[day] = Compared(traffic, posts, beside, past=None), thresholds
        return self._known[day]


def judge_by_clocks(
    counts: Sequence[LiveCount],
    compared: Compared,
    hours: Sequence[int],
    judge_once: Callable[[Sequence[LiveCount], Compared], Judged],
    profiles_of: Callable[[Iterable[str]], Mapping[str, Floats]],
) -> Judged:
    """Judge `counts` with the clock changes `hours`, as `detection.clock_changes` does for a whole day.

    `profiles_of` returns hour profiles by keyword.
    """
    judged = judge_once(counts, compared)
    for one in hours:
        rows = np.flatnonzero(judged.verdicts.anomalous)
        if len(rows):
            unusual = [counts[i] for i in rows.tolist()]
            profiles = profiles_of(count.keyword for count in unusual)
            again = judge_once(*moved_counts(unusual, compared, profiles, one))
            judged = judged.with_less_unusual(again, rows, one)
    return judged


def judge_counts(
    counts: Sequence[LiveCount],
    compared: Compared,
    plans: Plans,
    thresholds_of_day: Thresholds,
    min_posts: int,
) -> Judged:
    """Judge `counts`, at least one, all of one day."""
    keywords, starts = [count.keyword for count in counts], [count.window_start for count in counts]
    by = expectation(counts, compared)
    thresholds = np.array([thresholds_of_day.of(keyword, plans) for keyword in keywords], dtype=float)
    figures = {
        "posts": np.array([count.posts for count in counts], dtype=float),
        "expected": by.expected,
        "hourly_posts": np.array([count.hourly_posts for count in counts], dtype=float),
        "hourly_expected": by.hourly_expected,
        "scale": by.scale,
        "hourly_spread": by.hourly_spread,
        "authors": _authors(count.authors_bitmap for count in counts),
        "hourly_authors": _authors(count.hourly_authors_bitmap for count in counts),
        "planned": plans.planned(keywords, starts, windows=1),
        "hourly_planned": plans.planned(keywords, starts, windows=WINDOWS_PER_HOUR),
    }
    return Judged(
        counts=counts,
        as_of=compared.traffic.as_of,
        since=compared.past.since if compared.past else None,
        total_posts=[compared.posts.get(start) for start in starts],
        by=by,
        thresholds=thresholds,
        verdicts=_judge_by_threshold(figures, thresholds, min_posts).restricted(~by.learning),
        moved_hours=np.zeros(len(counts), dtype=np.int64),
    )


def _authors(bitmaps: Iterable[int]) -> Floats:
    return authors_or_infinity(np.array(list(bitmaps), dtype=np.int64))


def _judge_by_threshold(figures: Mapping[str, Any], thresholds: Floats, min_posts: int) -> Verdicts:
    """Call `detection.verdicts.judge` per distinct threshold; return the verdicts in the original order."""
    rows, parts = [], []
    for threshold in np.unique(thresholds):
        chosen = np.flatnonzero(thresholds == threshold)
        rows.append(chosen)
        parts.append(
            judge(
                **{name: values[chosen] for name, values in figures.items()},
                anomaly_rule=rule_for(float(threshold), min_posts),
            )
        )
    order = np.argsort(np.concatenate(rows))
    return Verdicts(
        **{
            field.name: np.concatenate([getattr(part, field.name) for part in parts])[order]
            for field in fields(Verdicts)
        }
    )
