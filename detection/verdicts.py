"""Judge: one verdict from both looks at a keyword's windows and from the people behind them, for arrays of windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection import score as rule
from detection.score import AnomalyRule

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rule says of windows; arrays of one shape."""

    score: Floats
    hourly_score: Floats
    threshold_ratio: Floats
    anomalous: Flags
    few_authors: Flags
    """Anomalies by their counts that have too few authors behind them, and are therefore not `anomalous`."""
    planned: Flags
    """Anomalies with people behind them that were planned, and are therefore not `anomalous`."""


def judge(
    posts: Floats,
    expected: Floats,
    *,
    hourly_posts: Floats,
    hourly_expected: Floats,
    scale: Floats,
    hourly_spread: Floats,
    anomaly_rule: AnomalyRule,
    authors: Floats | float = np.inf,
    hourly_authors: Floats | float = np.inf,
    planned: Flags | bool = False,
    hourly_planned: Flags | bool = False,
) -> Verdicts:
    """The verdicts on windows with `posts`, where `hourly_posts` came in the hour that ends with them; shapes broadcast.

    `authors` and `hourly_authors` are the estimated distinct authors behind those counts, inf where there are too many to tell
    or none were counted. Each look must find an anomaly in its count and in the count that its authors can answer for.
    `planned` and `hourly_planned` say whether the window and the hour hold time in which the keyword is expected to stand out.

    >>> quiet = {"hourly_posts": 0.0, "hourly_expected": 0.0, "scale": 1.0, "hourly_spread": 1.0, "anomaly_rule": rule.rule_for(6.0, 10)}
    >>> crowd, ring = (judge(np.array([60.0]), np.array([1.0]), authors=authors, **quiet) for authors in (np.inf, 4.0))
    >>> crowd.anomalous.tolist(), crowd.few_authors.tolist(), ring.anomalous.tolist(), ring.few_authors.tolist()
    ([True], [False], [False], [True])
    """
    score, hourly_score = (
        rule.score(posts, expected, scale),
        rule.hourly_score(hourly_posts, hourly_expected, scale, hourly_spread),
    )
    people, hourly_posts_by_authors = (
        rule.posts_by_authors(posts, authors),
        rule.posts_by_authors(hourly_posts, hourly_authors),
    )
    window = rule.anomalous(posts, expected, score, anomaly_rule)
    hour = rule.hourly_anomalous(hourly_posts, hourly_expected, hourly_score, anomaly_rule)
    window_by_authors = window & rule.anomalous(
        people, expected, rule.score(people, expected, scale), anomaly_rule
    )
    hour_by_authors = hour & rule.hourly_anomalous(
        hourly_posts_by_authors,
        hourly_expected,
        rule.hourly_score(hourly_posts_by_authors, hourly_expected, scale, hourly_spread),
        anomaly_rule,
    )
    by_authors = window_by_authors | hour_by_authors
    anomalous = (window_by_authors & np.logical_not(planned)) | (
        hour_by_authors & np.logical_not(hourly_planned)
    )
    threshold_ratio = rule.threshold_ratio(score, hourly_score, anomaly_rule)
    return Verdicts(
        score,
        hourly_score,
        threshold_ratio,
        anomalous,
        (window | hour) & ~by_authors,
        by_authors & ~anomalous,
    )
