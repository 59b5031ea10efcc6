"""The supervisor without Spark: what it starts again, what it gives up, and when a query counts as caught up."""

import logging

import pytest
from kafka import TopicPartition

from core.errors import NotReadyError
from streaming.failures import first_line
from streaming.resume import starting_offsets
from streaming.supervisor import LONGEST_BACKOFF_SECONDS, MAX_CORRUPT_STARTS, Supervised, Supervisor
from tests.factories import settings_without_servers

SETTINGS = settings_without_servers(checkpoint_dir="/checkpoints")
DAMAGED = "[CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS] The state is gone."


class StoppedQuery:
    """A query that has stopped with an error as soon as it was started."""

    isActive = False
    recentProgress = ()

    def __init__(self, error: str) -> None:
        self._error = error

    def exception(self) -> str:
        return self._error


class RunningQuery(StoppedQuery):
    isActive = True


class NoBroker:
    """Kafka away."""

    def of(self, topics: list[str]) -> None:
        raise ConnectionResetError("no broker")


def supervisor_of(*queries: Supervised) -> Supervisor:
    supervisor = Supervisor(SETTINGS, list(queries))
    supervisor._ends = NoBroker()  # type: ignore[assignment]
    supervisor._reported_at = float("inf")
    return supervisor


def rounds(supervisor: Supervisor, count: int) -> None:
    for number in range(count):
        supervisor._round(1.0 + number * 2 * LONGEST_BACKOFF_SECONDS)


def test_a_query_with_a_damaged_checkpoint_is_given_up_and_the_other_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    starts = []
    damaged = Supervised("detect", ["posts"], lambda: starts.append(1) or StoppedQuery(DAMAGED))  # type: ignore
    healthy = Supervised("archive", ["posts"], lambda: RunningQuery(""))  # type: ignore
    with caplog.at_level(logging.ERROR):
        rounds(supervisor_of(damaged, healthy), 10)
    assert len(starts) == MAX_CORRUPT_STARTS
    assert (
        "detect: stopped for good: its checkpoint cannot be read. Stop this process, move /checkpoints/detect away"
        in caplog.text
    )
    assert healthy.fatal_error is None


def test_a_query_that_a_restart_may_help_is_started_again_and_again() -> None:
    starts = []
    failing = Supervised("detect", ["posts"], lambda: starts.append(1) or StoppedQuery("a server is away"))  # type: ignore
    rounds(supervisor_of(failing), 10)
    assert len(starts) >= 5 and failing.fatal_error is None


def test_where_no_query_can_go_on_the_process_ends() -> None:
    damaged = Supervised("detect", ["posts"], lambda: StoppedQuery(DAMAGED))  # type: ignore
    with pytest.raises(NotReadyError, match="its checkpoint cannot be read"):
        rounds(supervisor_of(damaged), 10)


def test_while_kafka_cannot_be_asked_a_query_is_not_caught_up() -> None:
    query = Supervised("detect", ["posts"], lambda: RunningQuery(""), caught_up_since=1.0)  # type: ignore
    supervisor_of(query)._round(1_000.0)
    assert query.caught_up_since is None


def test_a_new_archive_checkpoint_begins_behind_what_is_archived_within_what_kafka_holds() -> None:
    archived = {("posts", 0): 50, ("posts", 1): 3, ("posts", 2): 90}
    partitions = [TopicPartition("posts", number) for number in range(4)]
    begins = dict(zip(partitions, (0, 10, 0, 0), strict=True))
    ends = dict(zip(partitions, (60, 20, 40, 5), strict=True))
    assert starting_offsets(archived, begins, ends) == '{"posts": {"0": 50, "1": 10, "2": 0, "3": 0}}'


def test_the_log_says_why_a_batch_failed_in_python() -> None:
    error = (
        "An exception was raised by the Python Proxy. Return Message: Traceback (most recent call last):\n"
        '  File "detect.py", line 1, in write_batch\npsycopg2.OperationalError: server closed the connection\n\n\tat java.base/x'
    )
    assert first_line(error) == "psycopg2.OperationalError: server closed the connection"


def test_without_its_jvm_the_process_ends_whatever_the_queries_do() -> None:
    query = Supervised("detect", ["posts"], lambda: StoppedQuery("a server is away"))  # type: ignore
    with pytest.raises(NotReadyError, match="Spark's Java process has ended"):
        Supervisor(SETTINGS, [query], has_jvm_ended=lambda: True).run()


def test_what_the_operator_has_to_know_is_looked_at_twice_a_minute_and_a_look_that_fails_harms_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    looked = []

    def look(queries: list[Supervised]) -> None:
        looked.append([query.name for query in queries])
        raise OSError("no server")

    queries = [Supervised("archive", ["posts"], lambda: RunningQuery(""))]  # type: ignore
    supervisor = Supervisor(SETTINGS, queries, check_health=look)
    supervisor._ends = NoBroker()  # type: ignore[assignment]
    for now in (100.0, 110.0, 129.0, 131.0):
        supervisor._round(now)
    assert looked == [["archive"], ["archive"]]
    assert caplog.text.count("alerts for the operator cannot be written: OSError: no server") == 2
