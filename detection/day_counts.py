"""A day's counts of a batch of keywords, and what statistics make expected of them at normal traffic."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Floats
from detection.dominant import dominant, ratio_beside
from detection.learn import KeywordRows, expected_by_window
from detection.score import KEPT_POSTS, scale
from detection.seasonality import QUARTER_HOURS, Seasonality
from detection.traffic_baseline import Traffic, day_traffic


@dataclass(frozen=True)
class DayCounts:
    """Posts in a day's windows, and in the B windows just before it.

    An hourly window adds up four windows, so 3 windows before the day belong to it; a `Seasonality` with
    single windows as slots has no hourly windows and needs none before. Where statistics are missing, the
    whole day before is needed (B = 96), because windows are then judged by those before them.
    """

    posts: Floats
    """Posts with each of K keywords [K, 96], 0 if absent."""
    before: Floats
    """The same for the last windows of the day before [K, B]."""
    total: Floats
    """Posts of all keywords [96]; if unknown, 1 for every observed window, with `unknown_traffic`."""
    total_before: Floats
    """The same for the last windows of the day before [B]."""


class NormalPosts(NamedTuple):
    """The w windows before a day that its hourly windows include, and those of the day, at normal traffic."""

    posts: Floats
    """Posts [K, w + 96]."""
    expected: Floats
    """Posts expected at a traffic ratio of 1 [K, w + 96]."""
    scale: Floats
    """Scale of each keyword [K, 1]."""
    total: Floats
    """Posts of all keywords [w + 96]."""
    by_hour: Floats
    """Expected posts of all keywords [w + 96]."""


def normal_posts(
    counts: DayCounts, rows: KeywordRows, traffic: Traffic, seasonality: Seasonality
) -> NormalPosts:
    """Return what `rows` and `traffic` make expected in a day and in the windows before it."""
    before = windows_before(seasonality)
    posts, total = _windows(counts, seasonality)
    day = day_traffic(counts.total, traffic, seasonality)
    normal = expected_by_window(rows, replace(day, ratio=np.ones_like(day.ratio)), seasonality)
    by_hour = np.repeat(traffic.expected_posts, seasonality.windows_per_slot)
    if before:
        normal = np.hstack([normal[:, -before:], normal])
        by_hour = np.hstack([by_hour[-before:], by_hour])
    return NormalPosts(
        posts=posts,
        expected=normal,
        scale=scale(rows.variance, rows.dispersion)[:, None],
        total=total,
        by_hour=by_hour,
    )


def traffic_beside(
    counts: DayCounts, rows: KeywordRows, traffic: Traffic | None, seasonality: Seasonality = QUARTER_HOURS
) -> Floats:
    """Return the highest traffic ratio of keywords beside the dominant ones of a day [w + 96]; inf: no bound.

    `counts` and `rows` are those of all keywords that are dominant in a window of the day or in the w
    windows before it that its hourly windows include; others do no harm.
    """
    if traffic is None:
        return np.full(windows_before(seasonality) + seasonality.windows, np.inf)
    normal = normal_posts(counts, rows, traffic, seasonality)
    return ratio_beside(kept(normal.posts), normal.expected, normal.scale, normal.total, normal.by_hour)


def dominant_keywords(counts: DayCounts, seasonality: Seasonality = QUARTER_HOURS) -> NDArray[np.int64]:
    """Return the indices of the keywords that are dominant in a window that `traffic_beside` looks at."""
    posts, total = _windows(counts, seasonality)
    return np.flatnonzero(dominant(posts, total).any(axis=1))


def _windows(counts: DayCounts, seasonality: Seasonality) -> tuple[Floats, Floats]:
    """Return posts [K, w + 96] and posts of all keywords [w + 96] of the day and the windows before it."""
    start = counts.before.shape[1] - windows_before(seasonality)
    posts = np.hstack([counts.before[:, start:], counts.posts])
    return posts, np.hstack([counts.total_before[start:], counts.total])


def windows_before(seasonality: Seasonality) -> int:
    """Return how many windows before a day its hourly windows include: all but one of an hour's."""
    return seasonality.windows_per_slot - 1


def kept(posts: Floats) -> Floats:
    """Return `posts` without counts below 3, which are not kept."""
    return np.where(posts >= KEPT_POSTS, posts, 0.0)
