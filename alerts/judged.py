"""Judged counts: live counts with what they were compared with, and their verdicts, as windows of alerts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from itertools import repeat
from typing import Any

import numpy as np

from alerts.expected import Expectation
from alerts.live_counts import LiveCount
from core.windows import window_number
from detection.arrays import Flags, Floats, Integers
from detection.clock_changes import FIGURES, less_unusual, merged, merged_verdicts
from detection.lifecycle import JudgedWindow, as_reals
from detection.verdicts import Verdicts


@dataclass(frozen=True, slots=True)
class Judged:
    """Counts of one day with everything they were judged by; arrays parallel to `counts`."""

    counts: Sequence[LiveCount]
    as_of: date | None
    since: datetime | None
    """Start of the first window of a first day's past."""
    total_posts: Sequence[int | None]
    by: Expectation
    thresholds: Floats
    verdicts: Verdicts
    moved_hours: Integers
    """Hours by which clocks went forward, if profile and traffic were moved by them; else 0."""

    def keywords(self) -> set[str]:
        """Return all keywords."""
        return {count.keyword for count in self.counts}

    def anomalous(self) -> set[str]:
        """Return the keywords with at least one anomaly."""
        return {self.counts[i].keyword for i in np.flatnonzero(self.verdicts.anomalous).tolist()}

    def suppressed(self, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield suppressed windows as (keyword, judged window)."""
        verdicts = self.verdicts
        suppressed = np.flatnonzero(verdicts.few_authors | verdicts.planned | self._usual_by_moved)
        return self._windows(suppressed, closed_before)

    def windows(self, closed_before: int, keywords: set[str]) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield the counts of `keywords` as (keyword, judged window).

        Windows numbered below `closed_before` are closed.
        """
        chosen = [i for i, count in enumerate(self.counts) if count.keyword in keywords]
        return self._windows(np.array(chosen, dtype=np.int64), closed_before)

    def _windows(self, chosen: Integers, closed_before: int) -> Iterator[tuple[str, JudgedWindow]]:
        """Yield the counts at the indices `chosen` with their verdicts."""
        figures = self._figures(chosen)
        numbers = {count.window_start: window_number(count.window_start) for count in self.counts}
        for i, row in zip(chosen.tolist(), zip(*figures.values(), strict=True), strict=True):
            count = self.counts[i]
            number = numbers[count.window_start]
            yield (
                count.keyword,
                JudgedWindow(
                    **dict(zip(figures, row, strict=True)),
                    number=number,
                    posts=count.posts,
                    total_posts=self.total_posts[i],
                    hourly_posts=count.hourly_posts,
                    authors_bitmap=count.authors_bitmap,
                    hourly_authors_bitmap=count.hourly_authors_bitmap,
                    texts_bitmap=count.texts_bitmap,
                    first_post_at=count.first_post_at,
                    first_post_id=count.first_post_id,
                    latest_post_id=count.latest_post_id,
                    top_post_id=count.top_post_id,
                    top_likes=count.top_likes,
                    closed=number < closed_before,
                ),
            )

    def _figures(self, chosen: Integers) -> dict[str, list[Any]]:
        """Return what the counts at the indices `chosen` were judged by, by field of `JudgedWindow`."""
        by, verdicts = self.by, self.verdicts
        reals = {
            "ratio": by.ratio,
            "expected": by.expected,
            "scale": by.scale,
            "score": verdicts.score,
            "hourly_expected": by.hourly_expected,
            "hourly_spread": by.hourly_spread,
            "hourly_score": verdicts.hourly_score,
            "threshold": self.thresholds,
            "threshold_ratio": verdicts.threshold_ratio,
        }
        return {
            **{name: as_reals(values[chosen]) for name, values in reals.items()},
            "anomalous": verdicts.anomalous[chosen].tolist(),
            "suppressed_by": [self._suppressed_by(i) for i in chosen.tolist()],
            "moved_hours": self.moved_hours[chosen].tolist(),
            "statistics_as_of": _where(~by.first_day[chosen], repeat(self.as_of)),
            **self._past(chosen),
        }

    def _past(self, chosen: Integers) -> dict[str, list[Any]]:
        past, first_day = self.by.past, self.by.first_day[chosen]
        if past is None:
            return {}
        return {
            "past_posts": _where(first_day, past.compared_posts[chosen].astype(int).tolist()),
            "past_total_posts": _where(first_day, past.compared_total[chosen].astype(int).tolist()),
            "past_since": _where(first_day, repeat(self.since)),
        }

    def _suppressed_by(self, i: int) -> str | None:
        if self.verdicts.few_authors[i]:
            return "few authors"
        if self.verdicts.planned[i]:
            return "calendar"
        return "clock change" if self._usual_by_moved[i] else None

    @property
    def _usual_by_moved(self) -> Flags:
        """Whether a window is an anomaly by the habits of before a clock change, but none by moved ones."""
        usual: Flags = (self.moved_hours != 0) & ~self.verdicts.anomalous
        return usual

    def with_less_unusual(self, again: "Judged", rows: Integers, hours: int) -> "Judged":
        """Return the counts with the verdicts of `again`, on those at the indices `rows`, where they hold."""
        of_rows = Verdicts(*(getattr(self.verdicts, field.name)[rows] for field in fields(Verdicts)))
        chosen = less_unusual(of_rows, again.verdicts)
        moved_hours = self.moved_hours.copy()
        moved_hours[rows[chosen]] = hours
        return replace(
            self,
            by=merged(self.by, again.by, FIGURES, (rows,), chosen),
            verdicts=merged_verdicts(self.verdicts, again.verdicts, (rows,), chosen),
            moved_hours=moved_hours,
        )


def _where(flags: Flags, values: Iterable[Any]) -> list[Any]:
    return [value if flag else None for flag, value in zip(flags.tolist(), values, strict=False)]
