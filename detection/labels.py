"""Labels: what a person said an alert was, and the one effect that each label has when the alert's day is fitted.

- `real` and `spam`: the alert's windows teach nothing, so that a burst does not hide the next one.
- `expected`: the hours of the alert are learned at once instead of over a week (keywords with an hour profile).
- `new normal`: the level moves at once to what the alert's windows show.
- `wrong sense`: the scale widens until the alert would just not have alarmed; that fades with the half-life of a week.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from detection.learn import DayTraffic, Flags, Floats, KeywordRows, expected_by_window, fit_day
from detection.score import scale, square_root_posts
from detection.seasonality import QUARTER_HOURS


class Label(StrEnum):
    """What a person can say of an alert."""

    REAL = "real"
    EXPECTED = "expected"
    SPAM = "spam"
    WRONG_SENSE = "wrong sense"
    NEW_NORMAL = "new normal"


@dataclass(frozen=True)
class LabelledAlert:
    """One labelled alert as far as it lies in a day: its windows there (0 to 95) and its highest threshold_ratio."""

    label: Label
    windows: tuple[int, ...]
    threshold_ratio: float


def fit_labelled(
    counts: Floats, day: DayTraffic, row: KeywordRows, age: float, alert: LabelledAlert
) -> KeywordRows:
    """`detection.learn.fit_day` for one keyword (counts [1, 96]) with the effect of a label.

    >>> quiet, burst = np.zeros((1, 96)), np.zeros((1, 96)); burst[0, 40:44] = 80
    >>> from detection.learn import default_rows
    >>> day, row = DayTraffic(np.ones(96), np.ones(96)), fit_day(quiet, DayTraffic(np.ones(96), np.ones(96)), default_rows(1), 0)
    >>> taught = fit_day(burst, day, row, 1.0).level[0] > row.level[0]
    >>> spared = fit_labelled(burst, day, row, 1.0, LabelledAlert(Label.REAL, (40, 41, 42, 43), 3.0)).level[0] > row.level[0]
    >>> bool(taught), bool(spared)
    (True, False)
    """
    here = np.isin(np.arange(QUARTER_HOURS.windows), alert.windows)
    if alert.label in (Label.REAL, Label.SPAM):
        return fit_day(counts, replace(day, ratio=np.where(here, 0.0, day.ratio)), row, age)
    fitted = fit_day(counts, day, row, age)
    if alert.label is Label.WRONG_SENSE:
        wide = scale(row.variance, row.dispersion) * max(alert.threshold_ratio, 1.0)
        return replace(fitted, dispersion=np.maximum(fitted.dispersion, wide**2 / (fitted.variance + 0.25)))
    # What the word did above what its new row expects, window by window.
    y = square_root_posts(counts) - square_root_posts(expected_by_window(fitted, day))
    here &= day.ok
    if not here.any():
        return fitted
    if alert.label is Label.NEW_NORMAL:
        return replace(fitted, level=fitted.level + _mean(y, here))
    by_hour = here.reshape(QUARTER_HOURS.slots, QUARTER_HOURS.windows_per_slot)
    residuals = y.reshape(QUARTER_HOURS.slots, QUARTER_HOURS.windows_per_slot)
    hourly = np.where(by_hour, residuals, 0.0).sum(axis=1) / np.maximum(by_hour.sum(axis=1), 1)
    return replace(fitted, hour_deviation=fitted.hour_deviation + hourly)


def _mean(values: Floats, chosen: Flags) -> float:
    return float(values[0, chosen].mean())
