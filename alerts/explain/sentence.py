"""Sentences: the figures of an alert as a community manager says them; pure text, for `python -m alerts.explain.command`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from detection.authors import DISTINCT_BITS, MANY_AUTHORS, estimate_distinct
from detection.score import rule_for, smallest_anomalous_hourly_posts, smallest_anomalous_posts

ORIGINS = {
    "organic": "many different people with texts of their own",
    "few authors": "few people, who post it again and again",
    "one text": "many people with one and the same text",
    None: "too few posts, or too frequent a word, to tell people from copies",
}
_NOTE = 60


def what_happened(window: Mapping[str, Any], *, opened_by: str, min_posts: int) -> str:
    """The window's or, where only the hour was unusual, the hour's posts, people, what was expected and what would have been unusual.

    `window` holds columns of alert_windows. People are distinct authors, estimated from their bitmap.

    >>> from datetime import UTC
    >>> strong = {"window_start": datetime(2026, 1, 6, 18, 15, tzinfo=UTC), "posts": 83, "expected": 2.2, "scale": 1.0, "threshold": 4.5,
    ...           "authors_bitmap": 2**40 - 1}
    >>> what_happened(strong, opened_by="window", min_posts=10)
    '83 posts by 63 people in 15 minutes; 2 were expected for a Tuesday lookback (UTC); at least 21 would have been unusual'
    """
    anomaly_rule = rule_for(window["threshold"], min_posts)
    if opened_by == "hour":
        posts, expected, bitmap, span = (
            window["hourly_posts"],
            window["hourly_expected"],
            window["hourly_authors_bitmap"],
            "an hour",
        )
        least = smallest_anomalous_hourly_posts(
            expected, window["scale"], window["hourly_spread"], anomaly_rule
        )
    else:
        posts, expected, bitmap, span = (
            window["posts"],
            window["expected"],
            window["authors_bitmap"],
            "15 minutes",
        )
        least = float(smallest_anomalous_posts(float(expected), float(window["scale"]), anomaly_rule))
    when = part_of_week(window["window_start"])
    return (
        f"{posts:,} posts by {people(bitmap, posts)} in {span}; {were_expected(expected)} for a {when} (UTC); "
        f"at least {ceil(least - 1e-9):,} would have been unusual"
    )


def people(bitmap: int, posts: int) -> str:
    """How many distinct authors set the bits of `bitmap`, as people say it.

    >>> people(0b111, 9), people(-1, 900), people(-1, 200), people(1, 12)
    ('3 people', '300 people or more', '200 people', '1 person')
    """
    is_full = bin(bitmap & (2**DISTINCT_BITS - 1)).count("1") == DISTINCT_BITS
    if is_full and posts > MANY_AUTHORS:
        return f"{MANY_AUTHORS} people or more"
    count = max(round(estimate_distinct([bitmap], at_most=posts)), 1)
    return f"{count:,} {'person' if count == 1 else 'people'}"


def were_expected(expected: float) -> str:
    """>>> were_expected(2.2), were_expected(1.4), were_expected(0.3), were_expected(0.004)
    ('2 were expected', '1 was expected', 'fewer than 1 was expected', 'none was expected')
    """
    if expected < 0.05:
        return "none was expected"
    if expected < 0.5:
        return "fewer than 1 was expected"
    return f"{round(expected):,} {'was' if round(expected) == 1 else 'were'} expected"


def part_of_week(moment: datetime) -> str:
    """Weekday and part of the day.

    >>> part_of_week(datetime(2026, 1, 6, 18, 15)), part_of_week(datetime(2026, 1, 10, 3))
    ('Tuesday lookback', 'Saturday night')
    """
    return f"{moment:%A} {('night', 'morning', 'afternoon', 'lookback')[moment.hour // 6]}"


def in_percent(share: float) -> str:
    """>>> in_percent(0.5), in_percent(0.0012), in_percent(0.00001), in_percent(0.0)
    ('50 %', '0.12 %', 'less than 0.01 %', 'never')
    """
    if share == 0:
        return "never"
    return (
        "less than 0.01 %"
        if share < 0.0001
        else f"{100 * share:.2g} %"
        if share < 0.1
        else f"{100 * share:.0f} %"
    )


def post_line(post: Mapping[str, Any]) -> str:
    """A post of alert_evidence on one line."""
    text = " ".join((post["text"] or "").split())
    likes = (
        "likes unknown"
        if post["likes"] is None
        else f"{post['likes']:,} like{'' if post['likes'] == 1 else 's'}"
    )
    return f"{post['role']:<10} {post['posted_at']:%H:%M}  {likes:>14}  {text[:_NOTE]}{'...' if len(text) > _NOTE else ''}  {post['link']}"


def terms_line(kind: str, terms: Sequence[Mapping[str, Any]], posts: int) -> str:
    """The terms of one kind of alert_terms on one line."""
    told = [
        f"{term['name'] or term['term']} ({term['posts']} of {posts:,}, else {in_percent(term['usual_share'])})"
        for term in terms
    ]
    return f"{kind:<8} {', '.join(told)}"
