"""The live channel: every open page gets each change of alerts once, in order.

Format: server-sent events of the HTML Living Standard, section 9.2: `id:` is alert_events.event_id.
"""

import asyncio
import logging
import select
import threading
from collections.abc import AsyncIterator, Mapping
from contextlib import closing, suppress
from typing import Any

import orjson
import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from core.settings import Settings
from sql.connection import connect, query, transaction
from sql.rows import fetch_dicts

CHANNEL = "alert_events"
POLL_SECONDS = 5.0
"""Longest time after which events are read even if no notification came."""
PING_SECONDS = 15.0
QUEUE_EVENTS = 256
"""Events that may wait for a slow listener before it is closed; its browser connects again and resumes."""
MOST_LISTENERS = 500
MOST_RESUMED = 1000
"""Events sent after a lost connection; after more a page loads everything."""
RETRY = b"retry: 2000\n\n"
RESET = b"event: reset\ndata: {}\n\n"
PING = b": ping\n\n"

log = logging.getLogger(__name__)


class TooManyListenersError(Exception):
    """MOST_LISTENERS pages are open already."""


class Live:
    """Reads changes of alerts as they commit and hands them, encoded once, to all listeners."""

    def __init__(self, settings: Settings, *, poll_seconds: float = POLL_SECONDS) -> None:
        self._settings = settings
        self._poll_seconds = poll_seconds
        self._queues: set[asyncio.Queue[bytes | None]] = set()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name="live", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._last: int | None = None
        self._handed_out: int | None = None

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Start to listen; listeners are served on `loop`."""
        self._loop = loop
        self._thread.start()

    def end_streams(self) -> None:
        """End all streams, and take no more; on the loop of `start`."""
        self._stopping.set()
        for queue in list(self._queues):
            _end(queue)

    def stop(self) -> None:
        """Stop to listen."""
        self._stopping.set()
        self._thread.join(self._poll_seconds + 1)

    @property
    def listeners(self) -> int:
        """How many streams are open."""
        return len(self._queues)

    @property
    def is_listening(self) -> bool:
        """Whether the newest event is known, so that all later ones are handed out."""
        return self._handed_out is not None

    async def stream(self, after: int | None) -> AsyncIterator[bytes]:
        """Yield events after the id `after` (None: from now on), with pings; a listener too slow is ended.

        Raises TooManyListenersError before the first event.
        """
        if len(self._queues) >= MOST_LISTENERS or self._stopping.is_set():
            raise TooManyListenersError
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE_EVENTS)
        self._queues.add(queue)
        try:
            newest = self._handed_out
            sent = 0
            if after is None:
                # With an id from the beginning, a listener resumes even from before its first event.
                yield RETRY if newest is None else b"id: %d\n%s" % (newest, RETRY)
            elif newest is not None and after > newest:
                # Its id is of another database.
                yield b"id: %d\n%s%s" % (newest, RETRY, RESET)
            else:
                yield RETRY
                missed = await asyncio.to_thread(self._events_after, after)
                if len(missed) >= MOST_RESUMED:
                    yield RESET if newest is None else b"id: %d\n%s" % (newest, RESET)
                    missed = []
                for event in missed:
                    sent = event["event_id"]
                    yield encoded(event)
            while True:
                try:
                    item = await asyncio.wait_for(queue.get(), PING_SECONDS)
                except TimeoutError:
                    yield PING
                    continue
                if item is None:
                    return
                if id_of(item) > sent:
                    yield item
        finally:
            self._queues.discard(queue)

    def _events_after(self, event_id: int) -> list[dict[str, Any]]:
        with transaction(self._settings, application_name="groundswell web") as cursor:
            return read_events(cursor, event_id, most=MOST_RESUMED)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                with closing(connect(self._settings, application_name="groundswell web live")) as connection:
                    self._listen(connection)
            except psycopg2.Error as error:
                log.warning("live: Postgres does not answer: %s", str(error).strip().partition("\n")[0])
                self._stopping.wait(self._poll_seconds)

    def _listen(self, connection: Connection) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(f"LISTEN {CHANNEL}")
            if self._last is None:
                cursor.execute(query("newest_alert_event"))
                self._last = self._handed_out = int((cursor.fetchone() or (0,))[0])
            while not self._stopping.is_set():
                for event in read_events(cursor, self._last, most=MOST_RESUMED):
                    self._last = event["event_id"]
                    self._send(encoded(event))
                with suppress(InterruptedError):
                    select.select([connection], [], [], self._poll_seconds)
                connection.poll()
                connection.notifies.clear()

    def _send(self, item: bytes) -> None:
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self.hand_out, item)

    def hand_out(self, item: bytes) -> None:
        """Queue an encoded event for every listener; on the loop of `start`."""
        self._handed_out = id_of(item)
        for queue in list(self._queues):
            if not _put(queue, item):
                # It reads too slowly: what waits is dropped, and the end comes at once.
                self._queues.discard(queue)
                _end(queue)


def _end(queue: asyncio.Queue[bytes | None]) -> None:
    """Let a listener end now instead of reading what waits."""
    while not queue.empty():
        queue.get_nowait()
    queue.put_nowait(None)


def _put(queue: asyncio.Queue[bytes | None], item: bytes) -> bool:
    try:
        queue.put_nowait(item)
    except asyncio.QueueFull:
        return False
    return True


def read_events(cursor: Cursor, event_id: int, *, most: int) -> list[dict[str, Any]]:
    """Return complete rows of alert_events after `event_id`, in order, at most `most`."""
    cursor.execute(query("alert_events_after"), {"event_id": event_id, "most": most})
    return fetch_dicts(cursor)


def encoded(event: Mapping[str, Any]) -> bytes:
    """Return a row of alert_events as one server-sent event named `alert`."""
    data = orjson.dumps({**event, "event_id": str(event["event_id"])}, default=str)
    return b"id: %d\nevent: alert\ndata: %s\n\n" % (event["event_id"], data)


def id_of(item: bytes) -> int:
    r"""Return the id of an encoded event.

    >>> id_of(b"id: 17\nevent: alert\n")
    17
    """
    return int(item[4 : item.index(b"\n")])
