"""Judge: live counts are compared with the statistics of the days before and become verdicts."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from functools import partial
from typing import Any

import numpy as np
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts
from alerts.beside import load_ratios_beside
from alerts.clock_changes import load_profiles, moved_counts
from alerts.expected import Compared, Expectation, expectation
from alerts.live_counts import LiveCount
from alerts.past import Past, load_past
from alerts.plans import Plans, Thresholds, load_thresholds
from alerts.traffic import ExpectedTraffic, expected_before, load_traffic
from core.settings import Settings
from core.windows import ONE_DAY, day_start, window_number
from detection.arrays import Flags, Floats, Integers
from detection.authors import authors_or_infinity
from detection.clock_changes import FIGURES, less_unusual, merged, merged_verdicts
from detection.clocks import clocks
from detection.lifecycle import JudgedWindow, as_real
from detection.score import WINDOWS_PER_HOUR, rule_for
from detection.verdicts import Verdicts, judge


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts of one day with everything they were judged by; arrays parallel to `counts`."""

    counts: Sequence[LiveCount]
    as_of: date | None
    since: datetime | None
    """Start of the first window of a first day's past."""
    total_posts: Sequence[int | None]
    by: Expectation
    thresholds: Floats
    verdicts: Verdicts
    moved_hours: Integers
    """Hours by which clocks went forward, if profile and traffic were moved by them; else 0."""

    def keywords(self) -> set[str]:
        """Return all keywords."""
        return {count.keyword for count in self.counts}

    def anomalous(self) -> set[str]:
        """Return the keywords with at least one anomaly."""
        return {self.counts[i].keyword for i in np.flatnonzero(self.verdicts.anomalous).tolist()}

    def suppressed(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield suppressed windows as (keyword, judged window)."""
        verdicts = self.verdicts
        suppressed = np.flatnonzero(verdicts.few_authors | verdicts.planned | self._usual_by_moved).tolist()
        return ((self.counts[i].keyword, self.window(i, closed_before)) for i in suppressed)

    def windows(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield each count as (keyword, judged window); windows numbered below `closed_before` are closed."""
        return ((count.keyword, self.window(i, closed_before)) for i, count in enumerate(self.counts))

    def window(self, i: int, closed_before: int) -> JudgedWindow:
        """Return the count at index `i` with its verdict."""
        count, verdicts, by = self.counts[i], self.verdicts, self.by
        number = window_number(count.window_start)
        return JudgedWindow(
            number=number,
            posts=count.posts,
            total_posts=self.total_posts[i],
            ratio=as_real(by.ratio[i]),
            expected=as_real(by.expected[i]),
            scale=as_real(by.scale[i]),
            score=as_real(verdicts.score[i]),
            hourly_posts=count.hourly_posts,
            hourly_expected=as_real(by.hourly_expected[i]),
            hourly_spread=as_real(by.hourly_spread[i]),
            hourly_score=as_real(verdicts.hourly_score[i]),
            threshold=as_real(self.thresholds[i]),
            threshold_ratio=as_real(verdicts.threshold_ratio[i]),
            anomalous=bool(verdicts.anomalous[i]),
            suppressed_by=self._suppressed_by(i),
            moved_hours=int(self.moved_hours[i]),
            statistics_as_of=None if by.first_day[i] else self.as_of,
            **self._past(i),
            authors_bitmap=count.authors_bitmap,
            hourly_authors_bitmap=count.hourly_authors_bitmap,
            texts_bitmap=count.texts_bitmap,
            first_post_at=count.first_post_at,
            first_post_id=count.first_post_id,
            latest_post_id=count.latest_post_id,
            top_post_id=count.top_post_id,
            top_likes=count.top_likes,
            closed=number < closed_before,
        )

    def _past(self, i: int) -> dict[str, Any]:
        past = self.by.past
        if past is None or not self.by.first_day[i]:
            return {}
        return {
            "past_posts": int(past.compared_posts[i]),
            "past_total_posts": int(past.compared_total[i]),
            "past_since": self.since,
        }

    def _suppressed_by(self, i: int) -> str | None:
        if self.verdicts.few_authors[i]:
            return "few authors"
        if self.verdicts.planned[i]:
            return "calendar"
        return "clock change" if self._usual_by_moved[i] else None

    @property
    def _usual_by_moved(self) -> Flags:
        """Whether a window is an anomaly by the habits of before a clock change, but none by moved ones."""
        usual: Flags = (self.moved_hours != 0) & ~self.verdicts.anomalous
        return usual

    def with_less_unusual(self, again: "Judged", rows: Integers, hours: int) -> "Judged":
        """Return the counts with the verdicts of `again`, on those at the indices `rows`, where they hold."""
        of_rows = Verdicts(*(getattr(self.verdicts, field.name)[rows] for field in fields(Verdicts)))
        chosen = less_unusual(of_rows, again.verdicts)
        moved_hours = self.moved_hours.copy()
        moved_hours[rows[chosen]] = hours
        return replace(
            self,
            by=merged(self.by, again.by, FIGURES, (rows,), chosen),
            verdicts=merged_verdicts(self.verdicts, again.verdicts, (rows,), chosen),
            moved_hours=moved_hours,
        )


class Judge:
    """Judges live counts in one transaction, each window by the newest complete statistics before its day.

    Expected traffic and thresholds are loaded once per day of windows.
    """

    def __init__(self, cursor: Cursor, settings: Settings, plans: Plans) -> None:
        self._cursor = cursor
        self._settings = settings
        self._plans = plans
        self._known: dict[date, tuple[ExpectedTraffic, Thresholds]] = {}

    def judge(
        self, condition: str, *, first: datetime, before: datetime, keywords: Collection[str] = ()
    ) -> list[Judged]:
        """Judge the counts under a condition of `live_counts` in windows from `first` to `before`, by day."""
        judged = []
        for day in live_counts.days(self._cursor, first=first, before=before):
            start, end = max(first, day_start(day)), min(before, day_start(day) + ONE_DAY)
            traffic, _ = self._judged_by(day)
            counts = live_counts.load(
                self._cursor,
                condition,
                first=start,
                before=end,
                as_of=traffic.as_of,
                min_posts=self._settings.min_posts,
                keywords=keywords,
            )
            if counts:
                judged.append(self._judge(counts, day, start, end))
        return judged

    def _judge(self, counts: Sequence[LiveCount], day: date, first: datetime, before: datetime) -> Judged:
        traffic, thresholds = self._judged_by(day)
        span = {"first": first - live_counts.EARLIER, "before": before}
        posts = load_traffic(self._cursor, **span)
        compared = Compared(
            traffic=traffic,
            posts=posts,
            beside=load_ratios_beside(self._cursor, traffic, posts, **span),
            past=None if traffic.suffices else self._past_of(day, counts),
        )
        return judge_by_clocks(
            counts,
            compared,
            clocks(traffic.as_of, day).unlearned,
            partial(
                judge_counts,
                plans=self._plans,
                thresholds_of_day=thresholds,
                min_posts=self._settings.min_posts,
            ),
            partial(load_profiles, self._cursor, as_of=traffic.as_of),
        )

    def _past_of(self, day: date, counts: Sequence[LiveCount]) -> Past:
        return load_past(self._cursor, self._settings, day, (count.keyword for count in counts))

    def _judged_by(self, day: date) -> tuple[ExpectedTraffic, Thresholds]:
        if day not in self._known:
            self._known[day] = (
                expected_before(self._cursor, day),
                load_thresholds(self._cursor, self._settings, day),
            )
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
