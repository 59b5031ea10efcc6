"""Where the checkpoints are, and the lock that reserves them for a single process."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg2
from psycopg2.extensions import connection as Connection

from alerts.step import FAR
from alerts.store import withdraw_unconfirmed
from core.errors import AlreadyRunningError, BadInputError, SettingsError
from core.settings import Settings
from sql.connection import connect, query, transaction

_HOLDER = "groundswell checkpoint lock"
"""application_name of the Postgres session in which a streaming process holds its lock."""


def checkpoint_of(settings: Settings, query_name: str) -> str:
    """Return the folder or URI of a query's checkpoint; raises SettingsError if that is on S3."""
    if settings.checkpoint_dir.startswith(("s3:", "s3a:", "s3n:")):
        raise SettingsError(
            "GROUNDSWELL_CHECKPOINT_DIR is on S3, which has no atomic rename, so checkpoints there are slow "
            "and unsafe. Use HDFS or a local disk that outlives the process."
        )
    return f"{settings.checkpoint_dir.rstrip('/')}/{query_name}"


class CheckpointLock:
    """Exclusive right to use the checkpoints: a Postgres session lock, released when the process ends."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Connection | None = None

    def take(self, *, patience_seconds: float = 5.0) -> None:
        """Take the lock; raises AlreadyRunningError if another process holds it for `patience_seconds`."""
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
                        "Stop it first (`make stop`), or set GROUNDSWELL_CHECKPOINT_DIR to another folder."
                    )
                time.sleep(0.2)

    def keep(self) -> None:
        """Take the lock again if a restart of Postgres has ended the session that held it."""
        try:
            if self._connection is not None:
                with self._connection.cursor() as cursor:
                    cursor.execute("SELECT 1")
                return
        except psycopg2.Error:
            self.release()
        self.take()

    def release(self) -> None:
        """Release the lock."""
        if self._connection is not None:
            with suppress(psycopg2.Error):
                self._connection.close()
            self._connection = None

    @property
    def _name(self) -> str:
        folder = self._settings.checkpoint_dir
        return f"groundswell checkpoint {folder if '://' in folder else Path(folder).resolve()}"


@contextmanager
def without_streaming(settings: Settings) -> Iterator[None]:
    """Keep streaming processes off the checkpoints; raises AlreadyRunningError if one uses this database."""
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


def set_detection_checkpoint_aside(settings: Settings) -> None:
    """Rename detection's checkpoint, which is on a local disk, so that detection starts with a new one."""
    checkpoint = Path(checkpoint_of(settings, "detect"))
    if checkpoint.exists():
        checkpoint.rename(
            checkpoint.with_name(f"detect-until-{time.strftime('%Y%m%dT%H%M%S')}-{time.monotonic_ns()}")
        )


def restart_detection(settings: Settings) -> None:
    """Set detection's checkpoint aside and forget its clock, for posts older than those it has seen.

    Detection then starts at the end of the topic. The old checkpoint stays next to the new one. Provisional
    alerts are withdrawn and other open alerts resolved; all alerts and the traffic of their windows are kept.
    Raises BadInputError if the checkpoint is not on a local disk.
    """
    if "://" in settings.checkpoint_dir:
        raise BadInputError(
            f"Detection's checkpoint is in {settings.checkpoint_dir}: move it aside there, "
            "then start without --fresh-detect."
        )
    set_detection_checkpoint_aside(settings)
    with transaction(settings) as cursor:
        withdraw_unconfirmed(cursor, closed_until=FAR, confirmed=[])
        cursor.execute(query("resolve_open_alerts"), {"quiet_windows": settings.quiet_windows})
        cursor.execute(query("forget_detection_state"))
