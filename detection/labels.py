"""Labels: what a user says an alert was, and the one effect of each label on the fit of the alert's day.

- `real` and `spam`: the alert's windows do not update the baseline, so a burst does not hide the next one.
- `expected`: the alert's hours are learned at once rather than over a week (keywords with an hour profile).
- `new normal`: the level moves at once to what the alert's windows show.
- `wrong sense`: the scale widens until the alert would just not have opened; this fades, half-life a week.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from detection.arrays import Flags, Floats
from detection.learn import KeywordRows, expected_by_window, fit_day
from detection.score import scale, square_root_posts
from detection.seasonality import QUARTER_HOURS
from detection.traffic_baseline import DayTraffic


class Label(StrEnum):
    """What a user can say an alert was."""

    REAL = "real"
    EXPECTED = "expected"
    SPAM = "spam"
    WRONG_SENSE = "wrong sense"
    NEW_NORMAL = "new normal"


@dataclass(frozen=True)
class LabelledAlert:
    """The part of a labelled alert in one day: its windows (0 to 95) and its highest threshold ratio."""

    label: Label
    windows: tuple[int, ...]
    threshold_ratio: float


def fit_labelled(
    counts: Floats, day: DayTraffic, row: KeywordRows, age: float, alert: LabelledAlert
) -> KeywordRows:
    """Fit one keyword (counts [1, 96]) as `detection.learn.fit_day` does, with the effect of a label.

    >>> from detection.learn import default_rows
    >>> quiet, burst = np.zeros((1, 96)), np.zeros((1, 96)); burst[0, 40:44] = 80
    >>> day = DayTraffic(np.ones(96), np.ones(96))
    >>> row = fit_day(quiet, day, default_rows(1), 0)
    >>> real = LabelledAlert(Label.REAL, (40, 41, 42, 43), 3.0)
    >>> bool(fit_day(burst, day, row, 1.0).level[0] > row.level[0])
    True
    >>> bool(fit_labelled(burst, day, row, 1.0, real).level[0] > row.level[0])
    False
    """
    in_alert = np.isin(np.arange(QUARTER_HOURS.windows), alert.windows)
    if alert.label in (Label.REAL, Label.SPAM):
        return fit_day(counts, replace(day, ratio=np.where(in_alert, 0.0, day.ratio)), row, age)
    fitted = fit_day(counts, day, row, age)
    if alert.label is Label.WRONG_SENSE:
        wide = scale(row.variance, row.dispersion) * max(alert.threshold_ratio, 1.0)
        return replace(fitted, dispersion=np.maximum(fitted.dispersion, wide**2 / (fitted.variance + 0.25)))
    # Residuals of the new row: what the keyword did beyond what that row expects, window by window.
    y = square_root_posts(counts) - square_root_posts(expected_by_window(fitted, day))
    in_alert &= day.ok
    if not in_alert.any():
        return fitted
    if alert.label is Label.NEW_NORMAL:
        return replace(fitted, level=fitted.level + _mean(y, in_alert))
    by_hour = in_alert.reshape(QUARTER_HOURS.slots, QUARTER_HOURS.windows_per_slot)
    residuals = y.reshape(QUARTER_HOURS.slots, QUARTER_HOURS.windows_per_slot)
    hourly = np.where(by_hour, residuals, 0.0).sum(axis=1) / np.maximum(by_hour.sum(axis=1), 1)
    return replace(fitted, hour_deviation=fitted.hour_deviation + hourly)


def _mean(values: Floats, chosen: Flags) -> float:
    return float(values[0, chosen].mean())
