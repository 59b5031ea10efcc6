"""The demonstration's calendar and labelled events: which simulated day is next, and what it holds."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

from pydantic import BaseModel

from core.errors import BadInputError

SEED = 7
POSTS_PER_DAY = 24_000
HISTORY_DAYS = 7
FIRST_LIVE_DAYS_AGO = 31
"""Days before today of the first live day, so that a month of further days can follow."""
ONE_DAY = timedelta(days=1)


class Calendar(BaseModel):
    """What the demonstration has done so far; kept in `.local/demo/calendar.json`."""

    first_live_day: date
    history_imported: bool = False
    last_learned: date | None = None
    begun: date | None = None
    sent: date | None = None
    played: list[date] = []

    @property
    def world_start(self) -> date:
        """First day of the simulated world and of its history."""
        return self.first_live_day - HISTORY_DAYS * ONE_DAY

    @property
    def has_history(self) -> bool:
        """Whether the archive holds the history."""
        return self.history_imported or bool(self.played)

    @property
    def live_day(self) -> date:
        """The day to play next."""
        return self.played[-1] + ONE_DAY if self.played else self.first_live_day

    def days_to_learn(self) -> list[date]:
        """Return the days before the live day that the batch has not learned yet, in order."""
        first = self.last_learned + ONE_DAY if self.last_learned else self.world_start
        return [first + number * ONE_DAY for number in range((self.live_day - first).days)]


def read_calendar(folder: Path, today: date) -> Calendar:
    """Return the calendar in `folder` or a new one; BadInputError if all days up to yesterday were played."""
    path = folder / "calendar.json"
    if path.exists():
        calendar = Calendar.model_validate_json(path.read_text())
    else:
        calendar = Calendar(first_live_day=today - FIRST_LIVE_DAYS_AGO * ONE_DAY)
    if calendar.live_day >= today:
        raise BadInputError(
            "Every simulated day up to yesterday was played. "
            "Run `make clean` to delete them, then `make run`."
        )
    return calendar


def save_calendar(folder: Path, calendar: Calendar) -> None:
    """Write the calendar atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    partial = folder / "calendar.json.partial"
    partial.write_text(calendar.model_dump_json(indent=1))
    partial.replace(folder / "calendar.json")


def posts_file(folder: Path, day: date) -> Path:
    """Return the file of a simulated day."""
    return folder / f"posts-{day}.ndjson.zst"


@dataclass(frozen=True)
class LabelledEvent:
    """A labelled event of the simulated world. Times are Unix seconds."""

    kind: str
    keyword: str | None
    keywords: frozenset[str]
    start: float
    end: float
    posts: int
    must_alert: bool | None


@dataclass(frozen=True)
class Raised:
    """An alert that was raised and not withdrawn."""

    keyword: str
    opened_window: datetime
    posts: int


@dataclass(frozen=True)
class DemoReport:
    """Alerts compared with labelled events: pairs, events without alert, alerts without event."""

    found: list[tuple[LabelledEvent, Raised]]
    missed: list[LabelledEvent]
    left_alone: list[LabelledEvent]
    unlabelled: list[Raised]


def read_events(folder: Path, day: date) -> list[LabelledEvent]:
    """Return the labelled events of a day."""
    rows = [json.loads(line) for line in (folder / "truth.ndjson").read_text().splitlines()]
    return [
        LabelledEvent(
            row["kind"],
            row["keyword"],
            frozenset(row["keywords"]),
            row["start"],
            row["end"],
            row["posts"],
            row["must_alert"],
        )
        for row in rows
        if row["day"] == str(day)
    ]


def compare_with_labels(
    events: Sequence[LabelledEvent], alerts: Sequence[Raised], *, window_seconds: int = 900
) -> DemoReport:
    """Match alerts to events: same keyword, opened in a window that the event touches."""
    first: dict[LabelledEvent, Raised] = {}
    unlabelled = []
    for alert in sorted(alerts, key=lambda alert: alert.opened_window):
        opened = alert.opened_window.timestamp()
        event = next(
            (
                event
                for event in events
                if alert.keyword in event.keywords and event.start - window_seconds < opened < event.end
            ),
            None,
        )
        if event is None:
            unlabelled.append(alert)
        else:
            first.setdefault(event, alert)
    return DemoReport(
        found=[(event, first[event]) for event in events if event in first],
        missed=[event for event in events if event not in first and event.must_alert],
        left_alone=[event for event in events if event not in first and event.must_alert is False],
        unlabelled=unlabelled,
    )
