"""Schedule: when a post is due, and what must not stall a replay."""

from producer.schedule import Schedule


def dues(schedule: Schedule, *events: float) -> list[float]:
    return [schedule.due(event) for event in events]


def test_without_speed_and_rate_everything_is_due_at_once() -> None:
    assert dues(Schedule(speed=None, rate=None, started=7.0), 0, 100, 50) == [7.0, 7.0, 7.0]


def test_at_a_rate_posts_are_evenly_spaced() -> None:
    schedule = Schedule(speed=None, rate=4.0, started=10.0)
    assert dues(schedule, 0, 0, 0, 0, 0) == [10.0, 10.25, 10.5, 10.75, 11.0]


def test_at_a_speed_event_time_passes_that_much_faster() -> None:
    assert dues(Schedule(speed=10.0, rate=None, started=0.0), 1000, 1010, 1015) == [0.0, 1.0, 1.5]


def test_a_late_post_is_due_at_once_and_delays_nothing() -> None:
    assert dues(Schedule(speed=1.0, rate=None, started=0.0), 1000, 1010, 400, 1011) == [0.0, 10.0, 10.0, 11.0]


def test_a_first_post_that_is_late_does_not_start_the_clock_twice() -> None:
    assert dues(Schedule(speed=1.0, rate=None, started=0.0), 1000, 990, 1002) == [0.0, 0.0, 2.0]


def test_the_slower_of_speed_and_rate_applies() -> None:
    assert dues(Schedule(speed=1.0, rate=0.5, started=0.0), 0, 1, 10) == [0.0, 2.0, 10.0]


def test_a_post_dated_a_year_ahead_does_not_stall_the_replay() -> None:
    schedule = Schedule(speed=1.0, rate=None, started=0.0)
    assert dues(schedule, 1000, 1000 + 365 * 86400, 1005) == [0.0, 0.0, 5.0]


def test_a_gap_of_days_that_lasts_is_skipped_and_time_continues_after_it() -> None:
    schedule = Schedule(speed=1.0, rate=None, started=0.0)
    week = 7 * 86400
    assert dues(schedule, 0, 3) == [0.0, 3.0]
    assert dues(schedule, *[week] * 20) == [3.0] * 20
    assert dues(schedule, week + 4) == [7.0]
