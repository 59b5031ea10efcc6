"""Laws of a day's arguments: what the command accepts and how it refuses."""

from datetime import date

import pytest

from batch.arguments import parse_days, parse_steps
from batch.days import command, days_from
from batch.run import Step
from core.errors import BadInputError


def test_one_day_or_all_days_between_two():
    assert parse_days("2026-02-28", None, None) == [date(2026, 2, 28)]
    assert parse_days(None, "2026-02-28", "2026-03-01") == [date(2026, 2, 28), date(2026, 3, 1)]


@pytest.mark.parametrize(
    ("day", "first", "last", "sentence"),
    [
        (None, None, None, "Give one day"),
        ("2026-01-01", "2026-01-01", "2026-01-02", "Give one day"),
        (None, "2026-01-01", None, "Give one day"),
        (None, "2026-01-02", "2026-01-01", "is before"),
        ("yesterday", None, None, "'yesterday' is not a day. Write it as 2026-01-05."),
        ("2026-02-30", None, None, "is not a day"),
    ],
)
def test_other_days_are_refused_with_a_sentence_that_says_what_to_write(day, first, last, sentence):
    with pytest.raises(BadInputError, match=sentence):
        parse_days(day, first, last)


def test_days_between_two_are_all_of_them_and_none_backwards():
    assert days_from(date(2019, 12, 31), date(2020, 1, 1)) == [date(2019, 12, 31), date(2020, 1, 1)]
    assert days_from(date(2020, 1, 2), date(2020, 1, 1)) == []


def test_steps_are_named():
    assert parse_steps("load, statistics") == [Step.LOAD, Step.STATISTICS]
    with pytest.raises(BadInputError, match="The steps are: complete, load, trends, statistics"):
        parse_steps("load,statistic")


def test_the_command_in_a_message_is_the_one_that_runs():
    assert command(date(2026, 1, 5), date(2026, 1, 5)) == "groundswell batch 2026-01-05"
    assert (
        command(date(2026, 1, 5), date(2026, 1, 7)) == "groundswell batch --from 2026-01-05 --to 2026-01-07"
    )
