"""Laws of an alert's life, in windows of one keyword."""

from datetime import UTC, datetime

from detection.lifecycle import Alert, JudgedWindow, LifecycleRule, decide

RULE = LifecycleRule(cool_down_windows=16, quiet_windows=4)
THRESHOLD = 6.0


def a_window(
    number: int, score: float, *, anomalous: bool | None = None, closed: bool = True
) -> JudgedWindow:
    return JudgedWindow(
        number=number,
        posts=30,
        total_posts=200,
        ratio=1.0,
        expected=1.0,
        scale=1.0,
        score=score,
        hourly_posts=30,
        hourly_expected=4.0,
        hourly_spread=1.0,
        hourly_score=0.0,
        threshold=THRESHOLD,
        threshold_ratio=score / THRESHOLD,
        anomalous=score >= THRESHOLD if anomalous is None else anomalous,
        statistics_as_of=None,
        authors_bitmap=1,
        hourly_authors_bitmap=1,
        texts_bitmap=1,
        first_post_at=datetime(2026, 1, 1, tzinfo=UTC),
        first_post_id=1,
        latest_post_id=2,
        top_post_id=1,
        top_likes=5,
        closed=closed,
    )


def numbers(alert: Alert[JudgedWindow]) -> list[int]:
    return [window.number for window in alert.windows]


def test_an_anomalous_window_opens_an_alert() -> None:
    (alert,) = decide(RULE, None, [a_window(100, 9.0)], quiet_before=101)
    assert (alert.opened, alert.resolved, alert.threshold_ratio) == (100, False, 1.5)


def test_a_usual_window_opens_nothing() -> None:
    assert decide(RULE, None, [a_window(100, 5.9)], quiet_before=101) == []


def test_half_the_threshold_keeps_an_alert_active() -> None:
    (alert,) = decide(
        RULE, None, [a_window(100, 9.0), a_window(101, 3.0), a_window(102, 2.9)], quiet_before=103
    )
    assert numbers(alert) == [100, 101]


def test_windows_are_processed_in_order_of_time_however_they_arrive() -> None:
    forth = decide(
        RULE, None, [a_window(100, 9.0), a_window(101, 12.0), a_window(103, 4.0)], quiet_before=104
    )
    back = decide(RULE, None, [a_window(103, 4.0), a_window(101, 12.0), a_window(100, 9.0)], quiet_before=104)
    assert forth == back


def test_four_quiet_windows_resolve_and_three_do_not() -> None:
    (three,) = decide(RULE, None, [a_window(100, 9.0)], quiet_before=104)
    (four,) = decide(RULE, None, [a_window(100, 9.0)], quiet_before=105)
    assert (three.resolved, four.resolved) == (False, True)


def test_a_window_after_three_quiet_ones_continues_the_alert() -> None:
    (alert,) = decide(RULE, None, [a_window(100, 9.0), a_window(104, 4.0)], quiet_before=105)
    assert numbers(alert) == [100, 104]


def test_in_the_cool_down_the_same_keyword_does_not_open_again() -> None:
    alerts = decide(RULE, None, [a_window(100, 9.0), a_window(116, 9.0)], quiet_before=117)
    assert [numbers(alert) for alert in alerts] == [[100]]


def test_after_the_cool_down_it_opens_again() -> None:
    alerts = decide(RULE, None, [a_window(100, 9.0), a_window(117, 9.0)], quiet_before=118)
    assert [(numbers(alert), alert.resolved) for alert in alerts] == [([100], True), ([117], False)]


def test_twice_the_last_peak_opens_within_the_cool_down() -> None:
    alerts = decide(RULE, None, [a_window(100, 9.0), a_window(108, 18.0)], quiet_before=109)
    assert [numbers(alert) for alert in alerts] == [[100], [108]]


def test_a_step_that_starts_where_the_last_one_stopped_gives_the_same_alert() -> None:
    at_once = decide(
        RULE, None, [a_window(100, 9.0), a_window(101, 7.0), a_window(102, 4.0)], quiet_before=107
    )
    (first,) = decide(RULE, None, [a_window(100, 9.0)], quiet_before=101)
    in_steps = decide(RULE, first, [a_window(101, 7.0), a_window(102, 4.0)], quiet_before=107)
    assert in_steps == at_once


def test_an_unchanged_alert_is_not_among_the_results() -> None:
    (first,) = decide(RULE, None, [a_window(100, 9.0)], quiet_before=101)
    assert decide(RULE, first, [], quiet_before=102) == []


def test_an_alert_is_provisional_until_its_first_window_is_closed() -> None:
    (early,) = decide(RULE, None, [a_window(100, 9.0, closed=False)], quiet_before=100)
    (late,) = decide(RULE, None, [a_window(100, 9.0, closed=True)], quiet_before=101)
    assert (early.provisional, late.provisional) == (True, False)


def test_a_high_score_without_the_lift_opens_nothing() -> None:
    assert decide(RULE, None, [a_window(100, 8.0, anomalous=False)], quiet_before=101) == []
