"""Traffic without a keyword's own excess: a dominant keyword must not make its own burst look expected.

Nor the burst of a keyword beside it. docs/decisions/0027-a-word-is-judged-by-the-posts-without-it.md has the
measurements behind the formulas and constants.
"""

from typing import NamedTuple

import numpy as np

from detection.arrays import Flags, Floats

DOMINANT_SHARE, DOMINANT_POSTS = 0.05, 5
"""Share of a window's posts, and posts, from which a keyword is dominant in it."""
NOISE_SCORE = 4.5
"""Standard deviations of its own noise that a keyword may exceed others' traffic by."""
HIGHEST_BOUND = 5.0
"""Traffic ratio beyond which the traffic of a keyword in nearly every post is taken for its own burst."""
MOST_BESIDE = 1.5
"""What the traffic ratio of others is divided by, at most, beside a dominant keyword that has taken off."""


def dominant(posts: Floats, total: Floats) -> Flags:
    """Return whether a keyword with `posts` is dominant in a window of `total` posts.

    >>> dominant(np.array([4.0, 5, 50]), np.array([10.0, 101, 1000])).tolist()
    [False, False, True]
    """
    dominant: Flags = (posts >= DOMINANT_POSTS) & (posts >= DOMINANT_SHARE * total)
    return dominant


def ratio_by_others(
    posts: Floats,
    normal: Floats,
    scale: Floats,
    total: Floats,
    expected: Floats,
    beside: Floats | float = np.inf,
) -> Floats:
    """Return the traffic ratio of keywords in windows: total/expected, bounded by the traffic of others.

    `posts` are those of the keyword, `normal` its expected posts at a ratio of 1, `total` and `expected` the
    posts of all keywords, as arrays that broadcast. With rest = max(expected - normal, 1) and margin =
    (1 + 4.5*scale*sqrt(normal)/(2*rest))^2, the bound is max(1, (total - posts)/rest)*margin, but 5 if
    margin >= 5. Where nothing is expected of all keywords, the ratio is 1, and 0 in a window without posts.
    The margin widens the bound by the noise of a keyword that is most of its own yardstick. `beside` is
    another bound, `ratio_beside`.

    >>> words = [np.array(words) for words in ((5000.0, 5.0), (250.0, 5.0))]
    >>> ratio_by_others(*words, np.ones(2), np.array(5250.0), np.array(500.0)).round(2).tolist()
    [1.3, 10.5]
    """
    traffic = _traffic(posts, normal, scale, total, expected)
    bound = np.where(traffic.known & (traffic.margin < HIGHEST_BOUND), traffic.bound, HIGHEST_BOUND)
    bounded: Floats = np.minimum(np.minimum(traffic.ratio, bound), beside)
    return bounded


def ratio_beside(posts: Floats, normal: Floats, scale: Floats, total: Floats, expected: Floats) -> Floats:
    """Return the highest traffic ratio [n] of keywords beside D dominant ones in n windows; inf: no bound.

    `posts`, `normal` and `scale` [D, n] are those of the dominant keywords, `total` and `expected` [n] as for
    `ratio_by_others`. A dominant keyword has taken off where it has at least 5 posts more than twice what the
    posts of others explain, no more than half of all posts are normally its own, and others bound its ratio.
    There, the ratio of others is the least of such bounds, but at least total/expected/1.5.

    >>> topic = [np.array([[number]]) for number in (5000.0, 250.0, 1.0)]
    >>> ratio_beside(*topic, np.array([5250.0]), np.array([500.0])).tolist()
    [7.0]
    """
    traffic = _traffic(posts, normal, scale, total, expected)
    took_off = dominant(posts, total) & (posts >= DOMINANT_POSTS + 2 * normal * traffic.bound)
    took_off &= traffic.known & (traffic.margin < HIGHEST_BOUND) & (2 * normal <= expected)
    took_off &= traffic.bound < traffic.ratio
    least = np.min(np.where(took_off, traffic.bound, np.inf), axis=0, initial=np.inf)
    beside: Floats = np.where(
        np.isfinite(least), np.maximum(least, total / _or_one(expected) / MOST_BESIDE), least
    )
    return beside


class _Traffic(NamedTuple):
    """The traffic of windows, and what of it others than a keyword make."""

    known: Flags
    ratio: Floats
    margin: Floats
    bound: Floats


def _traffic(posts: Floats, normal: Floats, scale: Floats, total: Floats, expected: Floats) -> _Traffic:
    known = expected > 0
    rest = np.maximum(expected - normal, 1.0)
    margin = (1 + NOISE_SCORE * scale * np.sqrt(normal) / (2 * rest)) ** 2
    return _Traffic(
        known=known,
        ratio=np.where(known, total / _or_one(expected), total > 0),
        margin=margin,
        bound=np.maximum(1.0, (total - posts) / rest) * margin,
    )


def _or_one(expected: Floats) -> Floats:
    return np.where(expected > 0, expected, 1.0)
