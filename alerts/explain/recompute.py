"""Recompute an alert from recounted posts and statistics, and compare it with what detection stored."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import numpy as np

from alerts.explain.day import BACK, BaselineFor, hourly_bitmap, judge_recounted
from alerts.explain.recount import Recount
from alerts.store import alert_figures
from core.settings import Settings
from core.windows import ONE_DAY, WINDOW, WINDOWS_PER_DAY, day_start, window_number, window_start
from detection.judge_day import JudgedDay
from detection.lifecycle import Alert, JudgedWindow, LifecycleRule, as_real, decide
from detection.plain_counts import COLUMNS
from detection.score import KEPT_POSTS

_COUNTED = tuple(name for name in COLUMNS if name not in ("window_start", "keyword"))


@dataclass(frozen=True)
class StoredAlert:
    """An alert as stored in Postgres: its row and the rows of its windows in order, each by column."""

    alert: Mapping[str, Any]
    windows: Sequence[Mapping[str, Any]]

    @property
    def keyword(self) -> str:
        """The alert's keyword."""
        return str(self.alert["keyword"])

    @property
    def past_since(self) -> datetime | None:
        """Start of the first window that it was judged by on a first day; None if by statistics alone."""
        return min(filter(None, (window["past_since"] for window in self.windows)), default=None)

    @property
    def is_final(self) -> bool:
        """Whether all windows of the alert are closed."""
        return all(window["closed"] for window in self.windows)


@dataclass(frozen=True, slots=True)
class Difference:
    """A stored figure that does not match the recomputed one."""

    row: str
    """`alert`, or the start of the window."""
    column: str
    stored: object
    recomputed: object

    def __str__(self) -> str:
        return f"{self.row}: {self.column} is stored as {self.stored} but recomputed as {self.recomputed}"


@dataclass(frozen=True)
class Comparison:
    """How many figures were compared and which of them differ."""

    figures: int
    differences: list[Difference]


def recompute_windows(
    stored: StoredAlert,
    recount: Recount,
    baseline_for: BaselineFor,
    as_of_before: Callable[[date], date | None],
    settings: Settings,
) -> dict[int, JudgedWindow]:
    """Judge the keyword's windows again, by number, from the alert's first to the last that may end it.

    A window is judged with the statistics and threshold stored for it or, if it is not stored, with those of
    its day's other windows. `baseline_for` raises NotReadyError if the statistics are no longer kept. As in
    the stream, windows with fewer than three posts are not judged.
    """
    first, last = (window_number(stored.windows[index]["window_start"]) for index in (0, -1))
    by_number = {window_number(window["window_start"]): window for window in stored.windows}
    by_day = {window_start(number).date(): window for number, window in sorted(by_number.items())}
    judged: dict[int, JudgedWindow] = {}
    if stored.past_since:
        recount = recount.since(stored.past_since)
    days: dict[tuple[date, date | None, float], JudgedDay] = {}
    for number in range(first, last + settings.quiet_windows + 1):
        count = recount.counts.get((stored.keyword, number))
        if count is None or count["posts"] < KEPT_POSTS:
            continue
        day = window_start(number).date()
        judged_by = by_number.get(number) or by_day.get(day)
        as_of = judged_by["statistics_as_of"] if judged_by else as_of_before(day)
        threshold = (judged_by or stored.windows[0])["threshold"]
        key = day, as_of, threshold
        if key not in days:
            days[key] = judge_recounted(
                stored.keyword,
                day,
                recount,
                baseline_for,
                settings,
                as_of=as_of,
                threshold=threshold,
                first_day=stored.past_since is not None,
            )
        closed = number not in by_number or by_number[number]["closed"]
        judged[number] = _window(stored.keyword, number, days[key], as_of, threshold, recount, closed)
    return judged


def compare(stored: StoredAlert, judged: Mapping[int, JudgedWindow], settings: Settings) -> Comparison:
    """Compare the stored figures of closed windows and, if all windows are closed, of the alert.

    Reals are compared as 32-bit floats.
    """
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


def _differences(row: str, stored: Mapping[str, Any], recomputed: Mapping[str, object]) -> list[Difference]:
    return [
        Difference(row, name, stored[name], value)
        for name, value in recomputed.items()
        if not _same(stored[name], value)
    ]


