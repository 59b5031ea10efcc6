"""Arguments of the producer: what can be written, and the error message for what cannot."""

import subprocess
import sys
from datetime import date

import pytest

from core.errors import BadInputError
from producer.arguments import parse_date, parse_moment, parse_speed
from producer.clocks import ClockName


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1600000000.5", 1600000000.5),
        ("2020-09-13T12:26:40", 1600000000),
        ("2020-09-13T14:26:40+02:00", 1600000000),
        ("2020-09-13", 1599955200),
    ],
)
def test_a_start_is_unix_seconds_or_a_date_in_utc(text: str, seconds: float) -> None:
    assert parse_moment(text, ClockName.SHIFTED) == seconds


@pytest.mark.parametrize("text", ["soon", "-5", "nan", "1e300"])
def test_any_other_start_is_an_error(text: str) -> None:
    with pytest.raises(BadInputError, match="--start-at"):
        parse_moment(text, ClockName.SHIFTED)


def test_a_start_without_the_shifted_clock_is_an_error() -> None:
    with pytest.raises(BadInputError, match="--start-at needs --clock shifted"):
        parse_moment("2020-09-13", ClockName.ORIGINAL)


def test_speed_is_a_number_above_zero_or_max() -> None:
    assert parse_speed("max", ClockName.NOW) is None
    assert parse_speed("0.5", ClockName.ORIGINAL) == 0.5
    for text in ("0", "-1", "nan", "inf", "fast"):
        with pytest.raises(BadInputError, match="neither max nor a number above 0"):
            parse_speed(text, ClockName.SHIFTED)


def test_speed_with_the_clock_now_is_an_error() -> None:
    with pytest.raises(BadInputError, match="use --rate"):
        parse_speed("2", ClockName.NOW)


def test_a_day_is_written_as_year_month_day() -> None:
    assert parse_date("2026-11-20") == date(2026, 11, 20)
    with pytest.raises(BadInputError, match="write YYYY-MM-DD"):
        parse_date("20.11.2026")


def test_a_missing_setting_is_one_sentence_and_exit_code_1() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "producer", "posts.ndjson"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": ""},
    )
    assert run.returncode == 1
    assert run.stderr.startswith(
        "Settings are missing or wrong: GROUNDSWELL_KAFKA_BOOTSTRAP_SERVERS: Field required"
    )
    assert "Traceback" not in run.stderr
