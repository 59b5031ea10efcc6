"""Charts for the SVG templates: posts by window, what was expected, what would have been unusual."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Any

from core.windows import window_number, window_start
from detection.score import rule_for, smallest_anomalous_posts

WIDTH, HEIGHT = 720.0, 200.0
"""Of a chart's plot (SVG user units); labels are outside."""
AROUND = 4
"""Windows shown before the first and after the last unusual one."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One window with its posts."""

    start: datetime
    posts: int
    expected: float
    least: int
    """Smallest number of posts that would have been unusual."""
    closed: bool
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart of windows on one axis of time; coordinates in SVG user units, y downward."""

    bars: Sequence[Bar]
    expected: str
    """Points of the steps of expected posts, for `polyline`."""
    unusual: str
    """Points of the steps of the smallest unusual number of posts."""
    ticks: Sequence[tuple[float, datetime]]
    top: int
    """Posts at the upper edge."""
    width: float = WIDTH
    height: float = HEIGHT


def chart(windows: Sequence[Mapping[str, Any]], *, min_posts: int) -> Chart | None:
    """Return the chart of an alert's windows (columns of alert_windows), in order; None without any.

    Windows in between that were not unusual are not stored: they stay empty.
    """
    if not windows:
        return None
    first = window_number(windows[0]["window_start"]) - AROUND
    count = window_number(windows[-1]["window_start"]) + AROUND + 1 - first
    leasts = [least_unusual(window, min_posts) for window in windows]
    top = max(*(window["posts"] for window in windows), *leasts, 1)
    step = WIDTH / count

    def x_of(number: int) -> float:
        return round((number - first) * step, 2)

    def y_of(posts: float) -> float:
        return float(round(HEIGHT * (1 - min(posts / top, 1.0)), 2))

    numbers = [window_number(window["window_start"]) for window in windows]
    bars = [
        Bar(
            start=window["window_start"],
            posts=window["posts"],
            expected=window["expected"],
            least=least,
            closed=window["closed"],
            x=x_of(number) + step * 0.1,
            y=y_of(window["posts"]),
            width=step * 0.8,
            height=HEIGHT - y_of(window["posts"]),
        )
        for number, window, least in zip(numbers, windows, leasts, strict=True)
    ]
    every = max(ceil(count / 8), 1)
    ticks = [(x_of(number), window_start(number)) for number in range(first, first + count, every)]
    return Chart(
        bars,
        _steps([(x_of(n), x_of(n + 1), y_of(w["expected"])) for n, w in zip(numbers, windows, strict=True)]),
        _steps([(x_of(n), x_of(n + 1), y_of(least)) for n, least in zip(numbers, leasts, strict=True)]),
        ticks,
        top,
    )


def least_unusual(window: Mapping[str, Any], min_posts: int) -> int:
    """Return the smallest number of posts of a window that would have been an anomaly by itself."""
    rule = rule_for(window["threshold"], min_posts)
    least = smallest_anomalous_posts(float(window["expected"]), float(window["scale"]), rule)
    return ceil(float(least) - 1e-9)


def sparkline(windows: Sequence[Mapping[str, Any]], *, width: float = 96, height: float = 24) -> str:
    """Return the points of a small line of posts by window, a quiet window before and after the alert."""
    if not windows:
        return ""
    first = window_number(windows[0]["window_start"]) - 1
    last = window_number(windows[-1]["window_start"]) + 1
    posts = {window_number(window["window_start"]): window["posts"] for window in windows}
    top = max(*posts.values(), 1)
    step = width / (last - first)
    return " ".join(
        f"{(number - first) * step:.1f},{height * (1 - posts.get(number, 0) / top):.1f}"
        for number in range(first, last + 1)
    )


def _steps(levels: Sequence[tuple[float, float, float]]) -> str:
    return " ".join(f"{left},{y} {right},{y}" for left, right, y in levels)
