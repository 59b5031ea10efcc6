"""Parse command-line arguments; a BadInputError names the argument and says what to write."""

import math
from datetime import UTC, date, datetime

from core.errors import BadInputError
from producer.clocks import ClockName


def parse_date(text: str) -> date:
    """Return a day from YYYY-MM-DD."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text} is not a date: write YYYY-MM-DD.") from error


def parse_moment(text: str | None, clock: ClockName) -> float | None:
    """Return --start-at in Unix seconds, None if it is not given.

    Accepts ISO dates and times, in UTC unless they have an offset, or Unix seconds.
    """
    if text is None:
        return None
    if clock is not ClockName.SHIFTED:
        raise BadInputError("--start-at needs --clock shifted.")
    try:
        seconds = float(text)
    except ValueError:
        return _parse_iso(text)
    if not 0 <= seconds < 2**33:
        raise BadInputError(f"--start-at {text} is not in Unix seconds: write a number from 0 to 8589934591.")
    return seconds


def _parse_iso(text: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(
            f"--start-at {text} is not a date and time: write 2026-01-31T12:00:00 or Unix seconds."
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def parse_speed(text: str, clock: ClockName) -> float | None:
    """Return --speed as a multiple of the original speed, None for max."""
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
