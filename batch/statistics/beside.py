"""The traffic ratio of a day's keywords beside the dominant ones that have taken off."""

from collections.abc import Callable
from datetime import date

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from alerts.baselines import load_baselines
from batch.statistics.keyword_batch import dense
from core.keyword_rule import ALL_POSTS
from core.settings import Settings
from detection.arrays import Floats
from detection.day_counts import DayCounts, traffic_beside, windows_before
from detection.dominant import DOMINANT_POSTS, DOMINANT_SHARE
from detection.seasonality import QUARTER_HOURS, WINDOWS
from detection.traffic_baseline import Traffic
from sql.connection import transaction


def ratios_beside(
    dominant: Callable[[Floats], pa.Table],
    total_posts: Floats,
    settings: Settings,
    *,
    traffic: Traffic | None,
    as_of: date | None,
) -> Floats:
    """Return the highest traffic ratio of other keywords [3 + 96], 3 windows before the day; inf: no bound.

    `dominant` returns keyword, windows and posts of the keywords that are dominant beside `total_posts`
    [B + 96]; it is called only if there is `traffic`. Statistics are those `as_of` an earlier day.
    """
    lookback = len(total_posts) - WINDOWS
    if traffic is None:
        return np.full(windows_before(QUARTER_HOURS) + WINDOWS, np.inf)
    heavy = dominant(total_posts)
    posts = np.zeros((heavy.num_rows, len(total_posts)))
    for batch in heavy.combine_chunks().to_batches():
        dense(batch.column("windows"), batch.column("posts"), posts)
    with transaction(settings) as cursor:
        rows = load_baselines(cursor, heavy["keyword"].to_pylist(), as_of)
    of_day = DayCounts(
        posts[:, lookback:], posts[:, :lookback], total_posts[lookback:], total_posts[:lookback]
    )
    return traffic_beside(of_day, rows, traffic)


def dominant_counts(counts: DataFrame, total_posts: Floats) -> pa.Table:
    """Return keyword, windows and posts of the dominant keywords of `count_keywords_per_day`."""
    is_dominant = _dominant(total_posts, len(total_posts) - WINDOWS)
    return counts.where(is_dominant).select("keyword", "windows", "posts").toArrow()


def least_dominant(total_posts: Floats) -> Floats:
    """Return the posts [B + 96] from which a keyword is dominant in a window."""
    return np.maximum(DOMINANT_POSTS, DOMINANT_SHARE * total_posts)


def _dominant(total_posts: Floats, lookback: int) -> Column:
    """Return whether the keyword of a row of counts is dominant in one of its windows."""
    by_window = F.array(*map(F.lit, least_dominant(total_posts).tolist()))
    enough = F.exists(
        F.arrays_zip("windows", "posts"),
        lambda count: count["posts"] >= F.element_at(by_window, count["windows"] + lookback + 1),
    )
    return (F.col("keyword") != ALL_POSTS) & (F.array_max("posts") >= DOMINANT_POSTS) & enough
