"""Laws of terms that stand out: the log-odds ratio against its formula written out, and what is told of it."""

from math import log, sqrt

import pytest

from alerts.evidence.terms import TERMS_PER_KIND, TermCount, log_odds, standing_out


@pytest.mark.parametrize(
    ("y", "n", "other", "m"),
    [(83, 83, 2, 10_000), (4, 60, 700, 10_000), (1, 12, 0, 300), (40, 2_000, 40, 2_000)],
)
def test_the_log_odds_ratio_is_that_of_the_paper(y, n, other, m):
    prior_of_term, prior = 500 * (y + other) / (n + m), 500
    odds = (y + prior_of_term) / (n + prior - y - prior_of_term)
    usual_odds = (other + prior_of_term) / (m + prior - other - prior_of_term)
    expected = log(odds / usual_odds)
    z = expected / sqrt(1 / (y + prior_of_term) + 1 / (other + prior_of_term))
    found = log_odds([y], n, [other], m)
    assert (found[0][0], found[1][0]) == pytest.approx((expected, z))


def test_a_term_that_is_as_frequent_as_elsewhere_has_no_log_odds():
    ratio, z = log_odds([50], 1_000, [500], 10_000)
    assert (ratio[0], z[0]) == pytest.approx((0, 0), abs=1e-12)


def test_the_more_posts_say_it_the_higher_the_z_score_at_equal_shares():
    scores = [log_odds([posts], 10 * posts, [50], 10_000)[1][0] for posts in (2, 8, 32)]
    assert scores == sorted(scores)


def test_a_term_of_every_post_of_all_stands_out_nowhere():
    assert (
        standing_out(
            [TermCount("word", "fyp", None, 60, 9_940)], total=60, other_total=9_940, keyword="storm"
        )
        == []
    )


def test_one_post_and_the_keyword_itself_are_never_told():
    counts = [
        TermCount("hashtag", "storm", None, 60, 0),
        TermCount("word", "storm", None, 60, 0),
        TermCount("word", "rare", None, 1, 0),
    ]
    assert standing_out(counts, total=60, other_total=9_940, keyword="storm") == []


def test_an_author_or_music_of_the_keywords_name_is_told():
    counts = [TermCount("music", "storm", "Storm", 60, 0)]
    assert [term.term for term in standing_out(counts, total=60, other_total=9_940, keyword="storm")] == [
        "storm"
    ]


def test_at_most_ten_terms_a_kind_are_told_the_clearest_first():
    counts = [
        TermCount(kind, f"t{posts}", None, posts, 0) for kind in ("word", "author") for posts in range(20, 60)
    ]
    told = standing_out(counts, total=60, other_total=9_940, keyword="storm")
    assert [term.posts for term in told] == [*range(59, 59 - TERMS_PER_KIND, -1)] * 2


def test_where_there_is_nothing_to_compare_with_shares_are_still_shares():
    assert (
        standing_out([TermCount("word", "flood", None, 30, 0)], total=60, other_total=0, keyword="storm")
        == []
    )
