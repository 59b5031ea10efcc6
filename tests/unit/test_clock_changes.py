"""Laws of clock changes: a habit that moves with its clocks raises no alert, and a burst beside it does."""

import csv
from dataclasses import fields, replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from alerts.expected import Compared
from alerts.judge import judge_by_clocks, judge_counts
from alerts.judged import Judged
from alerts.live_counts import LiveCount
from alerts.plans import Plans, Thresholds
from alerts.traffic import ExpectedTraffic
from batch.backtest.command import backtest_counts
from core.windows import ONE_DAY, WINDOW, WINDOWS_PER_DAY, day_start, window_number
from detection import clock_changes
from detection.clocks import Clocks, hours_forward
from detection.day_counts import DayCounts
from detection.learn import KeywordRows, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import seasonality_for
from detection.traffic_baseline import DayTraffic, Traffic, following_clocks, learn_traffic

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


@pytest.mark.parametrize(
    ("zone", "first", "totals"),
    [
        ("America/New_York", "2026-02-09", False),
        ("America/Los_Angeles", "2026-10-01", True),
        ("Europe/London", "2026-03-01", True),
        ("Europe/Athens", "2026-10-01", False),
        ("Australia/Sydney", "2026-03-10", False),
        ("America/Santiago", "2026-08-10", True),
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


@pytest.mark.parametrize(("days", "found"), [(0, False), (1, False), (2, True)])
def test_a_clock_change_is_reckoned_with_until_a_whole_day_was_learned(
    tmp_path: Path, days: int, found: bool
) -> None:
    """Until then a word that is usual at 2 in UTC, in a country without it, may be usual at 1."""
    burst = f"{date(2026, 3, 8) + timedelta(days=days)}T01:30"
    path = a_habit(tmp_path / "counts.csv", "America/Bogota", "2026-02-09", days=50, extra=(burst, 28))
    assert (f"{burst}:00Z" in alerts_of(path)) is found


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
    assert hours_forward(date.fromisoformat(day)) == hours


@pytest.mark.skipif(not COUNTS.is_file(), reason=f"{COUNTS} is absent")
@pytest.mark.parametrize("threshold", [4.5, 6.0])
def test_the_case_from_the_field_alerts_on_its_first_day_alone(tmp_path: Path, threshold: float) -> None:
    copy = tmp_path / "counts.csv"
    copy.write_bytes(COUNTS.read_bytes())
    assert [alert for alert in alerts_of(copy, threshold) if alert >= "2026-02-10"] == []


STEADY_DAY = DayTraffic(np.ones(96), np.ones(96))
DAY = date(2026, 3, 8)
HABIT_AT_21 = np.where(np.arange(96) // 4 == 21, 40.0, 4.0)
FORWARD = Clocks(before=(1,))


def learned_habit(random: np.random.Generator, keywords: int = 3) -> KeywordRows:
    rows = default_rows(keywords)
    for age in range(14):
        rows = fit_day(
            random.poisson(HABIT_AT_21, (keywords, 96)).astype(float), STEADY_DAY, rows, float(age)
        )
    return rows


def test_the_first_whole_day_after_a_clock_change_moves_the_profiles_that_have_moved() -> None:
    """The first word has moved, the second one has not, the third one was not posted."""
    random = np.random.default_rng(3)
    rows = learned_habit(random)
    day = random.poisson(HABIT_AT_21, (3, 96)).astype(float)
    day[0], day[2] = np.roll(day[0], -4), 0
    after = fit_day(day, replace(STEADY_DAY, clocks=FORWARD), rows, 14.0)
    expected = [[7.5, -0.5], [-0.5, 7.5], [-0.5, 7.5]]
    np.testing.assert_allclose(after.hour_deviation[:, [20, 21]], expected, atol=1)
    otherwise = fit_day(day, STEADY_DAY, rows, 14.0).hour_deviation[0, [20, 21]]
    np.testing.assert_allclose(otherwise, [0, 7], atol=1)


def test_half_of_a_habit_may_move() -> None:
    random = np.random.default_rng(4)
    rows = learned_habit(random, 1)
    day = random.poisson((HABIT_AT_21 + np.roll(HABIT_AT_21, -4)) / 2, (1, 96)).astype(float)
    after = fit_day(day, replace(STEADY_DAY, clocks=FORWARD), rows, 14.0)
    np.testing.assert_allclose(after.hour_deviation[0, [20, 21]], [5, 5], atol=0.5)


def test_the_day_of_a_clock_change_changes_the_level_alone() -> None:
    random = np.random.default_rng(5)
    rows = learned_habit(random, 1)
    of_change = replace(STEADY_DAY, clocks=Clocks(today=(1,)))
    after = fit_day(random.poisson(8.0, (1, 96)).astype(float), of_change, rows, 14.0)
    assert after.level[0] > rows.level[0]
    assert fields_but_level(after) == fields_but_level(rows)


def test_traffic_follows_the_clocks_if_it_has_moved() -> None:
    evening = Traffic(HABIT_AT_21[::4] * 10, 9.0)
    earlier = following_clocks(evening, np.roll(HABIT_AT_21, -4) * 12, FORWARD)
    assert earlier.expected_posts.tolist() == np.roll(evening.expected_posts, -1).tolist()
    assert following_clocks(evening, HABIT_AT_21 * 12, FORWARD) is not earlier
    assert following_clocks(evening, HABIT_AT_21 * 12, FORWARD).expected_posts[21] == 400
    on_the_day = learn_traffic(evening, np.full(96, 60.0), 1.0, clocks=Clocks(today=(1,))).expected_posts
    assert on_the_day[21] / on_the_day[0] == pytest.approx(10)


def judged_live(
    posts: np.ndarray, total: np.ndarray, rows: KeywordRows, traffic: Traffic, hours: tuple[int, ...]
) -> Judged:
    """Judge the windows of a day with at least 3 posts as the stream does."""
    first = day_start(DAY)
    kept = np.hstack([np.zeros((len(posts), 3)), np.where(posts >= 3, posts, 0)]).astype(int)
    counts = [
        LiveCount(
            keyword=str(word),
            window_start=first + number * WINDOW,
            posts=int(posts[word, number]),
            authors_bitmap=-1,
            texts_bitmap=-1,
            first_post_at=first,
            first_post_id=1,
            latest_post_id=1,
            top_post_id=1,
            top_likes=0,
            hourly_posts=int(kept[word, number : number + 4].sum()),
            hourly_authors_bitmap=-1,
            posts_before=kept[word, [number + 2, number + 1, number]].tolist(),
            level=float(rows.level[word]),
            variance=float(rows.variance[word]),
            dispersion=float(rows.dispersion[word]),
            hourly_spread=float(rows.hourly_spread[word]),
            deviation=float(rows.hour_deviation[word, number // 4]),
            deviation_before=float(rows.hour_deviation[word, (number - 3) % 96 // 4]),
        )
        for word in range(len(posts))
        for number in range(96)
        if posts[word, number] >= 3
    ]
    expected = ExpectedTraffic(DAY - ONE_DAY, traffic.expected_posts, known=True)
    windows = {first + (number - 3) * WINDOW: int(total[0]) for number in range(99)}
    judge_once = partial(
        judge_counts,
        plans=Plans({}, frozenset(), {}),
        thresholds_of_day=Thresholds(4.5, 4.5),
        min_posts=10,
    )
    profiles = {str(word): rows.hour_deviation[word] for word in range(len(posts))}
    return judge_by_clocks(
        counts, Compared(expected, windows, {}, None), hours, judge_once, lambda _: profiles
    )


def number_of(count: LiveCount) -> int:
    return window_number(count.window_start) % WINDOWS_PER_DAY


def fields_but_level(rows: KeywordRows) -> list[list[float]]:
    return [getattr(rows, field.name).tolist() for field in fields(rows) if field.name != "level"]


def test_a_day_is_judged_the_same_in_live_counts_and_whole() -> None:
    """Figures, verdicts and the hours by which habits were moved."""
    random = np.random.default_rng(6)
    rows, traffic = learned_habit(random, 4), Traffic(np.linspace(900, 1_100, 24), 14.0)
    posts = random.poisson(np.roll(HABIT_AT_21, -4), (4, 96)).astype(float)
    posts[3, 40] += 200
    total = np.full(96, 1_000.0)
    counts = DayCounts(posts, np.zeros((4, 3)), total, total[:3])
    whole = clock_changes.judge_by_clocks((-1, 1), counts, rows, traffic, rule_for(4.5, 10))
    live = judged_live(posts, total, rows, traffic, hours=(-1, 1))
    at = [int(count.keyword) for count in live.counts], [number_of(count) for count in live.counts]
    for name in ("ratio", "expected", "hourly_expected", "scale", "hourly_spread"):
        np.testing.assert_allclose(getattr(live.by, name), getattr(whole, name)[at], rtol=1e-9, err_msg=name)
    assert live.moved_hours.tolist() == whole.moved_hours[at].tolist()
    assert live.verdicts.anomalous.tolist() == whole.verdicts.anomalous[at].tolist()
    assert live.anomalous() == {"3"}
    assert {window.suppressed_by for _, window in live.suppressed(closed_before=0)} == {"clock change"}
