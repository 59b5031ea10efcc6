"""Laws of streams of which one word makes a large share: their posts, what is found in them, and falsely."""

import numpy as np
import pytest

from benchmarks.accuracy.share import (
    GENERIC,
    HEAVY,
    HISTORY_DAYS,
    NEIGHBOUR,
    Rise,
    Stream,
    count_false_alerts,
    find_rise,
    learn_streams,
    steady_days,
)
from detection.score import AnomalyRule, rule_for

WATCHED, DISCOVERY = rule_for(4.5, 10), rule_for(6.0, 10)
SEEDS = 12


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
def test_the_heavy_word_has_its_share_of_all_posts_and_generic_words_are_in_every_kind_of_post(
    share: float,
) -> None:
    (history,) = learn_streams(Stream(24_000, share, 0.0), 1, 1)
    posts, total = history.draw(HISTORY_DAYS, np.random.default_rng(1))
    assert posts[HEAVY].sum() / total.sum() == pytest.approx(share, abs=0.05)
    assert (posts[HEAVY] + posts[NEIGHBOUR] <= total).all()
    assert posts[GENERIC][0].sum() / total.sum() == pytest.approx(0.3, abs=0.02)
    assert (posts[NEIGHBOUR].sum() > 0) == (share < 1)


@pytest.mark.parametrize("rule", [WATCHED, DISCOVERY])
@pytest.mark.parametrize(("share", "volume"), [(0.1, 5_000), (0.5, 5_000), (0.5, 100_000), (0.8, 24_000)])
def test_a_word_that_rises_twentyfold_is_found_at_once_whatever_its_share(
    share: float, volume: int, rule: AnomalyRule
) -> None:
    histories = learn_streams(Stream(volume, share, 0.1), SEEDS, 1)
    found = find_rise(histories, Rise(20), rule, 1)
    assert (found.heavy, found.heavy_minutes) == (1.0, 15.0)


def test_the_topic_in_every_post_that_rises_twentyfold_is_found_and_the_words_of_its_posts_are_not() -> None:
    histories = learn_streams(Stream(24_000, 1.0, 0.0), SEEDS, 1)
    found = find_rise(histories, Rise(20), WATCHED, 1)
    assert (found.heavy, found.heavy_minutes, found.generic) == (1.0, 15.0, 0.0)


def test_totals_take_little_power_from_a_heavy_word_that_rises_fivefold() -> None:
    histories = learn_streams(Stream(100_000, 0.33, 0.0), SEEDS, 1)
    known, unknown = (find_rise(histories, Rise(5), WATCHED, 1, totals=totals) for totals in (True, False))
    assert (unknown.heavy, known.heavy >= 0.9) == (1.0, True)


def test_generic_words_in_the_posts_of_a_heavy_word_raise_nothing() -> None:
    histories = learn_streams(Stream(100_000, 0.33, 0.0), SEEDS, 1)
    found = find_rise(histories, Rise(20, 12), WATCHED, 1)
    assert (found.heavy, found.generic) == (1.0, 0.0)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.8, 1.0])
def test_a_heavy_word_raises_no_false_alert_when_the_stream_grows_is_out_or_has_just_begun_a_window(
    share: float,
) -> None:
    histories = learn_streams(Stream(24_000, share, 0.0), SEEDS, 1)
    counted = count_false_alerts(histories, DISCOVERY, 1)
    assert {name: heavy for name, (heavy, _) in counted.items()} == dict.fromkeys(steady_days(), 0)
