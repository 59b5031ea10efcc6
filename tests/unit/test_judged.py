"""Laws of judged windows: each is what its count was judged by, whatever is judged beside it."""

from dataclasses import fields
from datetime import timedelta
from functools import partial

import numpy as np
import pytest

from alerts.expected import Compared
from alerts.judge import judge_counts
from alerts.judged import Judged
from alerts.past import Past
from alerts.plans import Plans, Thresholds
from alerts.traffic import ExpectedTraffic
from core.windows import ONE_DAY, day_start, window_number
from detection.lifecycle import JudgedWindow, as_real, as_reals
from tests.unit.test_first_day import DAY, HALF_LEARNED, a_stream, live

PLANS = Plans({}, frozenset(), {"4": [(day_start(DAY), day_start(DAY) + ONE_DAY)]})


@pytest.fixture(scope="module")
def judged() -> Judged:
    """Counts of a day of which the statistics cover nine hours; one keyword is planned, few have authors."""
    posts, total = a_stream(7, begins=0)
    counts, traffic, past = live(posts, total)
    counts = [count._replace(authors_bitmap=-1 if int(count.keyword) % 3 else 1) for count in counts]
    statistics = ExpectedTraffic(DAY - ONE_DAY, HALF_LEARNED, known=True)
    compared = Compared(statistics, traffic, {}, past)
    return judge_counts(counts, compared, PLANS, Thresholds(6.0, 4.5), 10)


def test_reals_are_rounded_one_by_one_or_together() -> None:
    random = np.random.default_rng(2)
    numbers = 10 ** random.uniform(-12, 12, 2_000) * random.choice([-1, 1], 2_000)
    together = as_reals(np.array([*numbers, 0.0, -0.0, np.inf, 1e-42]))
    assert together == [as_real(number) for number in (*numbers, 0.0, -0.0, np.inf, 1e-42)]


def test_a_window_has_the_figures_that_its_count_was_judged_by(judged: Judged) -> None:
    closed_before = window_number(day_start(DAY) + timedelta(hours=12))
    windows = list(judged.windows(closed_before, judged.keywords()))
    assert len(windows) == len(judged.counts)
    past = judged.by.past
    assert past is not None and judged.by.first_day.any() and not judged.by.first_day.all()
    for i, (keyword, window) in enumerate(windows):
        count, first_day = judged.counts[i], judged.by.first_day[i]
        assert (keyword, window.number) == (count.keyword, window_number(count.window_start))
        assert window.posts == count.posts and window.total_posts == judged.total_posts[i]
        assert window.ratio == as_real(judged.by.ratio[i])
        assert window.threshold_ratio == as_real(judged.verdicts.threshold_ratio[i])
        assert window.anomalous is bool(judged.verdicts.anomalous[i])
        assert window.closed is (window.number < closed_before)
        assert window.statistics_as_of == (None if first_day else judged.as_of)
        assert window.past_posts == (int(past.compared_posts[i]) if first_day else None)
        assert window.past_total_posts == (int(past.compared_total[i]) if first_day else None)
        assert window.past_since == (judged.since if first_day else None)


def test_suppressed_windows_are_those_with_a_reason(judged: Judged) -> None:
    every = list(judged.windows(0, judged.keywords()))
    suppressed = [pair for pair in every if pair[1].suppressed_by is not None]
    assert {window.suppressed_by for _, window in suppressed} == {"few authors", "calendar"}
    assert list(judged.suppressed(0)) == suppressed


def test_the_windows_of_some_keywords_are_those_among_all(judged: Judged) -> None:
    some = {"3", "4", "17"}
    among_all = [pair for pair in judged.windows(0, judged.keywords()) if pair[0] in some]
    assert list(judged.windows(0, some)) == among_all


def test_a_count_is_judged_alike_by_itself_and_beside_others(judged: Judged) -> None:
    posts, total = a_stream(7, begins=0)
    _, traffic, past = live(posts, total)
    statistics = ExpectedTraffic(DAY - ONE_DAY, HALF_LEARNED, known=True)
    judge = partial(judge_counts, plans=PLANS, thresholds_of_day=Thresholds(6.0, 4.5), min_posts=10)
    every: list[tuple[str, JudgedWindow]] = list(judged.windows(0, judged.keywords()))
    for i in range(0, len(every), 97):
        alone = judge([judged.counts[i]], Compared(statistics, traffic, {}, past))
        assert list(alone.windows(0, alone.keywords())) == [every[i]]


def test_a_past_that_is_extended_has_what_one_load_has() -> None:
    _, _, past = live(*a_stream(7, begins=0))
    halves = [
        Past(
            **{field.name: getattr(past, field.name) for field in fields(past)}
            | {
                name: {word: posts for word, posts in getattr(past, name).items() if int(word) % 2 == odd}
                for name in ("moved", "live")
            }
        )
        for odd in (0, 1)
    ]
    assert halves[0].extended(halves[1]) == past
