"""Laws of seasonality: cycles start at midnight UTC, weeks on Monday; every seasonality can be learned."""

from datetime import UTC, datetime

import numpy as np
import pytest

from detection.learn import default_rows, expected_by_window, fit_day
from detection.seasonality import QUARTER_HOURS, Seasonality, seasonality_for
from detection.traffic_baseline import DayTraffic, Traffic, day_traffic


def window_of(moment: datetime, seasonality: Seasonality) -> int:
    return int(moment.timestamp()) // seasonality.window_seconds


@pytest.mark.parametrize("window", ["5m", "15m", "30m", "1h", "2h", "12h"])
def test_a_cycle_is_a_day_in_utc(window: str) -> None:
    seasonality = seasonality_for(window)
    midnight = window_of(datetime(2026, 1, 7, tzinfo=UTC), seasonality)
    assert seasonality.windows * seasonality.window_seconds == 86_400
    assert seasonality.first_window(seasonality.cycle(midnight)) == midnight
    assert [seasonality.cycle(midnight + seasonality.windows - 1), seasonality.cycle(midnight - 1)] == [
        seasonality.cycle(midnight),
        seasonality.cycle(midnight) - 1,
    ]


def test_a_cycle_of_days_is_a_week_from_monday() -> None:
    seasonality = seasonality_for("1d")
    monday = window_of(datetime(2026, 1, 5, tzinfo=UTC), seasonality)
    assert seasonality.first_window(seasonality.cycle(monday + 6)) == monday
    assert seasonality.cycle(monday + 7) == seasonality.cycle(monday) + 1


@pytest.mark.parametrize("window", ["5m", "15m", "1h", "3h", "1d"])
def test_a_season_is_learned_with_every_seasonality(window: str) -> None:
    seasonality = seasonality_for(window)
    season = np.repeat(np.linspace(10, 40, seasonality.slots), seasonality.windows_per_slot)
    even = DayTraffic(np.ones(seasonality.windows), np.ones(seasonality.windows))
    rows = fit_day(season[None, :], even, default_rows(1, seasonality), 0.0, seasonality)
    np.testing.assert_allclose(expected_by_window(rows, even, seasonality)[0], season, rtol=1e-9)
    assert rows.hour_deviation.shape == (1, seasonality.slots)


def test_the_default_seasonality_is_quarter_hours() -> None:
    random = np.random.default_rng(1)
    posts, total = random.poisson(3.0, (20, 96)).astype(float), random.integers(50, 99, 96).astype(float)
    day = day_traffic(total, Traffic(np.full(24, 70.0), 3.0))
    default, quarter_hours = (
        fit_day(posts, day, default_rows(20), 3.0),
        fit_day(posts, day, default_rows(20), 3.0, QUARTER_HOURS),
    )
    for name in ("level", "hour_deviation", "variance", "dispersion", "hourly_spread"):
        assert getattr(default, name).tobytes() == getattr(quarter_hours, name).tobytes()
