"""Which files are in the archive and how far: what the archive itself says, kept in `archive_imports` for people and for order."""

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
"""Offsets of imported rows begin here, so that they lie below Kafka's and grow in the order of import."""
_LOCK = 7_150_002_021
"""Number of the advisory lock that a running import holds in Postgres."""


@dataclass(frozen=True)
class Archived:
    """What the archive holds of a file: its highest offset, and its rows by topic."""

    last_offset: int
    posts: int
    rejected: int


@dataclass(frozen=True)
class KnownFile:
    """A file in the ledger: its place in the archive, the last of its lines that is there, and what is there of it."""

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
    """Hold the import's lock, on a connection to look after; raises AlreadyRunningError where another import holds it."""
    connection = connect(settings, application_name="groundswell import lock")
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_try_advisory_lock(%s)", (_LOCK,))
            if not cursor.fetchone()[0]:  # type: ignore[index]
                raise AlreadyRunningError(
                    "Another import is at work on this archive. Wait until it is done, then run this again."
                )
        yield connection
    finally:
        connection.close()


def check_lock(connection: Connection) -> None:
    """Raise psycopg2's error where the connection, and with it the lock, is gone."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def archived_files(settings: Settings) -> dict[int, Archived]:
    """What the archive holds of imported files, by partition."""
    with open_archive(settings) as database:
        rows = database.execute(
            'SELECT partition, max("offset"), count(*) FILTER (topic = $topic), count(*) FILTER (topic <> $topic) '
            f"FROM raw_posts WHERE {IMPORTED} GROUP BY partition",
            {"topic": settings.posts_topic},
        ).fetchall()
    return {int(partition): Archived(*map(int, held)) for partition, *held in rows}


def partitions_for(sha256: str) -> Iterator[int]:
    """Negative partitions for a content, the first one almost always its own.

    >>> next(partitions_for("00000001" + "0" * 56)), next(partitions_for("f" * 64))
    (-2, -2147483648)
    """
    yield from (-1 - (int(sha256[place : place + 8], 16) & 0x7FFF_FFFF) for place in range(0, 64, 8))


def register(
    settings: Settings, *, sha256: str, size: int, file: str, archived: Mapping[int, Archived]
) -> KnownFile:
    """The file's entry, made where there is none; `archived` is what `archived_files` gave and outweighs the ledger."""
    with transaction(settings, application_name="groundswell import") as cursor:
        cursor.execute(
            "SELECT partition, file_number, sha256, finished, posts + rejected FROM archive_imports"
        )
        known = {
            partition: (number, content, finished, rows)
            for partition, number, content, finished, rows in cursor.fetchall()
        }
        partition = next(
            place for place in partitions_for(sha256) if place not in known or known[place][1] == sha256
        )
        numbers = {place: held.last_offset - LOWEST_OFFSET >> LINE_BITS for place, held in archived.items()}
        if partition not in known:
            highest = max([0, *numbers.values(), *(entry[0] for entry in known.values())])
            known[partition] = numbers.get(partition, highest + 1), sha256, False, 0
            cursor.execute(
                "INSERT INTO archive_imports (file_number, sha256, partition, file, bytes) VALUES (%s, %s, %s, %s, %s)",
                (known[partition][0], sha256, partition, file, size),
            )
    number, _, finished, rows = known[partition]
    held = archived.get(partition, Archived(LOWEST_OFFSET + (number << LINE_BITS), 0, 0))
    last_line = held.last_offset - LOWEST_OFFSET - (number << LINE_BITS)
    return KnownFile(
        number,
        partition,
        last_line,
        held.posts,
        held.rejected,
        finished and held.posts + held.rejected == rows,
    )


def save_rejected(settings: Settings, rejected_rows: Sequence[tuple[object, ...]]) -> None:
    """Store why records were rejected, before their rows are part of the archive: the stream stores what is missing from there."""
    if rejected_rows:
        with transaction(settings, application_name="groundswell import") as cursor:
            template = "(%s, %s, %s, to_timestamp(%s / 1e6), %s, %s)"
            execute_values(
                cursor, query("insert_rejected_records"), rejected_rows, template=template, page_size=1000
            )


def save_progress(
    settings: Settings, partition: int, *, lines: int, posts: int, rejected: int, finished: bool
) -> None:
    """Note that so many lines of a file are in the archive, and what they hold."""
    with transaction(settings, application_name="groundswell import") as cursor:
        cursor.execute(
            query("save_import"),
            {
                "partition": partition,
                "lines": lines,
                "posts": posts,
                "rejected": rejected,
                "finished": finished,
            },
        )
