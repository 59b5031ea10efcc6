"""Dominant keywords of live windows, and the traffic ratio of all others beside those that have taken off."""

from collections.abc import Mapping
from datetime import datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor

from alerts.baselines import load_baselines
from alerts.traffic import ExpectedTraffic
from detection import score as rule
from detection.dominant import DOMINANT_POSTS, DOMINANT_SHARE, ratio_beside
from detection.traffic_baseline import hour_shares
from sql.connection import query


def save_dominant(cursor: Cursor) -> None:
    """Note which counts of the temporary table batch_counts are dominant; traffic must have been saved."""
    cursor.execute(query("upsert_dominant_keywords"), {"posts": DOMINANT_POSTS, "share": DOMINANT_SHARE})


def delete_dominant(cursor: Cursor, before: datetime) -> None:
    """Forget the dominant keywords of windows that start before `before`."""
    cursor.execute(query("delete_dominant_keywords"), {"before": before})


def load_ratios_beside(
    cursor: Cursor,
    traffic: ExpectedTraffic,
    posts: Mapping[datetime, int],
    *,
    first: datetime,
    before: datetime,
) -> dict[datetime, float]:
    """Return the highest traffic ratio of other keywords by window start, from `first` to `before`.

    `posts` is traffic by window start. Windows without a bound are absent.
    """
    if not traffic.known:
        return {}
    cursor.execute(query("dominant_counts"), {"first": first, "before": before})
    counted = cursor.fetchall()
    keywords, starts = sorted({row[0] for row in counted}), sorted({row[1] for row in counted})
    if not keywords:
        return {}
    counts = np.zeros((len(keywords), len(starts)))
    for keyword, start, count in counted:
        counts[keywords.index(keyword), starts.index(start)] = count
    rows = load_baselines(cursor, keywords, traffic.as_of)
    hours = [start.hour for start in starts]
    normal = rule.expected_posts(
        rows.level[:, None],
        np.nan_to_num(rows.hour_deviation)[:, hours],
        rows.has_profile[:, None],
        hour_shares(traffic.expected_posts)[hours],
        1.0,
    )
    ratios = ratio_beside(
        counts,
        normal,
        rule.scale(rows.variance, rows.dispersion)[:, None],
        np.array([posts.get(start, 0) for start in starts], dtype=float),
        traffic.expected_posts[hours],
    )
    return {start: float(ratio) for start, ratio in zip(starts, ratios, strict=True) if np.isfinite(ratio)}
