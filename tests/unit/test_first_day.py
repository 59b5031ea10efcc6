"""Laws of the first day: judged by the windows before, alike live and for whole days, and silent at first."""

from dataclasses import replace
from datetime import UTC, date, datetime

import numpy as np
import pytest

from alerts.expected import Compared, expectation
from alerts.live_counts import LiveCount
from alerts.past import Past, RunningPosts, Sums
from alerts.traffic import ExpectedTraffic
from core.windows import ONE_DAY, WINDOW, day_start
from detection.day_counts import DayCounts
from detection.first_day import first_day_overdispersion, past_windows
from detection.judge_day import JudgedDay, judge_day
from detection.learn import default_rows
from detection.score import rule_for
from detection.traffic_baseline import Traffic

DAY = date(2026, 3, 3)
RULE = rule_for(6.0, 10)
MOMENT = datetime(2026, 3, 3, tzinfo=UTC)
HALF_LEARNED = np.where(np.arange(24) < 9, 400.0, 0.0)
"""Expected posts by hour after a first day that ended at 9 in the morning."""


def a_stream(seed: int, *, begins: int) -> tuple[np.ndarray, np.ndarray]:
    """Posts of 20 keywords and of all, in the 192 windows of two days; nothing before window `begins`."""
    random = np.random.default_rng(seed)
    means = 10 ** random.uniform(-1, 2, (20, 1))
    posts = random.poisson(means * random.gamma(4, 0.25, (20, 192))).astype(float)
    posts[3, 150:155] += 90
    posts[4, 120] += 2_000
    total = posts.sum(axis=0) + random.poisson(300, 192)
    posts[:, :begins], total[:begins] = 0, 0
    total[170:172], posts[:, 170:172] = 0, 0
    return posts, total


def judged_whole(posts: np.ndarray, total: np.ndarray, traffic: Traffic | None) -> JudgedDay:
    counts = DayCounts(posts[:, 96:], posts[:, :96], total[96:], total[:96])
    return judge_day(counts, default_rows(len(posts)), traffic, RULE)


def live(posts: np.ndarray, total: np.ndarray) -> tuple[list[LiveCount], dict[datetime, int], Past]:
    """The same as live counts of the second day, of which the first 40 windows have left `live_counts`."""
    begin = day_start(DAY - ONE_DAY)
    starts = [begin + number * WINDOW for number in range(192)]
    kept = np.where(posts >= 3, posts, 0).astype(int)
    traffic = {start: int(count) for start, count in zip(starts, total, strict=True) if count}
    past = Past(
        gap=2,
        since=min(traffic),
        traffic=RunningPosts.of(traffic),
        moved={
            str(word): Sums(int(kept[word, :40].sum()), float((kept[word, :40] ** 2).sum()))
            for word in range(len(posts))
        },
        live={
            str(word): RunningPosts.of(dict(zip(starts[40:], kept[word, 40:].tolist(), strict=True)))
            for word in range(len(posts))
        },
    )
    counts = [
        LiveCount(
            keyword=str(word),
            window_start=starts[number],
            posts=int(posts[word, number]),
            authors_bitmap=0,
            texts_bitmap=0,
            first_post_at=MOMENT,
            first_post_id=1,
            latest_post_id=1,
            top_post_id=1,
            top_likes=0,
            hourly_posts=int(kept[word, number - 3 : number + 1].sum()),
            hourly_authors_bitmap=0,
            posts_before=[int(kept[word, number - back]) for back in (1, 2, 3)],
            level=None,
            variance=None,
            dispersion=None,
            hourly_spread=None,
            deviation=None,
            deviation_before=None,
        )
        for word in range(len(posts))
        for number in range(96, 192)
        if posts[word, number] >= 3
    ]
    return counts, traffic, past


