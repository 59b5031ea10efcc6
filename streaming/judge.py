"""Judge: live counts meet the statistics of the days before, and become judged windows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple

import numpy as np
from psycopg2.extensions import cursor as Cursor

from core import score as rule
from core.learn import hour_shares
from core.lifecycle import JudgedWindow, authors_or_infinity
from core.settings import Settings
from core.windows import window_number
from sql.connection import query

HOURS = 24


class KeywordCount(NamedTuple):
    """What was counted of one keyword in one window, as `count_keywords_per_window` gives it."""

    window_start: datetime
    keyword: str
    posts: int
    authors_bitmap: int
    texts_bitmap: int
    first_post_at: datetime
    first_post_id: int
    latest_post_id: int
    top_post_id: int
    top_likes: int


@dataclass(frozen=True, slots=True)
class _Traffic:
    """Expected posts per window by hour; all ones and `known` false where nothing was learned yet."""

    as_of: date | None
    expected_posts: np.ndarray
    known: bool

    @property
    def hour_share(self) -> np.ndarray:
        return hour_shares(self.expected_posts)


class Judge:
    """Judges counts within one transaction, by the newest complete statistics before the day of each window."""

    def __init__(self, cursor: Cursor, settings: Settings, *, total_posts: Mapping[datetime, int]) -> None:
        """`total_posts`: distinct posts of all keywords so far, by window start."""
        self._cursor = cursor
        self._settings = settings
        self._total_posts = total_posts
        self._traffic: dict[date, _Traffic] = {}

    def judge(self, counts: Iterable[KeywordCount], *, closed_until: datetime) -> list[tuple[KeywordCount, JudgedWindow]]:
        """Every count with its verdict; windows that end by `closed_until` are marked closed."""
        by_day: dict[date, list[KeywordCount]] = {}
        for count in counts:
            by_day.setdefault(count.window_start.date(), []).append(count)
        return [pair for day, day_counts in by_day.items() for pair in self._judge_day(day, day_counts, window_number(closed_until))]

    def _judge_day(self, day: date, counts: list[KeywordCount], closed_before: int) -> list[tuple[KeywordCount, JudgedWindow]]:
        traffic = self._traffic_before(day)
        known = self._keyword_statistics(traffic.as_of, [count.keyword for count in counts])
        default = (rule.DEFAULT_LEVEL, None, rule.DEFAULT_VARIANCE, rule.DEFAULT_BURST)
        rows = [known.get(count.keyword, default) for count in counts]
        hours = np.array([count.window_start.hour for count in counts])
        level, variance, burst = (np.array([row[i] for row in rows], dtype=float) for i in (0, 2, 3))
        own = np.array([row[1] is not None for row in rows])
        deviation = np.array([row[1][hour] if row[1] is not None else 0.0 for row, hour in zip(rows, hours, strict=True)])
        ratio = np.array([self._ratio(traffic, count.window_start) for count in counts])
        expected = rule.expected_posts(level, deviation, own, traffic.hour_share[hours], ratio)
        scale = rule.scale(variance, burst)
        posts = np.array([count.posts for count in counts], dtype=float)
        score = rule.score(posts, expected, scale)
        anomalous = self._anomalous(posts, expected, scale)
        people = np.array([authors_or_infinity(count.authors_bitmap) for count in counts])
        confirmed = self._anomalous(rule.posts_by_people(posts, people), expected, scale)
        return [
            (
                count,
                JudgedWindow(
                    number=window_number(count.window_start), posts=count.posts, total_posts=self._total_posts.get(count.window_start),
                    ratio=float(ratio[i]), expected=float(expected[i]), scale=float(scale[i]), score=float(score[i]),
                    anomalous=bool(anomalous[i] and confirmed[i]),
                    vetoed=bool(anomalous[i] and not confirmed[i]), statistics_as_of=traffic.as_of, authors_bitmap=count.authors_bitmap,
                    texts_bitmap=count.texts_bitmap, first_post_at=count.first_post_at, first_post_id=count.first_post_id,
                    latest_post_id=count.latest_post_id, top_post_id=count.top_post_id, top_likes=count.top_likes,
                    closed=window_number(count.window_start) < closed_before,
                ),
            )
            for i, count in enumerate(counts)
        ]  # fmt: skip

    def _anomalous(self, posts: np.ndarray, expected: np.ndarray, scale: np.ndarray) -> np.ndarray:
        score = rule.score(posts, expected, scale)
        verdict: np.ndarray = rule.anomalous(posts, expected, score, threshold=self._settings.threshold, floor=self._settings.floor)
        return verdict

    def _ratio(self, traffic: _Traffic, start: datetime) -> float:
        """How full the window is: posts so far over those expected in a whole one; 1 where nothing is expected."""
        expected = float(traffic.expected_posts[start.hour])
        if not traffic.known or expected <= 0 or start not in self._total_posts:
            return 1.0
        return self._total_posts[start] / expected

    def _traffic_before(self, day: date) -> _Traffic:
        if day not in self._traffic:
            self._cursor.execute(query("traffic_before_day"), {"day": day})
            rows = self._cursor.fetchall()
            expected = np.array([row[2] for row in rows], dtype=float)
            known = len(rows) == HOURS and expected.mean() > 0
            self._traffic[day] = _Traffic(rows[0][0] if known else None, expected if known else np.ones(HOURS), known)
        return self._traffic[day]

    def _keyword_statistics(self, as_of: date | None, keywords: list[str]) -> dict[str, tuple[float, list[float] | None, float, float]]:
        if as_of is None or not keywords:
            return {}
        self._cursor.execute(query("keyword_statistics_of"), {"as_of": as_of, "keywords": sorted(set(keywords))})
        return {row[0]: row[1:] for row in self._cursor.fetchall()}
