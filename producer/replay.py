"""Replay files of posts: records go out on schedule, acknowledgements come back as the saved position."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from core.settings import Settings
from producer.acknowledgements import Acknowledgements, ReplayStatus
from producer.clocks import Clock, ClockName
from producer.connecting import Stopped
from producer.delivery import Delivery
from producer.outgoing import Numbered, PostStamper, outgoing_records, read_lines
from producer.pacing import Pacer
from producer.progress import StatusLine
from producer.rejects import Rejects
from producer.resume import Position, SavedProgress, StateFile
from producer.schedule import Schedule
from producer.sources import Input
from producer.summary import SendSummary


@dataclass(frozen=True)
class ReplayPlan:
    """What to replay and how; `speed` and `rate` None: as fast as possible; `limit` counts posts sent.

    `sorted_lines` returns the lines after a position in order of creation; None: they are sent as they come.
    """

    inputs: Sequence[Input]
    clock: ClockName
    start_at: float
    speed: float | None
    rate: float | None
    limit: int | None
    handed_in_ms: int | None = None
    sorted_lines: Callable[[Position], Iterator[Numbered]] | None = None

    def lines(self, start: Position, *, is_stopped: Callable[[], bool]) -> Iterator[Numbered]:
        """Yield the lines after `start` in the order in which they are sent."""
        if self.sorted_lines is not None:
            return self.sorted_lines(start)
        return read_lines(self.inputs, start, is_stopped=is_stopped)

    def name_of(self, position: Position) -> str:
        """Return a position as a line number and the name of its input."""
        return f"line {position.line:,} of {self.inputs[position.input].name}"


def replay(
    plan: ReplayPlan,
    settings: Settings,
    *,
    state: StateFile | None,
    status: StatusLine,
    stop: threading.Event,
    summary: SendSummary,
) -> None:
    """Send the posts of a plan and fill in `summary`, also when an error ends the run.

    `state` None: progress is not saved. Setting `stop` ends the run early. Records in flight are flushed,
    even before an error is raised; `summary.finished` says whether everything was sent.
    """
    start = _load_progress(plan, state, status)
    started = time.monotonic()
    rejects = Rejects(settings.rejected_topic, plan.inputs, summary.rejected)
    try:
        delivery = Delivery(settings, stop=stop, say=status.say, replace_too_large=rejects.replace_too_large)
        clock = Clock(
            plan.clock,
            start_at=plan.start_at,
            shift_microseconds=start.shift_microseconds,
            handed_in_ms=start.handed_in_ms or plan.handed_in_ms,
        )
        pacer = Pacer(Schedule(speed=plan.speed, rate=plan.rate, started=time.monotonic()), stop)
        replay_status = ReplayStatus(status, pacer, summary.rejected, started=started)
        acknowledgements = Acknowledgements(delivery, settings.posts_topic, state, clock, replay_status)
        check = acknowledgements.check
        stamper = PostStamper(settings.posts_topic, clock, pacer, summary=summary, check=check)
        file_number = start.position.input
        lines = plan.lines(start.position, is_stopped=stop.is_set)
        try:
            for record, position in outgoing_records(
                lines, stamper, rejects, limit=plan.limit, summary=summary, check=check
            ):
                if position.input != file_number and plan.sorted_lines is None:
                    delivery.flush(check)
                file_number = position.input
                delivery.send(record, position)
            summary.finished = not stop.is_set()
        finally:
            acknowledgements.finish(summary)
            if state and not summary.finished:
                summary.stopped_at = plan.name_of(delivery.acknowledged or start.position)
    except Stopped:
        pass
    finally:
        summary.seconds = time.monotonic() - started


def _load_progress(plan: ReplayPlan, state: StateFile | None, status: StatusLine) -> SavedProgress:
    """Return where to start: the saved progress of a stopped run, or the beginning."""
    progress, changed = state.load() if state else (None, False)
    if changed:
        status.say("The inputs have changed since an earlier run was stopped: starting over.")
    if progress is None:
        return SavedProgress(Position(), None)
    status.say(
        f"Resuming after {plan.name_of(progress.position)}, where an earlier run was stopped "
        "(--no-resume starts over)."
    )
    return progress
