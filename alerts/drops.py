"""Drops: watched keywords posted far less often than their baseline implies while traffic is normal."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

from alerts.clock_changes import load_profiles
from alerts.plans import Plans, load_thresholds
from alerts.traffic import ExpectedTraffic, expected_before, load_traffic
from core.settings import Settings
from core.windows import WINDOW
from detection import score as rule
from detection.clocks import clocks, moved
from detection.traffic_baseline import hour_shares
from sql.connection import query
from sql.rows import fetch_as

UNKEPT_POSTS = rule.KEPT_POSTS - 1
"""Most posts that a window without a live count can hold; assuming them never reports a drop in error."""


class _Count(NamedTuple):
    """Posts of a watched keyword in a window, with its statistics."""

    keyword: str
    posts: int
    level: float
    variance: float
    dispersion: float
    deviation: float | None
    """The keyword's own deviation in the window's hour; None without an hour profile."""


class _Scored(NamedTuple):
    keyword: str
    posts: int
    expected: float
    score: float


def update_drops(
    cursor: Cursor, plans: Plans, healthy_windows: Sequence[datetime], settings: Settings
) -> None:
    """Open, continue or resolve the drop of each watched keyword, one window at a time.

    `healthy_windows` are closed windows in which ingest was up, in order. A keyword drops in a window where
    at least `settings.min_posts` posts were expected and the score is at or below minus the keyword's
    threshold. Windows planned in the calendar are skipped. After a clock change, a keyword drops only
    where it does by its habits moved with the clocks too.
    """
    if not plans.drops:
        return
    for start in healthy_windows:
        thresholds = load_thresholds(cursor, settings, start.date())
        for count in _scores(cursor, sorted(plans.drops), start):
            if plans.planned([count.keyword], [start], windows=1)[0]:
                continue
            threshold = thresholds.of(count.keyword, plans)
            dropped = count.expected >= settings.min_posts and count.score <= -threshold
            cursor.execute(
                query("continue_drop" if dropped else "end_drop"), {**count._asdict(), "start": start}
            )


def _scores(cursor: Cursor, keywords: list[str], start: datetime) -> Iterator[_Scored]:
    """Yield the score of each of `keywords` that has statistics, in the window that starts at `start`.

    After a clock change, it is the highest by the habits of before and by the moved ones.
    """
    traffic = expected_before(cursor, start.date())
    posts = load_traffic(cursor, first=start, before=start + WINDOW)
    changes = clocks(traffic.as_of, start.date()).unlearned
    profiles = load_profiles(cursor, keywords, traffic.as_of) if changes else {}
    cursor.execute(
        query("counts_of_watched"),
        {"as_of": traffic.as_of, "keywords": keywords, "start": start, "unkept": UNKEPT_POSTS},
    )
    for count in fetch_as(cursor, _Count):
        scored = [_scored(count, traffic, posts, start)]
        for hours in changes:
            by_hour = moved(profiles[count.keyword], hours)
            deviation = None if count.deviation is None else float(by_hour[start.hour])
            by_clocks = replace(traffic, expected_posts=moved(traffic.expected_posts, hours))
            scored.append(_scored(count._replace(deviation=deviation), by_clocks, posts, start))
        yield max(scored, key=lambda one: one.score)


def _scored(
    count: _Count, traffic: ExpectedTraffic, posts: Mapping[datetime, int], start: datetime
) -> _Scored:
    share = float(hour_shares(traffic.expected_posts)[start.hour])
    has_profile = count.deviation is not None
    expected = rule.expected_posts(
        count.level, count.deviation or 0.0, has_profile, share, traffic.ratio(posts, start)
    )
    score = rule.score(count.posts, expected, rule.scale(count.variance, count.dispersion))
    return _Scored(count.keyword, count.posts, expected, score)
