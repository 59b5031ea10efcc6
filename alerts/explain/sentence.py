"""Describe an alert's figures in plain English; pure text, for `groundswell explain`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from detection.authors import DISTINCT_BITS, MANY_AUTHORS, estimate_distinct
from detection.score import rule_for, smallest_anomalous_hourly_posts, smallest_anomalous_posts

ORIGINS = {
    "organic": "many different people, each with their own text",
    "few authors": "a few people, posting again and again",
    "one text": "many people, all with the same text",
    None: "unknown: too few posts, or too common a word, to tell people from copies",
}
_PARTS_OF_DAY = ("night", "morning", "afternoon", "evening")
_MAX_TEXT = 60


def what_happened(window: Mapping[str, Any], *, opened_by: str, min_posts: int) -> str:
    """Describe a window, or its hour if only the hour was unusual.

    Give its posts, people, expected posts and the smallest number of posts that would have been unusual.
    `window` holds columns of alert_windows. People are distinct authors, estimated from their bitmap.

    >>> from datetime import UTC
    >>> strong = {"window_start": datetime(2026, 1, 6, 18, 15, tzinfo=UTC), "posts": 83, "expected": 2.2,
    ...           "scale": 1.0, "threshold": 4.5, "authors_bitmap": 2**40 - 1}
    >>> facts, least = what_happened(strong, opened_by="window", min_posts=10).rsplit("; ", 1)
    >>> facts
    '83 posts by 63 people in 15 minutes; 2 were expected for a Tuesday evening (UTC)'
    >>> least
    'at least 21 would have been unusual'
    """
    anomaly_rule = rule_for(window["threshold"], min_posts)
    expected, scale = window["expected"], window["scale"]
    if opened_by == "hour":
        posts, expected, bitmap = (
            window[f"hourly_{name}"] for name in ("posts", "expected", "authors_bitmap")
        )
        span = "an hour"
        least = smallest_anomalous_hourly_posts(expected, scale, window["hourly_spread"], anomaly_rule)
    else:
        posts, bitmap, span = window["posts"], window["authors_bitmap"], "15 minutes"
        least = float(smallest_anomalous_posts(float(expected), float(scale), anomaly_rule))
    return (
        f"{posts:,} posts by {people(bitmap, posts)} in {span}; "
        f"{were_expected(expected)} {by_what(window)}; "
        f"at least {ceil(least - 1e-9):,} would have been unusual"
    )


def reason_of(alert: Mapping[str, Any], windows: Sequence[Mapping[str, Any]], *, min_posts: int) -> str:
    """Describe an alert by its highest window, or by its first where only the hour was unusual.

    `alert` holds columns of anomaly_alerts, `windows` its rows of alert_windows in order, at least one.
    """
    by_hour = alert["opened_by"] == "hour"
    described = windows[0] if by_hour else max(windows, key=lambda window: float(window["score"]))
    return what_happened(described, opened_by=alert["opened_by"], min_posts=min_posts)


def by_what(window: Mapping[str, Any]) -> str:
    """Return what the expectation of a window comes from: the time of the week, or on a first day the past.

    >>> by_what({"window_start": datetime(2026, 3, 9, 1, 30), "moved_hours": 1})
    'for a Monday night (UTC), with habits an hour earlier than before the clock change'

    >>> by_what({"past_since": datetime(2026, 1, 6, 8, 15), "past_posts": 12, "past_total_posts": 3400})
    'by the windows before (the word was in 12 of their 3,400 posts; a first day, since 08:15 UTC)'
    """
    if not window.get("past_since"):
        return f"for a {part_of_week(window['window_start'])} (UTC){_moved(window.get('moved_hours') or 0)}"
    return (
        f"by the windows before (the word was in {window['past_posts']:,} of their "
        f"{window['past_total_posts']:,} posts; a first day, since {window['past_since']:%H:%M} UTC)"
    )


def _moved(hours: int) -> str:
    if not hours:
        return ""
    return f", with habits an hour {'earlier' if hours > 0 else 'later'} than before the clock change"


def people(bitmap: int, posts: int) -> str:
    """Describe the number of distinct authors who set the bits of `bitmap`.

    >>> people(0b111, 9), people(-1, 900), people(-1, 200), people(1, 12)
    ('3 people', '300 people or more', '200 people', '1 person')
    """
    is_full = bin(bitmap & (2**DISTINCT_BITS - 1)).count("1") == DISTINCT_BITS
    if is_full and posts > MANY_AUTHORS:
        return f"{MANY_AUTHORS} people or more"
    count = max(round(estimate_distinct([bitmap], at_most=posts)), 1)
    return f"{count:,} {'person' if count == 1 else 'people'}"


def were_expected(expected: float) -> str:
    """Describe the expected number of posts, rounded to whole posts.

    >>> were_expected(2.2), were_expected(1.4), were_expected(0.3), were_expected(0.004)
    ('2 were expected', '1 was expected', 'fewer than 1 was expected', 'none was expected')
    """
    if expected < 0.05:
        return "none was expected"
    if expected < 0.5:
        return "fewer than 1 was expected"
    return f"{round(expected):,} {'was' if round(expected) == 1 else 'were'} expected"


def part_of_week(moment: datetime) -> str:
    """Return the weekday and the part of the day.

    >>> part_of_week(datetime(2026, 1, 6, 18, 15)), part_of_week(datetime(2026, 1, 10, 3))
    ('Tuesday evening', 'Saturday night')
    """
    return f"{moment:%A} {_PARTS_OF_DAY[moment.hour // 6]}"


def in_percent(share: float) -> str:
    """Format a share (0 to 1) as a percentage, with two significant digits below 10%.

    >>> in_percent(0.5), in_percent(0.0012), in_percent(0.00001), in_percent(0.0)
    ('50%', '0.12%', 'less than 0.01%', 'never')
    """
    if share == 0:
        return "never"
    if share < 0.0001:
        return "less than 0.01%"
    return f"{100 * share:.2g}%" if share < 0.1 else f"{100 * share:.0f}%"


def post_line(post: Mapping[str, Any]) -> str:
    """Format a row of alert_evidence as one line."""
    text = " ".join((post["text"] or "").split())
    shown = f"{text[:_MAX_TEXT]}..." if len(text) > _MAX_TEXT else text
    return (
        f"{post['role']:<10} {post['posted_at']:%H:%M}  {_likes(post['likes']):>14}  {shown}  {post['link']}"
    )


def _likes(likes: int | None) -> str:
    if likes is None:
        return "likes unknown"
    return f"{likes:,} like{'' if likes == 1 else 's'}"


def terms_line(kind: str, terms: Sequence[Mapping[str, Any]], posts: int) -> str:
    """Format rows of alert_terms, all of one kind, as one line."""
    described = [
        f"{term['name'] or term['term']} "
        f"({term['posts']} of {posts:,}, elsewhere {in_percent(term['usual_share'])})"
        for term in terms
    ]
    return f"{kind:<8} {', '.join(described)}"
