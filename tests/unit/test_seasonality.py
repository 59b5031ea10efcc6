"""Laws of shapes: cycles begin at midnight UTC, weeks on Monday; learning in another shape is learning."""

from datetime import UTC, datetime

import numpy as np
import pytest

from detection.learn import DayTraffic, Traffic, day_traffic, default_rows, expected_by_window, fit_day
from detection.seasonality import QUARTER_HOURS, Seasonality, seasonality_for


def window_of(moment: datetime, shape: Seasonality) -> int:
    return int(moment.timestamp()) // shape.window_seconds


@pytest.mark.parametrize("window", ["5m", "15m", "30m", "1h", "2h", "12h"])
def test_a_cycle_is_a_day_in_utc(window: str) -> None:
    shape = seasonality_for(window)
    midnight = window_of(datetime(2026, 1, 7, tzinfo=UTC), shape)
    assert shape.windows * shape.window_seconds == 86_400
    assert shape.first_window(shape.cycle(midnight)) == midnight
    assert [shape.cycle(midnight + shape.windows - 1), shape.cycle(midnight - 1)] == [
        shape.cycle(midnight),
        shape.cycle(midnight) - 1,
    ]


def test_a_cycle_of_days_is_a_week_from_monday() -> None:
    shape = seasonality_for("1d")
    monday = window_of(datetime(2026, 1, 5, tzinfo=UTC), shape)
    assert shape.first_window(shape.cycle(monday + 6)) == monday
    assert shape.cycle(monday + 7) == shape.cycle(monday) + 1


@pytest.mark.parametrize("window", ["5m", "15m", "1h", "3h", "1d"])
def test_a_season_is_learned_in_every_shape(window: str) -> None:
    shape = seasonality_for(window)
    season = np.repeat(np.linspace(10, 40, shape.slots), shape.windows_per_slot)
    even = DayTraffic(np.ones(shape.windows), np.ones(shape.windows))
    rows = fit_day(season[None, :], even, default_rows(1, shape), 0.0, shape)
    np.testing.assert_allclose(expected_by_window(rows, even, shape)[0], season, rtol=1e-9)
    assert rows.hour_deviation.shape == (1, shape.slots)


def test_one_day_of_any_numbers_teaches_the_same_in_the_usual_shape_as_without_one() -> None:
    random = np.random.default_rng(1)
    posts, total = random.poisson(3.0, (20, 96)).astype(float), random.integers(50, 99, 96).astype(float)
    day = day_traffic(total, Traffic(np.full(24, 70.0), 3.0))
    plain, shaped = (
        fit_day(posts, day, default_rows(20), 3.0),
        fit_day(posts, day, default_rows(20), 3.0, QUARTER_HOURS),
    )
    for name in ("level", "hour_deviation", "variance", "dispersion", "hourly_spread"):
        assert getattr(plain, name).tobytes() == getattr(shaped, name).tobytes()
