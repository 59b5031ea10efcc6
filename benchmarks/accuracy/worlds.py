"""Simulated counts in which nothing takes off: long-tailed words with daily and weekly seasons, and noise.

A word's posts in a window are Poisson with mean rate * season * noise. Noise is gamma with mean 1 and
variance `dispersion`, drawn independently for each window (counts are then negative binomial), 0 for none; or
it is log-normal and persists, as topics do. Every word follows the platform's hours and has hours and
weekends of its own. The seed determines everything.
"""

from dataclasses import dataclass

import numpy as np

from detection.arrays import Floats
from detection.seasonality import WINDOWS

MOST_FREQUENT = 7_000.0
"""Posts a window of the most frequent word; rank r has 7000/r, so 14,000 words have .5 or more."""
PLATFORM_POSTS = 1_000_000.0
"""Posts a window of the whole platform, on average."""
_PLATFORM_SWING, _OWN_SWING = 0.5, 0.4
_WEEKEND, _OWN_WEEKEND = 1.2, 0.15
_PEAK_HOUR = 20.0


@dataclass(frozen=True)
class NoiseWorld:
    """How the words of a simulation vary."""

    name: str
    """Part of the seed: under another name a world has other draws."""
    dispersion: float
    bursty_share: float = 0.0
    """Share of words that are bursty by nature."""
    bursty_dispersion: float = 1.0
    correlation: float = 0.0
    """Correlation of the noise between successive windows; 0 for independent gamma noise."""
    season: bool = True
    """Whether platform and words have hours and weekends; if not, all windows are alike."""


WORLDS = (
    NoiseWorld("Poisson", 0.0),
    NoiseWorld("dispersion .1", 0.1),
    NoiseWorld("dispersion .2", 0.2),
    NoiseWorld("mixed: .1, 5 % of words at 1", 0.1, bursty_share=0.05),
    NoiseWorld("dispersion .2 that lasts, correlation .7", 0.2, correlation=0.7),
)


@dataclass(frozen=True)
class Words:
    """K words of a world."""

    rate: Floats
    """Posts in an average window [K]."""
    swing: Floats
    """Amplitude of the word's own hours around the platform's [K]."""
    peak_hour: Floats
    weekend: Floats
    """Factor on Saturdays and Sundays [K]."""
    dispersion: Floats
    correlation: float = 0.0
    season: bool = True

    def means(self, day: int) -> Floats:
        """Return the mean posts [K, 96] on `day`; days 5 and 6 of every seven are a weekend."""
        hour = (np.arange(WINDOWS) + 0.5) * 24 / WINDOWS
        own = self.swing[:, None] * np.sin((hour[None, :] - self.peak_hour[:, None] + 6) * np.pi / 12)
        season = np.maximum(_platform_hours(self.season) + own, 0.05)
        return self.rate[:, None] * season * (self.weekend[:, None] if _is_weekend(day) else 1.0)

    def counts(self, day: int, random: np.random.Generator, factor: Floats | float = 1.0) -> Floats:
        """Draw the posts [K, 96] on `day`; `factor` [96] multiplies the means."""
        return random.poisson(self.noise(random) * (self.means(day) * factor)).astype(float)

    def noise(self, random: np.random.Generator) -> Floats:
        """Draw the factors on the means [K, 96]."""
        if not self.dispersion.any():
            return np.ones((len(self.rate), 1))
        if self.correlation:
            return self._persistent_noise(random)
        shape = 1 / np.maximum(self.dispersion, 1e-9)[:, None]
        return random.standard_gamma(np.broadcast_to(shape, (len(self.rate), WINDOWS))) / shape

    def _persistent_noise(self, random: np.random.Generator) -> Floats:
        """Draw exp of an AR(1) process, with mean 1 and variance `dispersion`; days are independent."""
        spread = np.sqrt(np.log1p(self.dispersion))
        z = np.empty((len(self.rate), WINDOWS))
        z[:, 0] = random.standard_normal(len(self.rate))
        fresh = random.standard_normal((len(self.rate), WINDOWS)) * np.sqrt(1 - self.correlation**2)
        for window in range(1, WINDOWS):
            z[:, window] = self.correlation * z[:, window - 1] + fresh[:, window]
        noise: Floats = np.exp(spread[:, None] * z - spread[:, None] ** 2 / 2)
        return noise


def zipf_rates(first: int, last: int) -> Floats:
    """Return the posts in an average window of the words of rank `first` up to, not including, `last`.

    >>> zipf_rates(1, 4).round().tolist()
    [7000.0, 3500.0, 2333.0]
    """
    return MOST_FREQUENT / np.arange(first, last)


def make_words(world: NoiseWorld, rates: Floats, random: np.random.Generator) -> Words:
    """Return words with the `rates` [K]; everything else is drawn."""
    bursty = random.random(len(rates)) < world.bursty_share
    season = float(world.season)
    return Words(
        rate=rates,
        swing=season * random.uniform(0, _OWN_SWING, len(rates)),
        peak_hour=random.uniform(0, 24, len(rates)),
        weekend=_WEEKEND**season * np.exp(season * random.normal(0, _OWN_WEEKEND, len(rates))),
        dispersion=np.where(bursty, world.bursty_dispersion, world.dispersion),
        correlation=world.correlation,
        season=world.season,
    )


def platform_posts(
    world: NoiseWorld, day: int, random: np.random.Generator, factor: Floats | float = 1.0
) -> Floats:
    """Draw the posts of all keywords in the windows [96] of `day`."""
    weekend = _WEEKEND if world.season and _is_weekend(day) else 1.0
    means = PLATFORM_POSTS * _platform_hours(world.season) * weekend
    return random.poisson(means * factor).astype(float)


def _platform_hours(season: bool) -> Floats:
    hour = (np.arange(WINDOWS) + 0.5) * 24 / WINDOWS
    hours: Floats = 1 + season * _PLATFORM_SWING * np.sin((hour - _PEAK_HOUR + 6) * np.pi / 12)
    return hours


def _is_weekend(day: int) -> bool:
    return day % 7 >= 5
