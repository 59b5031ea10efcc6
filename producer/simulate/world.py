"""The constants of a simulated world: seed, first day, posts per day, and its random streams."""

import math
import zlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from producer.simulate.vocabulary import LANGUAGES, rank_probability

DAY_SECONDS = 86_400
WINDOWS_PER_DAY = 96
MINUTES_PER_DAY = 1_440
GROWTH_PER_DAY = 0.004
SEASON_AMPLITUDE = 0.45
WEEKDAY_FACTORS = (0.97, 0.96, 0.96, 0.98, 1.02, 1.08, 1.06)
"""Posts from Monday to Sunday, relative to the week's mean."""
EMPTY_TEXT_SHARE = 0.25
WORDS_PER_TEXT = 6.0


@dataclass(frozen=True)
class World:
    """What all days have in common; a day is a function of its world and its number alone."""

    seed: int
    start: date
    posts_per_day: int
    words_per_event: int = 1
    """Words that an organic burst makes frequent; from two on, bursts also come at the same time."""

    def day_number(self, day: date) -> int:
        """Return the number of days since the world's first day."""
        return (day - self.start).days

    def date_of(self, day: int) -> date:
        """Return the date of day number `day`."""
        return self.start + timedelta(days=day)

    def midnight(self, day: int) -> int:
        """Return when day number `day` begins, in Unix seconds."""
        return int(datetime.combine(self.date_of(day), datetime.min.time(), tzinfo=UTC).timestamp())

    def random(self, purpose: str, day: int = 0) -> np.random.Generator:
        """Return the random stream for one purpose on one day; streams are independent of each other."""
        return np.random.default_rng([self.seed, day, zlib.crc32(purpose.encode())])

    def posts_per_minute(self, day: int) -> NDArray[np.float64]:
        """Return expected posts by minute of the day and language, shape (1440, languages).

        They follow a daily season, the weekday and growth.
        """
        weekday_factor = WEEKDAY_FACTORS[self.date_of(day).weekday()]
        total = self.posts_per_day * (1 + GROWTH_PER_DAY) ** day * weekday_factor
        hours = np.arange(MINUTES_PER_DAY)[:, None] / 60
        peaks = np.array([language.peak_hour for language in LANGUAGES])
        shares = np.array([language.share for language in LANGUAGES])
        season = 1 + SEASON_AMPLITUDE * np.cos((hours - peaks) * (2 * math.pi / 24))
        return np.asarray(total / MINUTES_PER_DAY * shares * season)

    def posts_per_window(self, language: int, rank: int) -> float:
        """Return about how many posts in a 15-minute window contain the word of `rank`."""
        texts = self.posts_per_day / WINDOWS_PER_DAY * LANGUAGES[language].share * (1 - EMPTY_TEXT_SHARE)
        return texts * WORDS_PER_TEXT * rank_probability(rank)
