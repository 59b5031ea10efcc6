"""Live counts and what they are compared with, as they are if habits have moved with a clock change."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from psycopg2.extensions import cursor as Cursor

from alerts.baselines import load_baselines
from alerts.expected import Compared
from alerts.live_counts import EARLIER, LiveCount
from detection.arrays import Floats
from detection.clocks import moved


def load_profiles(cursor: Cursor, keywords: Iterable[str], as_of: date | None) -> dict[str, Floats]:
    """Return the hour profile [24] of each of `keywords` as of a day; NaN without one."""
    distinct = sorted(set(keywords))
    return dict(zip(distinct, load_baselines(cursor, distinct, as_of).hour_deviation, strict=True))


def moved_counts(
    counts: Sequence[LiveCount], compared: Compared, profiles: Mapping[str, Floats], hours: int
) -> tuple[list[LiveCount], Compared]:
    """Return `counts` and what they are compared with, with profiles and traffic moved by `hours`."""
    traffic = compared.traffic
    return (
        [_moved(count, moved(profiles[count.keyword], hours)) for count in counts],
        replace(compared, traffic=replace(traffic, expected_posts=moved(traffic.expected_posts, hours))),
    )


def _moved(count: LiveCount, profile: Floats) -> LiveCount:
    if count.deviation is None:
        return count
    begin = count.window_start - EARLIER
    return count._replace(
        deviation=float(profile[count.window_start.hour]), deviation_before=float(profile[begin.hour])
    )
