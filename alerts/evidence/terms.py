"""Find terms that stand out: more frequent in an alert's posts than in other posts of the same windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

PRIOR_POSTS = 500.0
"""Weight of the prior: number of average posts of the time that are added to both sides."""
STANDING_OUT = 1.96
"""Standard errors above 0 from which a log-odds ratio is reported: 1 in 40 by chance."""
MIN_POSTS = 2
TERMS_PER_KIND = 10


@dataclass(frozen=True, slots=True)
class TermCount:
    """Numbers of posts that carry a term."""

    kind: str
    """word, hashtag, music or author."""
    term: str
    name: str | None
    """Display name if `term` is an id."""
    posts: int
    """Posts of the alert that carry the term."""
    other_posts: int
    """Other posts of the same windows that carry the term."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term that stands out."""

    kind: str
    term: str
    name: str | None
    posts: int
    share: float
    """Share of the alert's posts that carry the term."""
    usual_share: float
    """Share of the other posts of the same windows that carry the term."""
    log_odds: float
    z_score: float


def log_odds(
    posts: ArrayLike, total: float, other_posts: ArrayLike, other_total: float
) -> tuple[Floats, Floats]:
    """Return the log-odds ratio of terms between two groups of posts and its z-score.

    Each term is carried by y = `posts` of n = `total` posts and by y' = `other_posts` of n' = `other_total`
    other posts, y + y' > 0. With an informative Dirichlet prior of A = PRIOR_POSTS and
    a = A * (y + y')/(n + n'):
    log_odds = log((y + a)/(n + A - y - a)) - log((y' + a)/(n' + A - y' - a)),
    variance = 1/(y + a) + 1/(n + A - y - a) + 1/(y' + a) + 1/(n' + A - y' - a), z = log_odds/sqrt(variance).
    Without the prior, terms of a single post would stand out most.
    Source: Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16 (2008), equations 15, 16 and
    22. Their variance (equation 20) leaves out the second and the fourth part: small for a word among all
    words, but not for a term that is in a large part of the posts.

    >>> odds, z = log_odds([83, 4], 83, [2, 500], 10_000)
    >>> odds.round(2).tolist(), z.round(1).tolist()
    ([5.69, -0.01], [13.6, -0.0])
    """
    y, other = np.asarray(posts, dtype=float), np.asarray(other_posts, dtype=float)
    prior = PRIOR_POSTS * (y + other) / max(total + other_total, 1.0)
    sizes = total + PRIOR_POSTS, other_total + PRIOR_POSTS
    least_share = 0.5 / max(sizes)
    ratio, variance = _log_odds(y + prior, sizes[0], least_share)
    other_ratio, other_variance = _log_odds(other + prior, sizes[1], least_share)
    return ratio - other_ratio, (ratio - other_ratio) / np.sqrt(variance + other_variance)


def _log_odds(count: Floats, size: float, least_share: float) -> tuple[Floats, Floats]:
    # The odds of a term in every post are infinite; a least share of posts without it keeps them finite. It
    # is the same in both groups, half a post of the larger one, so that equal shares have equal odds.
    without = np.maximum(size - count, least_share * size)
    return np.log(count / without), 1 / count + 1 / without


def standing_out(counts: list[TermCount], *, total: int, other_total: int, keyword: str) -> list[Term]:
    """Return the terms that stand out among the `total` posts of an alert on `keyword`, clearest first.

    At most ten per kind, each in two posts or more with a z-score of at least 1.96, and never the keyword
    itself.

    >>> counts = [
    ...     TermCount("word", "flood", None, 40, 1),
    ...     TermCount("word", "love", None, 3, 600),
    ...     TermCount("word", "river", None, 60, 0),
    ... ]
    >>> terms = standing_out(counts, total=60, other_total=10_000, keyword="river")
    >>> [(term.term, round(term.share, 2)) for term in terms]
    [('flood', 0.67)]
    """
    candidates = [
        count
        for count in counts
        if count.posts >= MIN_POSTS and not (count.kind in ("word", "hashtag") and count.term == keyword)
    ]
    if not candidates:
        return []
    ratio, z = log_odds(
        [count.posts for count in candidates],
        total,
        [count.other_posts for count in candidates],
        other_total,
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
        for count, odds, score in zip(candidates, ratio, z, strict=True)
        if score >= STANDING_OUT
    ]
    terms.sort(key=lambda term: (term.kind, -term.z_score, term.term))
    kept: list[Term] = []
    for term in terms:
        if sum(other.kind == term.kind for other in kept) < TERMS_PER_KIND:
            kept.append(term)
    return kept
