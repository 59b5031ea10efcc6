"""Verdicts: which windows are anomalies, by window, hourly window and authors; for arrays of windows."""

from dataclasses import dataclass, replace

import numpy as np

from detection import score as rule
from detection.arrays import Flags, Floats
from detection.score import AnomalyRule


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rule says of windows, as arrays of equal shape."""

    score: Floats
    hourly_score: Floats
    threshold_ratio: Floats
    anomalous: Flags
    few_authors: Flags
    """Anomalies by their counts that have too few authors, and are therefore not `anomalous`."""
    planned: Flags
    """Anomalies with enough authors that the calendar expects, and are therefore not `anomalous`."""

    def restricted(self, judged: Flags) -> "Verdicts":
        """Return the verdicts with no threshold ratio, anomaly or reason where a window is not `judged`."""
        return replace(
            self,
            threshold_ratio=np.where(judged, self.threshold_ratio, 0.0),
            anomalous=self.anomalous & judged,
            few_authors=self.few_authors & judged,
            planned=self.planned & judged,
        )


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
    """Return the verdicts on windows with `posts`, and `hourly_posts` in the hour that ends with them.

    Shapes broadcast. `authors` and `hourly_authors` are the estimated distinct authors of those posts, inf if
    too many to tell or not counted. A window or hourly window is an anomaly only if both its count and the
    count that its authors account for pass the rule. `planned` and `hourly_planned` flag windows and hours
    that touch a time in which the calendar expects the keyword to stand out.

    >>> no_hour = {"hourly_posts": 0.0, "hourly_expected": 0.0, "hourly_spread": 1.0}
    >>> posts, expected = np.array([60.0]), np.array([1.0])
    >>> for authors in (np.inf, 4.0):
    ...     found = judge(
    ...         posts, expected, scale=1.0, authors=authors, anomaly_rule=rule.rule_for(6.0, 10), **no_hour
    ...     )
    ...     print(found.anomalous, found.few_authors)
    [ True] [False]
    [False] [ True]
    """
    score = rule.score(posts, expected, scale)
    hourly_score = rule.hourly_score(hourly_posts, hourly_expected, scale, hourly_spread)
    window = rule.anomalous(posts, expected, score, anomaly_rule)
    hour = rule.hourly_anomalous(hourly_posts, hourly_expected, hourly_score, anomaly_rule)

    by_authors = rule.posts_by_authors(posts, authors)
    score_by_authors = rule.score(by_authors, expected, scale)
    window_by_authors = window & rule.anomalous(by_authors, expected, score_by_authors, anomaly_rule)

    hourly_by_authors = rule.posts_by_authors(hourly_posts, hourly_authors)
    hourly_score_by_authors = rule.hourly_score(hourly_by_authors, hourly_expected, scale, hourly_spread)
    hour_by_authors = hour & rule.hourly_anomalous(
        hourly_by_authors, hourly_expected, hourly_score_by_authors, anomaly_rule
    )

    enough_authors = window_by_authors | hour_by_authors
    anomalous = window_by_authors & np.logical_not(planned)
    anomalous = anomalous | (hour_by_authors & np.logical_not(hourly_planned))
    return Verdicts(
        score=score,
        hourly_score=hourly_score,
        threshold_ratio=rule.threshold_ratio(score, hourly_score, anomaly_rule),
        anomalous=anomalous,
        few_authors=(window | hour) & ~enough_authors,
        planned=enough_authors & ~anomalous,
    )
