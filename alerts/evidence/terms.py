"""Terms that stand out: how often posts of one kind carry a term against the other posts of the same time, weighed by evidence."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PRIOR_POSTS = 500.0
"""Weight of the prior, in posts: so many posts that look like all posts of the time are added to both sides."""
STANDING_OUT = 1.96
"""Standard errors above 0 from which a log-odds ratio is told: 1 in 40 by chance."""
LEAST_POSTS = 2
TERMS_PER_KIND = 10


@dataclass(frozen=True, slots=True)
class TermCount:
    """How many posts carry a term."""

    kind: str
    """word, hashtag, music or author."""
    term: str
    name: str | None
    """What people call it, where `term` is an id."""
    posts: int
    """Posts of the alert with it."""
    other_posts: int
    """Other posts of the same windows with it."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term that stands out."""

    kind: str
    term: str
    name: str | None
    posts: int
    share: float
    """Part of the alert's posts that carry it."""
    usual_share: float
    """Part of the other posts of the same windows that carry it."""
    log_odds: float
    z_score: float


def log_odds(
    posts: ArrayLike, total: float, other_posts: ArrayLike, other_total: float
) -> tuple[Floats, Floats]:
    """Log-odds ratio of terms between two groups of posts and its z-score, with an informative Dirichlet prior.

    Of `total` posts `posts` carry each term, of `other_total` others `other_posts`. With a = PRIOR_POSTS * (the term's
    part of all these posts) added to both counts and PRIOR_POSTS to both totals:
    log_odds = log((y + a)/(n + A - y - a)) - log((y' + a)/(n' + A - y' - a)), variance = 1/(y + a) + 1/(y' + a),
    z = log_odds/sqrt(variance). Without the prior what a single post says would stand out most.
    Source: Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16 (2008), equations 15, 16, 20 and 22.

    >>> odds, z = log_odds([83, 4], 83, [2, 500], 10_000)
    >>> odds.round(2).tolist(), z.round(1).tolist()
    ([5.69, -0.01], [13.7, -0.0])
    """
    y, other = np.asarray(posts, dtype=float), np.asarray(other_posts, dtype=float)
    prior = PRIOR_POSTS * (y + other) / max(total + other_total, 1.0)
    ratio = np.log(_odds(y + prior, total + PRIOR_POSTS)) - np.log(
        _odds(other + prior, other_total + PRIOR_POSTS)
    )
    return ratio, ratio / np.sqrt(1 / (y + prior) + 1 / (other + prior))


def _odds(count: Floats, total: float) -> Floats:
    # A term in every post has no odds; half a post without it keeps them finite.
    odds: Floats = count / np.maximum(total - count, 0.5)
    return odds


def standing_out(counts: list[TermCount], *, total: int, other_total: int, keyword: str) -> list[Term]:
    """Terms of `counts` that stand out among the `total` posts of an alert on `keyword`, at most ten a kind, clearest first.

    Told are terms of two posts and more with a z-score of at least 1.96; the keyword itself is no news.

    >>> counts = [TermCount("word", "flood", None, 40, 1), TermCount("word", "love", None, 3, 600), TermCount("word", "river", None, 60, 0)]
    >>> [(term.term, round(term.share, 2)) for term in standing_out(counts, total=60, other_total=10_000, keyword="river")]
    [('flood', 0.67)]
    """
    told = [
        count
        for count in counts
        if count.posts >= LEAST_POSTS and not (count.kind in ("word", "hashtag") and count.term == keyword)
    ]
    if not told:
        return []
    ratio, z = log_odds(
        [count.posts for count in told], total, [count.other_posts for count in told], other_total
    )
    terms = [
        Term(
            kind=count.kind,
            term=count.term,
            name=count.name,
            posts=count.posts,
            share=count.posts / total,
            usual_share=count.other_posts / max(other_total, 1),
            log_odds=float(odds),
            z_score=float(score),
        )
        for count, odds, score in zip(told, ratio, z, strict=True)
        if score >= STANDING_OUT
    ]
    terms.sort(key=lambda term: (term.kind, -term.z_score, term.term))
    kept: list[Term] = []
    for term in terms:
        if sum(other.kind == term.kind for other in kept) < TERMS_PER_KIND:
            kept.append(term)
    return kept
