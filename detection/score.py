"""Score: how unusual a window's posts are, as arithmetic on floats and numpy arrays.

Counts are compared in square-root space, y = 2*sqrt(posts + 3/8) (Anscombe 1948): there a Poisson count has a standard
deviation of 1, whatever its mean, so one threshold serves rare and frequent words. The constants were calibrated for
windows of 15 minutes.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

SCORE_VERSION = "score-2"

ANSCOMBE = 0.375
DEFAULT_LEVEL = 2 * ANSCOMBE**0.5
"""Level of a keyword without history: that of no posts at all."""
DEFAULT_VARIANCE, DEFAULT_DISPERSION, DEFAULT_HOURLY_SPREAD = 0.0, 1.0, 1.0
AUTHOR_FACTOR = 1.25
STEEP_SCORE = 6.0
"""Score from which a lift of twice the expected posts is enough; below it five times are asked for."""
WINDOWS_PER_HOUR = 4
"""Windows that the second look adds up, the newest included: an hour."""
KEPT_POSTS = 3
"""Fewest posts that a window is judged with; fewer count as none, so that nobody needs to keep them for the second look."""

Numbers = Any
"""A float or a numpy array of doubles; results have the type of the arguments."""


@dataclass(frozen=True, slots=True)
class AnomalyRule:
    """From which score and count on a window is an anomaly."""

    threshold: float
    """Score of one window."""
    hourly_threshold: float
    """Score of the last hour, the second look."""
    min_posts: int = 10
    """Posts in a window below which nothing alarms."""


def rule_for(threshold: float, min_posts: int) -> AnomalyRule:
    """The rule for `threshold`; the second look's threshold goes with it, 5.5 at 4.5 and 6.5 at 6, on the line through both.

    >>> rule_for(4.5, 10), rule_for(6.0, 10).hourly_threshold
    (AnomalyRule(threshold=4.5, hourly_threshold=5.5, min_posts=10), 6.5)
    """
    return AnomalyRule(threshold, 5.5 + (threshold - 4.5) * (6.5 - 5.5) / (6.0 - 4.5), min_posts)


def square_root_posts(posts: Numbers) -> Numbers:
    """2*sqrt(posts + 3/8), the variance-stabilised count.

    >>> square_root_posts(10.0)
    6.442049363362563
    """
    return 2 * (posts + ANSCOMBE) ** 0.5


def expected_posts(
    level: Numbers, hour_deviation: Numbers, own: Numbers, hour_share: Numbers, ratio: Numbers
) -> Numbers:
    """Posts expected with a keyword in a window: max(b^2/4 - 3/8, 0) * (1 if own else hour_share) * ratio.

    b = max(level + hour_deviation, 0). `hour_deviation` is the keyword's own deviation in the window's hour, any number
    where `own` is false; `own` tells whether the keyword has an hour profile; `hour_share` is expected traffic of the
    hour over its mean of all hours; `ratio` is the window's traffic so far over the traffic expected in a whole one.
    Without `ratio` every early look, growth of the platform and outage would change the scores.

    >>> round(expected_posts(4.0, 0.5, True, 9.9, 0.5), 4)
    2.3438
    >>> expected_posts(DEFAULT_LEVEL, 0.0, False, 1.2, 1.0)
    0.0
    """
    root = _maximum(level + _where(own, hour_deviation, 0.0), 0.0)
    return _maximum(root * root / 4 - ANSCOMBE, 0.0) * _where(own, 1.0, hour_share) * ratio


def scale(variance: Numbers, dispersion: Numbers) -> Numbers:
    """Standard deviation of a keyword's square-root posts, at least that of a Poisson count: max(1, sqrt((variance + .25)*dispersion)).

    >>> scale(0.0, 1.0), scale(3.75, 4.0)
    (1.0, 4.0)
    """
    return _maximum(((variance + 0.25) * dispersion) ** 0.5, 1.0)


def score(posts: Numbers, expected: Numbers, scale: Numbers) -> Numbers:
    """Standard deviations that `posts` lie above `expected`: (2*sqrt(posts + 3/8) - 2*sqrt(expected + 3/8)) / scale.

    >>> round(score(10, 0.0, 1.0), 3)
    5.217
    """
    return (square_root_posts(posts) - square_root_posts(expected)) / scale


def hourly_score(
    hourly_posts: Numbers, hourly_expected: Numbers, scale: Numbers, hourly_spread: Numbers
) -> Numbers:
    """The second look: `score` of the last four windows' posts and expected posts together, on a scale as much wider as hours drift.

    (2*sqrt(hourly_posts + 3/8) - 2*sqrt(hourly_expected + 3/8)) / (scale * max(1, sqrt(hourly_spread))). It finds what climbs slowly.

    >>> round(hourly_score(30, 0.0, 1.0, 1.0), 3), round(hourly_score(30, 0.0, 1.0, 4.0), 3)
    (9.798, 4.899)
    """
    return score(hourly_posts, hourly_expected, scale * _maximum(hourly_spread**0.5, 1.0))


def anomalous(posts: Numbers, expected: Numbers, score: Numbers, rule: AnomalyRule) -> Numbers:
    """Whether a window is an anomaly: the score, at least `min_posts` posts, and a lift.

    The lift is min_posts + 5*expected, or min_posts + 2*expected for a score of at least max(threshold, 6); without it words
    that drift give 17 to 82 false alerts a day on 200,000 words.

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
    """Whether the last hour is an anomaly: its score, and at least 2*min_posts + 2*hourly_expected posts.

    >>> hourly_anomalous(30, 0.0, hourly_score(30, 0.0, 1.0, 1.0), rule_for(6.0, 10))
    True
    """
    return (hourly_score >= rule.hourly_threshold) & (
        hourly_posts >= 2 * rule.min_posts + 2 * hourly_expected
    )


