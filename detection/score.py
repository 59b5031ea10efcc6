"""Score: how unusual the posts of a window are, as arithmetic on floats and numpy arrays.

Counts are compared in square-root space, y = 2*sqrt(posts + 3/8) (Anscombe 1948): a Poisson count has a
standard deviation of 1 there, whatever its mean, so one threshold serves rare and frequent keywords. The
constants were calibrated for windows of 15 minutes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

SCORE_VERSION = "score-5"

ANSCOMBE = 0.375
DEFAULT_LEVEL = 2 * ANSCOMBE**0.5
"""Level of a keyword without history, which is that of no posts."""
DEFAULT_VARIANCE, DEFAULT_DISPERSION, DEFAULT_HOURLY_SPREAD = 0.0, 1.0, 1.0
AUTHOR_FACTOR = 1.25
STEEP_SCORE = 6.0
"""Score from which a lift of twice the expected posts is enough; below it five times are required."""
WINDOWS_PER_HOUR = 4
"""Windows that make up an hourly window, the newest included."""
KEPT_POSTS = 3
"""Fewest posts for a window to be judged; fewer count as none, so that they need not be stored."""

Numbers = Any
"""A float or a numpy array of doubles; a result has the type of the arguments."""


@dataclass(frozen=True, slots=True)
class AnomalyRule:
    """The scores and the count from which a window is an anomaly."""

    threshold: float
    """Score of a window."""
    hourly_threshold: float
    """Score of an hourly window."""
    min_posts: int = 10
    """Posts in a window below which nothing alerts."""


def rule_for(threshold: float, min_posts: int) -> AnomalyRule:
    """Return the rule for `threshold`; the hourly one is on the line through 5.5 at 4.5 and 6.5 at 6.

    >>> rule_for(4.5, 10), rule_for(6.0, 10).hourly_threshold
    (AnomalyRule(threshold=4.5, hourly_threshold=5.5, min_posts=10), 6.5)
    """
    return AnomalyRule(threshold, 5.5 + (threshold - 4.5) * (6.5 - 5.5) / (6.0 - 4.5), min_posts)


def square_root_posts(posts: Numbers) -> Numbers:
    """Return 2*sqrt(posts + 3/8), the variance-stabilised count.

    >>> square_root_posts(10.0)
    6.442049363362563
    """
    return 2 * (posts + ANSCOMBE) ** 0.5


def expected_posts(
    level: Numbers, hour_deviation: Numbers, has_profile: Numbers, hour_share: Numbers, ratio: Numbers
) -> Numbers:
    """Return expected posts: max(b^2/4 - 3/8, 0) * (1 if has_profile else hour_share) * ratio.

    b = max(level + hour_deviation, 0), without `hour_deviation` if the keyword has no hour profile of its
    own. `hour_deviation` is the keyword's deviation in the window's hour, any number without a profile;
    `hour_share` is the expected traffic of the hour over its mean of all hours; `ratio` is the window's
    traffic so far over the traffic expected in a whole one. Without `ratio`, a partly filled window, platform
    growth or an outage would shift the scores.

    >>> round(expected_posts(4.0, 0.5, True, 9.9, 0.5), 4)
    2.3438
    >>> expected_posts(DEFAULT_LEVEL, 0.0, False, 1.2, 1.0)
    0.0
    """
    root = _maximum(level + _where(has_profile, hour_deviation, 0.0), 0.0)
    return _maximum(root * root / 4 - ANSCOMBE, 0.0) * _where(has_profile, 1.0, hour_share) * ratio


def scale(variance: Numbers, dispersion: Numbers) -> Numbers:
    """Return the standard deviation of a keyword's square-root posts, at least that of a Poisson count.

    max(1, sqrt((variance + .25)*dispersion))

    >>> scale(0.0, 1.0), scale(3.75, 4.0)
    (1.0, 4.0)
    """
    return _maximum(((variance + 0.25) * dispersion) ** 0.5, 1.0)


def score(posts: Numbers, expected: Numbers, scale: Numbers) -> Numbers:
    """Return by how many standard deviations `posts` exceed `expected`.

    (2*sqrt(posts + 3/8) - 2*sqrt(expected + 3/8)) / scale

    >>> round(score(10, 0.0, 1.0), 3)
    5.217
    """
    return (square_root_posts(posts) - square_root_posts(expected)) / scale


def hourly_score(
    hourly_posts: Numbers, hourly_expected: Numbers, scale: Numbers, hourly_spread: Numbers
) -> Numbers:
    """Return the score of the last four windows together, on a scale widened by the hourly spread.

    (2*sqrt(hourly_posts + 3/8) - 2*sqrt(hourly_expected + 3/8)) / (scale * max(1, sqrt(hourly_spread))). It
    finds slow climbs.

    >>> round(hourly_score(30, 0.0, 1.0, 1.0), 3), round(hourly_score(30, 0.0, 1.0, 4.0), 3)
    (9.798, 4.899)
    """
    return score(hourly_posts, hourly_expected, scale * _maximum(hourly_spread**0.5, 1.0))


def anomalous(posts: Numbers, expected: Numbers, score: Numbers, rule: AnomalyRule) -> Numbers:
    """Return whether a window is an anomaly by its score, by at least `min_posts` posts and by its lift.

    The lift is min_posts + 5*expected posts, or min_posts + 2*expected for a score of at least max(threshold,
    6). Without it drifting keywords give 17 to 82 false alerts a day on 200,000 keywords.

    >>> anomalous(14, 0.0, score(14, 0.0, 1.0), rule_for(6.0, 10))
    True
    >>> anomalous(200, 50.0, score(200, 50.0, 3.0), rule_for(4.5, 10))
    False
    """
    steep = (score >= max(rule.threshold, STEEP_SCORE)) & (posts >= rule.min_posts + 2 * expected)
    return (
        (score >= rule.threshold)
        & (posts >= rule.min_posts)
        & ((posts >= rule.min_posts + 5 * expected) | steep)
    )


def hourly_anomalous(
    hourly_posts: Numbers, hourly_expected: Numbers, hourly_score: Numbers, rule: AnomalyRule
) -> Numbers:
    """Return whether an hourly window is an anomaly: by score and >= 2*min_posts + 2*hourly_expected posts.

    >>> hourly_anomalous(30, 0.0, hourly_score(30, 0.0, 1.0, 1.0), rule_for(6.0, 10))
    True
    """
    return (hourly_score >= rule.hourly_threshold) & (
        hourly_posts >= 2 * rule.min_posts + 2 * hourly_expected
    )


def threshold_ratio(score: Numbers, hourly_score: Numbers, rule: AnomalyRule) -> Numbers:
    """Return how far the two scores reach towards their thresholds.

    max(score/threshold, hourly_score/hourly_threshold)

    >>> threshold_ratio(3.0, 6.5, rule_for(6.0, 10))
    1.0
    """
    return _maximum(score / rule.threshold, hourly_score / rule.hourly_threshold)


def posts_by_authors(posts: Numbers, distinct_authors: Numbers) -> Numbers:
    """Return the count that distinct authors account for: min(posts, 1.25 * authors).

    Infinite authors are too many to tell. A window is an anomaly only if this count is one too. Authors can
    only suppress an anomaly: scoring this count alone would blind the detector to keywords above 100 posts a
    window, whose authors exceed the range of the estimate.

    >>> posts_by_authors(500, 3.1), posts_by_authors(60, 55.0), posts_by_authors(900, float("inf"))
    (3.875, 60.0, 900.0)
    """
    return _minimum(posts * 1.0, AUTHOR_FACTOR * distinct_authors)


def smallest_anomalous_posts(expected: Numbers, scale: Numbers, rule: AnomalyRule) -> Numbers:
    """Return the smallest count that is an anomaly, for display; its ceiling is the smallest whole count.

    max(min_posts, z(T), min(min_posts + 5E, max(z(max(T, 6)), min_posts + 2E))) with T the threshold, E the
    expected posts and z(t) = ((2*sqrt(E + .375) + t*scale)/2)^2 - .375.

    >>> smallest_anomalous_posts(0.0, 1.0, rule_for(4.5, 10))
    10.0
    """
    root = square_root_posts(expected)

    def reached(target: float) -> Numbers:
        return ((root + target * scale) / 2) ** 2 - ANSCOMBE

    steep = _maximum(reached(max(rule.threshold, STEEP_SCORE)), rule.min_posts + 2 * expected)
    return _maximum(
        _maximum(reached(rule.threshold), float(rule.min_posts)),
        _minimum(rule.min_posts + 5 * expected, steep),
    )


def smallest_anomalous_hourly_posts(
    hourly_expected: Numbers, scale: Numbers, hourly_spread: Numbers, rule: AnomalyRule
) -> Numbers:
    """Return the smallest count of an hourly window that is an anomaly: max(2*min_posts + 2*E, z).

    E is the hour's expected posts, z the count whose hourly score is the threshold:
    ((2*sqrt(E + .375) + hourly_threshold*scale*max(1, sqrt(hourly_spread)))/2)^2 - .375.

    >>> smallest_anomalous_hourly_posts(0.0, 1.0, 1.0, rule_for(6.0, 10))
    20.0
    """
    distance = rule.hourly_threshold * scale * _maximum(1.0, hourly_spread**0.5)
    reached = ((square_root_posts(hourly_expected) + distance) / 2) ** 2 - ANSCOMBE
    return _maximum(2 * rule.min_posts + 2 * hourly_expected, reached)


def _maximum(left: Numbers, right: Numbers) -> Numbers:
    result = np.maximum(left, right)
    return result if isinstance(result, np.ndarray) else type(left)(result)


def _minimum(left: Numbers, right: Numbers) -> Numbers:
    return -_maximum(-left, -right)


def _where(condition: Numbers, yes: Numbers, no: Numbers) -> Numbers:
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no
