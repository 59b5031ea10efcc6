"""Laws of the simulated first days and of what is counted on them, on small streams."""

from itertools import islice

import numpy as np
import pytest

from benchmarks.first_day.bursts import MUST_BE_FOUND, NEVER_SEEN, SPAM, Burst, Stream, plant
from benchmarks.first_day.judging import judge_stream, opened_alerts, withdrawn_alerts
from benchmarks.first_day.outcome import Outcome, Tally, outcome_of
from benchmarks.first_day.rooms import rooms
from benchmarks.first_day.tables import Results
from benchmarks.first_day.texts import PostTexts, load_texts, stream_of_texts
from benchmarks.first_day.worlds import BURSTY, LASTING, LOOKS, Counts, FirstDays, hours, simulate
from core.errors import NotReadyError
from detection.score import rule_for

RULE = rule_for(6.0, 10)
MORNING = FirstDays(5_000, LASTING, 397, 1)
BURST_WINDOW = 40


def steady(burst_looks, *, authors=np.inf, kind=NEVER_SEEN):
    """A stream of 200 posts a window in which a new word has `burst_looks` posts by look of one window."""
    world = FirstDays(20_000, LASTING, 0, 1)
    per_look = np.full((192, LOOKS), 200 / LOOKS)
    looks = np.zeros((192, LOOKS))
    looks[BURST_WINDOW] = burst_looks
    posts = np.vstack([np.full(192, 20.0), looks.sum(axis=1)])
    counts = Counts(posts, posts, (np.round(per_look) + looks).cumsum(axis=1))
    start = BURST_WINDOW * 15.0
    burst = Burst(kind, (1,), start, 10, int(looks.sum()), authors, start)
    return Stream(world, counts, [burst], {1: looks})


def test_nothing_is_posted_before_the_stream_begins_and_little_in_the_window_that_it_begins_in():
    total = simulate(MORNING).total
    assert total[:26].sum() == 0
    assert total[26, :13].sum() == 0 < total[26, -1] < 0.9 * total[27:31, -1].mean()
    assert (np.diff(total, axis=1) >= 0).all()


def test_traffic_varies_fourfold_and_words_have_hours_of_their_own():
    total = simulate(FirstDays(20_000, BURSTY, 0, 1)).total[:, -1]
    assert 3.0 < np.percentile(total, 95) / np.percentile(total, 5) < 5.5
    assert total.sum() == pytest.approx(40_000, rel=0.1)
    strong = hours(np.array([4.0]), np.array([8.0]))[0]
    assert strong.mean() == pytest.approx(1.0)
    assert strong[32] / strong[80] > 1_000


def test_the_same_seed_gives_the_same_stream_and_another_seed_another():
    one, same, other = (
        plant(world, simulate(world)) for world in (MORNING, MORNING, FirstDays(5_000, LASTING, 397, 2))
    )
    assert np.array_equal(one.counts.posts, same.counts.posts)
    assert one.bursts == same.bursts != other.bursts


def test_bursts_add_their_posts_to_their_words_and_to_all_posts_and_leave_the_first_hour_alone():
    counts = simulate(MORNING)
    before, words = counts.total[:, -1].copy(), len(counts.posts)
    stream = plant(MORNING, counts)
    planted = sum(burst.posts for burst in stream.bursts)
    assert (stream.counts.total[:, -1] - before).sum() == planted
    assert min(burst.start for burst in stream.bursts) >= 397 + 60
    coined = [burst for burst in stream.bursts if burst.keywords[0] >= words]
    assert coined
    for burst in coined:
        assert stream.counts.posts[burst.keywords[0]].sum() == burst.posts


def test_a_new_word_is_found_while_its_window_is_open_and_counts_its_minutes():
    looks = np.zeros(LOOKS)
    looks[:20] = 2.0
    outcome = outcome_of(steady(looks), RULE)
    assert (outcome.false, outcome.learning, outcome.withdrawn) == (0, 0, 0)
    assert outcome.tallies == {NEVER_SEEN: Tally(1, 1)}
    assert 3 < outcome.minutes[0] <= 6


def test_spam_raises_no_alert_and_an_alert_on_it_would_be_false():
    looks = np.zeros(LOOKS)
    looks[:20] = 2.0
    assert outcome_of(steady(looks, authors=2.0, kind=SPAM), RULE).false == 0
    assert outcome_of(steady(looks, authors=40.0, kind=SPAM), RULE).false == 1


def test_an_early_alert_that_its_window_does_not_confirm_is_withdrawn_and_counted():
    stream = steady(np.zeros(LOOKS))
    stream.counts.posts[0] = 4.0
    stream.counts.posts[0, BURST_WINDOW] = 30.0
    stream.counts.total[BURST_WINDOW] = np.where(np.arange(LOOKS) < 5, 0.0, 36.0)
    stream.counts.total[BURST_WINDOW, 10:] = 1_500.0
    early = np.zeros(LOOKS)
    early[5] = 30.0
    stream.extra[0] = np.zeros((192, LOOKS))
    stream.extra[0][BURST_WINDOW] = early
    judged = judge_stream(stream, RULE)
    assert [alert.window for alert in withdrawn_alerts(judged)] == [BURST_WINDOW]
    assert not opened_alerts(judged)
    assert outcome_of(stream, RULE).withdrawn == 1


@pytest.mark.slow
@pytest.mark.parametrize("noise", [LASTING, BURSTY])
def test_a_small_world_reaches_the_goals(noise):
    results = Results()
    for start in (0, 397, 1_200):
        world = FirstDays(20_000, noise, start, 1)
        results.add("small", [outcome_of(plant(world, simulate(world)), RULE)])
    assert results.missed_goals() == []
    assert results.found().planted >= 9


@pytest.mark.slow
def test_a_live_event_tells_its_moment_and_two_dozen_posts_tell_nothing():
    for room in islice(rooms(1), 2):
        outcome = outcome_of(room.stream, RULE)
        assert outcome.false <= room.may_raise, room.name
        assert all(tally.share == 1.0 for tally in outcome.tallies.values())


def test_missed_goals_are_named():
    results = Results()
    assert results.summary() == "summary: all goals reached"
    late = Outcome(false=4, learning=1, minutes=[7.0], tallies={MUST_BE_FOUND[0]: Tally(1, 2)})
    results.add("a world", [Outcome(minutes=[7.0]), late])
    assert results.missed_goals() == [
        "more than 3 false alerts a day (4 in a world)",
        "1 alerts in the first 45 minutes",
        "0.500 of the bursts found, not 0.95",
        "median of 7.0 minutes, not 6",
    ]
    assert results.summary().startswith("summary: 2 first days, 2.00 false alerts a day, at most 4; 1 of 2 ")


def test_posts_of_texts_have_all_their_keywords_and_a_missing_file_says_what_to_name(tmp_path):
    texts = PostTexts([["both", "one"], ["both", "two"]])
    counts = stream_of_texts(texts, FirstDays(20_000, LASTING, 0, 1)).counts
    both, one, two = counts.posts[:3]
    assert np.array_equal(both, one + two)
    assert (both <= counts.total[:, -1]).all()
    with pytest.raises(NotReadyError, match="--posts"):
        load_texts(tmp_path / "absent.ndjson")
