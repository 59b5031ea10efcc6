"""Recompute: what detection should have stored of an alert, from recounted posts and statistics; and where that is not what it stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import numpy as np

from alerts.explain.recount import Recount
from alerts.store import alert_figures
from core.settings import Settings
from core.windows import WINDOW, WINDOWS_PER_DAY, window_number, window_start
from detection.authors import authors_or_infinity
from detection.judge_day import DayCounts, JudgedDay, judge_day
from detection.learn import KeywordRows, Traffic
from detection.lifecycle import Alert, JudgedWindow, LifecycleRule, as_real, decide
from detection.score import KEPT_POSTS, WINDOWS_PER_HOUR, rule_for
from detection.verdicts import Floats

_BACK = WINDOWS_PER_HOUR - 1
_COUNTED = (
    "posts",
    "authors_bitmap",
    "texts_bitmap",
    "first_post_at",
    "first_post_id",
    "latest_post_id",
    "top_post_id",
    "top_likes",
)


@dataclass(frozen=True)
class Stored:
    """An alert as it stands in Postgres: its row, and those of its windows in order, by column."""

    alert: Mapping[str, Any]
    windows: Sequence[Mapping[str, Any]]

    @property
    def keyword(self) -> str:
        """Its keyword."""
        return str(self.alert["keyword"])

    @property
    def is_final(self) -> bool:
        """Whether all its windows are closed."""
        return all(window["closed"] for window in self.windows)


@dataclass(frozen=True)
class Baseline:
    """What a keyword's windows are judged by: None where there were no statistics, NaN profile where it has none."""

    rows: KeywordRows
    traffic: Traffic | None


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored figure that is not met."""

    place: str
    """`alert`, or the start of the window."""
    column: str
    stored: object
    recomputed: object

    def __str__(self) -> str:
        return f"{self.place}: {self.column} is stored as {self.stored}, recomputed as {self.recomputed}"


@dataclass(frozen=True)
class Comparison:
    """How many figures were compared, and which are not met."""

    figures: int
    differences: list[Difference]


BaselineFor = Callable[[str, date | None], Baseline]
"""What was usual for a keyword as of a day; None: nothing was learned yet."""


def recompute_windows(
    stored: Stored,
    recount: Recount,
    baseline_for: BaselineFor,
    as_of_before: Callable[[date], date | None],
    settings: Settings,
) -> dict[int, JudgedWindow]:
    """The keyword's windows from the alert's first to the last that may end it, judged anew, by number.

    Each is judged by the statistics that it was judged by, or its day's other windows; `baseline_for` raises NotReadyError
    where they are no longer kept. Windows of fewer than three posts are not judged, as in the stream.
    """
    first, last = (window_number(stored.windows[place]["window_start"]) for place in (0, -1))
    by_number = {window_number(window["window_start"]): window for window in stored.windows}
    by_day = {window_start(number).date(): window for number, window in sorted(by_number.items())}
    judged: dict[int, JudgedWindow] = {}
    days: dict[tuple[date, date | None, float], JudgedDay] = {}
    for number in range(first, last + settings.quiet_windows + 1):
        count = recount.counts.get((stored.keyword, number))
        if count is None or count["posts"] < KEPT_POSTS:
            continue
        day = window_start(number).date()
        judged_by = by_number.get(number) or by_day.get(day)
        as_of = judged_by["statistics_as_of"] if judged_by else as_of_before(day)
        threshold = (judged_by or stored.windows[0])["threshold"]
        usual = baseline_for(stored.keyword, as_of)
        key = day, as_of, threshold
        if key not in days:
            days[key] = _judge(stored.keyword, day, usual, threshold, recount, settings)
        closed = number not in by_number or by_number[number]["closed"]
        judged[number] = _window(stored.keyword, number, days[key], usual, as_of, threshold, recount, closed)
    return judged


def compare(stored: Stored, judged: Mapping[int, JudgedWindow], settings: Settings) -> Comparison:
    """Every stored figure of closed windows, and of the alert where all are closed, against the recomputed one; reals as 32-bit floats."""
    differences: list[Difference] = []
    figures = 0
    for row in stored.windows:
        number = window_number(row["window_start"])
        window = judged.get(number)
        if not row["closed"]:
            continue
        figures_of_window = {
            name: getattr(window, name, None) for name in row if name not in ("alert_id", "window_start")
        }
        figures += len(figures_of_window)
        differences += _differences(f"{row['window_start']:%Y-%m-%d %H:%M}", row, figures_of_window)
    if stored.is_final and stored.alert["status"] != "withdrawn":
        alert = alert_of(stored, judged, settings)
        row = figures_of_alert(stored, alert, settings)
        figures += len(row)
        differences += _differences("alert", stored.alert, row)
        differences += _windows_of_alert(stored, alert)
    return Comparison(figures, differences)


def _differences(place: str, stored: Mapping[str, Any], recomputed: Mapping[str, object]) -> list[Difference]:
    return [
        Difference(place, name, stored[name], value)
        for name, value in recomputed.items()
        if not _same(stored[name], value)
    ]


def alert_of(
    stored: Stored, judged: Mapping[int, JudgedWindow], settings: Settings
) -> Alert[JudgedWindow] | None:
    """The alert that the windows make, from the stored first one on."""
    rule = LifecycleRule(settings.cool_down_windows, settings.quiet_windows)
    is_resolved = stored.alert["status"] == "resolved"
    quiet_before = (
        window_number(stored.windows[-1]["window_start"]) + settings.quiet_windows + 1 if is_resolved else 0
    )
    opened = window_number(stored.windows[0]["window_start"])
    alerts = decide(rule, None, judged.values(), quiet_before=quiet_before)
    return next((alert for alert in alerts if alert.opened == opened), None)


def figures_of_alert(
    stored: Stored, alert: Alert[JudgedWindow] | None, settings: Settings
) -> dict[str, object]:
    """The row that the alert makes; status and end follow the stored status."""
    if alert is None:
        return {"opened_window": None}
    return alert_figures(stored.keyword, alert, resolved=alert.resolved, quiet_windows=settings.quiet_windows)


def _windows_of_alert(stored: Stored, alert: Alert[JudgedWindow] | None) -> list[Difference]:
    should = {window_start(window.number) for window in alert.windows} if alert else set()
    have = {window["window_start"] for window in stored.windows}
    return [
        Difference(
            "alert",
            f"window {start:%Y-%m-%d %H:%M}",
            "part of it" if start in have else "none of it",
            "part of it" if start in should else "none of it",
        )
        for start in sorted(should ^ have)
    ]


def _judge(
    keyword: str, day: date, usual: Baseline, threshold: float, recount: Recount, settings: Settings
) -> JudgedDay:
    midnight = window_number(datetime(day.year, day.month, day.day, tzinfo=UTC))
    numbers = range(midnight - _BACK, midnight + WINDOWS_PER_DAY)
    posts = np.array([_count(recount, keyword, number)["posts"] for number in numbers], dtype=float)
    total = np.array([recount.total_posts.get(number, 0) for number in numbers], dtype=float)
    if usual.traffic is None:
        total = np.minimum(total, 1.0)
    bitmaps = [_count(recount, keyword, number)["authors_bitmap"] for number in numbers]
    return judge_day(
        DayCounts(posts[None, _BACK:], posts[None, :_BACK], total[_BACK:], total[:_BACK]),
        usual.rows,
        usual.traffic,
        rule_for(threshold, settings.min_posts),
        authors=_authors(bitmaps[_BACK:]),
        hourly_authors=_authors(
            [_of_hour(recount, keyword, number) for number in range(midnight, midnight + WINDOWS_PER_DAY)]
        ),
    )


def _window(
    keyword: str,
    number: int,
    day: JudgedDay,
    usual: Baseline,
    as_of: date | None,
    threshold: float,
    recount: Recount,
    closed: bool,
) -> JudgedWindow:
    count, start = recount.counts[keyword, number], window_start(number)
    at = (0, number % WINDOWS_PER_DAY)
    total, verdicts = recount.total_posts[number], day.verdicts
    expected_total = float(usual.traffic.expected_posts[start.hour]) if usual.traffic is not None else 0.0
    return JudgedWindow(
        number=number,
        total_posts=total,
        ratio=as_real(total / expected_total if expected_total > 0 else 1.0),
        expected=as_real(day.expected[at]),
        scale=as_real(day.scale[0]),
        score=as_real(verdicts.score[at]),
        hourly_posts=int(day.hourly_posts[at]),
        hourly_expected=as_real(day.hourly_expected[at]),
        hourly_spread=as_real(usual.rows.hourly_spread[0]),
        hourly_score=as_real(verdicts.hourly_score[at]),
        threshold=threshold,
        threshold_ratio=as_real(verdicts.threshold_ratio[at]),
        anomalous=bool(verdicts.anomalous[at]),
        statistics_as_of=as_of,
        hourly_authors_bitmap=_of_hour(recount, keyword, number),
        closed=closed,
        **{name: count[name] for name in _COUNTED},
    )


def _count(recount: Recount, keyword: str, number: int) -> Mapping[str, Any]:
    return recount.counts.get((keyword, number)) or {"posts": 0, "authors_bitmap": 0}


def _of_hour(recount: Recount, keyword: str, number: int) -> int:
    """Authors of the window and of those of the three before it that count for the second look."""
    union = 0
    for back in range(WINDOWS_PER_HOUR):
        count = _count(recount, keyword, number - back)
        if back == 0 or count["posts"] >= KEPT_POSTS:
            union |= count["authors_bitmap"]
    return union


def _authors(bitmaps: Sequence[int]) -> Floats:
    return authors_or_infinity(np.array(bitmaps, dtype=np.int64))[None, :]


def _same(stored: object, recomputed: object) -> bool:
    if isinstance(stored, float) and isinstance(recomputed, (int, float)):
        return bool(np.float32(stored) == np.float32(recomputed))
    return stored == recomputed


def spans_to_recount(stored: Stored, settings: Settings) -> tuple[datetime, datetime]:
    """From an hour before the first window of an alert to the last one that may end it."""
    first, last = stored.windows[0]["window_start"], stored.windows[-1]["window_start"]
    return first - _BACK * WINDOW, last + (settings.quiet_windows + 1) * WINDOW
