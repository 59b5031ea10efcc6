"""The table of a fault run: one row per fault, as it finishes, and the last line."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.faults.oracle import Audit

COLUMNS = ("in", "archived", "counted", "rejected", "late", "lost", "doubled", "alerts", "recovers")


@dataclass
class Outcome:
    """What was done to the pipeline, and the result."""

    fault: str
    done: str
    audit: Audit
    recovery_seconds: float | None = None
    """The longest time from the end of a fault until the queries had caught up."""
    skipped: bool = False

    @property
    def passed(self) -> bool:
        """Whether the audit found no problem."""
        return not self.audit.problems


def heading() -> str:
    """Return the line above the rows."""
    return f"{'fault':<7}{'':<9}" + "".join(f"{name:>10}" for name in COLUMNS) + "  what was done"


def lines_of(outcome: Outcome) -> Iterator[str]:
    """Yield the row of one fault and a line for each problem."""
    audit = outcome.audit
    if outcome.skipped:
        yield f"{outcome.fault:<7}{'skipped':<9}{'':>{10 * len(COLUMNS)}}  {outcome.done}"
        return
    recovers = "-" if outcome.recovery_seconds is None else f"{outcome.recovery_seconds:.1f} s"
    numbers = (
        audit.records,
        audit.archived,
        audit.counted,
        audit.rejected,
        audit.late,
        audit.lost,
        audit.doubled,
    )
    cells = (*(f"{number:,}" for number in numbers), f"{audit.alerts}/{audit.expected_alerts}", recovers)
    verdict = "passed" if outcome.passed else "FAILED"
    yield f"{outcome.fault:<7}{verdict:<9}" + "".join(f"{cell:>10}" for cell in cells) + f"  {outcome.done}"
    for problem in audit.problems:
        yield f"{'':<16}{problem}"


def last_line(outcomes: list[Outcome]) -> str:
    """Return how many passed and failed."""
    skipped = sum(outcome.skipped for outcome in outcomes)
    failed = sum(not outcome.passed for outcome in outcomes)
    return f"{len(outcomes) - skipped - failed} passed, {failed} failed" + (
        f", {skipped} skipped" if skipped else ""
    )
