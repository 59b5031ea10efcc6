"""Laws of `groundswell alerts --follow`: it begins with what is open and repeats nothing that is over."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from uuid import UUID

import pytest

from alerts import listing
from core.settings import Settings
from sql.connection import transaction

INSERT = """
INSERT INTO anomaly_alerts (
    alert_id, keyword, status, resolved_at, provisional, opened_window, last_window, posts, expected, score,
    peak_score, threshold_ratio, severity, opened_by, distinct_authors, distinct_texts, rule_version,
    degraded, updated_at
) VALUES (
    %(alert_id)s, %(keyword)s, %(status)s, %(resolved_at)s, false, '2026-01-02 00:00Z', '2026-01-02 00:00Z',
    20, 1, 7, 7, 1.2, 'notable', 'window', 9, 9, 'test', false, now() - interval '1 day'
)
"""


@pytest.fixture
def world(settings: Settings) -> Settings:
    """An open alert of snow and a resolved one of rain, both written a day ago."""
    with transaction(settings) as cursor:
        for number, keyword, status, end in (
            (1, "snow", "open", None),
            (2, "rain", "resolved", "2026-01-02 01:15Z"),
        ):
            cursor.execute(
                INSERT,
                {"alert_id": str(UUID(int=number)), "keyword": keyword, "status": status, "resolved_at": end},
            )
    return settings


def next_of(followed: Iterator[listing.AlertLine]) -> tuple[str, str]:
    [alert] = islice(followed, 1)
    return alert.keyword, alert.news


def test_following_begins_with_what_is_open_and_a_restart_repeats_nothing_that_is_over(
    world: Settings,
) -> None:
    with closing(listing.following(world)) as followed:
        assert next_of(followed) == ("snow", "OPEN")
        with transaction(world) as cursor:
            cursor.execute(
                "UPDATE anomaly_alerts SET status = 'resolved', resolved_at = '2026-01-02 01:15Z', "
                "updated_at = now() WHERE keyword = 'snow'"
            )
        assert next_of(followed) == ("snow", "RESOLVED")
    assert listing.open_alerts(world) == []
    news = listing.news_of(world, since=listing.BEGINNING, follow=lambda: False)
    assert {alert.keyword for alert in news} == {"rain", "snow"}
