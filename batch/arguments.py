"""Parse the arguments of the batch's commands; every error names what to write instead."""

from datetime import date

from batch.days import days_from
from batch.run import Step
from core.errors import BadInputError


def parse_days(day: str | None, first: str | None, last: str | None) -> list[date]:
    """Return `day` alone, or all days from `first` to `last` in order; raises BadInputError."""
    if (day is None) == (first is None and last is None) or (first is None) != (last is None):
        raise BadInputError(
            "Give one day (groundswell batch 2026-01-05) or both ends (--from 2026-01-01 --to 2026-01-05)."
        )
    start, end = parse_day(day or first or ""), parse_day(day or last or "")
    if end < start:
        raise BadInputError(f"--to {end} is before --from {start}. Swap them.")
    return days_from(start, end)


def parse_day(text: str) -> date:
    """Return the day that is written as YYYY-MM-DD; raises BadInputError."""
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text!r} is not a day. Write it as 2026-01-05.") from error


def parse_steps(text: str) -> list[Step]:
    """Return the steps in a comma-separated list of names; raises BadInputError."""
    try:
        return [Step(name.strip()) for name in text.split(",")]
    except ValueError as error:
        raise BadInputError(
            f"--steps {text} names a step that does not exist. The steps are: {', '.join(Step)}."
        ) from error