def alert_of(
    stored: StoredAlert, judged: Mapping[int, JudgedWindow], settings: Settings
) -> Alert[JudgedWindow] | None:
    """Return the alert that `judged` gives from the stored first window on, None if they give none."""
    rule = LifecycleRule(settings.cool_down_windows, settings.quiet_windows)
    is_resolved = stored.alert["status"] == "resolved"
    quiet_before = (
        window_number(stored.windows[-1]["window_start"]) + settings.quiet_windows + 1 if is_resolved else 0
    )
    opened = window_number(stored.windows[0]["window_start"])
    alerts = decide(rule, None, judged.values(), quiet_before=quiet_before)
    return next((alert for alert in alerts if alert.opened == opened), None)


def figures_of_alert(
    stored: StoredAlert, alert: Alert[JudgedWindow] | None, settings: Settings
) -> dict[str, object]:
    """Return the row of `anomaly_alerts` for `alert`; without an alert, only an empty opened_window.

    Status and end follow the stored status.
    """
    if alert is None:
        return {"opened_window": None}
    return alert_figures(stored.keyword, alert, resolved=alert.resolved, quiet_windows=settings.quiet_windows)


def _windows_of_alert(stored: StoredAlert, alert: Alert[JudgedWindow] | None) -> list[Difference]:
    expected = {window_start(window.number) for window in alert.windows} if alert else set()
    have = {window["window_start"] for window in stored.windows}
    return [
        Difference(
            "alert",
            f"window {start:%Y-%m-%d %H:%M}",
            "present" if start in have else "absent",
            "present" if start in expected else "absent",
        )
        for start in sorted(expected ^ have)
    ]


def _window(
    keyword: str,
    number: int,
    day: JudgedDay,
    as_of: date | None,
    threshold: float,
    recount: Recount,
    closed: bool,
) -> JudgedWindow:
    count = recount.counts[keyword, number]
    at = (0, number % WINDOWS_PER_DAY)
    verdicts, column = day.verdicts, number % WINDOWS_PER_DAY
    past: dict[str, Any] = {}
    if day.past is not None and day.first_day[column]:
        past = {
            "past_posts": int(day.past.compared_posts[at]),
            "past_total_posts": int(day.past.compared_total[at]),
            "past_since": _first_of_past(recount, number),
        }
    return JudgedWindow(
        number=number,
        total_posts=recount.total_posts[number],
        ratio=as_real(day.ratio[at]),
        expected=as_real(day.expected[at]),
        scale=as_real(day.scale[at]),
        score=as_real(verdicts.score[at]),
        hourly_posts=int(day.hourly_posts[at]),
        hourly_expected=as_real(day.hourly_expected[at]),
        hourly_spread=as_real(day.hourly_spread[at]),
        hourly_score=as_real(verdicts.hourly_score[at]),
        threshold=threshold,
        threshold_ratio=as_real(verdicts.threshold_ratio[at]),
        anomalous=bool(verdicts.anomalous[at]),
        moved_hours=int(day.moved_hours[at]),
        statistics_as_of=as_of,
        hourly_authors_bitmap=hourly_bitmap(recount, keyword, number),
        closed=closed,
        **past,
        **{name: count[name] for name in _COUNTED},
    )


def _first_of_past(recount: Recount, number: int) -> datetime:
    """Return the start of the first window with posts of the day of window `number` and the day before."""
    first = window_number(day_start(window_start(number).date() - ONE_DAY))
    return window_start(min(other for other in recount.total_posts if other >= first))


def _same(stored: object, recomputed: object) -> bool:
    if isinstance(stored, float) and isinstance(recomputed, (int, float)):
        return bool(np.float32(stored) == np.float32(recomputed))
    return stored == recomputed


def span_to_recount(stored: StoredAlert, settings: Settings) -> tuple[datetime, datetime]:
    """Return the span from an hour before the alert's first window to the last window that may end it.

    On a first day it begins with the day before, because that is part of the past.
    """
    first, last = stored.windows[0]["window_start"], stored.windows[-1]["window_start"]
    begin = day_start(first.date() - ONE_DAY) if stored.past_since else first - BACK * WINDOW
    return begin, last + (settings.quiet_windows + 1) * WINDOW
