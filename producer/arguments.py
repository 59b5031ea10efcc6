"""From the text of an argument to its value; raises BadInputError with the argument's name and what to write."""

import math
import time
from datetime import UTC, date, datetime

from core.errors import BadInputError
from producer.clocks import ClockName


def parse_date(text: str) -> date:
    """A day as YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text} is no date: write YYYY-MM-DD.") from error


def parse_moment(text: str | None, clock: ClockName) -> float:
    """--start-at as Unix seconds: ISO date and time, UTC unless it says otherwise, or Unix seconds; now by default."""
    if text is None:
        return time.time()
    if clock is not ClockName.SHIFTED:
        raise BadInputError("--start-at needs --clock shifted.")
    try:
        seconds = float(text)
    except ValueError:
        return _parse_iso(text)
    if not 0 <= seconds < 2**33:
        raise BadInputError(f"--start-at {text} is no number of Unix seconds.")
    return seconds


def _parse_iso(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            f"--start-at {text} is no moment: write 2026-01-31T12:00:00 or Unix seconds."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_speed(text: str, clock: ClockName) -> float | None:
    """--speed: None for max, else how many times faster than life."""
    if text == "max":
        return None
    if clock is ClockName.NOW:
        raise BadInputError("--speed needs --clock original or shifted; with --clock now use --rate.")
    try:
        speed = float(text)
    except ValueError:
        speed = math.nan
    if not (speed > 0 and math.isfinite(speed)):
        raise BadInputError(f"--speed {text} is neither max nor a number above 0.")
    return speed
