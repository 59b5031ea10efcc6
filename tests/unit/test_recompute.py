"""Laws of recomputing an alert: it follows from the counts, and every stored difference is reported."""

from datetime import UTC, date, datetime

import numpy as np
import pytest
from pydantic import SecretStr

from alerts.explain.day import Baseline
from alerts.explain.recompute import (
    StoredAlert,
    alert_of,
    compare,
    figures_of_alert,
    recompute_windows,
    span_to_recount,
)
from alerts.explain.recount import Recount
from core.settings import Settings
from core.windows import window_number, window_start
from detection.learn import default_rows
from detection.traffic_baseline import Traffic

OPENED = window_number(datetime(2026, 1, 6, 18, 0, tzinfo=UTC))
SETTINGS = Settings(
    kafka_bootstrap_servers="unused",
    postgres_host="unused",
    postgres_password=SecretStr("unused"),
    s3_bucket="unused",
)

AS_OF, STEADY = date(2026, 1, 5), Traffic(np.full(24, 500.0), 7.0)
COMPARED = ("posts", "ratio", "expected", "score", "hourly_posts", "hourly_score", "threshold_ratio")


def a_count(posts: int) -> dict:
    return {
        "posts": posts,
        "authors_bitmap": -1,
        "texts_bitmap": -1,
        "first_post_at": datetime(2026, 1, 6, 18, 2, tzinfo=UTC),
        "first_post_id": 5,
        "latest_post_id": 9,
        "top_post_id": 7,
        "top_likes": 100,
    }


def recomputed(posts_by_window: dict[int, int], **changes):
    """Return the alert stored for `posts_by_window` and its judged windows.

    Windows are numbered from the opening one. `changes` are made to the first stored window.
    """
    recount = Recount(
        counts={("flood", OPENED + offset): a_count(posts) for offset, posts in posts_by_window.items()},
        total_posts={OPENED + offset: 500 for offset in range(-4, 12)},
    )
    offsets = [offset for offset in posts_by_window if offset >= 0]
    rows = [
        {
            "window_start": window_start(OPENED + offset),
            "statistics_as_of": AS_OF,
            "past_since": None,
            "threshold": 6.0,
            "closed": True,
            "alert_id": "x",
        }
        for offset in offsets
    ]
    ends = [rows[0], rows[-1]] if len(rows) > 1 else rows
    first = StoredAlert({"keyword": "flood", "status": "resolved"}, ends)
    judged = recompute_windows(
        first,
        recount,
        lambda keywords, as_of: Baseline(default_rows(len(keywords)), STEADY),
        lambda day: AS_OF,
        SETTINGS,
    )
    windows = [
        {
            **{name: getattr(judged[OPENED + offset], name) for name in COMPARED},
            **row,
        }
        for offset, row in zip(offsets, rows, strict=True)
        if OPENED + offset in judged
    ]
    windows[0].update(changes)
    resolved = StoredAlert({"keyword": "flood", "status": "resolved"}, windows)
    figures = figures_of_alert(resolved, alert_of(resolved, judged, SETTINGS), SETTINGS)
    return StoredAlert({"keyword": "flood", **figures}, windows), judged


def test_figures_that_follow_from_the_counts_match():
    stored, judged = recomputed({0: 40, 1: 60, 3: 30})
    comparison = compare(stored, judged, SETTINGS)
    assert (comparison.differences, comparison.figures) == ([], 3 * 11 + 24)


def test_the_alert_opens_continues_and_ends_with_its_windows():
    stored, _ = recomputed({0: 40, 1: 60, 3: 30})
    names = ("status", "opened_window", "last_window", "resolved_at", "posts", "severity", "opened_by")
    assert [stored.alert[name] for name in names] == [
        "resolved",
        window_start(OPENED),
        window_start(OPENED + 3),
        window_start(OPENED + 8),
        130,
        "strong",
        "window",
    ]


def test_the_hour_before_counts_where_its_windows_hold_three_posts():
    stored, judged = recomputed({-4: 50, -3: 5, -2: 2, -1: 3, 0: 40})
    assert judged[OPENED].hourly_posts == 48
    assert stored.windows[0]["hourly_posts"] == 48


@pytest.mark.parametrize(
    ("column", "value"), [("posts", 41), ("score", 10.263), ("ratio", 0.5), ("threshold_ratio", 9.9)]
)
def test_a_figure_that_does_not_follow_is_reported(column, value):
    stored, judged = recomputed({0: 40, 1: 60}, **{column: value})
    assert [difference.column for difference in compare(stored, judged, SETTINGS).differences] == [column]


def test_reals_are_compared_as_postgres_keeps_them():
    exact = recomputed({0: 40})[1][OPENED].score
    stored, judged = recomputed({0: 40}, score=float(np.float32(exact)))
    assert stored.windows[0]["score"] != exact
    assert compare(stored, judged, SETTINGS).differences == []


def test_a_missing_window_is_reported():
    stored, judged = recomputed({0: 40, 1: 60, 2: 50})
    without = StoredAlert(stored.alert, [stored.windows[0], stored.windows[2]])
    assert "window 2026-01-06 18:15" in {
        difference.column for difference in compare(without, judged, SETTINGS).differences
    }


def test_an_open_window_is_not_compared():
    stored, judged = recomputed({0: 40}, posts=7, closed=False)
    assert compare(stored, judged, SETTINGS).figures == 0


def test_an_hour_before_and_the_windows_that_end_it_are_recounted():
    stored, _ = recomputed({0: 40, 2: 60})
    assert span_to_recount(stored, SETTINGS) == (window_start(OPENED - 3), window_start(OPENED + 7))
