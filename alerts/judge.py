"""Judge: live counts are compared with the statistics of the days before and become verdicts."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from itertools import repeat
from typing import Any

import numpy as np
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts
from alerts.beside import load_ratios_beside
from alerts.expected import Compared, Expectation, expectation
from alerts.live_counts import LiveCount
from alerts.past import Past, load_past
from alerts.plans import Plans, Thresholds, load_thresholds
from alerts.traffic import expected_before, load_traffic
from core.settings import Settings
from core.windows import ONE_DAY, day_start, window_number
from detection.arrays import Flags, Floats, Integers
from detection.authors import authors_or_infinity
from detection.lifecycle import JudgedWindow, as_reals
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

    def keywords(self) -> set[str]:
        """Return all keywords."""
        return {count.keyword for count in self.counts}

    def anomalous(self) -> set[str]:
        """Return the keywords with at least one anomaly."""
        return {self.counts[i].keyword for i in np.flatnonzero(self.verdicts.anomalous).tolist()}

    def suppressed(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield suppressed windows as (keyword, judged window)."""
        suppressed = np.flatnonzero(self.verdicts.few_authors | self.verdicts.planned)
        return self._windows(suppressed, closed_before)

    def windows(self, closed_before: int, keywords: set[str]) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield the counts of `keywords` as (keyword, judged window).

        Windows numbered below `closed_before` are closed.
        """
        chosen = [i for i, count in enumerate(self.counts) if count.keyword in keywords]
        return self._windows(np.array(chosen, dtype=np.int64), closed_before)

    def _windows(self, chosen: Integers, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield the counts at the indices `chosen` with their verdicts."""
        figures = self._figures(chosen)
        numbers = {count.window_start: window_number(count.window_start) for count in self.counts}
        for i, row in zip(chosen.tolist(), zip(*figures.values(), strict=True), strict=True):
            count = self.counts[i]
            number = numbers[count.window_start]
            yield (
                count.keyword,
                JudgedWindow(
                    **dict(zip(figures, row, strict=True)),
                    number=number,
                    posts=count.posts,
                    total_posts=self.total_posts[i],
                    hourly_posts=count.hourly_posts,
                    authors_bitmap=count.authors_bitmap,
                    hourly_authors_bitmap=count.hourly_authors_bitmap,
                    texts_bitmap=count.texts_bitmap,
                    first_post_at=count.first_post_at,
                    first_post_id=count.first_post_id,
                    latest_post_id=count.latest_post_id,
                    top_post_id=count.top_post_id,
                    top_likes=count.top_likes,
                    closed=number < closed_before,
                ),
            )

    def _figures(self, chosen: Integers) -> dict[str, list[Any]]:
        """Return what the counts at the indices `chosen` were judged by, by field of `JudgedWindow`."""
        by, verdicts = self.by, self.verdicts
        reals = {
            "ratio": by.ratio,
            "expected": by.expected,
            "scale": by.scale,
            "score": verdicts.score,
            "hourly_expected": by.hourly_expected,
            "hourly_spread": by.hourly_spread,
            "hourly_score": verdicts.hourly_score,
            "threshold": self.thresholds,
            "threshold_ratio": verdicts.threshold_ratio,
        }
        return {
            **{name: as_reals(values[chosen]) for name, values in reals.items()},
            "anomalous": verdicts.anomalous[chosen].tolist(),
            "suppressed_by": [self._suppressed_by(i) for i in chosen.tolist()],
            "statistics_as_of": _where(~by.first_day[chosen], repeat(self.as_of)),
            **self._past(chosen),
        }

    def _past(self, chosen: Integers) -> dict[str, list[Any]]:
        past, first_day = self.by.past, self.by.first_day[chosen]
        if past is None:
            return {}
        return {
            "past_posts": _where(first_day, past.compared_posts[chosen].astype(int).tolist()),
            "past_total_posts": _where(first_day, past.compared_total[chosen].astype(int).tolist()),
            "past_since": _where(first_day, repeat(self.since)),
        }

    def _suppressed_by(self, i: int) -> str | None:
        if self.verdicts.few_authors[i]:
            return "few authors"
        return "calendar" if self.verdicts.planned[i] else None


def _where(flags: Flags, values: Iterable[Any]) -> list[Any]:
    return [value if flag else None for flag, value in zip(flags.tolist(), values, strict=False)]


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
        return judge_counts(counts, compared, self._plans, thresholds, self._settings.min_posts)

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
