"""Laws of the sentence that explains why a keyword alerted."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from alerts.explain.sentence import post_line, terms_line, what_happened

TUESDAY = datetime(2026, 1, 6, 18, 15, tzinfo=UTC)


def window():
    hour = {
        "hourly_posts": 30,
        "hourly_expected": 0.0,
        "hourly_spread": 1.0,
        "hourly_authors_bitmap": 2**28 - 1,
    }
    return {
        "window_start": TUESDAY,
        "posts": 83,
        "expected": 2.0,
        "scale": 1.0,
        "threshold": 4.5,
        "authors_bitmap": 2**39 - 1,
        **hour,
    }


def test_a_window_is_described_by_posts_people_expected_posts_and_what_would_have_been_unusual():
    assert what_happened(window(), opened_by="window", min_posts=10) == (
        "83 posts by 60 people in 15 minutes; 2 were expected for a Tuesday evening (UTC); "
        "at least 20 would have been unusual"
    )


def test_a_slow_climb_is_described_by_its_hour():
    assert what_happened(window(), opened_by="hour", min_posts=10) == (
        "30 posts by 30 people in an hour; none was expected for a Tuesday evening (UTC); "
        "at least 20 would have been unusual"
    )


def test_a_post_is_one_line_whatever_its_text():
    post = {
        "role": "typical",
        "posted_at": TUESDAY,
        "likes": 1200,
        "text": "line one\n line two " + "x" * 99,
        "link": "https://a",
    }
    line = post_line(post)
    assert "\n" not in line
    assert line.startswith("typical    18:15     1,200 likes  line one line two xxx")
    assert line.endswith("...  https://a")


def test_terms_give_their_posts_and_their_share_elsewhere():
    terms: list[Mapping[str, Any]] = [
        {"term": "flood", "name": None, "posts": 59, "usual_share": 0.001},
        {"term": "7", "name": "Song", "posts": 30, "usual_share": 0.0},
    ]
    line = terms_line("word", terms, 60)
    assert line == "word     flood (59 of 60, elsewhere 0.1%), Song (30 of 60, elsewhere never)"
