"""Operator alerts on a real Postgres: one row per occurrence, also shown by status and metrics."""

import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg2
import pytest
from kafka import TopicPartition
from prometheus_client import CollectorRegistry, generate_latest

from core.health import Kind
from core.settings import Settings
from sql.connection import transaction
from sql.figures import status_text
from sql.metrics import FiguresCollector
from streaming.health import HealthChecks
from streaming.progress import QueryProgress, observed_now, save_progress
from streaming.supervised import Counters, QuerySpec, Supervised
from tests.tables import rows

PARTITION = TopicPartition("posts", 0)


def a_query(lag_records: int, **changes: Any) -> Supervised:
    """Return detection as it is after a batch; it is not started."""
    progress = QueryProgress("detect", {PARTITION: 0}, {PARTITION: lag_records}, observed_now())
    start: Any = lambda: SimpleNamespace(isActive=True)  # noqa: E731
    return Supervised(QuerySpec("detect", ["posts"], start), progress=progress, **changes)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A world whose disks are never nearly full, whatever the machine."""
    return settings.model_copy(update={"operator_disk_share": 1.0})


def test_an_alert_is_a_row_that_opens_refreshes_and_resolves_and_the_next_alert_is_a_new_row(
    settings, caplog
):
    alerts = HealthChecks(settings)
    with caplog.at_level(logging.INFO):
        for lag_records in (99_999, 100_000, 250_000, 60_000, 40_000, 40_000, 120_000):
            alerts.run([a_query(lag_records)])
    found = rows(
        settings,
        'SELECT kind, subject, value, "limit", message, resolved_at IS NULL '
        "FROM operator_alerts ORDER BY opened_at",
    )
    sentence = (
        "detect is {} records behind: wait if it is catching up after an outage or a replay, "
        "otherwise give it more cores."
    )
    assert found == [
        ("lag", "detect", 60_000, 100_000, sentence.format("60,000"), False),
        ("lag", "detect", 120_000, 100_000, sentence.format("120,000"), True),
    ]
    assert re.findall(r"operator alert (\w+): lag of detect", caplog.text) == ["opened", "resolved", "opened"]


def test_every_kind_that_the_stream_checks_is_stored_counted_and_shown(settings):
    with transaction(settings) as cursor:
        cursor.execute("""
            INSERT INTO rejected_records
            SELECT 'P', 0, number, now(), 'time_stamp is missing', '{}' FROM generate_series(1, 60) AS number;
            INSERT INTO pipeline_metrics VALUES (now(), 'archive', 1, 400, 100, 0, NULL, 0, 0, 0, 0);
            INSERT INTO batch_days (day, loaded_at, status, fitted_at)
            VALUES ('2026-01-03', now(), 'fitted', now());
            INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule)
            VALUES ('2026-01-06 12:00Z', '2026-01-06 11:45Z', 'keywords-2');
        """)
        save_progress(cursor, QueryProgress("archive", {PARTITION: 0}, {PARTITION: 0}, observed_now()))
        cursor.execute("UPDATE pipeline_progress SET observed_at = now() - interval '10 minutes'")
    full = settings.model_copy(update={"operator_disk_share": 0.000001, "posts_topic": "P"})
    failed = a_query(200_000, counters=Counters(restarts=2), fatal_error="its checkpoint cannot be read.")
    HealthChecks(full).run([failed])
    found = {
        kind: (subject, value)
        for kind, subject, value in rows(
            full, "SELECT kind, subject, round(value::numeric, 3)::float8 FROM operator_alerts"
        )
    }
    disk, _ = found.pop("disk nearly full")
    assert Path(disk) == Path(settings.checkpoint_dir)
    assert found == {
        "query restarted": ("detect", 2),
        "query stopped": ("detect", 1),
        "lag": ("detect", 200_000),
        "rejected share": ("P", 0.06),
        "statistics stale": ("batch", 2.5),
    }
    registry = CollectorRegistry(auto_describe=False)
    registry.register(FiguresCollector(settings))
    metrics = dict(
        re.findall(
            r'^groundswell_operator_alerts\{kind="(.+)"\} (\S+)$', generate_latest(registry).decode(), re.M
        )
    )
    assert metrics == {kind.value: "1.0" for kind in Kind}
    text = status_text(settings, now=observed_now())
    assert "UTC: detect is stopped for good: its checkpoint cannot be read." in text
    assert re.search(
        r"for the operator  stream stalled since .* UTC: No progress of archive for 60\d s: start",
        text,
    )


def test_before_anything_has_run_no_alert_opens(settings):
    HealthChecks(settings).run([])
    assert rows(settings, "SELECT * FROM operator_alerts") == []
    assert "for the operator" not in status_text(settings, now=observed_now())


def test_restarts_while_postgres_is_down_are_remembered(settings):
    alerts = HealthChecks(settings)
    alerts._settings = settings.model_copy(update={"postgres_port": 1})
    with pytest.raises(psycopg2.OperationalError):
        alerts.run([a_query(0, counters=Counters(restarts=1))])
    alerts._settings = settings
    alerts.run([a_query(0, counters=Counters(restarts=1))])
    assert rows(settings, "SELECT kind, value FROM operator_alerts") == [("query restarted", 1)]
