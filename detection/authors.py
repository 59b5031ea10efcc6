"""Distinct authors and texts of a window, and the origin of an alert that follows from them.

Cardinality estimate by linear counting: every author or text sets one hashed bit in a bitmap of 64.
"""

from collections.abc import Sequence
from math import log

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Floats
from detection.lifecycle import JudgedWindow

DISTINCT_BITS = 64
MANY_AUTHORS = 300
"""Upper end of the estimate: a full bitmap only says that there are this many authors or more."""
ORIGIN_POSTS, ORIGIN_EXPECTED, ORIGIN_MOST_POSTS, ORIGIN_SHARE = 50, 100.0, 500, 0.2


def origin(window: JudgedWindow) -> str | None:
    """Return who posted: `organic`, `few authors` or `one text`.

    None for fewer than 50 posts, and for a keyword of which 100 or more were expected: too little or too much
    to tell. With E expected posts, A distinct authors and X distinct texts: `few authors` if
    (A - E)/(min(posts, 500) - E) < .2, else `one text` if (X - E)/(min(posts, 500) - E) < .2.
    """
    if window.posts < ORIGIN_POSTS or window.expected >= ORIGIN_EXPECTED:
        return None
    excess_posts = max(min(window.posts, ORIGIN_MOST_POSTS) - window.expected, 1.0)
    authors, texts = (
        estimate_distinct([bitmap], at_most=window.posts)
        for bitmap in (window.authors_bitmap, window.texts_bitmap)
    )
    if (authors - window.expected) / excess_posts < ORIGIN_SHARE:
        return "few authors"
    return "one text" if (texts - window.expected) / excess_posts < ORIGIN_SHARE else "organic"


def estimate_distinct(bitmaps: Sequence[int], *, at_most: int) -> float:
    """Estimate how many distinct items set bits in 64-bit `bitmaps`, ORed; never more than `at_most`.

    Linear counting (Whang, Vander-Zanden and Taylor 1990): -64*ln(z/64) with z zero bits. A full bitmap
    counts as half a zero bit and only means "300 or more".

    >>> estimate_distinct([0b1, 0b10], at_most=9), estimate_distinct([-1], at_most=5000)
    (2.0319, 310.5299)
    """
    union = 0
    for bitmap in bitmaps:
        union |= bitmap & (2**DISTINCT_BITS - 1)
    return min(float(at_most), _estimate(DISTINCT_BITS - union.bit_count()))


def authors_or_infinity(bitmaps: NDArray[np.int64]) -> Floats:
    """Estimate the authors of each bitmap by `estimate_distinct`; inf for a full one: too many to tell.

    >>> authors_or_infinity(np.array([0b1011, -1]))
    array([3.0726,    inf])
    """
    zero_bits = DISTINCT_BITS - np.bitwise_count(bitmaps.view(np.uint64)).astype(int)
    authors: Floats = _BY_ZERO_BITS[zero_bits]
    return authors


def _estimate(zero_bits: int) -> float:
    return round(-DISTINCT_BITS * log(max(zero_bits, 0.5) / DISTINCT_BITS), 4)


_BY_ZERO_BITS = np.array([np.inf, *(_estimate(zero_bits) for zero_bits in range(1, DISTINCT_BITS + 1))])
