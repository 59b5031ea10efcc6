"""Judge recounted windows of a day again, with the statistics that an alert was judged by."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np

from alerts.explain.recount import Recount
from core.settings import Settings
from core.windows import WINDOWS_PER_DAY, day_start, window_number
from detection.arrays import Floats
from detection.authors import authors_or_infinity
from detection.clock_changes import judge_by_clocks
from detection.clocks import clocks
from detection.day_counts import DayCounts, dominant_keywords, traffic_beside
from detection.first_day import past_gap
from detection.judge_day import JudgedDay
from detection.learn import KeywordRows
from detection.score import KEPT_POSTS, WINDOWS_PER_HOUR, rule_for
from detection.traffic_baseline import Traffic

BACK = WINDOWS_PER_HOUR - 1
"""Windows before an alert's first one that its hourly window includes."""


@dataclass(frozen=True)
class Baseline:
    """What is expected of K keywords; a keyword without an hour profile has NaN there."""

    rows: KeywordRows
    traffic: Traffic | None
    """None if there were no statistics yet."""


BaselineFor = Callable[[tuple[str, ...], date | None], Baseline]
"""Return the baseline of keywords as of a day; None for the day means that nothing was learned yet."""


def judge_recounted(
    keyword: str,
    day: date,
    recount: Recount,
    baseline_for: BaselineFor,
    settings: Settings,
    *,
    as_of: date | None,
    threshold: float,
    first_day: bool,
) -> JudgedDay:
    """Judge the windows of `day` for a keyword with the statistics `as_of` an earlier day.

    With `first_day` the whole day before belongs to them. `baseline_for` raises NotReadyError if the
    statistics are no longer kept.
    """
    midnight = window_number(day_start(day))
    baseline = baseline_for((keyword,), as_of)
    numbers = range(midnight, midnight + WINDOWS_PER_DAY)
    authors = [_count(recount, keyword, number)["authors_bitmap"] for number in numbers]
    hourly_authors = [hourly_bitmap(recount, keyword, number) for number in numbers]
    return judge_by_clocks(
        clocks(as_of, day).unlearned,
        _day_counts([keyword], midnight, recount, WINDOWS_PER_DAY if first_day else BACK),
        baseline.rows,
        baseline.traffic,
        rule_for(threshold, settings.min_posts),
        beside=_beside(midnight, recount, baseline_for, as_of),
        past_gap=past_gap(settings.lateness_minutes),
        authors=_authors(authors),
        hourly_authors=_authors(hourly_authors),
    )


def hourly_bitmap(recount: Recount, keyword: str, number: int) -> int:
    """Return the authors of an hourly window: of the window and of the three before it if they count."""
    union = 0
    for back in range(WINDOWS_PER_HOUR):
        count = _count(recount, keyword, number - back)
        if back == 0 or count["posts"] >= KEPT_POSTS:
            union |= count["authors_bitmap"]
    return union


def _beside(midnight: int, recount: Recount, baseline_for: BaselineFor, as_of: date | None) -> Floats | float:
    """Return the highest traffic ratio beside the keywords that are dominant in a recounted window."""
    if as_of is None:
        return np.inf
    recounted = range(midnight - BACK, midnight + WINDOWS_PER_DAY)
    keywords = sorted({keyword for keyword, number in recount.counts if number in recounted})
    heavy = [keywords[i] for i in dominant_keywords(_day_counts(keywords, midnight, recount, BACK))]
    if not heavy:
        return np.inf
    baseline = baseline_for(tuple(heavy), as_of)
    return traffic_beside(_day_counts(heavy, midnight, recount, BACK), baseline.rows, baseline.traffic)


def _day_counts(keywords: Sequence[str], midnight: int, recount: Recount, back: int) -> DayCounts:
    numbers = range(midnight - back, midnight + WINDOWS_PER_DAY)
    total = np.array([recount.total_posts.get(number, 0) for number in numbers], dtype=float)
    posts = np.zeros((len(keywords), len(numbers)))
    for row, keyword in enumerate(keywords):
        posts[row] = [_count(recount, keyword, number)["posts"] for number in numbers]
    return DayCounts(posts[:, back:], posts[:, :back], total[back:], total[:back])


def _count(recount: Recount, keyword: str, number: int) -> Mapping[str, Any]:
    return recount.counts.get((keyword, number)) or {"posts": 0, "authors_bitmap": 0}


def _authors(bitmaps: Sequence[int]) -> Floats:
    return authors_or_infinity(np.array(bitmaps, dtype=np.int64))[None, :]
