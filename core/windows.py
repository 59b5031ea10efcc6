"""Windows of event time: 15 minutes, half open, aligned to the quarter hour in UTC, numbered from 1970."""

from datetime import UTC, date, datetime, timedelta

WINDOW = timedelta(minutes=15)
WINDOWS_PER_DAY = 96
ONE_DAY = timedelta(days=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def window_number(moment: datetime) -> int:
    """Return the number of the window that contains `moment` (an aware datetime).

    >>> window_number(datetime(1970, 1, 1, 0, 29, 59, tzinfo=UTC))
    1
    """
    return (moment - _EPOCH) // WINDOW


def window_start(number: int) -> datetime:
    """Return the start of window `number`, in UTC.

    >>> window_start(1).isoformat()
    '1970-01-01T00:15:00+00:00'
    """
    return _EPOCH + number * WINDOW


def day_start(day: date) -> datetime:
    """Return the midnight in UTC at which `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
