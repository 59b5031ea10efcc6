"""Judge: live counts meet the statistics of the days before, and become verdicts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core import score as rule
from core.judge import Floats, Verdicts, judge
from core.learn import HOURS, hour_shares
from core.lifecycle import JudgedWindow
from core.people import authors_or_infinity
from core.score import AlarmRule
from core.windows import WINDOW, window_number
from sql.connection import query
from streaming import live_counts
from streaming.live_counts import LiveCount

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Traffic:
    """Expected posts per window by hour; all ones and `known` false where nothing was learned yet."""

    as_of: date | None
    expected_posts: Floats
    known: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts of one day with all that they were judged by, arrays parallel to `counts`."""

    counts: Sequence[LiveCount]
    as_of: date | None
    total_posts: Sequence[int | None]
    ratio: Floats
    expected: Floats
    expected60: Floats
    scale: Floats
    spread60: Floats
    alarm: AlarmRule
    verdicts: Verdicts

    def keywords(self) -> set[str]:
        """All keywords."""
        return {count.keyword for count in self.counts}

    def anomalous(self) -> set[str]:
        """Keywords with a window that is an anomaly."""
        return {self.counts[i].keyword for i in np.flatnonzero(self.verdicts.anomalous).tolist()}

    def vetoed(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Windows that too few authors stand behind."""
        return ((self.counts[i].keyword, self.window(i, closed_before)) for i in np.flatnonzero(self.verdicts.vetoed).tolist())

    def windows(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Every count as (keyword, judged window); windows numbered below `closed_before` are closed."""
        return ((count.keyword, self.window(i, closed_before)) for i, count in enumerate(self.counts))

    def window(self, i: int, closed_before: int) -> JudgedWindow:
        """The count numbered `i` with its verdict."""
        count, verdicts = self.counts[i], self.verdicts
        number = window_number(count.window_start)
        return JudgedWindow(
            number=number, posts=count.posts, total_posts=self.total_posts[i], ratio=float(self.ratio[i]),
            expected=float(self.expected[i]), scale=float(self.scale[i]), score=float(verdicts.score[i]), posts60=count.posts60,
            expected60=float(self.expected60[i]), spread60=float(self.spread60[i]), score60=float(verdicts.score60[i]),
            threshold=self.alarm.threshold, strength=float(verdicts.strength[i]), anomalous=bool(verdicts.anomalous[i]),
            vetoed=bool(verdicts.vetoed[i]), statistics_as_of=self.as_of, authors_bitmap=count.authors_bitmap,
            authors60_bitmap=count.authors60_bitmap, texts_bitmap=count.texts_bitmap, first_post_at=count.first_post_at,
            first_post_id=count.first_post_id, latest_post_id=count.latest_post_id, top_post_id=count.top_post_id,
            top_likes=count.top_likes, closed=number < closed_before,
        )  # fmt: skip


class Judge:
    """Judges live counts within one transaction, by the newest complete statistics before the day of each window."""

    def __init__(self, cursor: Cursor, alarm: AlarmRule) -> None:
        self._cursor = cursor
        self._alarm = alarm

    def judge(self, condition: str, *, first: datetime, before: datetime, keywords: Iterable[str] = ()) -> list[Judged]:
        """The counts under a condition of `live_counts` in the windows from `first` to `before`, with their verdicts, by day."""
        wanted = sorted(keywords)
        return [
            judged
            for day in live_counts.days(self._cursor, first=first, before=before)
            if (judged := self._judge_day(condition, day, first=first, before=before, keywords=wanted)).counts
        ]

    def _judge_day(self, condition: str, day: date, *, first: datetime, before: datetime, keywords: list[str]) -> Judged:
        midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
        start, end = max(first, midnight), min(before, midnight + _DAY)
        traffic = self._traffic_before(day)
        counts = live_counts.load(
            self._cursor, condition, first=start, before=end, as_of=traffic.as_of, floor=self._alarm.floor, keywords=keywords
        )
        totals = live_counts.load_traffic(self._cursor, first=start - live_counts.EARLIER, before=end)
        return self._verdicts(counts, traffic, totals)

    def _verdicts(self, counts: list[LiveCount], traffic: _Traffic, totals: dict[datetime, int]) -> Judged:
        level = _numbers((count.level for count in counts), rule.DEFAULT_LEVEL)
        scale = rule.scale(
            _numbers((count.variance for count in counts), rule.DEFAULT_VARIANCE),
            _numbers((count.burst for count in counts), rule.DEFAULT_BURST),
        )
        spread60 = _numbers((count.spread60 for count in counts), rule.DEFAULT_SPREAD60)
        own = np.array([count.deviation is not None for count in counts], dtype=bool)
        now, before = (_numbers((getattr(count, name) for count in counts), 0.0) for name in ("deviation", "deviation_before"))
        shares = hour_shares(traffic.expected_posts)
        starts = sorted({count.window_start for count in counts})
        place = {start: i for i, start in enumerate(starts)}
        at = np.array([place[count.window_start] for count in counts], dtype=int)
        expected60 = np.zeros(len(counts))
        for back in reversed(range(rule.SECOND_LOOK_WINDOWS)):
            earlier = [start - back * WINDOW for start in starts]
            ratio = np.array([_ratio(traffic, totals, moment) for moment in earlier], dtype=float)[at]
            share = np.array([shares[moment.hour] for moment in earlier], dtype=float)[at]
            same_hour = np.array([moment.hour == start.hour for moment, start in zip(earlier, starts, strict=True)], dtype=bool)[at]
            expected = rule.expected_posts(level, np.where(same_hour, now, before), own, share, ratio)
            expected60 += expected
        verdicts = judge(
            np.array([count.posts for count in counts], dtype=float), expected,
            posts60=np.array([count.posts60 for count in counts], dtype=float), expected60=expected60, scale=scale, spread60=spread60,
            alarm=self._alarm, authors=_authors(count.authors_bitmap for count in counts),
            authors60=_authors(count.authors60_bitmap for count in counts),
        )  # fmt: skip
        total_posts = [totals.get(count.window_start) for count in counts]
        return Judged(counts, traffic.as_of, total_posts, ratio, expected, expected60, scale, spread60, self._alarm, verdicts)

    def _traffic_before(self, day: date) -> _Traffic:
        self._cursor.execute(query("traffic_before_day"), {"day": day})
        rows = self._cursor.fetchall()
        expected = np.array([row[2] for row in rows], dtype=float)
        known = len(rows) == HOURS and expected.mean() > 0
        return _Traffic(rows[0][0] if known else None, expected if known else np.ones(HOURS), known)


def _ratio(traffic: _Traffic, totals: dict[datetime, int], start: datetime) -> float:
    """How full a window is: posts so far over those expected in a whole one; 1 where nothing is expected, 0 where nothing came."""
    if start not in totals:
        return 0.0
    expected = float(traffic.expected_posts[start.hour])
    return totals[start] / expected if traffic.known and expected > 0 else 1.0


def _numbers(values: Iterable[float | None], default: float) -> Floats:
    return np.array([default if value is None else value for value in values], dtype=float)


def _authors(bitmaps: Iterable[int]) -> Floats:
    return authors_or_infinity(np.array(list(bitmaps), dtype=np.int64))
