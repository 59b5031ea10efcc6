"""The streaming process: keeps both queries running on their checkpoints, says how far each is, lets quiet time decide."""

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from py4j.protocol import Py4JError
from pyspark import InheritableThread
from pyspark.errors import StreamingQueryException
from pyspark.sql.streaming.query import StreamingQuery

from alerts.step import advance_on_idle, lock_detection
from core.errors import AlreadyRunningError, CheckpointError, NotReadyError
from core.settings import Settings
from sql.connection import query as named_query
from sql.connection import transaction
from streaming.failures import first_line, is_corruption, text_of, what_to_do
from streaming.progress import (
    EndOffsets,
    QueryProgress,
    next_offsets,
    observed_now,
    save_metrics,
    save_progress,
)

log = logging.getLogger(__name__)

FIRST_BACKOFF_SECONDS = 1.0
LONGEST_BACKOFF_SECONDS = 30.0
HEALTHY_SECONDS = 60.0
ROUND_SECONDS = 0.5
REPORT_SECONDS = 30.0
METRICS_DAYS = 14
STOP_SECONDS = 10.0
_NO_JVM = "Spark's Java process has ended (killed, or out of memory). Start this again: the checkpoints say where to go on."
MAX_CORRUPT_STARTS = 3
"""Starts in a row that must find a checkpoint damaged, because a disk or a file system that is away checks the same for a moment."""


@dataclass
class Supervised:
    """One query under supervision: how to start it, and how it does."""

    name: str
    topics: list[str]
    start: Callable[[], StreamingQuery]
    after_batch: Callable[[], None] = lambda: None
    outdated: Callable[[], bool] = lambda: False
    """Whether the query, as it was started, no longer does what it should, so that it is to start anew on its checkpoint."""
    query: StreamingQuery | None = None
    restarts: int = 0
    failure: str | None = None
    """What it stopped with last, until that has been looked at."""
    corrupt_starts: int = 0
    fatal_error: str | None = None
    """Why it is not started again: what a person has to do."""
    started_at: float = 0.0
    start_after: float = 0.0
    backoff_seconds: float = FIRST_BACKOFF_SECONDS
    last_batch_id: int = -1
    after_batch_due: bool = True
    after_batch_thread: threading.Thread | None = None
    progress: QueryProgress | None = None
    caught_up_since: float | None = None
    reports: list[dict[str, Any]] = field(default_factory=list)

    def keep_running(self, now: float) -> None:
        """Start the query where it does not run, on its checkpoint, later and later while it keeps failing."""
        if self.query is not None and self.query.isActive:
            if now - self.started_at > HEALTHY_SECONDS:
                self.backoff_seconds = FIRST_BACKOFF_SECONDS
                self.corrupt_starts = 0
            return
        if self.query is not None:
            self._note_failure(now)
        if now < self.start_after or self.fatal_error is not None:
            return
        try:
            self.query = self.start()
            self.started_at = now
            log.info("%s: started", self.name)
        except CheckpointError as error:
            self.mark_failed(str(error))
        except Exception as error:  # whatever keeps it from starting, servers away above all, is tried again
            log.warning("%s: cannot start: %s", self.name, first_line(error))
            self._delay(now)

    def _note_failure(self, now: float) -> None:
        assert self.query is not None
        error = self.query.exception()
        self.query = None
        self.restarts += 1
        self.failure = text_of(error)
        self._delay(now)
        log.warning(
            "%s: stopped, starts again in %.0f s: %s", self.name, self.start_after - now, first_line(error)
        )

    def renew(self) -> None:
        """Stop the query where it is outdated; the next round starts it anew."""
        if self.query is not None and self.query.isActive and self.outdated():
            log.info("%s: starts anew, because what it works by has changed", self.name)
            self.query.stop()
            self.query = None

    def mark_failed(self, sentence: str) -> None:
        """Start it no more: `sentence` says what a person has to do."""
        self.fatal_error = sentence
        log.error("%s: stopped for good: %s", self.name, sentence)

    def _delay(self, now: float) -> None:
        self.start_after = now + self.backoff_seconds
        self.backoff_seconds = min(self.backoff_seconds * 2, LONGEST_BACKOFF_SECONDS)

    def take_reports(self) -> list[dict[str, Any]]:
        """Spark's reports of the batches since the last call; the newest even where it read nothing."""
        if self.query is None:
            return []
        reports = [json.loads(report.json) for report in self.query.recentProgress]
        new = [
            report for report in reports if report["batchId"] > self.last_batch_id and report["numInputRows"]
        ]
        if new:
            self.last_batch_id = new[-1]["batchId"]
        return new or reports[-1:]


