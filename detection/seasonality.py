"""Seasonality: how long a window is, and which windows make up the cycle of a keyword's profile.

The stream and the daily batch know one seasonality, 96 windows of 15 minutes a day with a profile of 24
hours; a backtest may use others. One cycle is one step of learning.
"""

import re
from dataclasses import dataclass

from core.errors import BadInputError

_UNITS = {"m": 60, "h": 3_600, "d": 86_400}
_HOUR, _DAY = 3_600, 86_400


@dataclass(frozen=True, slots=True)
class Seasonality:
    """A cycle of `slots` slots, each of `windows_per_slot` windows of `window_seconds`.

    Windows are numbered from 1970 in UTC.
    """

    window_seconds: int
    slots: int
    windows_per_slot: int
    shift: int = 0
    """Windows between the start of a cycle and that of 1970."""

    @property
    def windows(self) -> int:
        """Windows in a cycle."""
        return self.slots * self.windows_per_slot

    def cycle(self, window: int) -> int:
        """Return the number of the cycle that contains the window numbered `window`."""
        return (window + self.shift) // self.windows

    def first_window(self, cycle: int) -> int:
        """Return the number of the first window of `cycle`."""
        return cycle * self.windows - self.shift


QUARTER_HOURS = Seasonality(window_seconds=900, slots=24, windows_per_slot=4)
"""Windows of 15 minutes in cycles of a day with 24 hours; the constants were calibrated for these."""
HOURS, WINDOWS = QUARTER_HOURS.slots, QUARTER_HOURS.windows


def seasonality_for(window: str) -> Seasonality:
    """Return the seasonality for a window length such as 5m, 15m, 1h or 1d; raises BadInputError.

    A window of up to an hour must divide the hour and has a profile of 24 hours. A longer one must divide the
    day and has a profile of the day's windows. Windows of a day have a profile of the seven weekdays, from
    Monday.

    >>> seasonality_for("15m") == QUARTER_HOURS, seasonality_for("2h"), seasonality_for("1d").windows
    (True, Seasonality(window_seconds=7200, slots=12, windows_per_slot=1, shift=0), 7)
    """
    match = re.fullmatch(r"([1-9]\d{0,4})([mhd])", window.strip())
    seconds = int(match[1]) * _UNITS[match[2]] if match else 0
    if seconds == _DAY:
        return Seasonality(_DAY, slots=7, windows_per_slot=1, shift=3)
    if seconds and _HOUR % seconds == 0:
        return Seasonality(seconds, slots=24, windows_per_slot=_HOUR // seconds)
    if seconds and seconds % _HOUR == 0 and _DAY % seconds == 0:
        return Seasonality(seconds, slots=_DAY // seconds, windows_per_slot=1)
    raise BadInputError(
        f"{window!r} is not a usable window length. Give 15m, another divisor of an hour or a day, or 1d."
    )
