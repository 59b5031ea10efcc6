"""The supervisor: keeps both queries running, records their progress, closes windows while no posts come."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from py4j.protocol import Py4JError
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
from streaming.supervised import Supervised

log = logging.getLogger(__name__)

ROUND_SECONDS = 0.5
REPORT_SECONDS = 30.0
METRICS_DAYS = 14
ALERT_EVENTS_DAYS = 30
MAX_CORRUPT_STARTS = 3
"""Starts in a row that must find a checkpoint corrupt; it also looks so while its file system is down."""
_NO_JVM = (
    "Spark's Java process has ended (killed, or out of memory). "
    "Start this again: it resumes from the checkpoints."
)


class Supervisor:
    """Runs supervised queries until it is stopped."""

    def __init__(
        self,
        settings: Settings,
        queries: Sequence[Supervised],
        *,
        keep_lock: Callable[[], None] = lambda: None,
        has_jvm_ended: Callable[[], bool] = lambda: False,
        check_health: Callable[[Sequence[Supervised]], None] = lambda _: None,
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
        """Make `run` end after its current round."""
        self._stop.set()

    def run(self) -> None:
        """Supervise until `stop`; then stop the queries, which can resume from their checkpoints.

        Raises NotReadyError if Spark's JVM ends, or if restarting helps none of the queries.
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
                supervised.stop()
            self._ends.close()

    def drain(self) -> None:
        """Start the queries, wait until each has read what Kafka held then, and record their progress.

        Raises CheckpointError if a query cannot resume from its checkpoint; any other failure as it is.
        """
        for supervised in self._queries:
            supervised.query = supervised.spec.start()
        try:
            for supervised in self._queries:
                assert supervised.query is not None
                while not self._has_ended(supervised, supervised.query):
                    self._observe(supervised, time.monotonic(), supervised.run_follow_up)
                self._observe(supervised, time.monotonic(), supervised.run_follow_up)
        finally:
            self._ends.close()

    def _has_ended(self, supervised: Supervised, query: StreamingQuery) -> bool:
        try:
            return bool(query.awaitTermination(1))
        except StreamingQueryException as error:
            message = what_to_do(self._settings, supervised.name, supervised.spec.topics, text_of(error))
            if message is None:
                raise
            raise CheckpointError(f"{supervised.name}: {message}") from error

    def _round(self, now: float) -> None:
        for supervised in self._queries:
            supervised.keep_running(now)
            self._attempt(
                f"{supervised.name}: cannot check its failure", partial(self._check_failure, supervised)
            )
            follow_up = partial(supervised.run_follow_up_in_background, self._stop.is_set)
            self._attempt(
                f"{supervised.name}: cannot record its progress",
                partial(self._observe, supervised, now, follow_up),
            )
        if all(supervised.fatal_error is not None for supervised in self._queries):
            raise NotReadyError(
                " ".join(f"{supervised.name}: {supervised.fatal_error}" for supervised in self._queries)
            )
        self._attempt("cannot close windows by the wall clock", partial(self._close_idle_windows, now))
        if now - self._reported_at > REPORT_SECONDS:
            self._reported_at = now
            self._round_of_upkeep()

    def _round_of_upkeep(self) -> None:
        self._attempt("cannot keep the lock on the checkpoints", self._keep_lock)
        self._attempt("cannot delete old metrics", self._forget_old_metrics)
        for supervised in self._queries:
            self._attempt(
                f"{supervised.name}: cannot check whether it is outdated", supervised.stop_if_outdated
            )
        self._attempt("cannot write operator alerts", partial(self._check_health, self._queries))
        self._report()

    def _check_failure(self, supervised: Supervised) -> None:
        """Stop a query for good if only the user can fix its failure; the other query keeps running."""
        failure = supervised.failure
        if failure is None:
            return
        supervised.counters.corrupt_starts += is_corruption(failure)
        if not is_corruption(failure) or supervised.counters.corrupt_starts >= MAX_CORRUPT_STARTS:
            message = what_to_do(self._settings, supervised.name, supervised.spec.topics, failure)
            if message is not None:
                supervised.mark_failed(message)
        supervised.failure = None

    def _attempt(self, failure: str, work: Callable[[], None]) -> None:
        """Do `work`; with Kafka, Postgres or S3 down a later round does it."""
        try:
            work()
        except AlreadyRunningError:
            raise
        except (
            Exception
        ) as error:  # the queries keep running, and their own log lines say more about what is down
            log.warning("%s: %s", failure, first_line(error))

    def _observe(self, supervised: Supervised, now: float, follow_up: Callable[[], None]) -> None:
        if self._record_progress(supervised, now):
            follow_up()

    def _record_progress(self, supervised: Supervised, now: float) -> bool:
        """Write how far the query is to Postgres; returns False if Spark has no report of it yet."""
        # A query that is down or cannot be checked may have records left: time must not close windows.
        caught_up_since, supervised.caught_up_since = supervised.caught_up_since, None
        end_offsets = self._ends.end_offsets(supervised.spec.topics)
        observed_at = observed_now()
        reports = supervised.take_reports()
        if not reports:
            return False
        progress = QueryProgress(supervised.name, next_offsets(reports[-1]), end_offsets, observed_at)
        supervised.progress = progress
        if not progress.lag_records:
            supervised.caught_up_since = now if caught_up_since is None else caught_up_since
        with transaction(self._settings, application_name="groundswell progress") as cursor:
            save_metrics(
                cursor,
                reports,
                lag_records=progress.lag_records,
                measures_of=supervised.spec.measures_of,
            )
            save_progress(cursor, progress)
        supervised.follow_up.is_due |= any(report["numInputRows"] for report in reports)
        return True

    def _close_idle_windows(self, now: float) -> None:
        """Close windows by the wall clock once detection has read everything and posts stopped coming."""
        for supervised in self._queries:
            is_idle = (
                supervised.caught_up_since is not None
                and now - supervised.caught_up_since >= self._settings.idle_seconds
            )
            if supervised.name == "detect" and is_idle:
                with transaction(self._settings, application_name="groundswell clock") as cursor:
                    lock_detection(cursor)
                    advance_on_idle(cursor, self._settings, now=None)

    def _forget_old_metrics(self) -> None:
        with transaction(self._settings, application_name="groundswell progress") as cursor:
            for supervised in self._queries:
                cursor.execute(
                    named_query("forget_metrics"), {"query": supervised.name, "days": METRICS_DAYS}
                )
            cursor.execute(named_query("forget_alert_events"), {"days": ALERT_EVENTS_DAYS})

    def _report(self) -> None:
        for supervised in self._queries:
            if supervised.fatal_error is not None:
                log.error("%s: stopped for good: %s", supervised.name, supervised.fatal_error)
            elif supervised.progress is not None:
                log.info(
                    "%s: %d records behind, batch %d, %d restarts",
                    supervised.name,
                    supervised.progress.lag_records,
                    supervised.counters.last_batch_id,
                    supervised.counters.restarts,
                )
