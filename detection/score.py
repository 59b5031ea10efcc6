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
DEFAULT_VARIANCE, DEFAULT_BURST, DEFAULT_SPREAD60 = 0.0, 1.0, 1.0
PEOPLE_FACTOR = 1.25
STEEP_SCORE = 6.0
"""Score from which a lift of twice the expected posts is enough; below it five times are asked for."""
SECOND_LOOK_WINDOWS = 4
"""Windows that the second look adds up, the newest included: an hour."""
KEPT_POSTS = 3
"""Fewest posts that a window is judged with; fewer count as none, so that nobody needs to keep them for the second look."""

Numbers = Any
"""A float or a numpy array of doubles; results have the type of the arguments."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """From which score and count on a window is an anomaly."""

    threshold: float
    """Score of one window."""
    threshold60: float
    """Score of the last hour, the second look."""
    floor: int = 10
    """Posts in a window below which nothing alarms."""


def alarm_rule(threshold: float, floor: int) -> AlarmRule:
    """The rule for `threshold`; the second look's threshold goes with it, 5.5 at 4.5 and 6.5 at 6, on the line through both.

    >>> alarm_rule(4.5, 10), alarm_rule(6.0, 10).threshold60
    (AlarmRule(threshold=4.5, threshold60=5.5, floor=10), 6.5)
    """
    return AlarmRule(threshold, 5.5 + (threshold - 4.5) * (6.5 - 5.5) / (6.0 - 4.5), floor)


def square_root_posts(posts: Numbers) -> Numbers:
    """2*sqrt(posts + 3/8), the variance-stabilised count.

    >>> square_root_posts(10.0)
    6.442049363362563
    """
    return 2 * (posts + ANSCOMBE) ** 0.5


def expected_posts(level: Numbers, hour_deviation: Numbers, own: Numbers, hour_share: Numbers, ratio: Numbers) -> Numbers:
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


def scale(variance: Numbers, burst: Numbers) -> Numbers:
    """Standard deviation of a keyword's square-root posts, at least that of a Poisson count: max(1, sqrt((variance + .25)*burst)).

    >>> scale(0.0, 1.0), scale(3.75, 4.0)
    (1.0, 4.0)
    """
    return _maximum(((variance + 0.25) * burst) ** 0.5, 1.0)


def score(posts: Numbers, expected: Numbers, scale: Numbers) -> Numbers:
    """Standard deviations that `posts` lie above `expected`: (2*sqrt(posts + 3/8) - 2*sqrt(expected + 3/8)) / scale.

    >>> round(score(10, 0.0, 1.0), 3)
    5.217
    """
    return (square_root_posts(posts) - square_root_posts(expected)) / scale


def score60(posts60: Numbers, expected60: Numbers, scale: Numbers, spread60: Numbers) -> Numbers:
    """The second look: `score` of the last four windows' posts and expected posts together, on a scale as much wider as hours drift.

    (2*sqrt(posts60 + 3/8) - 2*sqrt(expected60 + 3/8)) / (scale * max(1, sqrt(spread60))). It finds what climbs slowly.

    >>> round(score60(30, 0.0, 1.0, 1.0), 3), round(score60(30, 0.0, 1.0, 4.0), 3)
    (9.798, 4.899)
    """
    return score(posts60, expected60, scale * _maximum(spread60**0.5, 1.0))


def anomalous(posts: Numbers, expected: Numbers, score: Numbers, rule: AlarmRule) -> Numbers:
    """Whether a window is an anomaly: the score, at least `floor` posts, and a lift.

    The lift is floor + 5*expected, or floor + 2*expected for a score of at least max(threshold, 6); without it words
    that drift give 17 to 82 false alerts a day on 200,000 words.

    >>> anomalous(14, 0.0, score(14, 0.0, 1.0), alarm_rule(6.0, 10))
    True
    >>> anomalous(200, 50.0, score(200, 50.0, 3.0), alarm_rule(4.5, 10))
    False
    """
    steep = (score >= max(rule.threshold, STEEP_SCORE)) & (posts >= rule.floor + 2 * expected)
    return (score >= rule.threshold) & (posts >= rule.floor) & ((posts >= rule.floor + 5 * expected) | steep)


def anomalous60(posts60: Numbers, expected60: Numbers, score60: Numbers, rule: AlarmRule) -> Numbers:
    """Whether the last hour is an anomaly: its score, and at least 2*floor + 2*expected60 posts.

    >>> anomalous60(30, 0.0, score60(30, 0.0, 1.0, 1.0), alarm_rule(6.0, 10))
    True
    """
    return (score60 >= rule.threshold60) & (posts60 >= 2 * rule.floor + 2 * expected60)


def strength(score: Numbers, score60: Numbers, rule: AlarmRule) -> Numbers:
    """How far the two scores reach to their thresholds: max(score/threshold, score60/threshold60).

    >>> strength(3.0, 6.5, alarm_rule(6.0, 10))
    1.0
    """
    return _maximum(score / rule.threshold, score60 / rule.threshold60)


def posts_by_people(posts: Numbers, distinct_authors: Numbers) -> Numbers:
    """The count that distinct people can answer for: min(posts, 1.25 * estimated authors); inf authors: too many to tell.

    A window is an anomaly only if this count is one too. Authors can only take an alarm away: to score this count alone
    would blind the detector to words above 100 posts a window, whose authors no longer fit the estimate.

    >>> posts_by_people(500, 3.1), posts_by_people(60, 55.0), posts_by_people(900, float("inf"))
    (3.875, 60.0, 900.0)
    """
    return _minimum(posts * 1.0, PEOPLE_FACTOR * distinct_authors)


def smallest_alarming_posts(expected: Numbers, scale: Numbers, rule: AlarmRule) -> Numbers:
    """The smallest count that would be an anomaly, for people: max(floor, z(T), min(floor + 5E, max(z(6), floor + 2E))).

    z(t) = ((2*sqrt(E + .375) + t*scale)/2)^2 - .375. The exact bound; the smallest whole count is its ceiling.

    >>> smallest_alarming_posts(0.0, 1.0, alarm_rule(4.5, 10))
    10.0
    """
    root = square_root_posts(expected)

    def reached(target: float) -> Numbers:
        return ((root + target * scale) / 2) ** 2 - ANSCOMBE

    steep = _maximum(reached(max(rule.threshold, STEEP_SCORE)), rule.floor + 2 * expected)
    return _maximum(_maximum(reached(rule.threshold), float(rule.floor)), _minimum(rule.floor + 5 * expected, steep))


def smallest_alarming_posts60(expected60: Numbers, scale: Numbers, spread60: Numbers, rule: AlarmRule) -> Numbers:
    """The smallest count of an hour that the second look finds: max(2*floor + 2*E, z), z the count whose score60 is the threshold.

    z = ((2*sqrt(E + .375) + threshold60*scale*max(1, sqrt(spread60)))/2)^2 - .375, E the hour's expected posts.

    >>> smallest_alarming_posts60(0.0, 1.0, 1.0, alarm_rule(6.0, 10))
    20.0
    """
    reached = ((square_root_posts(expected60) + rule.threshold60 * scale * _maximum(1.0, spread60**0.5)) / 2) ** 2 - ANSCOMBE
    return _maximum(2 * rule.floor + 2 * expected60, reached)


def _maximum(left: Numbers, right: Numbers) -> Numbers:
    result = np.maximum(left, right)
    return result if isinstance(result, np.ndarray) else type(left)(result)


def _minimum(left: Numbers, right: Numbers) -> Numbers:
    return -_maximum(-left, -right)


def _where(condition: Numbers, yes: Numbers, no: Numbers) -> Numbers:
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no
