"""What a run of the batch could not do because days came late: one line per step, with the command for it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

from batch.days import TooOldError, command, period
from batch.tables.trends import ONE_WEEK, TrendCount


@dataclass
class Remarks:
    """The days of one run that are not counted or not learned, oldest first."""

    uncounted: list[date] = field(default_factory=list)
    """Days whose own posts are no longer kept for trends."""
    ungrown: dict[date, list[date]] = field(default_factory=dict)
    """By day: the days that its growth compares with and that are no longer kept."""
    negative: dict[date, int] = field(default_factory=dict)
    """By day: how many counts were negative."""
    unlearned: dict[date, TooOldError] = field(default_factory=dict)
    """By day: why it cannot be learned on top of what was learned already."""

    def note_trends(self, day: date, count: TrendCount) -> None:
        """Note what of the trends of `day` could not be counted."""
        if count.trends is None:
            self.uncounted.append(day)
        elif count.lost:
            self.ungrown[day] = count.lost

    def lines(self) -> Iterator[str]:
        """Yield a line for each kind of remark that there is."""
        if self.negative:
            days = list(self.negative)
            yield (
                f"Negative counts in the records of {days[0]}{f' to {days[-1]}' if days[1:] else ''}: "
                f"{sum(self.negative.values()):,}. Their source overflowed or did not know them, so they are "
                "null in the tables."
            )
        if self.uncounted:
            again = command(self.uncounted[0] - ONE_WEEK, self.uncounted[-1])
            yield (
                f"Trends of {period(self.uncounted)} are unchanged, because the keywords and counts of their "
                f"posts are no longer kept. To count them, run: {again} --steps load,trends"
            )
        if self.ungrown:
            days = list(self.ungrown)
            again = command(min(day for lost in self.ungrown.values() for day in lost), days[-1])
            yield (
                f"Growth on {period(days)} over days that are no longer kept is as it was, or unknown. "
                f"To count it, run: {again} --steps load,trends"
            )
        if self.unlearned:
            days = list(self.unlearned)
            yield f"Not learned: {period(days)}. {self.unlearned[days[0]]}"
