"""Laws of the figures: status and Prometheus agree, totals never shrink, and an outage is a figure too."""

import re
import socket
import threading
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from typer.testing import CliRunner

from core.settings import Settings
from sql.commands import app
from sql.connection import query, transaction
from sql.figures import METRICS, as_text, read_figures
from sql.metrics import serve
from tests.kafka_posts import environment

OPERATIONS = Path(__file__).parents[2] / "docs" / "operations.md"
WORLD = """
INSERT INTO pipeline_progress VALUES
    ('archive', 'P', 0, 90, 100, '2026-01-06 12:00Z'), ('archive', 'P', 1, 50, 50, '2026-01-06 12:00Z'),
    ('archive', 'R', 0, 3, 3, '2026-01-06 12:00Z'), ('detect', 'P', 0, 100, 100, '2026-01-06 12:00:30Z');
INSERT INTO pipeline_metrics VALUES
    ('2026-01-01 00:00Z', 'detect', 1, 60, 1500, 0, NULL, 2, 3, 10, 1000),
    ('2026-01-01 00:01Z', 'detect', 2, 40, 500, 0, NULL, 1, 1, 20, 2000);
INSERT INTO traffic_windows VALUES ('2026-01-06 10:00Z', 40), ('2026-01-06 10:15Z', 50);
INSERT INTO rejected_records VALUES ('P', 0, 7, '2026-01-06 10:00Z', 'time_stamp is missing', '{}');
INSERT INTO archive_imports (file_number, sha256, partition, file, bytes, posts, rejected)
VALUES (1, repeat('a', 64), -5, 'a.ndjson', 10, 7, 2);
INSERT INTO batch_days (day, loaded_at, status, fitted_at) VALUES
    ('2026-01-04', now(), 'fitted', now()), ('2026-01-05', now(), 'fitted', now()),
    ('2026-01-06', now(), NULL, NULL);
INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule)
VALUES ('2026-01-06 10:20Z', '2026-01-06 10:00Z', 'keywords-2');
"""
EXPECTED = {
    "kafka_records": {("P",): 150, ("R",): 3},
    "archived_records": {("P", "kafka"): 140, ("R", "kafka"): 3, ("P", "import"): 7, ("R", "import"): 2},
    "counted_posts": {(): 90},
    "rejected_records": {("P",): 1},
    "late_posts": {(): 3},
    "duplicate_posts": {(): 4},
    "lag_records": {("archive",): 10, ("detect",): 0},
    "batches": {("detect",): 2},
    "input_records": {("detect",): 100},
    "busy_seconds": {("detect",): 2.0},
    "last_batch_seconds": {("detect",): 0.5},
    "state_bytes": {("detect",): 2000},
    "alerts": {("open",): 0, ("resolved",): 0, ("withdrawn",): 0},
    "last_complete_day_timestamp_seconds": {(): datetime(2026, 1, 5, tzinfo=UTC).timestamp()},
    "newest_event_timestamp_seconds": {(): datetime(2026, 1, 6, 10, 20, tzinfo=UTC).timestamp()},
}


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Settings:
    settings = module_settings.model_copy(update={"posts_topic": "P", "rejected_topic": "R"})
    with transaction(settings) as cursor:
        cursor.execute(WORLD)
    return settings


@pytest.fixture
def scrape(world: Settings) -> Iterator[str]:
    """The URL of a running endpoint."""
    yield from _endpoint(world)


def _endpoint(settings: Settings) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stop = threading.Event()
    thread = threading.Thread(
        target=serve, args=(settings,), kwargs={"address": "127.0.0.1", "port": port, "stop": stop}
    )
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}/metrics"
    finally:
        stop.set()
        thread.join(10)


def scraped(address: str) -> dict[str, dict[tuple[str, ...], float]]:
    """Return values by name and labels, as Prometheus reads them."""
    for _ in range(100):
        try:
            text = urllib.request.urlopen(address, timeout=5).read().decode()
            break
        except OSError:
            threading.Event().wait(0.05)
    return {
        family.name.removeprefix("groundswell_"): {
            tuple(sample.labels.values()): sample.value for sample in family.samples
        }
        for family in text_string_to_metric_families(text)
    }


def test_the_figures_match_the_tables(world):
    figures = read_figures(world)
    assert {name: figures[name] for name in EXPECTED} == EXPECTED
    assert figures["table_bytes"][("traffic_windows",)] > 0


def test_prometheus_reads_the_figures_of_status_under_the_documented_names_and_types(world, scrape):
    figures = scraped(scrape)
    assert figures.pop("up") == {(): 1}
    known = {
        name: {tuple(labels): value for labels, value in values.items()}
        for name, values in read_figures(world).items()
    }
    steady = set(known) - {"table_bytes", "table_rows"}
    # The parser sorts labels by name, which puts source before topic.
    assert {name: sorted(values.values()) for name, values in figures.items() if name in steady} == {
        name: sorted(known[name].values()) for name in steady
    }
    assert set(figures) == {metric.name for metric in METRICS}


def test_every_metric_is_documented_with_type_and_unit():
    documented = set(
        re.findall(
            r"^\| `groundswell_(\w+?)(?:_total)?` \| (\w+) \| ([\w ]+) \| ([\w, ]*) \|",
            OPERATIONS.read_text(),
            re.M,
        )
    )
    metrics = {(metric.name, metric.kind, metric.unit, ", ".join(metric.labels)) for metric in METRICS}
    assert documented == metrics | {("up", "gauge", "0 or 1", "")}


def test_the_endpoint_listens_on_loopback_only(world, scrape):
    scraped(scrape)
    port = int(scrape.split(":")[2].split("/")[0])
    listening = [
        one.laddr for one in psutil.Process().net_connections("inet") if one.status == psutil.CONN_LISTEN
    ]
    assert {address.ip for address in listening if address.port == port} == {"127.0.0.1"}


def test_while_postgres_is_away_up_is_0(world):
    for address in _endpoint(world.model_copy(update={"postgres_port": 1})):
        assert scraped(address) == {"up": {(): 0}}


def test_forgotten_metrics_stay_in_the_totals(world):
    with transaction(world) as cursor:
        before = read_figures(world)["late_posts"]
        cursor.execute(query("forget_metrics"), {"query": "detect", "days": 14})
        cursor.execute(query("forget_metrics"), {"query": "detect", "days": 14})
    with transaction(world) as cursor:
        cursor.execute("SELECT count(*) FROM pipeline_metrics")
        assert cursor.fetchone() == (0,)
    after = read_figures(world)
    assert (before, after["late_posts"], after["batches"]) == ({(): 3}, {(): 3}, {("detect",): 2})


def test_status_is_readable_text(world, monkeypatch):
    text = as_text(read_figures(world), now=datetime(2026, 1, 6, 12, 1, tzinfo=UTC))
    assert "posts in          150 P, 3 R" in text
    assert "archived          7 P by import, 140 P by kafka" in text
    assert "query archive     10 records behind as of 60 s ago" in text
    assert "last complete day 2026-01-05" in text
    for name, value in environment(world).items():
        monkeypatch.setenv(name, value)
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 0 and "posts in          150 P, 3 R" in result.output


def test_status_of_an_empty_database_is_no_error(settings):
    assert "posts in          none" in as_text(read_figures(settings), now=datetime.now(UTC))
