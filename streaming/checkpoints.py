"""Where the checkpoints are, and the lock that lets one process only use them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from core.errors import AlreadyRunningError, BadInputError, SettingsError
from core.settings import Settings
from sql.connection import connect, transaction

_HOLDER = "groundswell checkpoint lock"
"""Name under which Postgres knows the session of a streaming process that holds its lock."""


def checkpoint_of(settings: Settings, query: str) -> str:
    """Folder or URI of the checkpoint of `query`."""
    if settings.checkpoint_dir.startswith(("s3:", "s3a:", "s3n:")):
        raise SettingsError(
            "GROUNDSWELL_CHECKPOINT_DIR lies on S3, which has no atomic rename: checkpoints there are slow and unsafe. "
            "Use a local disk that survives the process, or HDFS."
        )
    return f"{settings.checkpoint_dir.rstrip('/')}/{query}"


class CheckpointLock:
    """Holds, as a lock of a Postgres session, the right to run on a checkpoint; given back when the process ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    def take(self, *, patience_seconds: float = 5.0) -> None:
        """Take the lock; raises AlreadyRunningError where another process holds it and keeps holding it."""
        deadline = time.monotonic() + patience_seconds
        self._connection = connect(self._settings, application_name=_HOLDER)
        self._connection.autocommit = True
        with self._connection.cursor() as cursor:
            while True:
                cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (self._name,))
                row = cursor.fetchone()
                if row and row[0]:
                    return
                if time.monotonic() > deadline:
                    self.release()
                    raise AlreadyRunningError(
                        f"Another streaming process uses the checkpoints in {self._settings.checkpoint_dir}. "
                        "Stop it first (`make stop`), or set GROUNDSWELL_CHECKPOINT_DIR to a folder of its own."
                    )
                time.sleep(0.2)

    def keep(self) -> None:
        """Take the lock again where a restart of Postgres has ended the session that held it."""
        try:
            if self._connection is not None:
                with self._connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return
        except psycopg2.Error:
            self.release()
        self.take()

    def release(self) -> None:
        """Give the lock back."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    @property
    def _name(self) -> str:
        place = self._settings.checkpoint_dir
        return f"groundswell checkpoint {place if '://' in place else Path(place).resolve()}"


@contextmanager
def without_streaming(settings: Settings) -> Iterator[None]:
    """Keep streaming processes from the checkpoints; raises AlreadyRunningError where one is at work on this database."""
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = %s",
            (_HOLDER,),
        )
        if cursor.rowcount:
            raise AlreadyRunningError(
                "A streaming process is at work on this database. Stop it (`make stop`) and run this again."
            )
    lock = CheckpointLock(settings)
    lock.take()
    try:
        yield
    finally:
        lock.release()


def put_detection_aside(settings: Settings) -> None:
    """Rename the checkpoint of detection, which lies on a disk, so that detection starts with a new one."""
    checkpoint = Path(checkpoint_of(settings, "detect"))
    if checkpoint.exists():
        checkpoint.rename(
            checkpoint.with_name(f"detect-until-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}")
        )


def start_detection_anew(settings: Settings) -> None:
    """Put detection's checkpoint aside and forget its clock, for posts that are older than what it has seen.

    Detection then begins at the end of the topic. The old checkpoint stays beside it; alerts that were not confirmed
    are withdrawn, alerts and counts stay.
    """
    if "://" in settings.checkpoint_dir:
        raise BadInputError(
            f"The checkpoint of detection lies in {settings.checkpoint_dir}: move it aside there, then start without --fresh-detect."
        )
    put_detection_aside(settings)
    with transaction(settings) as cursor:
        cursor.execute(
            "UPDATE anomaly_alerts SET status = 'withdrawn', resolved_at = last_window + interval '15 minutes' "
            "WHERE status = 'open' AND provisional"
        )
        cursor.execute(
            "UPDATE anomaly_alerts SET status = 'resolved', resolved_at = last_window + interval '15 minutes' "
            "WHERE status = 'open'"
        )
        cursor.execute("DELETE FROM live_counts")
        cursor.execute("DELETE FROM detect_clock")
        cursor.execute("DELETE FROM pipeline_progress WHERE query = 'detect'")
