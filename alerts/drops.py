"""Silence: a watched keyword that is posted far less often than its history says, while posts come in as usual."""

from collections.abc import Sequence
from datetime import datetime

from psycopg2.extensions import cursor as Cursor

from alerts.plans import Plans, load_thresholds
from alerts.traffic import expected_before, load_traffic
from core.settings import Settings
from core.windows import WINDOW
from detection import score as rule
from detection.learn import hour_shares
from sql.connection import query

UNKEPT_POSTS = rule.KEPT_POSTS - 1
"""Most posts that a window without a kept count can hold; silence is judged by it, so that it is never claimed in error."""


def update_drops(
    cursor: Cursor, plans: Plans, healthy_windows: Sequence[datetime], settings: Settings
) -> None:
    """Open, continue or resolve the silence of each watched keyword by the windows `healthy_windows`, closed, in order, ingest not down.

    A window is silent where at least `settings.min_posts` posts were expected and the score is at or below the keyword's threshold with
    a minus before it. A planned window says nothing.
    """
    if not plans.drops:
        return
    for start in healthy_windows:
        thresholds = load_thresholds(cursor, settings, start.date())
        for keyword, posts, expected, score in _scores(cursor, sorted(plans.drops), start):
            if plans.planned([keyword], [start], windows=1)[0]:
                continue
            silent = expected >= settings.min_posts and score <= -thresholds.of(keyword, plans)
            figures = {
                "keyword": keyword,
                "start": start,
                "posts": posts,
                "expected": expected,
                "score": score,
            }
            cursor.execute(query("continue_drop" if silent else "end_drop"), figures)


def _scores(cursor: Cursor, keywords: list[str], start: datetime) -> list[tuple[str, int, float, float]]:
    """(keyword, posts, expected posts, score) of each of `keywords` that has statistics, in the window from `start`."""
    traffic = expected_before(cursor, start.date())
    ratio = traffic.ratio(load_traffic(cursor, first=start, before=start + WINDOW), start)
    share = float(hour_shares(traffic.expected_posts)[start.hour])
    cursor.execute(
        query("counts_of_watched"),
        {"as_of": traffic.as_of, "keywords": keywords, "start": start, "unkept": UNKEPT_POSTS},
    )
    scores = []
    for keyword, posts, level, variance, dispersion, deviation in cursor.fetchall():
        expected = rule.expected_posts(level, deviation or 0.0, deviation is not None, share, ratio)
        scores.append(
            (keyword, posts, expected, rule.score(posts, expected, rule.scale(variance, dispersion)))
        )
    return scores