def threshold_ratio(score: Numbers, hourly_score: Numbers, rule: AnomalyRule) -> Numbers:
    """How far the two scores reach to their thresholds: max(score/threshold, hourly_score/hourly_threshold).

    >>> threshold_ratio(3.0, 6.5, rule_for(6.0, 10))
    1.0
    """
    return _maximum(score / rule.threshold, hourly_score / rule.hourly_threshold)


def posts_by_authors(posts: Numbers, distinct_authors: Numbers) -> Numbers:
    """The count that distinct people can answer for: min(posts, 1.25 * estimated authors); inf authors: too many to tell.

    A window is an anomaly only if this count is one too. Authors can only take an alarm away: to score this count alone
    would blind the detector to words above 100 posts a window, whose authors no longer fit the estimate.

    >>> posts_by_authors(500, 3.1), posts_by_authors(60, 55.0), posts_by_authors(900, float("inf"))
    (3.875, 60.0, 900.0)
    """
    return _minimum(posts * 1.0, AUTHOR_FACTOR * distinct_authors)


def smallest_anomalous_posts(expected: Numbers, scale: Numbers, rule: AnomalyRule) -> Numbers:
    """The smallest count that would be an anomaly, for people: max(min_posts, z(T), min(min_posts + 5E, max(z(6), min_posts + 2E))).

    z(t) = ((2*sqrt(E + .375) + t*scale)/2)^2 - .375. The exact bound; the smallest whole count is its ceiling.

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
    """The smallest count of an hour that the second look finds: max(2*min_posts + 2*E, z), z the count whose hourly_score is the threshold.

    z = ((2*sqrt(E + .375) + hourly_threshold*scale*max(1, sqrt(hourly_spread)))/2)^2 - .375, E the hour's expected posts.

    >>> smallest_anomalous_hourly_posts(0.0, 1.0, 1.0, rule_for(6.0, 10))
    20.0
    """
    reached = (
        (
            square_root_posts(hourly_expected)
            + rule.hourly_threshold * scale * _maximum(1.0, hourly_spread**0.5)
        )
        / 2
    ) ** 2 - ANSCOMBE
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
