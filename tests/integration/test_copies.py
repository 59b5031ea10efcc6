"""A word in 500 posts through Kafka: copied by three users it raises no alert, used by 480 users it does."""

from datetime import UTC, datetime, timedelta

import pytest

from core.settings import Settings
from tests.integration.test_detection import a_value
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import learn_nothing, rows

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POSTS, MANY, FEW = 500, 480, 3
SPAM, NEWS, CHAIN = (START + timedelta(hours=hour) for hour in (0, 2, 4))
"""Windows in which three users post a word, many users post it, and many post another word in one text."""


def values() -> list[bytes]:
    """Return six hours of background posts, one every ten seconds, and three bursts of twelve minutes."""
    posts = [
        (START + timedelta(seconds=10 * i), f"quiet{i % 50}x morning{i % 7}x", 10_000 + i % 400)
        for i in range(6 * 360)
    ]
    for i in range(POSTS):
        after = timedelta(seconds=720 * i / POSTS)
        posts += [
            (SPAM + after, "meteor now at my shop", 1 + i % FEW),
            (NEWS + after, f"meteor seen from town{i}x", 100 + i % MANY),
            (CHAIN + after, "share this comet before midnight", 1_000 + i % MANY),
        ]
    posts.sort()
    return [
        a_value(8_000_000_000_000_000_000 + i, at, text, author=author)
        for i, (at, text, author) in enumerate(posts)
    ]


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """All posts judged, of words that are all new."""
    learn_nothing(module_settings)
    send(module_settings, values())
    drain_topics(spark_for(module_settings), module_settings, "detect")
    let_time_decide(module_settings, START + timedelta(days=2))
    return module_settings


def test_500_copies_by_three_users_raise_no_alert_and_are_suppressed_with_the_reason(
    world: Settings,
) -> None:
    assert rows(
        world,
        "SELECT reason, posts, distinct_authors < 4 FROM suppressed_windows "
        "WHERE keyword = 'meteor' AND window_start = %s",
        SPAM,
    ) == [("few authors", POSTS, True)]


def test_the_same_word_by_480_users_alerts_with_the_origin_organic_or_one_text(world: Settings) -> None:
    alerts = rows(
        world,
        "SELECT keyword, opened_window, posts, origin, distinct_authors > 250 FROM anomaly_alerts "
        "WHERE keyword IN ('meteor', 'comet') ORDER BY 2",
    )
    assert alerts == [("meteor", NEWS, POSTS, "organic", True), ("comet", CHAIN, POSTS, "one text", True)]
