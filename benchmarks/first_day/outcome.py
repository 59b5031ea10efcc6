"""What the alerts of a stream mean: bursts found, false alerts, withdrawn ones and those of the next day."""

from dataclasses import dataclass, field

from benchmarks.first_day.bursts import MUST_BE_FOUND, SPAM, Burst, Stream
from benchmarks.first_day.judging import JudgedStream, Opened, judge_stream, opened_alerts, withdrawn_alerts
from detection.score import AnomalyRule
from detection.seasonality import WINDOWS

LEARNING_WINDOWS = 3
"""Windows, 45 minutes, in which nothing may be said."""
REPEAT_WINDOWS = 8
"""A keyword that alerts in the first two hours of the second day after an alert on the first repeats it."""


@dataclass
class Tally:
    """Bursts of one kind."""

    found: int = 0
    planted: int = 0

    @property
    def share(self) -> float:
        """Part of the bursts that was found; NaN without any."""
        return self.found / self.planted if self.planted else float("nan")

    def add(self, other: "Tally") -> None:
        """Add the bursts of another stream."""
        self.found += other.found
        self.planted += other.planted


@dataclass
class Outcome:
    """What became of one stream."""

    false: int = 0
    """Alerts on the first day that belong to no burst, or to spam."""
    learning: int = 0
    """Alerts in the first 45 minutes."""
    withdrawn: int = 0
    """Early alerts that their window did not confirm."""
    minutes: list[float] = field(default_factory=list)
    """Minutes from a burst's first post to its first alert, of those that must be found."""
    tallies: dict[str, Tally] = field(default_factory=dict)
    """By kind, on the first day."""
    next_day: dict[str, Tally] = field(default_factory=dict)
    """By kind, on the second."""
    next_day_false: int = 0
    repeated: int = 0
    """Keywords that alert again in the first two hours of the second day."""
    false_words: list[Opened] = field(default_factory=list)


def outcome_of(stream: Stream, rule: AnomalyRule) -> Outcome:
    """Judge a stream and count."""
    judged = judge_stream(stream, rule)
    alerts = opened_alerts(judged)
    outcome = Outcome()
    _count_bursts(stream, alerts, outcome)
    _count_alerts(stream, alerts, outcome)
    _count_early(stream, judged, outcome)
    return outcome


def _count_bursts(stream: Stream, alerts: list[Opened], outcome: Outcome) -> None:
    for burst in stream.bursts:
        if burst.kind == SPAM:
            continue
        minutes = [alert.minute for alert in alerts if _belongs(alert, burst)]
        day = outcome.tallies if burst.day == 0 else outcome.next_day
        day.setdefault(burst.kind, Tally()).add(Tally(int(bool(minutes)), 1))
        if minutes and burst.day == 0 and burst.kind in MUST_BE_FOUND:
            outcome.minutes.append(min(minutes) - burst.first_post)


def _count_alerts(stream: Stream, alerts: list[Opened], outcome: Outcome) -> None:
    first_day = {alert.keyword for alert in alerts if alert.window < WINDOWS}
    for alert in alerts:
        is_false = not any(_belongs(alert, burst) for burst in stream.bursts if burst.kind != SPAM)
        if alert.window >= WINDOWS:
            outcome.next_day_false += is_false
            outcome.repeated += alert.window < WINDOWS + REPEAT_WINDOWS and alert.keyword in first_day
            continue
        outcome.learning += alert.window < stream.world.first_window + LEARNING_WINDOWS
        outcome.false += is_false
        outcome.false_words += [alert] * is_false


def _count_early(stream: Stream, judged: JudgedStream, outcome: Outcome) -> None:
    withdrawn = withdrawn_alerts(judged)
    outcome.withdrawn = len(withdrawn)
    outcome.learning += sum(a.window < stream.world.first_window + LEARNING_WINDOWS for a in withdrawn)


def _belongs(alert: Opened, burst: Burst) -> bool:
    return alert.keyword in burst.keywords and burst.covers(alert.minute)
