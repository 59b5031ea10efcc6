"""The supervisor without Spark: what it restarts, what it stops for good, and when a query is caught up."""

import json
import logging
import random
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from kafka import TopicPartition

from core.errors import NotReadyError
from streaming.failures import first_line
from streaming.resume import starting_offsets
from streaming.supervised import LONGEST_BACKOFF_SECONDS, QuerySpec, Supervised
from streaming.supervisor import MAX_CORRUPT_STARTS, Supervisor
from tests.factories import settings_without_servers

SETTINGS = settings_without_servers(checkpoint_dir="/checkpoints")
CORRUPT = "[CANNOT_LOAD_STATE_STORE.CANNOT_READ_DELTA_FILE_NOT_EXISTS] The state is gone."


class StoppedQuery:
    """A query that stops with an error as soon as it is started."""

    isActive = False
    lastProgress = None
    recentProgress = ()

    def __init__(self, error: str = "a server is down") -> None:
        self._error = error

    def exception(self) -> str:
        return self._error


class RunningQuery(StoppedQuery):
    isActive = True


class NoBroker:
    """Kafka while it is down."""

    def end_offsets(self, topics: list[str]) -> None:
        raise ConnectionResetError("no broker")


def a_query(name: str, start: Callable[[], Any], **state: Any) -> Supervised:
    return Supervised(QuerySpec(name, ["posts"], start), **state)


def supervisor_of(*queries: Supervised) -> Supervisor:
    supervisor = Supervisor(SETTINGS, list(queries))
    supervisor._ends = NoBroker()  # type: ignore[assignment]
    supervisor._reported_at = float("inf")
    return supervisor


def rounds(supervisor: Supervisor, count: int) -> None:
    for number in range(count):
        supervisor._round(1.0 + number * 2 * LONGEST_BACKOFF_SECONDS)


def test_a_query_with_a_corrupt_checkpoint_is_stopped_for_good_and_the_other_keeps_running(
    caplog: pytest.LogCaptureFixture,
) -> None:
    starts: list[int] = []
    corrupt = a_query("detect", lambda: starts.append(1) or StoppedQuery(CORRUPT))  # type: ignore[func-returns-value]
    healthy = a_query("archive", RunningQuery)
    with caplog.at_level(logging.ERROR):
        rounds(supervisor_of(corrupt, healthy), 10)
    assert len(starts) == MAX_CORRUPT_STARTS
    assert (
        "detect: stopped for good: its checkpoint cannot be read. "
        "Stop this process, move /checkpoints/detect away" in caplog.text
    )
    assert healthy.fatal_error is None


def test_a_query_that_a_restart_may_help_is_restarted_again_and_again() -> None:
    starts: list[int] = []
    failing = a_query("detect", lambda: starts.append(1) or StoppedQuery())  # type: ignore[func-returns-value]
    rounds(supervisor_of(failing), 10)
    assert len(starts) >= 5
    assert failing.fatal_error is None


def test_the_process_ends_when_no_query_can_continue() -> None:
    corrupt = a_query("detect", lambda: StoppedQuery(CORRUPT))
    with pytest.raises(NotReadyError, match="its checkpoint cannot be read"):
        rounds(supervisor_of(corrupt), 10)


def test_a_query_is_not_caught_up_while_kafka_is_down(caplog: pytest.LogCaptureFixture) -> None:
    query = a_query("detect", RunningQuery, caught_up_since=1.0)
    supervisor_of(query)._round(1_000.0)
    assert query.caught_up_since is None
    assert "detect: cannot record its progress: ConnectionResetError: no broker" in caplog.text


class Report:
    """A report of Spark on a batch."""

    def __init__(self, batch_id: int, rows: int) -> None:
        self.json = json.dumps({"batchId": batch_id, "numInputRows": rows})


class ReportingQuery:
    """A query with reports; counts how often all of them were read."""

    isActive = True

    def __init__(self) -> None:
        self.reports: list[Report] = []
        self.batches = 0
        self.reads = 0

    def report(self, *, rows: int) -> None:
        """Report a batch, or without rows that there was none: Spark then names the batch to come."""
        self.reports.append(Report(self.batches, rows))
        self.batches += rows > 0

    @property
    def lastProgress(self) -> Report | None:
        return self.reports[-1] if self.reports else None

    @property
    def recentProgress(self) -> list[Report]:
        self.reads += 1
        return self.reports[-20:]


@pytest.mark.parametrize("most_batches_between", [1, 2, 9])
def test_each_batch_that_read_something_is_reported_once(most_batches_between: int) -> None:
    rng = random.Random(most_batches_between)
    query = ReportingQuery()
    supervised = Supervised(QuerySpec("detect", ["posts"], start=lambda: cast(Any, query)))
    supervised.keep_running(0.0)
    assert supervised.take_reports() == []
    taken = []
    for _ in range(50):
        for _ in range(rng.randint(0, most_batches_between)):
            query.report(rows=rng.choice([0, 5]))
        reports = supervised.take_reports()
        taken += [report["batchId"] for report in reports if report["numInputRows"]]
        assert bool(reports) == bool(query.reports)
    assert list(dict.fromkeys(taken)) == list(range(query.batches))
    assert (query.reads == 0) == (most_batches_between == 1)


def test_a_new_archive_checkpoint_starts_after_what_is_archived_within_what_kafka_holds() -> None:
    archived = {("posts", 0): 50, ("posts", 1): 3, ("posts", 2): 90}
    partitions = [TopicPartition("posts", number) for number in range(4)]
    begins = dict(zip(partitions, (0, 10, 0, 0), strict=True))
    ends = dict(zip(partitions, (60, 20, 40, 5), strict=True))
    assert starting_offsets(archived, begins, ends) == '{"posts": {"0": 50, "1": 10, "2": 0, "3": 0}}'


def test_the_log_says_why_a_batch_failed_in_python() -> None:
    error = (
        "An exception was raised by the Python Proxy. Return Message: Traceback (most recent call last):\n"
        '  File "detect.py", line 1, in write_batch\n'
        "psycopg2.OperationalError: server closed the connection\n\n\tat java.base/x"
    )
    assert first_line(error) == "psycopg2.OperationalError: server closed the connection"


def test_the_process_ends_when_its_jvm_has_ended() -> None:
    query = a_query("detect", StoppedQuery)
    with pytest.raises(NotReadyError, match="Spark's Java process has ended"):
        Supervisor(SETTINGS, [query], has_jvm_ended=lambda: True).run()


def test_health_is_checked_twice_a_minute_and_a_check_that_fails_does_no_harm(
    caplog: pytest.LogCaptureFixture,
) -> None:
    checked = []

    def check(queries: Sequence[Supervised]) -> None:
        checked.append([query.name for query in queries])
        raise OSError("no server")

    supervisor = Supervisor(SETTINGS, [a_query("archive", RunningQuery)], check_health=check)
    supervisor._ends = NoBroker()  # type: ignore[assignment]
    for now in (100.0, 110.0, 129.0, 131.0):
        supervisor._round(now)
    assert checked == [["archive"], ["archive"]]
    assert caplog.text.count("cannot write operator alerts: OSError: no server") == 2
