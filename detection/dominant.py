"""Traffic without a keyword's own excess: a dominant keyword must not make its own burst look expected."""

import numpy as np

from detection.arrays import Floats

NOISE_SCORE = 4.5
"""Standard deviations of its own noise that a keyword may exceed others' traffic by."""
HIGHEST_BOUND = 5.0
"""Traffic ratio beyond which the traffic of a keyword in nearly every post is taken for its own burst."""


def ratio_by_others(posts: Floats, normal: Floats, scale: Floats, total: Floats, expected: Floats) -> Floats:
    """Return the traffic ratio of keywords in windows: total/expected, bounded by the traffic of others.

    `posts` are those of the keyword, `normal` its expected posts at a ratio of 1, `total` and `expected` the
    posts of all keywords, as arrays that broadcast. With rest = max(expected - normal, 1) and margin =
    (1 + 4.5*scale*sqrt(normal)/(2*rest))^2, the bound is max(1, (total - posts)/rest)*margin, but 5 if
    margin >= 5. Where nothing is expected of all keywords, the ratio is 1, and 0 in a window without posts.
    The margin widens the bound by the noise of a keyword that is most of its own yardstick.
    docs/decisions/0027-a-word-is-judged-by-the-posts-without-it.md has the measurements.

    >>> words = [np.array(words) for words in ((5000.0, 5.0), (250.0, 5.0))]
    >>> ratio_by_others(*words, np.ones(2), np.array(5250.0), np.array(500.0)).round(2).tolist()
    [1.3, 10.5]
    """
    known = expected > 0
    ratio = np.where(known, total / np.where(known, expected, 1.0), total > 0)
    rest = np.maximum(expected - normal, 1.0)
    margin = (1 + NOISE_SCORE * scale * np.sqrt(normal) / (2 * rest)) ** 2
    bound = np.maximum(1.0, (total - posts) / rest) * margin
    bound = np.where(known & (margin < HIGHEST_BOUND), bound, HIGHEST_BOUND)
    bounded: Floats = np.minimum(ratio, bound)
    return bounded
