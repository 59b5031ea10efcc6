"""Laws of the pool: a connection serves many transactions, is replaced when lost, and is clean each time."""

import os
import threading
from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from core.settings import Settings
from sql.connection import connect, pooled, transaction
from tests.tables import rows


@pytest.fixture
def in_pool(settings: Settings) -> Iterator[Settings]:
    with pooled(settings):
        yield settings


def backend(settings: Settings) -> int:
    with transaction(settings) as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (number,) = cursor.fetchone() or (0,)
        return int(number)


def backends(settings: Settings) -> int:
    """Connections to the database besides the one that counts."""
    with closing(connect(settings)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) - 1 FROM pg_stat_activity WHERE datname = current_database() "
            "AND backend_type = 'client backend'"
        )
        (number,) = cursor.fetchone() or (0,)
        return int(number)


def test_transactions_share_a_connection_and_have_their_own_names(in_pool: Settings) -> None:
    first = backend(in_pool)
    assert {backend(in_pool) for _ in range(10)} == {first}
    with transaction(in_pool, application_name="groundswell test") as cursor:
        cursor.execute("SELECT pg_backend_pid(), current_setting('application_name')")
        assert cursor.fetchone() == (first, "groundswell test")
    assert rows(in_pool, "SELECT current_setting('application_name')") == [("groundswell",)]


def test_outside_of_the_block_and_for_other_databases_each_transaction_has_its_own_connection(
    settings: Settings,
) -> None:
    other = settings.model_copy(update={"postgres_database": settings.catalog_database})
    with pooled(settings):
        assert backend(other) != backend(other)
        assert backends(other) == 0
    assert backend(settings) != backend(settings)


def test_a_terminated_connection_is_replaced(in_pool: Settings) -> None:
    first = backend(in_pool)
    with closing(connect(in_pool)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", (first,))
        assert cursor.fetchone() == (True,)
    second = backend(in_pool)
    assert second != first
    assert backend(in_pool) == second


def test_a_connection_that_is_lost_in_a_transaction_fails_it_and_is_replaced(in_pool: Settings) -> None:
    with pytest.raises(psycopg2.Error), transaction(in_pool) as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    assert backend(in_pool) == backend(in_pool)


def insert_and_fail(settings: Settings) -> None:
    with transaction(settings) as cursor:
        cursor.execute("INSERT INTO watchlist (phrase) VALUES ('y')")
        raise IndexError


def test_an_error_rolls_back_and_leaves_the_connection_clean(in_pool: Settings) -> None:
    first = backend(in_pool)
    with pytest.raises(psycopg2.errors.DivisionByZero):
        rows(in_pool, "INSERT INTO watchlist (phrase) VALUES ('x'); SELECT 1 / 0")
    with pytest.raises(IndexError):
        insert_and_fail(in_pool)
    assert rows(in_pool, "SELECT phrase FROM watchlist") == []
    assert backend(in_pool) == first


def test_a_use_leaves_nothing_in_the_session(in_pool: Settings) -> None:
    with transaction(in_pool) as cursor:
        cursor.execute(
            "SET work_mem = '1MB'; SET TIME ZONE 'Asia/Tokyo'; CREATE TEMPORARY TABLE left_behind (n int)"
        )
        cursor.execute("SELECT pg_advisory_lock(77)")
    with transaction(in_pool) as cursor:
        cursor.execute(
            "SELECT current_setting('TimeZone'), current_setting('jit'), to_regclass('left_behind')"
        )
        assert cursor.fetchone() == ("UTC", "off", None)
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        assert cursor.fetchone() == (0,)
        cursor.execute("SHOW work_mem")
        assert cursor.fetchone() != ("1MB",)


def test_a_role_that_every_session_starts_with_stays(settings: Settings) -> None:
    role = settings.postgres_database
    rows(settings, f"CREATE ROLE {role} LOGIN PASSWORD 'secret'; GRANT groundswell_analyst TO {role}")
    rows(settings, f"ALTER ROLE {role} SET role = groundswell_analyst")
    try:
        login = Settings(**{**settings.model_dump(), "postgres_user": role, "postgres_password": "secret"})
        with pooled(login):
            for _ in range(2):
                assert rows(login, "SELECT session_user, current_user") == [(role, "groundswell_analyst")]
    finally:
        rows(settings, f"DROP ROLE {role}")


def test_the_pool_is_closed_with_its_block_and_keeps_no_more_than_asked_for(settings: Settings) -> None:
    with pooled(settings, most=2):
        with transaction(settings), transaction(settings), transaction(settings):
            assert backends(settings) == 3
        with pooled(settings):
            backend(settings)
        wait_for_backends(settings, 2)
    assert len({backend(settings) for _ in range(3)}) == 3
    wait_for_backends(settings, 0)


def test_a_transaction_that_outlives_the_block_is_committed_and_its_connection_closed(
    settings: Settings,
) -> None:
    begun, ended = threading.Event(), threading.Event()

    def insert() -> None:
        with transaction(settings) as cursor:
            cursor.execute("INSERT INTO watchlist (phrase) VALUES ('late')")
            begun.set()
            ended.wait(30)

    with pooled(settings):
        thread = threading.Thread(target=insert)
        thread.start()
        assert begun.wait(30)
    ended.set()
    thread.join(30)
    assert rows(settings, "SELECT phrase FROM watchlist") == [("late",)]
    wait_for_backends(settings, 0)


def test_threads_never_share_a_connection_in_use(in_pool: Settings) -> None:
    barrier = threading.Barrier(6)
    failed: list[BaseException] = []

    def work(number: int) -> None:
        try:
            barrier.wait(30)
            for _ in range(20):
                with transaction(in_pool, application_name=f"thread {number}") as cursor:
                    cursor.execute("SELECT current_setting('application_name'), pg_sleep(0.001)")
                    assert cursor.fetchone() == (f"thread {number}", "")
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_opens_its_own_connections_and_leaves_those_of_its_parent_open(
    in_pool: Settings,
) -> None:
    first = backend(in_pool)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            code = 0 if backend(in_pool) != first else 2
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend(in_pool) == first


def wait_for_backends(settings: Settings, count: int) -> None:
    """Wait until `count` connections are left: the server ends a session a moment after its client."""
    for _ in range(100):
        if backends(settings) == count:
            return
        threading.Event().wait(0.05)
    pytest.fail(f"{backends(settings)} connections are left, not {count}")
