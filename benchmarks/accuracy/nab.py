"""The Numenta Anomaly Benchmark on a folder of series: the rule, its predecessor and a blind clock.

Nothing is fitted to the series: the threshold is fixed, windows are 15 minutes in UTC, and each detection is
followed by a cool-down of a day. A detection counts at the last row of its window, when the window is
complete.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batch.backtest.counts import CountsTable
from batch.backtest.counts_file import open_counts
from batch.backtest.walk import Walk
from benchmarks.accuracy.nab_score import SeriesScore, Window, score_series
from core.errors import NotReadyError
from detection.arrays import Flags, Floats
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import QUARTER_HOURS

THRESHOLD, MIN_POSTS = 4.5, 10
COOL_DOWN_WINDOWS = QUARTER_HOURS.windows
LABELS = "anomaly_windows.json"
PREDECESSOR_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Series:
    """One labelled series: times of its rows, labels, and windows with their posts."""

    name: str
    times: np.ndarray
    labels: list[Window]
    window: np.ndarray
    posts: Floats
    anomalous: Flags
    """Verdict of the backtest on each window."""

    def score(self, detected: Flags) -> SeriesScore:
        """Score detections in `window`, each counted at the window's last row."""
        row_window = self.times.astype("datetime64[s]").astype(np.int64) // QUARTER_HOURS.window_seconds
        last_rows = np.searchsorted(row_window, self.window[detected], side="right") - 1
        at_rows = np.zeros(len(self.times), dtype=bool)
        at_rows[last_rows] = True
        return score_series(self.times, at_rows, self.labels)


def load_folder(folder: Path) -> list[Series]:
    """Load the labelled `*.csv` in `folder`, judged by the backtest; raises NotReadyError without any."""
    labels = folder / LABELS
    if not labels.is_file():
        raise NotReadyError(f"{folder} has no {LABELS}. Give a folder of labelled series: --counts-dir DIR.")
    windows = {Path(name).name: pairs for name, pairs in json.loads(labels.read_text()).items()}
    files = [path for path in sorted(folder.glob("*.csv")) if path.name in windows]
    if not files:
        raise NotReadyError(
            f"{labels} labels no *.csv in its folder. Give a folder of labelled series: --counts-dir DIR."
        )
    return [_load(path, windows[path.name]) for path in files]


def _load(path: Path, labels: list[tuple[str, str]]) -> Series:
    with open_counts(path, QUARTER_HOURS) as table:
        window, posts, anomalous = _judged(table)
    times = np.loadtxt(path, delimiter=",", skiprows=1, usecols=0, dtype="datetime64[s]")
    edges = [(np.datetime64(begin, "s"), np.datetime64(end, "s")) for begin, end in labels]
    return Series(path.stem, np.sort(times), edges, window, posts, anomalous)


def _judged(table: CountsTable) -> tuple[np.ndarray, Floats, Flags]:
    rows = list(Walk(table, rule_for(THRESHOLD, MIN_POSTS), LifecycleRule()).run())
    columns = [
        np.concatenate([getattr(part, name) for part in rows]) for name in ("window", "posts", "anomalous")
    ]
    return columns[0], columns[1], columns[2]


def with_cool_down(window: np.ndarray, detected: Flags, cool_down: int = COOL_DOWN_WINDOWS) -> Flags:
    """Keep detections in `window` (ascending) at least `cool_down` windows after the last kept one.

    >>> with_cool_down(np.array([0, 1, 2, 3]), np.array([True, True, True, True]), cool_down=2).tolist()
    [True, False, True, False]
    """
    kept, last = np.zeros(len(window), dtype=bool), None
    for index in np.flatnonzero(detected):
        if last is None or window[index] - last >= cool_down:
            kept[index], last = True, window[index]
    return kept


def predecessor(series: Series, *, divisor: float) -> Flags:
    """Apply the rule of the system before: posts > mean/96 + 3*deviation/divisor.

    Mean and deviation are those of the sums of the days before. It divided the daily deviation by 96,
    `divisor` 96; for independent windows the divisor is sqrt(96). It detects nothing before two whole days.
    How many deviations it required is not documented; 3 is assumed.
    """
    day = series.window // QUARTER_HOURS.windows
    days, day_index = np.unique(day, return_inverse=True)
    sums = np.bincount(day_index, weights=series.posts)
    detected = np.zeros(len(day), dtype=bool)
    for number in range(3, len(days)):
        # The first day is incomplete.
        history = sums[1:number]
        deviation = PREDECESSOR_DEVIATIONS * history.std(ddof=1) / divisor
        limit = history.mean() / QUARTER_HOURS.windows + deviation
        of_day = day_index == number
        detected[of_day] = series.posts[of_day] > limit
    return detected


def blind_clock(series: Series, hour: int) -> Flags:
    """Detect every day at `hour` UTC, whatever was posted."""
    clock: Flags = series.window % QUARTER_HOURS.windows == hour * QUARTER_HOURS.windows_per_slot
    return clock


Detector = Callable[[Series], Flags]


def detectors() -> dict[str, Detector]:
    """Return the rule and its competitors by name, with a day's cool-down unless the name says otherwise."""

    def cooled(rule: Detector) -> Detector:
        return lambda series: with_cool_down(series.window, rule(series))

    return {
        f"Groundswell at {THRESHOLD}": cooled(lambda series: series.anomalous),
        "predecessor, every window": lambda series: predecessor(series, divisor=QUARTER_HOURS.windows),
        "predecessor": cooled(lambda series: predecessor(series, divisor=QUARTER_HOURS.windows)),
        "predecessor, deviation corrected": cooled(
            lambda series: predecessor(series, divisor=QUARTER_HOURS.windows**0.5)
        ),
    }


def total(series: list[Series], detector: Detector) -> SeriesScore:
    """Score a detector over all series."""
    scores = [one.score(detector(one)) for one in series]
    return sum(scores[1:], scores[0])


def clock_totals(series: list[Series]) -> Iterator[SeriesScore]:
    """Yield the scores of the blind clock, for each hour of the day."""
    for hour in range(QUARTER_HOURS.slots):
        yield total(series, lambda one, hour=hour: blind_clock(one, hour))  # type: ignore[misc]