class Supervisor:
    """Runs supervised queries until it is told to stop."""

    def __init__(
        self,
        settings: Settings,
        queries: list[Supervised],
        *,
        keep_lock: Callable[[], None] = lambda: None,
        has_jvm_ended: Callable[[], bool] = lambda: False,
        check_health: Callable[[list[Supervised]], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        self._has_jvm_ended = has_jvm_ended
        self._keep_lock = keep_lock
        self._check_health = check_health
        self._queries = queries
        self._ends = EndOffsets(settings)
        self._stop = threading.Event()
        self._reported_at = 0.0

    def stop(self) -> None:
        """End `run` after the round that is under way."""
        self._stop.set()

    def run(self) -> None:
        """Supervise until `stop`; then stop the queries, whose checkpoints say where to go on.

        Raises NotReadyError where Spark's JVM ends, or where no query can be helped by starting it again.
        """
        try:
            while not self._stop.is_set():
                if self._has_jvm_ended():
                    raise NotReadyError(_NO_JVM)
                self._round(time.monotonic())
                self._stop.wait(ROUND_SECONDS)
        except (Py4JError, ConnectionError) as error:
            raise NotReadyError(_NO_JVM) from error
        finally:
            for supervised in self._queries:
                _stop(supervised)
                if supervised.after_batch_thread is not None:
                    supervised.after_batch_thread.join(STOP_SECONDS)
            self._ends.close()

    def drain(self) -> None:
        """Start the queries, wait until each has taken what Kafka held then, note how far they came.

        Raises CheckpointError where one cannot go on from its checkpoint, and what else failed as it is.
        """
        for supervised in self._queries:
            supervised.query = supervised.start()
        try:
            for supervised in self._queries:
                assert supervised.query is not None
                while not self._has_ended(supervised, supervised.query):
                    self._observe(supervised, time.monotonic())
                self._observe(supervised, time.monotonic())
        finally:
            self._ends.close()

    def _has_ended(self, supervised: Supervised, query: StreamingQuery) -> bool:
        try:
            return bool(query.awaitTermination(1))
        except StreamingQueryException as error:
            sentence = what_to_do(self._settings, supervised.name, supervised.topics, text_of(error))
            if sentence is None:
                raise
            raise CheckpointError(f"{supervised.name}: {sentence}") from error

    def _round(self, now: float) -> None:
        for supervised in self._queries:
            supervised.keep_running(now)
            self._attempt(
                f"{supervised.name}: its failure cannot be looked at",
                partial(self._look_at_failure, supervised),
            )
            self._attempt(
                f"{supervised.name}: progress cannot be taken",
                partial(self._observe, supervised, now, in_background=True),
            )
        if all(supervised.fatal_error is not None for supervised in self._queries):
            raise NotReadyError(
                " ".join(f"{supervised.name}: {supervised.fatal_error}" for supervised in self._queries)
            )
        self._attempt("quiet time cannot decide", partial(self._let_time_decide, now))
        if now - self._reported_at > REPORT_SECONDS:
            self._reported_at = now
            self._attempt("the checkpoints' lock cannot be kept", self._keep_lock)
            self._attempt("old metrics cannot be deleted", self._forget_old_metrics)
            for supervised in self._queries:
                self._attempt(f"{supervised.name}: what it works by cannot be looked at", supervised.renew)
            self._attempt(
                "alerts for the operator cannot be written", partial(self._check_health, self._queries)
            )
            self._report()

    def _look_at_failure(self, supervised: Supervised) -> None:
        """Start a query no more that only a person can help; the other goes on."""
        failure = supervised.failure
        if failure is None:
            return
        supervised.corrupt_starts += is_corruption(failure)
        if not is_corruption(failure) or supervised.corrupt_starts >= MAX_CORRUPT_STARTS:
            sentence = what_to_do(self._settings, supervised.name, supervised.topics, failure)
            if sentence is not None:
                supervised.mark_failed(sentence)
        supervised.failure = None

    def _attempt(self, failure: str, work: Callable[[], None]) -> None:
        """Do `work`; with Kafka, Postgres or S3 away it is done in a later round."""
        try:
            work()
        except AlreadyRunningError:
            raise
        except Exception as error:  # the queries themselves go on, and say louder what is away
            log.warning("%s: %s", failure, first_line(error))

    def _observe(self, supervised: Supervised, now: float, *, in_background: bool = False) -> None:
        # What cannot be looked at, or does not run, is not known to have read everything, so time must not decide.
        caught_up_since, supervised.caught_up_since = supervised.caught_up_since, None
        end_offsets = self._ends.end_offsets(supervised.topics)
        observed_at = observed_now()
        reports = supervised.take_reports()
        if not reports:
            return
        progress = QueryProgress(supervised.name, next_offsets(reports[-1]), end_offsets, observed_at)
        supervised.progress = progress
        if not progress.lag_records:
            supervised.caught_up_since = now if caught_up_since is None else caught_up_since
        with transaction(self._settings, application_name="groundswell progress") as cursor:
            save_metrics(cursor, reports, lag_records=progress.lag_records)
            save_progress(cursor, progress)
        supervised.after_batch_due |= any(report["numInputRows"] for report in reports)
        if supervised.after_batch_due and not in_background:
            supervised.after_batch()
            supervised.after_batch_due = False
        elif supervised.after_batch_due and not _is_alive(supervised.after_batch_thread):
            # With S3 away this takes minutes, in which both queries still want to be looked after.
            supervised.after_batch_thread = InheritableThread(
                target=partial(self._follow_batch, supervised), daemon=True
            )
            supervised.after_batch_thread.start()

    def _follow_batch(self, supervised: Supervised) -> None:
        supervised.after_batch_due = False
        try:
            supervised.after_batch()
        except Exception as error:  # with Postgres or S3 away it is done later
            supervised.after_batch_due = True
            if not self._stop.is_set():
                log.warning(
                    "%s: what follows its batches cannot be done: %s", supervised.name, first_line(error)
                )

    def _let_time_decide(self, now: float) -> None:
        """Close windows by the wall clock once detection has read everything and nothing has come for a while."""
        for supervised in self._queries:
            quiet = (
                supervised.caught_up_since is not None
                and now - supervised.caught_up_since >= self._settings.idle_seconds
            )
            if supervised.name == "detect" and quiet:
                with transaction(self._settings, application_name="groundswell clock") as cursor:
                    lock_detection(cursor)
                    advance_on_idle(cursor, self._settings, now=None)

    def _forget_old_metrics(self) -> None:
        with transaction(self._settings, application_name="groundswell progress") as cursor:
            for supervised in self._queries:
                cursor.execute(
                    named_query("forget_metrics"), {"query": supervised.name, "days": METRICS_DAYS}
                )

    def _report(self) -> None:
        for supervised in self._queries:
            if supervised.fatal_error is not None:
                log.error("%s: stopped for good: %s", supervised.name, supervised.fatal_error)
            elif supervised.progress is not None:
                log.info(
                    "%s: %d records behind, batch %d, %d restarts",
                    supervised.name,
                    supervised.progress.lag_records,
                    supervised.last_batch_id,
                    supervised.restarts,
                )


def _is_alive(thread: threading.Thread | None) -> bool:
    return thread is not None and thread.is_alive()


def _stop(supervised: Supervised) -> None:
    if supervised.query is None:
        return
    try:
        supervised.query.stop()
    except (Py4JError, OSError) as error:  # a signal to the whole process group has ended the JVM first
        log.info("%s: ended with its JVM (%s)", supervised.name, type(error).__name__)
