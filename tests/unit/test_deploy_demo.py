"""The demonstration plays one day after another and compares its alerts with the labels."""

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from core.errors import BadInputError
from deploy.local.demo.own_posts import files_of, ranges
from deploy.local.demo.world import (
    Calendar,
    LabelledEvent,
    Raised,
    compare_with_labels,
    read_calendar,
    read_events,
    save_calendar,
)

TODAY = date(2026, 3, 10)


def _event(
    keyword: str, hour: int, *, must_alert: bool | None = True, also: tuple[str, ...] = ()
) -> LabelledEvent:
    start = datetime(2026, 3, 1, hour, 5, tzinfo=UTC).timestamp()
    return LabelledEvent(
        "organic_known", keyword, frozenset({keyword, *also}), start, start + 1800, 80, must_alert
    )


def _raised(keyword: str, hour: int, minute: int) -> Raised:
    return Raised(keyword, datetime(2026, 3, 1, hour, minute, tzinfo=UTC), 80)


def test_the_first_live_day_follows_seven_days_of_history(tmp_path: Path) -> None:
    calendar = read_calendar(tmp_path, TODAY)
    assert calendar.live_day == date(2026, 2, 7)
    assert calendar.days_to_learn() == [date(2026, 1, 31), *(date(2026, 2, day) for day in range(1, 7))]


def test_the_next_run_learns_the_day_that_was_played_and_plays_the_next(tmp_path: Path) -> None:
    save_calendar(
        tmp_path,
        Calendar(
            first_live_day=date(2026, 2, 7),
            history_imported=True,
            last_learned=date(2026, 2, 6),
            played=[date(2026, 2, 7)],
        ),
    )
    calendar = read_calendar(tmp_path, TODAY)
    assert calendar.live_day == date(2026, 2, 8)
    assert calendar.days_to_learn() == [date(2026, 2, 7)]


def test_after_yesterday_there_is_nothing_to_play(tmp_path: Path) -> None:
    save_calendar(tmp_path, Calendar(first_live_day=date(2026, 3, 9), played=[date(2026, 3, 9)]))
    with pytest.raises(BadInputError, match="Every simulated day up to yesterday was played"):
        read_calendar(tmp_path, TODAY)


def test_an_alert_belongs_to_the_event_of_its_word_and_time() -> None:
    burst, climb, habit = _event("snow", 10), _event("rain", 12), _event("tea", 8, must_alert=False)
    verdict = compare_with_labels(
        [burst, climb, habit],
        [_raised("snow", 10, 0), _raised("snow", 10, 15), _raised("snow", 13, 0), _raised("fog", 9, 0)],
    )
    assert verdict.found == [(burst, _raised("snow", 10, 0))]
    assert verdict.missed == [climb]
    assert verdict.left_alone == [habit]
    assert verdict.unlabelled == [_raised("fog", 9, 0), _raised("snow", 13, 0)]


def test_words_of_the_same_texts_belong_to_the_event() -> None:
    copied = _event("sale", 10, must_alert=False, also=("cheap", "shoes"))
    verdict = compare_with_labels([copied], [_raised("shoes", 10, 15), _raised("cheap", 10, 0)])
    assert verdict.found == [(copied, _raised("cheap", 10, 0))]
    assert verdict.unlabelled == []


def test_labels_are_read_for_one_day(tmp_path: Path) -> None:
    row = {
        "kind": "habit",
        "keyword": "tea",
        "keywords": ["tea"],
        "start": 1,
        "end": 2,
        "posts": 40,
        "must_alert": False,
    }
    lines = [{**row, "day": "2026-03-01"}, {**row, "day": "2026-03-02"}]
    (tmp_path / "truth.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert read_events(tmp_path, date(2026, 3, 2)) == [
        LabelledEvent("habit", "tea", frozenset({"tea"}), 1, 2, 40, False)
    ]


def test_days_are_loaded_in_one_go_unless_others_with_posts_lie_between() -> None:
    days = [date(2017, 5, 1), date(2020, 1, 1), date(2020, 1, 2), date(2020, 1, 6), date(2020, 3, 1)]
    near, far = date(2020, 1, 4), date(2020, 2, 1)
    assert ranges(days, among=days) == [(days[0], days[-1])]
    assert ranges(days, among={*days, near}) == [(days[0], days[-1])]
    assert ranges(days, among={*days, near, far}) == [(days[0], days[-2]), (days[-1], days[-1])]
    assert ranges([], among=days) == []


def test_posts_may_be_a_path_with_a_space_a_pattern_or_several(tmp_path: Path) -> None:
    for name in ("my posts.ndjson", "a.ndjson", "b.ndjson"):
        (tmp_path / name).touch()
    assert files_of(f"{tmp_path}/my posts.ndjson") == [f"{tmp_path}/my posts.ndjson"]
    assert files_of(f"{tmp_path}/?.ndjson") == [f"{tmp_path}/a.ndjson", f"{tmp_path}/b.ndjson"]
    assert files_of(f"{tmp_path}/b.ndjson {tmp_path}/a.ndjson") == [
        f"{tmp_path}/b.ndjson",
        f"{tmp_path}/a.ndjson",
    ]
    assert files_of("s3://bucket/posts.ndjson") == ["s3://bucket/posts.ndjson"]


def test_posts_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"There is no file .*gone.ndjson"):
        files_of(f"{tmp_path}/gone.ndjson")
