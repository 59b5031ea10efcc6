"""The Numenta Anomaly Benchmark on a folder of series: the rule, its predecessor and a blind clock, scored alike.

Nothing is fitted to the series: the threshold is fixed, windows are 15 minutes at UTC, and a detection is followed by a day
without one. A detection counts at the last row of its window, when the window is complete.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from batch.backtest.counts import CountsTable
from batch.backtest.counts_file import open_counts
from batch.backtest.walk import Walk
from benchmarks.accuracy.nab_score import Flags, Floats, SeriesScore, Window, score_series
from core.errors import NotReadyError
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import QUARTER_HOURS

THRESHOLD, MIN_POSTS = 4.5, 10
COOL_DOWN_WINDOWS = QUARTER_HOURS.windows
LABELS = "anomaly_windows.json"
PREDECESSOR_DEVIATIONS = 3.0


@dataclass(frozen=True)
class Series:
    """One labelled series: its rows' times, its windows with their posts, and the labels."""

    name: str
    times: np.ndarray
    labels: list[Window]
    window: np.ndarray
    posts: Floats
    anomalous: Flags
    """What the backtest says of each window."""

    def score(self, detected: Flags) -> SeriesScore:
        """The score of detections in `window`, each counted at the window's last row."""
        row_window = self.times.astype("datetime64[s]").astype(np.int64) // QUARTER_HOURS.window_seconds
        last_rows = np.searchsorted(row_window, self.window[detected], side="right") - 1
        at_rows = np.zeros(len(self.times), dtype=bool)
        at_rows[last_rows] = True
        return score_series(self.times, at_rows, self.labels)


def load_folder(folder: Path) -> list[Series]:
    """All `*.csv` in `folder` that are labelled, judged by the backtest; raises NotReadyError where there are none."""
    labels = folder / LABELS
    if not labels.is_file():
        raise NotReadyError(f"No {LABELS} in {folder}. Give the folder of labelled series: --counts-dir DIR.")
    windows = {Path(name).name: pairs for name, pairs in json.loads(labels.read_text()).items()}
    files = [path for path in sorted(folder.glob("*.csv")) if path.name in windows]
    if not files:
        raise NotReadyError(
            f"{labels} names no *.csv beside it. Give the folder of labelled series: --counts-dir DIR."
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
    """Of the detections in `window` (ascending numbers) those that come `cool_down` windows or more after the last kept one.

    >>> with_cool_down(np.array([0, 1, 2, 3]), np.array([True, True, True, True]), cool_down=2).tolist()
    [True, False, True, False]
    """
    kept, last = np.zeros(len(window), dtype=bool), None
    for place in np.flatnonzero(detected):
        if last is None or window[place] - last >= cool_down:
            kept[place], last = True, window[place]
    return kept


def predecessor(series: Series, *, divisor: float) -> Flags:
    """The rule of the system before: posts > mean/96 + 3*deviation/divisor, with mean and deviation of the days' sums before.

    It divided the daily deviation by 96, `divisor` 96; for independent windows that is sqrt(96). It had nothing to say
    before it had two whole days. How many deviations it asked for is not handed down: 3 is assumed.
    """
    day = series.window // QUARTER_HOURS.windows
    days, place = np.unique(day, return_inverse=True)
    sums = np.bincount(place, weights=series.posts)
    detected = np.zeros(len(day), dtype=bool)
    for number in range(3, len(days)):
        # The first day is not whole.
        history = sums[1:number]
        limit = (
            history.mean() / QUARTER_HOURS.windows + PREDECESSOR_DEVIATIONS * history.std(ddof=1) / divisor
        )
        detected[place == number] = series.posts[place == number] > limit
    return detected


def blind_clock(series: Series, hour: int) -> Flags:
    """A detection every day at `hour` UTC, whatever was posted."""
    clock: Flags = series.window % QUARTER_HOURS.windows == hour * QUARTER_HOURS.windows_per_slot
    return clock


Detector = Callable[[Series], Flags]


def detectors() -> dict[str, Detector]:
    """The rule and what it is compared with, by name; each with a day's cool-down where it does not say otherwise."""

    def cooled(rule: Detector) -> Detector:
        return lambda series: with_cool_down(series.window, rule(series))

    return {
        f"Groundswell at {THRESHOLD}": cooled(lambda series: series.anomalous),
        "predecessor, every window": lambda series: predecessor(series, divisor=QUARTER_HOURS.windows),
        "predecessor": cooled(lambda series: predecessor(series, divisor=QUARTER_HOURS.windows)),
        "predecessor, deviation put right": cooled(
            lambda series: predecessor(series, divisor=QUARTER_HOURS.windows**0.5)
        ),
    }


def total(series: list[Series], detector: Detector) -> SeriesScore:
    """The score of a detector over all series."""
    scores = [one.score(detector(one)) for one in series]
    return sum(scores[1:], scores[0])


def clock_totals(series: list[Series]) -> Iterator[SeriesScore]:
    """The scores of the blind clock, for each hour of the day."""
    for hour in range(QUARTER_HOURS.slots):
        yield total(series, lambda one, hour=hour: blind_clock(one, hour))  # type: ignore[misc]
