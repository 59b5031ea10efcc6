"""Which files are in the archive, and up to which line.

The archive itself decides; `archive_imports` keeps names, order and counts.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from core.catalog import IMPORTED
from core.errors import AlreadyRunningError
from core.settings import Settings
from sql.connection import connect, query, transaction
from sql.lake import open_archive

LINE_BITS = 32
LOWEST_OFFSET = -(1 << 62)
"""Offsets of imported rows start here, so that they are below Kafka's and grow in the order of import."""
_LOCK = 7_150_002_021
"""Number of the Postgres advisory lock that a running import holds."""


@dataclass(frozen=True)
class Archived:
    """What the archive holds of a file: its highest offset, and its rows by topic."""

    last_offset: int
    posts: int
    rejected: int


@dataclass(frozen=True)
class KnownFile:
    """A file in the ledger: its position in the archive, its last line there, and its rows by topic."""

    file_number: int
    partition: int
    last_line: int
    posts: int
    rejected: int
    finished: bool

    @property
    def base_offset(self) -> int:
        """Offset of its line 0."""
        return LOWEST_OFFSET + (self.file_number << LINE_BITS)


@contextmanager
def only_one_import(settings: Settings) -> Iterator[Connection]:
    """Hold the import's lock, and yield the connection that holds it.

    Raises AlreadyRunningError if another import holds the lock.
    """
    connection = connect(settings, application_name="groundswell import lock")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
            if not cursor.fetchone()[0]:  # type: ignore[index]
                raise AlreadyRunningError(
                    "Another import into this archive is running. Wait for it to finish, then run this again."
                )
        yield connection
    finally:
        connection.close()


def check_lock(connection: Connection) -> None:
    """Raise psycopg2's error if the connection, and with it the lock, is lost."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def archived_files(settings: Settings) -> dict[int, Archived]:
    """Return what the archive holds of imported files, by partition."""
    sql = f"""
        SELECT partition, max("offset"), count(*) FILTER (topic = $topic), count(*) FILTER (topic <> $topic)
        FROM raw_posts
        WHERE {IMPORTED}
        GROUP BY partition
    """
    with open_archive(settings) as database:
        rows = database.execute(sql, {"topic": settings.posts_topic}).fetchall()
    return {int(partition): Archived(*map(int, figures)) for partition, *figures in rows}


def partitions_for(sha256: str) -> Iterator[int]:
    """Yield negative partitions for a content; the first one is almost always free or its own.

    >>> next(partitions_for("00000001" + "0" * 56)), next(partitions_for("f" * 64))
    (-2, -2147483648)
    """
    for start in range(0, 64, 8):
        yield -1 - (int(sha256[start : start + 8], 16) & 0x7FFF_FFFF)


def register(
    settings: Settings, *, sha256: str, size: int, file: str, archived: Mapping[int, Archived]
) -> KnownFile:
    """Return the file's entry in the ledger, inserting it if needed.

    `archived` is what `archived_files` returned and takes precedence over the ledger.
    """
    with transaction(settings, application_name="groundswell import") as cursor:
        cursor.execute(
            "SELECT partition, file_number, sha256, finished, posts + rejected FROM archive_imports"
        )
        ledger = {
            partition: (number, content, finished, rows)
            for partition, number, content, finished, rows in cursor.fetchall()
        }
        partition = next(
            candidate
            for candidate in partitions_for(sha256)
            if candidate not in ledger or ledger[candidate][1] == sha256
        )
        if partition not in ledger:
            number = _number_for(partition, archived, [entry[0] for entry in ledger.values()])
            ledger[partition] = number, sha256, False, 0
            parameters = {"file_number": number, "sha256": sha256, "partition": partition}
            cursor.execute(query("insert_import"), {**parameters, "file": file, "bytes": size})
    number, _, finished, rows = ledger[partition]
    known = archived.get(partition, Archived(LOWEST_OFFSET + (number << LINE_BITS), 0, 0))
    return KnownFile(
        file_number=number,
        partition=partition,
        last_line=known.last_offset - LOWEST_OFFSET - (number << LINE_BITS),
        posts=known.posts,
        rejected=known.rejected,
        finished=finished and known.posts + known.rejected == rows,
    )


def _number_for(partition: int, archived: Mapping[int, Archived], ledger: Sequence[int]) -> int:
    """Return the number for a file that is not in the ledger: its number in the archive, or else the next."""
    numbers = {other: known.last_offset - LOWEST_OFFSET >> LINE_BITS for other, known in archived.items()}
    return numbers.get(partition, max([0, *numbers.values(), *ledger]) + 1)


def save_rejected(settings: Settings, rejected_rows: Sequence[tuple[object, ...]]) -> None:
    """Store why records were rejected, before their rows are committed to the archive.

    The stream fills `rejected_records` only from the highest offset that it finds there.
    """
    if rejected_rows:
        with transaction(settings, application_name="groundswell import") as cursor:
            template = "(%s, %s, %s, to_timestamp(%s / 1e6), %s, %s)"
            execute_values(
                cursor, query("insert_rejected_records"), rejected_rows, template=template, page_size=1000
            )


def save_progress(
    settings: Settings, partition: int, *, lines: int, posts: int, rejected: int, finished: bool
) -> None:
    """Store how many lines of a file are in the archive, and its rows by topic."""
    figures = {"lines": lines, "posts": posts, "rejected": rejected, "finished": finished}
    with transaction(settings, application_name="groundswell import") as cursor:
        cursor.execute(query("save_import"), {"partition": partition, **figures})
