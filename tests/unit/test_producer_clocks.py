"""Clocks: where a post's time comes from, and which creation times are ignored."""

from typing import Any

import pytest

from producer.clocks import Clock, ClockName, created_seconds
from producer.posts import NotAPost

CREATED = 1584953968
POST_ID = (CREATED - 3) << 32 | 12345


def post(created: Any) -> dict[str, Any]:
    return {"itemInfos": {"createTime": created}}


@pytest.mark.parametrize("created", ["1584953968", 1584953968])
def test_creation_time_is_read_from_text_and_from_an_integer(created: Any) -> None:
    assert created_seconds(post(created), POST_ID) == CREATED


@pytest.mark.parametrize(
    "created",
    [
        None,
        "",
        "yesterday",
        "1584953968000",
        9 * 10**18,
        "1584953968.0",
        1.5e9,
        True,
        -1,
        0,
        "٣٤",
        "9" * 5000,
    ],
)
def test_an_unusable_creation_time_is_read_from_the_id(created: Any) -> None:
    assert created_seconds(post(created), POST_ID) == CREATED - 3


def test_without_createTime_the_time_is_read_from_the_id() -> None:
    assert created_seconds({"itemInfos": {}}, POST_ID) == CREATED - 3


def test_a_short_old_id_has_no_time() -> None:
    with pytest.raises(NotAPost, match="no usable creation time"):
        created_seconds(post("1971"), 158_000_000_000_000_000)


def test_the_original_clock_gives_the_creation_time() -> None:
    assert Clock(ClockName.ORIGINAL, start_at=0).moment(post("1584953968"), POST_ID) == 1584953968_000000


def test_the_shifted_clock_moves_all_posts_so_that_the_first_is_at_its_start() -> None:
    clock = Clock(ClockName.SHIFTED, start_at=2000000000.25)
    moments = [clock.moment(post(CREATED + late), POST_ID) for late in (0, 60, -5)]
    assert moments == [2000000000_250000, 2000000060_250000, 1999999995_250000]


def test_a_known_shift_takes_precedence_over_the_start() -> None:
    clock = Clock(ClockName.SHIFTED, start_at=0, shift_microseconds=10_000000)
    assert clock.moment(post(CREATED), POST_ID) == (CREATED + 10) * 1_000_000


def test_the_clock_now_gives_the_time_of_sending_whatever_the_post_says() -> None:
    clock = Clock(ClockName.NOW, start_at=0, now=lambda: 1700000000.1234567)
    assert clock.moment({"itemInfos": {}}, 5) == 1700000000_123457


def test_posts_of_a_later_file_count_as_collected_later() -> None:
    clock = Clock(ClockName.ORIGINAL, start_at=0, handed_in_ms=1_600_000_000_000)
    assert [clock.collected_ms(file) for file in (0, 1)] == [1_600_000_000_000, 1_600_000_000_001]
    assert Clock(ClockName.NOW, start_at=0).collected_ms(5) is None
