"""Laws of terms that stand out: the log-odds ratio against its formula, and which terms are reported."""

from math import log, sqrt

import numpy as np
import pytest

from alerts.evidence.terms import STANDING_OUT, TERMS_PER_KIND, TermCount, log_odds, standing_out


@pytest.mark.parametrize(
    ("y", "n", "other", "m"),
    [(83, 83, 2, 10_000), (4, 60, 700, 10_000), (1, 12, 0, 300), (40, 2_000, 40, 2_000)],
)
def test_the_log_odds_ratio_is_that_of_the_paper(y, n, other, m):
    prior_of_term, prior = 500 * (y + other) / (n + m), 500
    odds = (y + prior_of_term) / (n + prior - y - prior_of_term)
    usual_odds = (other + prior_of_term) / (m + prior - other - prior_of_term)
    expected = log(odds / usual_odds)
    with_term, with_other = y + prior_of_term, other + prior_of_term
    without_term, without_other = n + prior - with_term, m + prior - with_other
    z = expected / sqrt(1 / with_term + 1 / without_term + 1 / with_other + 1 / without_other)
    ratios, z_scores = log_odds([y], n, [other], m)
    assert (ratios[0], z_scores[0]) == pytest.approx((expected, z))


def test_a_term_that_is_as_frequent_as_elsewhere_has_no_log_odds():
    ratio, z = log_odds([50], 1_000, [500], 10_000)
    assert (ratio[0], z[0]) == pytest.approx((0, 0), abs=1e-12)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.999, 1.0])
@pytest.mark.parametrize("totals", [(500, 100), (100, 500), (60, 9_940), (20_000, 40), (3_000, 1_000_000)])
def test_equal_shares_stand_out_nowhere_whatever_the_totals(share: float, totals: tuple[int, int]) -> None:
    ratio, z = log_odds([share * totals[0]], totals[0], [share * totals[1]], totals[1])
    assert (ratio[0], z[0]) == pytest.approx((0, 0), abs=1e-9)


@pytest.mark.parametrize(
    ("posts", "total", "other_posts", "other_total"),
    [(500, 500, 99, 100), (500, 500, 999, 1_000), (60, 60, 9_900, 9_940)],
)
def test_a_term_that_one_other_post_in_a_hundred_lacks_does_not_stand_out(
    posts: int, total: int, other_posts: int, other_total: int
) -> None:
    _, z = log_odds([posts], total, [other_posts], other_total)
    assert z[0] < STANDING_OUT


@pytest.mark.parametrize("share", [0.001, 0.01, 0.1, 0.5, 0.9, 0.99, 0.999])
@pytest.mark.parametrize("totals", [(60, 10_000), (500, 100), (5_000, 5_000), (20_000, 20_000)])
def test_terms_with_equal_chances_stand_out_no_more_often_than_1_in_40(
    share: float, totals: tuple[int, int]
) -> None:
    rng, draws = np.random.default_rng(7), 10_000
    posts, other_posts = (rng.binomial(total, share, draws) for total in totals)
    carried = posts > 0
    _, z = log_odds(posts[carried], totals[0], other_posts[carried], totals[1])
    assert np.sum(z >= STANDING_OUT) / draws < 1 / 40 + 3 * sqrt(1 / 40 * 39 / 40 / draws)


@pytest.mark.parametrize("share", [0.01, 0.1, 0.3, 0.49])
@pytest.mark.parametrize("totals", [(5_000, 20_000), (20_000, 20_000), (100_000, 5_000)])
def test_a_term_that_is_twice_as_frequent_in_many_posts_stands_out(
    share: float, totals: tuple[int, int]
) -> None:
    _, z = log_odds([2 * share * totals[0]], totals[0], [share * totals[1]], totals[1])
    assert z[0] > STANDING_OUT


def test_at_equal_shares_more_posts_give_a_higher_z_score():
    scores = [log_odds([posts], 10 * posts, [50], 10_000)[1][0] for posts in (2, 8, 32)]
    assert scores == sorted(scores)


def test_a_term_of_every_post_never_stands_out():
    counts = [TermCount("word", "fyp", None, 60, 9_940)]
    assert standing_out(counts, total=60, other_total=9_940, keyword="storm") == []


def test_a_term_of_one_post_and_the_keyword_itself_are_never_reported():
    counts = [
        TermCount("hashtag", "storm", None, 60, 0),
        TermCount("word", "storm", None, 60, 0),
        TermCount("word", "rare", None, 1, 0),
    ]
    assert standing_out(counts, total=60, other_total=9_940, keyword="storm") == []


def test_an_author_or_music_with_the_keywords_name_is_reported():
    counts = [TermCount("music", "storm", "Storm", 60, 0)]
    terms = standing_out(counts, total=60, other_total=9_940, keyword="storm")
    assert [term.term for term in terms] == ["storm"]


def test_at_most_ten_terms_per_kind_are_reported_the_clearest_first():
    counts = [
        TermCount(kind, f"t{posts}", None, posts, 0) for kind in ("word", "author") for posts in range(20, 60)
    ]
    terms = standing_out(counts, total=60, other_total=9_940, keyword="storm")
    assert [term.posts for term in terms] == [*range(59, 59 - TERMS_PER_KIND, -1)] * 2


def test_without_other_posts_nothing_stands_out():
    counts = [TermCount("word", "flood", None, 30, 0)]
    assert standing_out(counts, total=60, other_total=0, keyword="storm") == []
