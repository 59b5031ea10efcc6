"""Laws of clock changes: a habit that moves with its clocks raises no alert, and a burst beside it does."""

import csv
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from batch.backtest.clock_changes import CHANGE_DAYS, hours_forward
from batch.backtest.command import backtest_counts
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import seasonality_for

COUNTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases" / "dst-habit" / "counts.csv"
HABIT_HOUR = 21


def alerts_of(counts: Path, threshold: float = 4.5, window: str = "15m") -> list[str]:
    """Return the first windows of the alerts in a file of counts."""
    out, alerts = counts.with_name("scores.csv"), counts.with_name("alerts.csv")
    rule = rule_for(threshold, 10)
    backtest_counts(counts, out, alerts, seasonality_for(window), rule, LifecycleRule())
    return [alert["opened_window"] for alert in csv.DictReader(alerts.read_text().splitlines())]


def a_habit(
    path: Path,
    zone: str,
    first: str,
    *,
    days: int = 40,
    minutes: int = 15,
    totals: bool = False,
    moves: tuple[str, str] = ("9", ""),
    extra: tuple[str, int] = ("", 0),
) -> Path:
    """Write counts of a word that is posted ten times as often at 21 o'clock in `zone`.

    `moves` are the day from which it is another zone, and that; `extra` a window and its posts above that.
    """
    random = np.random.default_rng(5)
    begin = datetime.fromisoformat(first).replace(tzinfo=UTC)
    rows = [f"window_start,keyword,posts{',total_posts' if totals else ''}"]
    for number in range(days * 24 * 60 // minutes):
        moment = begin + timedelta(minutes=minutes * number)
        local = moment.astimezone(ZoneInfo(zone if f"{moment:%Y-%m-%d}" < moves[0] else moves[1]))
        mean = 4 * (10 if local.hour == HABIT_HOUR else 1) * minutes / 15
        posts = int(random.poisson(mean)) + extra[1] * (f"{moment:%Y-%m-%dT%H:%M}" == extra[0])
        rows.append(f"{moment.isoformat()},goodnight,{posts}{f',{5_000 + posts}' if totals else ''}")
    path.write_text("\n".join(rows) + "\n")
    return path


@pytest.mark.parametrize("totals", [False, True])
@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("America/New_York", "2026-02-09"),
        ("America/Los_Angeles", "2026-10-01"),
        ("Europe/London", "2026-03-01"),
        ("Europe/Athens", "2026-10-01"),
        ("Australia/Sydney", "2026-03-10"),
        ("America/Santiago", "2026-08-10"),
    ],
)
def test_a_habit_that_moves_with_its_clocks_raises_no_alert(
    tmp_path: Path, zone: str, first: str, totals: bool
) -> None:
    after_the_first_day = f"{date.fromisoformat(first) + timedelta(days=1)}T"
    alerts = alerts_of(a_habit(tmp_path / "counts.csv", zone, first, totals=totals))
    assert [alert for alert in alerts if alert >= after_the_first_day] == []


def test_a_habit_in_hourly_windows_may_move_too(tmp_path: Path) -> None:
    counts = a_habit(tmp_path / "counts.csv", "America/New_York", "2026-02-09", minutes=60)
    assert [alert for alert in alerts_of(counts, window="1h") if alert >= "2026-02-10"] == []


def test_a_habit_that_moves_without_a_clock_change_alerts(tmp_path: Path) -> None:
    moves = ("2026-05-15", "America/Caracas")
    path = a_habit(tmp_path / "counts.csv", "America/Bogota", "2026-05-01", days=20, moves=moves)
    assert "2026-05-15T01:00:00Z" in alerts_of(path)


@pytest.mark.parametrize("hour", [0, 1, 2, 5, 13, 20])
def test_a_burst_just_after_a_clock_change_alerts(tmp_path: Path, hour: int) -> None:
    """Between the habit of old and that of today too: 120 posts are more than either."""
    burst = f"2026-03-12T{hour:02}:30"
    counts = a_habit(tmp_path / "counts.csv", "America/New_York", "2026-02-09", extra=(burst, 120))
    assert f"{burst}:00Z" in alerts_of(counts)


def test_a_clock_change_is_forgotten_after_two_half_lives(tmp_path: Path) -> None:
    """Then a word that is usual at 2 in UTC is unusual at 1."""
    found = []
    for days in (CHANGE_DAYS - 1, CHANGE_DAYS):
        burst = f"{date(2026, 3, 8) + timedelta(days=days)}T01:30"
        path = a_habit(tmp_path / "counts.csv", "America/Bogota", "2026-02-09", days=50, extra=(burst, 28))
        found.append(f"{burst}:00Z" in alerts_of(path))
    assert found == [False, True]


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        ("2026-03-08", (1,)),
        ("2026-03-29", (1,)),
        ("2026-10-25", (-1,)),
        ("2026-06-01", ()),
        ("2019-02-16", ()),
    ],
)
def test_a_day_has_the_clock_changes_of_its_time_zones(day: str, hours: tuple[int, ...]) -> None:
    assert hours_forward((date.fromisoformat(day) - date(1970, 1, 1)).days) == hours


@pytest.mark.skipif(not COUNTS.is_file(), reason=f"{COUNTS} is absent")
@pytest.mark.parametrize("threshold", [4.5, 6.0])
def test_the_case_from_the_field_alerts_on_its_first_day_alone(tmp_path: Path, threshold: float) -> None:
    copy = tmp_path / "counts.csv"
    copy.write_bytes(COUNTS.read_bytes())
    assert [alert for alert in alerts_of(copy, threshold) if alert >= "2026-02-10"] == []
