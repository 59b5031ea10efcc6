"""`python -m benchmarks judging`: what it costs to judge counts, on a first day and later.

Every keyword has a count in each of ten windows, as in a batch that catches up. Only the work in memory is
measured: Postgres takes no part.
"""

import statistics
import time
from datetime import UTC, datetime
from typing import Annotated

import numpy as np
import typer

from alerts.expected import Compared
from alerts.judge import judge_counts
from alerts.live_counts import LiveCount
from alerts.past import Past, RunningPosts
from alerts.plans import Plans, Thresholds
from alerts.traffic import ExpectedTraffic
from core.windows import ONE_DAY, WINDOW, window_number
from detection.seasonality import HOURS

BEGIN = datetime(2026, 3, 3, 6, tzinfo=UTC)
WINDOWS, WINDOWS_BEFORE, TOTAL_POSTS, MIN_POSTS = 10, 24, 4_000, 10
ROUNDS = 5
MICROSECONDS = 1e6


def main(
    keywords: Annotated[int, typer.Option(help="keywords that are judged", min=1)] = 2_000,
    seed: Annotated[int, typer.Option(help="seed of the counts")] = 1,
) -> None:
    """Print microseconds a count: to judge it, and to give its window to the decision."""
    counts = _counts(np.random.default_rng(seed), keywords)
    for name, known in (("first day", False), ("with statistics", True)):
        judging, giving = zip(
            *(_seconds(counts, _compared(counts, known)) for _ in range(ROUNDS)), strict=True
        )
        each = MICROSECONDS / len(counts)
        print(
            f"{name}: {len(counts):,} counts, judged in {statistics.median(judging) * each:.1f} us each, "
            f"given as windows in {statistics.median(giving) * each:.1f} us each"
        )


def _seconds(counts: list[LiveCount], compared: Compared) -> tuple[float, float]:
    plans, thresholds = Plans({}, frozenset(), {}), Thresholds(6.0, 4.5)
    began = time.perf_counter()
    judged = judge_counts(counts, compared, plans, thresholds, MIN_POSTS)
    ended = time.perf_counter()
    closed_before = window_number(BEGIN + WINDOWS * WINDOW)
    assert sum(1 for _ in judged.windows(closed_before, judged.keywords())) == len(counts)
    return ended - began, time.perf_counter() - ended


def _counts(random: np.random.Generator, keywords: int) -> list[LiveCount]:
    return [
        LiveCount(
            keyword=f"word{word}",
            window_start=BEGIN + number * WINDOW,
            posts=posts,
            authors_bitmap=-1,
            texts_bitmap=-1,
            first_post_at=BEGIN,
            first_post_id=1,
            latest_post_id=2,
            top_post_id=2,
            top_likes=0,
            hourly_posts=4 * posts,
            hourly_authors_bitmap=-1,
            posts_before=[posts, posts, posts],
            level=None,
            variance=None,
            dispersion=None,
            hourly_spread=None,
            deviation=None,
            deviation_before=None,
        )
        for word in range(keywords)
        for number, posts in enumerate(random.integers(MIN_POSTS, 300, WINDOWS).tolist())
    ]


def _compared(counts: list[LiveCount], known: bool) -> Compared:
    traffic = {BEGIN + number * WINDOW: TOTAL_POSTS for number in range(-WINDOWS_BEFORE, WINDOWS)}
    past = Past(
        gap=2,
        since=min(traffic),
        traffic=RunningPosts.of(traffic),
        moved={},
        live={count.keyword: RunningPosts.of(dict.fromkeys(traffic, 20)) for count in counts},
    )
    expected = ExpectedTraffic(
        as_of=(BEGIN - ONE_DAY).date() if known else None,
        expected_posts=np.full(HOURS, float(TOTAL_POSTS)),
        known=known,
    )
    return Compared(expected, traffic, {}, None if known else past)
