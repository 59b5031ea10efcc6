"""Read archived records without Spark, for commands that answer in seconds."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import duckdb

from archive.spans import Span, merged, no_archive
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import WINDOW, window_start
from sql.lake import open_archive, quoted

BATCH_RECORDS = 5_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SETTINGS = [
    "SET preserve_insertion_order = false",
    "SET enable_external_file_cache = false",  # files are read once, and would be kept in memory
    "SET enable_progress_bar = false",
]
_RECORDS = """
SELECT epoch_us(event_time), "offset", partition, value FROM raw_posts WHERE topic = {topic} AND ({within})
"""
_RECORDS_BY_WINDOW = """
SELECT epoch_us(event_time) // {window_micros} AS number, count(*) FROM raw_posts
WHERE topic = {topic} AND ({within}) GROUP BY number ORDER BY number
"""


class Record(NamedTuple):
    """An archived record of the posts' topic with an event time (Unix microseconds), as delivered."""

    event_micros: int
    offset: int
    partition: int
    value: bytes


class RecordReader:
    """Reads records of the posts' topic by spans of event time, from the files that overlap them.

    As with `archive.table.read_archive`, a record may appear twice, and a post may have been delivered more
    than once.
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, topic: str) -> None:
        self._database = database
        # A literal, because DuckDB imports pandas for a parameter, which takes longer than to read a window.
        self._topic = quoted(topic)

    def read(self, spans: Iterable[Span]) -> Iterator[Record]:
        """Yield the records with an event time in one of `spans`, in any order."""
        self._database.execute(_RECORDS.format(topic=self._topic, within=_within(spans)))
        while rows := self._database.fetchmany(BATCH_RECORDS):
            yield from map(Record._make, rows)

    def count(self, spans: Iterable[Span]) -> dict[int, int]:
        """Return how many records each window in `spans` has, by its number, without those that have none."""
        window_micros = WINDOW // _MICROSECOND
        self._database.execute(
            _RECORDS_BY_WINDOW.format(topic=self._topic, within=_within(spans), window_micros=window_micros)
        )
        return dict(self._database.fetchall())


def pieces(by_window: Mapping[int, int], *, most: int) -> list[list[Span]]:
    """Return windows as spans in pieces of at most `most` records; a window with more is a piece of its own.

    >>> [len(piece) for piece in pieces({7: 2, 8: 9, 12: 1, 13: 4}, most=5)]
    [1, 1, 1]
    """
    found: list[list[Span]] = []
    held = most
    for number, records in by_window.items():
        if held + records > most:
            found.append([])
            held = 0
        found[-1].append((window_start(number), window_start(number + 1)))
        held += records
    return [merged(piece) for piece in found]


@contextmanager
def open_records(settings: Settings, *, threads: int | None = None) -> Iterator[RecordReader]:
    """Yield a reader of the archive as of now, with that many threads; None: one per core.

    Raises NotReadyError if there is no archive yet, or S3 does not answer or refuses, also while it is read.
    """
    try:
        with open_archive(settings) as database:
            for statement in _SETTINGS + ([f"SET threads = {threads}"] if threads else []):
                database.execute(statement)
            yield RecordReader(database, settings.posts_topic)
    except duckdb.CatalogException as error:
        raise no_archive() from error
    except duckdb.IOException as error:
        raise _unreadable(settings, error) from error


def _within(spans: Iterable[Span]) -> str:
    """Return the SQL condition that the event time is in one of `spans`."""
    within = " OR ".join(
        f"event_time >= make_timestamptz({_micros(start)}) AND event_time < make_timestamptz({_micros(end)})"
        for start, end in merged(spans)
    )
    return within or "false"


def _micros(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _unreadable(settings: Settings, error: duckdb.Error) -> NotReadyError:
    from archive.storage import away, refused  # imports a client that takes a third of a second to load

    why = str(error).strip().partition("\n")[0]
    answered = isinstance(error, duckdb.HTTPException)
    return NotReadyError(refused(settings, why) if answered else away(settings, why))
