"""Judge: one verdict from both looks at a keyword's windows and from the people behind them, for arrays of windows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection import score as rule
from detection.score import AlarmRule

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Verdicts:
    """What the rule says of windows; arrays of one shape."""

    score: Floats
    score60: Floats
    strength: Floats
    anomalous: Flags
    vetoed: Flags
    """Anomalies by their counts that have too few authors behind them, and are therefore not `anomalous`."""
    planned: Flags
    """Anomalies with people behind them that were planned, and are therefore not `anomalous`."""


def judge(
    posts: Floats,
    expected: Floats,
    *,
    posts60: Floats,
    expected60: Floats,
    scale: Floats,
    spread60: Floats,
    alarm: AlarmRule,
    authors: Floats | float = np.inf,
    authors60: Floats | float = np.inf,
    planned: Flags | bool = False,
    planned60: Flags | bool = False,
) -> Verdicts:
    """The verdicts on windows with `posts`, where `posts60` came in the hour that ends with them; shapes broadcast.

    `authors` and `authors60` are the estimated distinct authors behind those counts, inf where there are too many to tell
    or none were counted. Each look must find an anomaly in its count and in the count that its authors can answer for.
    `planned` and `planned60` say whether the window and the hour hold time in which the keyword is expected to stand out.

    >>> quiet = {"posts60": 0.0, "expected60": 0.0, "scale": 1.0, "spread60": 1.0, "alarm": rule.alarm_rule(6.0, 10)}
    >>> crowd, ring = (judge(np.array([60.0]), np.array([1.0]), authors=authors, **quiet) for authors in (np.inf, 4.0))
    >>> crowd.anomalous.tolist(), crowd.vetoed.tolist(), ring.anomalous.tolist(), ring.vetoed.tolist()
    ([True], [False], [False], [True])
    """
    score, score60 = rule.score(posts, expected, scale), rule.score60(posts60, expected60, scale, spread60)
    people, people60 = rule.posts_by_people(posts, authors), rule.posts_by_people(posts60, authors60)
    window = rule.anomalous(posts, expected, score, alarm)
    hour = rule.anomalous60(posts60, expected60, score60, alarm)
    window_of_people = window & rule.anomalous(people, expected, rule.score(people, expected, scale), alarm)
    hour_of_people = hour & rule.anomalous60(people60, expected60, rule.score60(people60, expected60, scale, spread60), alarm)
    people_say = window_of_people | hour_of_people
    anomalous = (window_of_people & np.logical_not(planned)) | (hour_of_people & np.logical_not(planned60))
    strength = rule.strength(score, score60, alarm)
    return Verdicts(score, score60, strength, anomalous, (window | hour) & ~people_say, people_say & ~anomalous)