@pytest.mark.parametrize("learned", [None, HALF_LEARNED], ids=["nothing learned", "some hours learned"])
@pytest.mark.parametrize("begins", [0, 50, 97])
def test_live_counts_are_compared_with_what_a_whole_day_is_compared_with(
    begins: int, learned: np.ndarray | None
) -> None:
    posts, total = a_stream(7, begins=begins)
    whole = judged_whole(posts, total, None if learned is None else Traffic(learned, 1.0))
    expected = ExpectedTraffic(
        as_of=None if learned is None else DAY - ONE_DAY,
        expected_posts=np.ones(24) if learned is None else learned,
        known=learned is not None,
    )
    counts, traffic, past = live(posts, total)
    by = expectation(counts, Compared(expected, traffic, {}, past))
    first = day_start(DAY)
    rows = [int(count.keyword) for count in counts]
    columns = [(count.window_start - first) // WINDOW for count in counts]
    for name in ("ratio", "expected", "hourly_expected", "scale", "hourly_spread"):
        np.testing.assert_allclose(
            getattr(by, name), getattr(whole, name)[rows, columns], rtol=1e-9, atol=1e-12, err_msg=name
        )
    assert by.first_day.tolist() == whole.first_day[columns].tolist()
    assert by.first_day.any()


def test_nothing_alerts_in_the_first_45_minutes_and_a_burst_after_them_does() -> None:
    posts, total = np.full((1, 192), 5.0), np.full(192, 1_000.0)
    posts[:, :106], total[:106] = 0, 0
    posts[0, 106:109] = 400
    early = judged_whole(posts, total, None).verdicts
    assert not early.anomalous.any() and early.threshold_ratio[0, 10:13].tolist() == [0, 0, 0]
    posts[0, 106:109] = 5
    posts[0, 109] = 90
    assert judged_whole(posts, total, None).verdicts.anomalous[0, 10:15].tolist() == [
        False,
        False,
        False,
        True,
        False,
    ]


def test_a_word_that_was_always_frequent_is_no_news() -> None:
    posts, total = np.full((1, 192), 200.0), np.full(192, 1_000.0)
    assert not judged_whole(posts, total, None).verdicts.anomalous.any()


def test_a_word_that_jumped_before_is_no_news_when_it_jumps_again_and_a_steady_one_is() -> None:
    posts, total = np.full((2, 192), 10.0), np.full(192, 10_000.0)
    posts[0] = np.where(np.arange(192) % 12 == 0, 65, 5)
    posts[:, 150] = 75
    assert judged_whole(posts, total, None).verdicts.anomalous[:, 54].tolist() == [False, True]


def test_counts_below_three_that_are_not_kept_widen_the_scale_of_rare_words_alone_and_little() -> None:
    rates = np.repeat([0.2, 0.5, 1.0, 2.0, 3.0, 5.0, 20.0], 200)[:, None]
    steady = np.random.default_rng(5).poisson(rates, (1_400, 192)).astype(float)
    past = past_windows(steady, np.full(192, 1_000.0), gap=2).from_window(191)
    overdispersion = first_day_overdispersion(past)[:, 0]
    assert overdispersion[800:].tolist() == [0.2] * 600
    assert (overdispersion * past.compared_posts[:, 0] / 190)[:800].max() < 2


def test_jumps_of_the_past_count_relative_to_the_share_that_is_expected_again() -> None:
    posts = np.zeros((2, 192))
    posts[:, ::10] = 60
    posts[1, 188:190] = 30
    past = past_windows(posts, np.full(192, 1_000.0), gap=2).from_window(191)
    assert past.by_recent[:, 0].tolist() == [False, True]
    assert first_day_overdispersion(past)[:, 0].round(1).tolist() == [8.5, 0.3]


def test_a_word_of_which_an_older_version_kept_no_squares_is_judged_by_the_usual_overdispersion() -> None:
    posts, total = a_stream(7, begins=0)
    counts, traffic, past = live(posts, total)
    forgotten = replace(past, moved={word: Sums(sums.posts, np.nan) for word, sums in past.moved.items()})
    nothing = ExpectedTraffic(as_of=None, expected_posts=np.ones(24), known=False)
    by = expectation(counts, Compared(nothing, traffic, {}, forgotten))
    assert by.scale.tolist() == np.sqrt(1 + by.ratio + 0.2 * by.expected).tolist()


def test_traffic_that_grows_or_stops_raises_nothing() -> None:
    random = np.random.default_rng(3)
    for factor in (3.0, 0.02):
        growth = np.ones(192)
        growth[130:150] = factor
        shares = np.array([[0.3], [0.1], [0.05], [0.01]])
        posts = random.poisson(shares * 1_000 * growth).astype(float)
        assert not judged_whole(posts, np.round(1_000 * growth), None).verdicts.anomalous.any()


def test_a_dominant_word_alerts_although_it_makes_the_traffic() -> None:
    posts, total = np.full((1, 192), 500.0), np.full(192, 1_000.0)
    posts[0, 150] += 9_500
    total[150] += 9_500
    assert judged_whole(posts, total, None).verdicts.anomalous[0].nonzero()[0].tolist() == [54]


def test_two_hours_of_a_tiny_stream_are_silent() -> None:
    posts = np.zeros((24, 192))
    posts[np.arange(24), 100 + np.arange(24) // 3] = 1
    assert not judged_whole(posts, posts.sum(axis=0), None).verdicts.anomalous.any()


def test_a_word_in_every_ordinary_post_is_no_news_when_other_posts_end() -> None:
    posts, total = np.full((1, 192), 100.0), np.full(192, 100.0)
    total[120:150] = 250
    assert not judged_whole(posts, total, None).verdicts.anomalous.any()
