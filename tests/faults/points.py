"""Named points in the streaming process, observed from outside: in checkpoints, the bucket and Postgres."""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg2

from core.settings import Settings
from sql.connection import connect
from sql.lake import metadata_location

POLL_SECONDS = 0.002


@dataclass
class Watch:
    """Watches one world: its checkpoint folders, its part of the bucket, its sessions in Postgres."""

    settings: Settings
    checkpoints: Path
    bucket: Path

    def __post_init__(self) -> None:
        self._connection = connect(self.settings, application_name="faults watch")
        self._connection.autocommit = True

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def files(self, *parts: str) -> set[str]:
        """Return the names of all files in a folder of the checkpoints, temporary ones included."""
        return {
            entry
            for _, _, names in os.walk(self.checkpoints.joinpath(*parts))
            for entry in names
            if not entry.endswith(".crc")
        }

    def objects(self, part: str) -> set[str]:
        """Return the names of the archive's objects whose folder is `part` (data or metadata)."""
        return {
            name
            for folder, _, names in os.walk(self.bucket)
            if f"/raw_posts/{part}" in folder
            for name in names
        }

    def in_transaction(self, application_name: str) -> bool:
        """Return whether a session of that name has an open transaction."""
        return (
            self._count(
                "pg_stat_activity",
                "datname = current_database() AND application_name = %s AND xact_start IS NOT NULL",
                application_name,
            )
            > 0
        )

    def ledger(self) -> int:
        """Return the number of batches in detection's ledger."""
        return self._count("detect_batches", "true")

    def committed(self, query: str) -> int:
        """Return the newest batch that a checkpoint has as done; -1 if none."""
        return _newest(self.checkpoints / query / "commits")

    def logged(self, query: str) -> int:
        """Return the newest batch that a checkpoint has planned; -1 if none."""
        return _newest(self.checkpoints / query / "offsets")

    def in_ledger(self, batch: int) -> bool:
        """Return whether Postgres holds what a batch of detection wrote."""
        return self._count("detect_batches", "batch_id = %s", batch) > 0

    def in_archive(self) -> int:
        """Return the newest batch in the archive, by the summaries of its snapshots; -1 if none."""
        location = metadata_location(self.settings)
        if location is None:
            return -1
        path = next(self.bucket.rglob(location.rpartition("/")[2]), None)
        snapshots = json.loads(path.read_text())["snapshots"] if path else []
        return max(
            (int(snapshot["summary"].get("spark.sql.streaming.epochId", -1)) for snapshot in snapshots),
            default=-1,
        )

    def _count(self, table: str, condition: str, *arguments: object) -> int:
        statement = f"SELECT count(*) FROM {table} WHERE {condition}"
        try:
            return self._ask(statement, arguments)
        except psycopg2.Error:  # a restart of Postgres ended the connection
            self.__post_init__()
            return self._ask(statement, arguments)

    def _ask(self, statement: str, arguments: tuple[object, ...]) -> int:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return int((cursor.fetchone() or (0,))[0])


@dataclass
class Point:
    """A point to kill at: `observe` returns what changes there or, if it `lasts`, is True meanwhile."""

    name: str
    observe: Callable[[Watch], object]
    lasts: bool = False

    def wait(self, watch: Watch, seconds: float) -> bool:
        """Wait until the point is reached; returns False if it was not."""
        before = self.observe(watch)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            now = self.observe(watch)
            if (now is True) if self.lasts else (now != before):
                return True
            time.sleep(POLL_SECONDS)
        return False


POINTS = [
    Point("detect: batch planned", lambda watch: watch.files("detect", "offsets")),
    Point("detect: counted posts written", lambda watch: watch.files("detect", "counted")),
    Point(
        "detect: inside the transaction", lambda watch: watch.in_transaction("groundswell detect"), lasts=True
    ),
    Point("detect: after the transaction", lambda watch: watch.ledger()),
    Point("detect: batch done", lambda watch: watch.files("detect", "commits")),
    Point("archive: batch planned", lambda watch: watch.files("archive", "offsets")),
    Point("archive: data written", lambda watch: watch.objects("data")),
    Point("archive: metadata written", lambda watch: watch.objects("metadata")),
    Point("archive: after the commit", lambda watch: metadata_location(watch.settings)),
    Point("archive: batch done", lambda watch: watch.files("archive", "commits")),
    Point(
        "rejects: inside the transaction",
        lambda watch: watch.in_transaction("groundswell rejects"),
        lasts=True,
    ),
]


def left_open(watch: Watch) -> list[str]:
    """Describe the state in which a kill left each query."""
    states = []
    detect = watch.logged("detect")
    if detect > watch.committed("detect"):
        states.append(
            "batch in Postgres, not in the checkpoint" if watch.in_ledger(detect) else "batch not in Postgres"
        )
    archive = watch.logged("archive")
    if archive > watch.committed("archive"):
        states.append(
            "batch in the archive, not in the checkpoint"
            if watch.in_archive() >= archive
            else "batch not in the archive"
        )
    return states or ["no batch open"]


def _newest(folder: Path) -> int:
    names = os.listdir(folder) if folder.exists() else []
    return max((int(name) for name in names if name.isdigit()), default=-1)
