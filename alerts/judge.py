"""Judge: live counts meet the statistics of the days before, and become verdicts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts
from alerts.live_counts import LiveCount
from alerts.plans import Plans, Thresholds, load_thresholds
from alerts.traffic import ExpectedTraffic, expected_before, load_traffic
from core.settings import Settings
from core.windows import WINDOW, window_number
from detection import score as rule
from detection.authors import authors_or_infinity
from detection.learn import hour_shares
from detection.lifecycle import JudgedWindow, as_real
from detection.score import rule_for
from detection.verdicts import Floats, Verdicts, judge

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts of one day with all that they were judged by, arrays parallel to `counts`."""

    counts: Sequence[LiveCount]
    as_of: date | None
    total_posts: Sequence[int | None]
    ratio: Floats
    expected: Floats
    hourly_expected: Floats
    scale: Floats
    hourly_spread: Floats
    thresholds: Floats
    verdicts: Verdicts

    def keywords(self) -> set[str]:
        """All keywords."""
        return {count.keyword for count in self.counts}

    def anomalous(self) -> set[str]:
        """Keywords with a window that is an anomaly."""
        return {self.counts[i].keyword for i in np.flatnonzero(self.verdicts.anomalous).tolist()}

    def suppressed(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Windows that would be anomalies and were kept back."""
        kept_back = np.flatnonzero(self.verdicts.few_authors | self.verdicts.planned).tolist()
        return ((self.counts[i].keyword, self.window(i, closed_before)) for i in kept_back)

    def windows(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Every count as (keyword, judged window); windows numbered below `closed_before` are closed."""
        return ((count.keyword, self.window(i, closed_before)) for i, count in enumerate(self.counts))

    def window(self, i: int, closed_before: int) -> JudgedWindow:
        """The count numbered `i` with its verdict."""
        count, verdicts = self.counts[i], self.verdicts
        number = window_number(count.window_start)
        return JudgedWindow(
            number=number,
            posts=count.posts,
            total_posts=self.total_posts[i],
            ratio=as_real(self.ratio[i]),
            expected=as_real(self.expected[i]),
            scale=as_real(self.scale[i]),
            score=as_real(verdicts.score[i]),
            hourly_posts=count.hourly_posts,
            hourly_expected=as_real(self.hourly_expected[i]),
            hourly_spread=as_real(self.hourly_spread[i]),
            hourly_score=as_real(verdicts.hourly_score[i]),
            threshold=as_real(self.thresholds[i]),
            threshold_ratio=as_real(verdicts.threshold_ratio[i]),
            anomalous=bool(verdicts.anomalous[i]),
            suppressed_by="few authors"
            if verdicts.few_authors[i]
            else "calendar"
            if verdicts.planned[i]
            else None,
            statistics_as_of=self.as_of,
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


class Judge:
    """Judges live counts within one transaction, by the newest complete statistics before the day of each window."""

    def __init__(self, cursor: Cursor, settings: Settings, plans: Plans) -> None:
        self._cursor = cursor
        self._settings = settings
        self._plans = plans
        self._known: dict[date, tuple[ExpectedTraffic, Thresholds]] = {}

    def judge(
        self, condition: str, *, first: datetime, before: datetime, keywords: Iterable[str] = ()
    ) -> list[Judged]:
        """The counts under a condition of `live_counts` in the windows from `first` to `before`, with their verdicts, by day."""
        wanted = sorted(keywords)
        return [
            judged
            for day in live_counts.days(self._cursor, first=first, before=before)
            if (judged := self._judge_day(condition, day, first=first, before=before, keywords=wanted)).counts
        ]

    def _judge_day(
        self, condition: str, day: date, *, first: datetime, before: datetime, keywords: list[str]
    ) -> Judged:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        start, end = max(first, midnight), min(before, midnight + _DAY)
        traffic, thresholds = self._of_day(day)
        counts = live_counts.load(
            self._cursor,
            condition,
            first=start,
            before=end,
            as_of=traffic.as_of,
            min_posts=self._settings.min_posts,
            keywords=keywords,
        )
        posts = load_traffic(self._cursor, first=start - live_counts.EARLIER, before=end)
        return self._verdicts(counts, traffic, posts, thresholds)

    def _of_day(self, day: date) -> tuple[ExpectedTraffic, Thresholds]:
        """What is the same for all windows of a day; asked once, because a step judges up to three times."""
        if day not in self._known:
            self._known[day] = (
                expected_before(self._cursor, day),
                load_thresholds(self._cursor, self._settings, day),
            )
        return self._known[day]

    def _verdicts(
        self,
        counts: list[LiveCount],
        expected_traffic: ExpectedTraffic,
        posts: Mapping[datetime, int],
        day_thresholds: Thresholds,
    ) -> Judged:
        level = _numbers((count.level for count in counts), rule.DEFAULT_LEVEL)
        scale = rule.scale(
            _numbers((count.variance for count in counts), rule.DEFAULT_VARIANCE),
            _numbers((count.dispersion for count in counts), rule.DEFAULT_DISPERSION),
        )
        hourly_spread = _numbers((count.hourly_spread for count in counts), rule.DEFAULT_HOURLY_SPREAD)
        own = np.array([count.deviation is not None for count in counts], dtype=bool)
        now, before = (
            _numbers((getattr(count, name) for count in counts), 0.0)
            for name in ("deviation", "deviation_before")
        )
        shares = hour_shares(expected_traffic.expected_posts)
        starts = sorted({count.window_start for count in counts})
        place = {start: i for i, start in enumerate(starts)}
        at = np.array([place[count.window_start] for count in counts], dtype=int)
        hourly_expected = np.zeros(len(counts))
        for back in reversed(range(rule.WINDOWS_PER_HOUR)):
            earlier = [start - back * WINDOW for start in starts]
            ratio = np.array([expected_traffic.ratio(posts, moment) for moment in earlier], dtype=float)[at]
            share = np.array([shares[moment.hour] for moment in earlier], dtype=float)[at]
            same_hour = np.array(
                [moment.hour == start.hour for moment, start in zip(earlier, starts, strict=True)], dtype=bool
            )[at]
            expected = rule.expected_posts(level, np.where(same_hour, now, before), own, share, ratio)
            hourly_expected += expected
        keywords, windows = [count.keyword for count in counts], [count.window_start for count in counts]
        figures = {
            "posts": np.array([count.posts for count in counts], dtype=float),
            "expected": expected,
            "hourly_posts": np.array([count.hourly_posts for count in counts], dtype=float),
            "hourly_expected": hourly_expected,
            "scale": scale,
            "hourly_spread": hourly_spread,
            "authors": _authors(count.authors_bitmap for count in counts),
            "hourly_authors": _authors(count.hourly_authors_bitmap for count in counts),
            "planned": self._plans.planned(keywords, windows, windows=1),
            "hourly_planned": self._plans.planned(keywords, windows, windows=rule.WINDOWS_PER_HOUR),
        }
        thresholds = np.array([day_thresholds.of(keyword, self._plans) for keyword in keywords], dtype=float)
        verdicts = _judge_by_threshold(figures, thresholds, self._settings.min_posts)
        total_posts = [posts.get(start) for start in windows]
        return Judged(
            counts,
            expected_traffic.as_of,
            total_posts,
            ratio,
            expected,
            hourly_expected,
            scale,
            hourly_spread,
            thresholds,
            verdicts,
        )


def _numbers(values: Iterable[float | None], default: float) -> Floats:
    return np.array([default if value is None else value for value in values], dtype=float)


def _authors(bitmaps: Iterable[int]) -> Floats:
    return authors_or_infinity(np.array(list(bitmaps), dtype=np.int64))


def _judge_by_threshold(figures: Mapping[str, Any], thresholds: Floats, min_posts: int) -> Verdicts:
    """`detection.verdicts.judge` with a threshold for each row."""
    columns: dict[str, list[np.ndarray]] = {field.name: [] for field in fields(Verdicts)}
    places = []
    for threshold in np.unique(thresholds):
        chosen = np.flatnonzero(thresholds == threshold)
        places.append(chosen)
        verdicts = judge(
            **{name: values[chosen] for name, values in figures.items()},
            anomaly_rule=rule_for(float(threshold), min_posts),
        )
        for name, values in columns.items():
            values.append(getattr(verdicts, name))
    order = np.argsort(np.concatenate(places)) if places else np.array([], dtype=int)
    return Verdicts(
        **{
            name: np.concatenate(values)[order] if values else np.array([])
            for name, values in columns.items()
        }
    )
