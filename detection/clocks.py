"""Clock changes: on which days people's habits move by an hour of UTC, by the rules of the tz database.

A habit at nine in the evening of one country comes an hour earlier in UTC once its clocks have gone forward.
Nothing says in which country a keyword is at home, so any change below may be that of a keyword.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from detection.arrays import Floats

ZONES = (
    "America/New_York",
    "Europe/Berlin",
    "America/Mexico_City",
    "America/Sao_Paulo",
    "America/Santiago",
    "Africa/Cairo",
    "Australia/Sydney",
)
"""One time zone for each rule by which many people change their clocks, or did so in the last ten years."""
_ONE_DAY, _LONGEST = timedelta(days=1), timedelta(days=366)


class Clocks(NamedTuple):
    """The hours by which clocks changed: 1 forward, -1 back."""

    before: tuple[int, ...] = ()
    """Before a day, but since the last whole day that its statistics were learned from."""
    today: tuple[int, ...] = ()
    """On the day itself."""

    @property
    def unlearned(self) -> tuple[int, ...]:
        """All of them: statistics know none."""
        return tuple(sorted({*self.before, *self.today}))


def clocks(as_of: date | None, day: date) -> Clocks:
    """Return the clock changes that `day` has to be judged and learned with, by statistics up to `as_of`.

    A change on `as_of` is one of them: that day has hours of both clocks.

    >>> clocks(date(2026, 3, 7), date(2026, 3, 8)), clocks(date(2026, 3, 8), date(2026, 3, 9))
    (Clocks(before=(), today=(1,)), Clocks(before=(1,), today=()))
    >>> clocks(date(2026, 3, 9), date(2026, 3, 10)), clocks(None, date(2026, 3, 8))
    (Clocks(before=(), today=()), Clocks(before=(), today=()))
    """
    if as_of is None:
        return Clocks()
    first = max(as_of, day - _LONGEST)
    days = (first + number * _ONE_DAY for number in range((day - first).days))
    return Clocks(before=_distinct(chain.from_iterable(map(hours_forward, days))), today=hours_forward(day))


@cache
def hours_forward(day: date) -> tuple[int, ...]:
    """Return by how many hours clocks change on a day in UTC.

    >>> [hours_forward(date(2026, 3, 8) + timedelta(days=days)) for days in (-1, 0, 1, 21, 28)]
    [(), (1,), (), (1,), (-1,)]
    """
    midnights = [datetime.combine(one, time(), UTC) for one in (day, day + _ONE_DAY)]
    offsets = [[moment.astimezone(ZoneInfo(zone)).utcoffset() for moment in midnights] for zone in ZONES]
    hours = (round((after - before) / timedelta(hours=1)) for before, after in offsets if before and after)
    return _distinct(hour for hour in hours if hour)


def moved(by_hour: Floats, hours: int) -> Floats:
    """Return figures by hour of UTC [..., 24] as they are after clocks went forward by `hours`.

    >>> moved(np.array([0.0, 1, 2, 3]), 1)
    array([1., 2., 3., 0.])
    """
    after: Floats = np.roll(by_hour, -hours, axis=-1)
    return after


def _distinct(hours: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(hours)))
