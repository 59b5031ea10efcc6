"""Postgres for stream and batch: connections, transactions, an opt-in pool, named queries."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from queue import Empty, Full, LifoQueue
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from core.errors import NotReadyError
from core.settings import Settings

QUERIES = Path(__file__).parent / "queries"
_KEEPALIVES = {"keepalives_idle": 30, "keepalives_interval": 5, "keepalives_count": 3}
"""Seconds, seconds and probes: idle connections to a host that vanished are closed within a minute."""


def connect(settings: Settings, *, application_name: str = "groundswell") -> Connection:
    """Return an open connection in UTC; the caller closes it. Raises psycopg2.OperationalError."""
    return _open(settings, application_name)


@contextmanager
def transaction(settings: Settings, *, application_name: str = "groundswell") -> Iterator[Cursor]:
    """Yield a cursor in one transaction: committed at the end, rolled back on any error.

    The connection is opened and closed with it or, inside `pooled(settings)`, borrowed from the pool.
    """
    pool = _pools.get(_pool_key(settings))
    borrowed = pool.borrowed(application_name) if pool else closing(_open(settings, application_name))
    with borrowed as connection, connection, connection.cursor() as cursor:
        yield cursor


@contextmanager
def pooled(settings: Settings, *, most: int = 4) -> Iterator[None]:
    """Let `transaction(settings)` reuse connections within the block, in all threads of this process.

    At most `most` idle connections are kept; a transaction that finds none of them idle opens another one, so
    none waits. They are closed at the end of the block, those still in use at the end of their transaction.
    Within an outer block for the same database, the outer pool is used. A forked child does not use the pool.
    """
    key = _pool_key(settings)
    pool = _Pool(settings, most)
    if _pools.setdefault(key, pool) is not pool:
        yield
        return
    try:
        yield
    finally:
        # In a forked child the pool is not registered: its connections belong to the parent.
        if _pools.pop(key, None) is pool:
            pool.close()


class _Pool:
    """Idle connections to one database, the most recently used first."""

    def __init__(self, settings: Settings, most: int) -> None:
        self._settings = settings
        self._idle: LifoQueue[Connection] = LifoQueue(most)
        self._closed = False

    @contextmanager
    def borrowed(self, application_name: str) -> Iterator[Connection]:
        """Yield a working connection with nothing left in its session from earlier uses."""
        connection = self._take(application_name)
        try:
            yield connection
        finally:
            self._put_back(connection)

    def close(self) -> None:
        """Close the idle connections, and from now on every one that is put back."""
        self._closed = True
        while (connection := self._next_idle()) is not None:
            connection.close()

    def _take(self, application_name: str) -> Connection:
        while (connection := self._next_idle()) is not None:
            if _succeeds(connection, "name_session", {"application_name": application_name}):
                return connection
            connection.close()
        return _open(self._settings, application_name, **_KEEPALIVES)

    def _put_back(self, connection: Connection) -> None:
        if self._closed or not _succeeds(connection, "reset_session"):
            connection.close()
            return
        try:
            self._idle.put_nowait(connection)
        except Full:
            connection.close()

    def _next_idle(self) -> Connection | None:
        try:
            return self._idle.get_nowait()
        except Empty:
            return None


_pools: dict[tuple[tuple[str, object], ...], _Pool] = {}
"""The open pools of this process, by the arguments of their connections."""
os.register_at_fork(after_in_child=_pools.clear)


def _pool_key(settings: Settings) -> tuple[tuple[str, object], ...]:
    return tuple(settings.postgres_connect_arguments().items())


def _open(settings: Settings, application_name: str, **further: int) -> Connection:
    arguments: dict[str, Any] = {**settings.postgres_connect_arguments(), **further}
    connection: Connection = psycopg2.connect(
        **arguments, application_name=application_name, connect_timeout=10
    )
    return connection


def _succeeds(connection: Connection, name: str, parameters: Mapping[str, object] | None = None) -> bool:
    """Run a named query outside of a transaction; return whether the connection could."""
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(query(name), parameters)
        connection.autocommit = False
    except psycopg2.Error:
        return False
    return True


@cache
def query(name: str) -> str:
    """Return the text of `sql/queries/<name>.sql`; its parameters are written `%(name)s`."""
    return (QUERIES / f"{name}.sql").read_text()


def postgres_away(settings: Settings, error: psycopg2.Error | str) -> NotReadyError:
    """Return the error to raise if Postgres does not answer, with the last line of `error`."""
    why = (str(error).strip() or type(error).__name__).splitlines()[-1].strip()
    server = f"{settings.postgres_host}:{settings.postgres_port}"
    return NotReadyError(f"Postgres does not answer at {server}. Start it and run this again. ({why})")
