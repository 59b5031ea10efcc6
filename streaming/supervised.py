"""A query under supervision: its specification, its running state and its counters."""

import json
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from py4j.protocol import Py4JError
from pyspark import InheritableThread
from pyspark.sql.streaming.query import StreamingQuery

from core.errors import CheckpointError
from streaming.failures import first_line, text_of
from streaming.progress import NO_MEASURES, Measures, QueryProgress

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
STOP_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class QuerySpec:
    """What a query is: its name, its topics, how it starts, what follows its batches, when it is outdated."""

    name: str
    topics: list[str]
    start: Callable[[], StreamingQuery]
    after_batch: Callable[[], None] = lambda: None
    measures_of: Callable[[int], Measures] = lambda batch_id: NO_MEASURES
    """What a batch of its own came to, by batch id."""
    is_outdated: Callable[[], bool] = lambda: False
    """Whether what the query was started with has changed, so that it must restart on its checkpoint."""


@dataclass(slots=True)
class Counters:
    """What is counted of a query since the process started."""

    restarts: int = 0
    corrupt_starts: int = 0
    """Starts in a row that found its checkpoint corrupt."""
    last_batch_id: int = -1


@dataclass(slots=True)
class Backoff:
    """When a query that keeps failing may start again: each delay is twice the one before, up to a limit."""

    start_after: float = 0.0
    seconds: float = FIRST_BACKOFF_SECONDS

    def delay(self, now: float) -> None:
        """Postpone the next start."""
        self.start_after = now + self.seconds
        self.seconds = min(self.seconds * 2, LONGEST_BACKOFF_SECONDS)

    def reset(self) -> None:
        """Start again with the shortest delay."""
        self.seconds = FIRST_BACKOFF_SECONDS


@dataclass(slots=True)
class FollowUp:
    """The work that follows a query's batches: whether it is due, and the thread that does it."""

    is_due: bool = True
    thread: threading.Thread | None = None

    def is_running(self) -> bool:
        """Return whether a thread is at work."""
        return self.thread is not None and self.thread.is_alive()


@dataclass
class Supervised:
    """One query under supervision. Times are monotonic seconds."""

    spec: QuerySpec
    query: StreamingQuery | None = None
    started_at: float = 0.0
    failure: str | None = None
    """What it last stopped with, until the supervisor has checked it."""
    fatal_error: str | None = None
    """Why it is not started again: what the user must do."""
    progress: QueryProgress | None = None
    caught_up_since: float | None = None
    counters: Counters = field(default_factory=Counters)
    backoff: Backoff = field(default_factory=Backoff)
    follow_up: FollowUp = field(default_factory=FollowUp)

    @property
    def name(self) -> str:
        """Its name."""
        return self.spec.name

    def keep_running(self, now: float) -> None:
        """Start the query on its checkpoint if it is not running, ever later while it keeps failing."""
        if self.query is not None and self.query.isActive:
            if now - self.started_at > HEALTHY_SECONDS:
                self.backoff.reset()
                self.counters.corrupt_starts = 0
            return
        if self.query is not None:
            self._note_failure(self.query, now)
        if now < self.backoff.start_after or self.fatal_error is not None:
            return
        try:
            self.query = self.spec.start()
            self.started_at = now
            log.info("%s: started", self.name)
        except CheckpointError as error:
            self.mark_failed(str(error))
        except Exception as error:  # try again whatever prevents the start, above all a server that is down
            log.warning("%s: cannot start: %s", self.name, first_line(error))
            self.backoff.delay(now)

    def _note_failure(self, query: StreamingQuery, now: float) -> None:
        error = query.exception()
        self.query = None
        self.counters.restarts += 1
        self.failure = text_of(error)
        self.backoff.delay(now)
        seconds = self.backoff.start_after - now
        log.warning("%s: stopped, restarts in %.0f s: %s", self.name, seconds, first_line(error))

    def stop_if_outdated(self) -> None:
        """Stop the query if it is outdated; the next round starts it again."""
        if self.query is not None and self.query.isActive and self.spec.is_outdated():
            log.info("%s: restarting, because what it was started with has changed", self.name)
            self.query.stop()
            self.query = None

    def mark_failed(self, message: str) -> None:
        """Do not start it again: `message` says what the user must do."""
        self.fatal_error = message
        log.error("%s: stopped for good: %s", self.name, message)

    def take_reports(self) -> list[dict[str, Any]]:
        """Return Spark's reports of new batches, at least of the newest one, even if it read nothing."""
        last = self.query.lastProgress if self.query else None
        if self.query is None or last is None:
            return []
        reports = [json.loads(last.json)]
        if reports[0]["batchId"] > self.counters.last_batch_id + 1:
            # Only now, because PySpark reads each report that Spark keeps, twice a second.
            reports = [json.loads(report.json) for report in self.query.recentProgress]
        new = [
            report
            for report in reports
            if report["batchId"] > self.counters.last_batch_id and report["numInputRows"]
        ]
        if new:
            self.counters.last_batch_id = new[-1]["batchId"]
        return new or reports[-1:]

    def run_follow_up(self) -> None:
        """Do what follows a batch if it is due; if it raises, it stays due."""
        if self.follow_up.is_due:
            self.spec.after_batch()
            self.follow_up.is_due = False

    def run_follow_up_in_background(self, is_stopping: Callable[[], bool]) -> None:
        """Do what follows a batch in a thread, if it is due and no thread is at work.

        With S3 down this takes minutes, and the supervisor must not leave both queries alone for so long.
        """
        if self.follow_up.is_due and not self.follow_up.is_running():
            self.follow_up.thread = InheritableThread(
                target=partial(self._try_follow_up, is_stopping), daemon=True
            )
            self.follow_up.thread.start()

    def _try_follow_up(self, is_stopping: Callable[[], bool]) -> None:
        self.follow_up.is_due = False
        try:
            self.spec.after_batch()
        except Exception as error:  # with Postgres or S3 down it is done later
            self.follow_up.is_due = True
            if not is_stopping():
                log.warning("%s: the work after its batches failed: %s", self.name, first_line(error))

    def stop(self) -> None:
        """Stop the query, and wait a while for the thread that follows up on its batches."""
        if self.query is not None:
            try:
                self.query.stop()
            except (Py4JError, OSError) as error:  # a signal to the process group has ended the JVM first
                log.info("%s: ended with its JVM (%s)", self.name, type(error).__name__)
        if self.follow_up.thread is not None:
            self.follow_up.thread.join(STOP_SECONDS)
