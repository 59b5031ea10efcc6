"""Distinct authors and texts, estimated from 64-bit bitmaps in which each sets one hashed bit, and what they say of an alert."""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from detection.lifecycle import JudgedWindow

DISTINCT_BITS = 64
MANY_AUTHORS = 300
"""Where the estimate of distinct people ends: a full bitmap says only that they are as many or more."""
ORIGIN_POSTS, ORIGIN_EXPECTED, ORIGIN_MOST_POSTS, ORIGIN_SHARE = 50, 100.0, 500, 0.2


def origin(window: JudgedWindow) -> str | None:
    """Who posted: `organic`, `few authors` or `one text`; None where the window has too few posts or the word too many to tell.

    For at least 50 posts where fewer than 100 were expected, with E expected posts, A distinct authors and X distinct texts:
    `few authors` where (A - E)/(min(posts, 500) - E) < .2, else `one text` where (X - E)/(min(posts, 500) - E) < .2.
    """
    if window.posts < ORIGIN_POSTS or window.expected >= ORIGIN_EXPECTED:
        return None
    usual = window.expected
    more = max(min(window.posts, ORIGIN_MOST_POSTS) - usual, 1.0)
    authors, texts = (
        estimate_distinct([bitmap], at_most=window.posts)
        for bitmap in (window.authors_bitmap, window.texts_bitmap)
    )
    if (authors - usual) / more < ORIGIN_SHARE:
        return "few authors"
    return "one text" if (texts - usual) / more < ORIGIN_SHARE else "organic"


def estimate_distinct(bitmaps: Sequence[int], *, at_most: int) -> float:
    """Number of distinct things behind the OR of 64-bit `bitmaps` in which each set one hashed bit, and at most `at_most`.

    Linear counting (Whang, Vander-Zanden and Taylor 1990): -64*ln(z/64) with z zero bits. A full bitmap says only "300
    or more": it counts as half a zero bit.

    >>> estimate_distinct([0b1, 0b10], at_most=9), estimate_distinct([-1], at_most=5000)
    (2.0319, 310.5299)
    """
    union = 0
    for bitmap in bitmaps:
        union |= bitmap & (2**DISTINCT_BITS - 1)
    return min(float(at_most), _estimate(DISTINCT_BITS - union.bit_count()))


def authors_or_infinity(bitmaps: NDArray[np.int64]) -> NDArray[np.float64]:
    """Authors behind each of `bitmaps` as `estimate_distinct` has them, infinity where one is full: too many to tell.

    >>> authors_or_infinity(np.array([0b1011, -1]))
    array([3.0726,    inf])
    """
    authors: NDArray[np.float64] = _BY_ZERO_BITS[
        DISTINCT_BITS - np.bitwise_count(bitmaps.view(np.uint64)).astype(int)
    ]
    return authors


def _estimate(zero_bits: int) -> float:
    return round(-DISTINCT_BITS * log(max(zero_bits, 0.5) / DISTINCT_BITS), 4)


_BY_ZERO_BITS = np.array([np.inf, *(_estimate(zero_bits) for zero_bits in range(1, DISTINCT_BITS + 1))])
