"""The fixed facts of a simulated world: its seed, its first day, how many posts a day has, and its random streams."""

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
    """Everything that days have in common; a day is a function of its world and its number alone."""

    seed: int
    start: date
    posts_per_day: int

    def day_number(self, day: date) -> int:
        """How many days after the world's first day."""
        return (day - self.start).days

    def date_of(self, day: int) -> date:
        """The date of day number `day`."""
        return self.start + timedelta(days=day)

    def midnight(self, day: int) -> int:
        """Unix seconds at which day number `day` begins."""
        return int(datetime.combine(self.date_of(day), datetime.min.time(), tzinfo=UTC).timestamp())

    def random(self, purpose: str, day: int = 0) -> np.random.Generator:
        """The random stream for one purpose on one day; streams do not depend on each other."""
        return np.random.default_rng([self.seed, day, zlib.crc32(purpose.encode())])

    def posts_per_minute(self, day: int) -> NDArray[np.float64]:
        """Expected posts by minute of the day and language, shape (1440, languages): season, week and growth."""
        total = (
            self.posts_per_day * (1 + GROWTH_PER_DAY) ** day * WEEKDAY_FACTORS[self.date_of(day).weekday()]
        )
        hours = np.arange(MINUTES_PER_DAY)[:, None] / 60
        peaks = np.array([language.peak_hour for language in LANGUAGES])
        shares = np.array([language.share for language in LANGUAGES])
        season = 1 + SEASON_AMPLITUDE * np.cos((hours - peaks) * (2 * math.pi / 24))
        return np.asarray(total / MINUTES_PER_DAY * shares * season)

    def posts_per_window(self, language: int, rank: int) -> float:
        """About how many posts of a 15-minute window hold the word of `rank`."""
        texts = self.posts_per_day / WINDOWS_PER_DAY * LANGUAGES[language].share * (1 - EMPTY_TEXT_SHARE)
        return texts * WORDS_PER_TEXT * rank_probability(rank)
