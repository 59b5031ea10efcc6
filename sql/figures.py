"""The pipeline's figures, all computed by `sql/queries/figures.sql`, for `status` and for Prometheus."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from core.settings import Settings
from sql.connection import query, transaction
from sql.health import OpenAlert, alerts_by_kind, alerts_now

STATEMENT_SECONDS = 10


class Metric(NamedTuple):
    """A figure: its name without `groundswell_`, counter or gauge, unit, labels and meaning."""

    name: str
    kind: str
    unit: str
    labels: tuple[str, ...]
    meaning: str


METRICS = (
    Metric("kafka_records", "counter", "records", ("topic",), "records that Kafka has received: posts in"),
    Metric(
        "archived_records",
        "counter",
        "records",
        ("topic", "source"),
        "archived records by source: kafka or import",
    ),
    Metric("counted_posts", "counter", "posts", (), "distinct posts that detection has counted in windows"),
    Metric("rejected_records", "counter", "records", ("topic",), "rows of rejected_records"),
    Metric("late_posts", "counter", "posts", (), "posts that arrived after their window had closed"),
    Metric("duplicate_posts", "counter", "posts", (), "posts already counted in the same window"),
    Metric("lag_records", "gauge", "records", ("query",), "records in Kafka that a query has not committed"),
    Metric(
        "observed_timestamp_seconds",
        "gauge",
        "Unix seconds",
        ("query",),
        "when a query's progress was last observed",
    ),
    Metric("batches", "counter", "batches", ("query",), "batches that read at least one record"),
    Metric("input_records", "counter", "records", ("query",), "records read by batches"),
    Metric("busy_seconds", "counter", "seconds", ("query",), "duration of those batches"),
    Metric("last_batch_seconds", "gauge", "seconds", ("query",), "duration of the newest batch"),
    Metric("state_rows", "gauge", "rows", ("query",), "rows of state after that batch"),
    Metric("state_bytes", "gauge", "bytes", ("query",), "memory of that state"),
    Metric(
        "newest_event_timestamp_seconds", "gauge", "Unix seconds", (), "newest event time seen by detection"
    ),
    Metric(
        "closed_until_timestamp_seconds",
        "gauge",
        "Unix seconds",
        (),
        "event time before which windows are closed",
    ),
    Metric(
        "last_complete_day_timestamp_seconds",
        "gauge",
        "Unix seconds",
        (),
        "start of the last day with tables and statistics",
    ),
    Metric(
        "learned_minutes",
        "gauge",
        "minutes",
        ("judged_by",),
        "event time since the first window, at most 45: learning ends there",
    ),
    Metric("alerts", "gauge", "alerts", ("status",), "alerts by status: open, resolved, withdrawn"),
    Metric("operator_alerts", "gauge", "alerts", ("kind",), "open operator alerts"),
    Metric("table_bytes", "gauge", "bytes", ("table",), "size of a table with its indexes and partitions"),
    Metric("table_rows", "gauge", "rows", ("table",), "rows of a table as Postgres estimates them"),
)

Figures = Mapping[str, Mapping[tuple[str, ...], float]]
"""Value by name and labels; a figure that is not known yet has no value."""


def read_figures(settings: Settings) -> Figures:
    """Return all current figures; raises psycopg2.Error."""
    return _read(settings)[0]


def status_text(settings: Settings, *, now: datetime) -> str:
    """Return the current figures and open operator alerts as readable text; raises psycopg2.Error."""
    figures, alerts = _read(settings)
    return as_text(figures, now=now, alerts=alerts)


def status_rows(settings: Settings, *, now: datetime) -> list[tuple[str, str]]:
    """Return the same as rows of name and text; raises psycopg2.Error."""
    figures, alerts = _read(settings)
    return as_rows(figures, now=now, alerts=alerts)


def _read(settings: Settings) -> tuple[Figures, list[OpenAlert]]:
    figures: defaultdict[str, dict[tuple[str, ...], float]] = defaultdict(dict)
    with transaction(settings, application_name="groundswell figures") as cursor:
        cursor.execute(f"SET TRANSACTION READ ONLY; SET LOCAL statement_timeout = '{STATEMENT_SECONDS}s'")
        cursor.execute(
            query("figures"), {"posts_topic": settings.posts_topic, "rejected_topic": settings.rejected_topic}
        )
        for name, labels, value in cursor.fetchall():
            figures[name][tuple(labels)] = float(value)
        alerts = alerts_now(cursor, settings)
    figures["operator_alerts"] = alerts_by_kind(alerts)
    return figures, alerts


def as_text(figures: Figures, *, now: datetime, alerts: Sequence[OpenAlert] = ()) -> str:
    """Return the figures as readable text, with the largest tables and the open operator alerts."""
    return "\n".join(f"{name:<18}{text}" for name, text in as_rows(figures, now=now, alerts=alerts))


def as_rows(
    figures: Figures, *, now: datetime, alerts: Sequence[OpenAlert] = (), tables: int = 8
) -> list[tuple[str, str]]:
    """Return the figures as rows of name and text, with the `tables` largest tables and the open alerts."""
    rows = [
        ("posts in", _by_label(figures, "kafka_records")),
        ("archived", _by_label(figures, "archived_records")),
        ("counted", f"{_total(figures, 'counted_posts'):,.0f} posts"),
        ("rejected", _by_label(figures, "rejected_records")),
        (
            "late, duplicate",
            f"{_total(figures, 'late_posts'):,.0f}, {_total(figures, 'duplicate_posts'):,.0f} posts",
        ),
        *((f"query {name}", _query(figures, name, now)) for (name,) in figures.get("lag_records", {})),
        ("detection is at", _moment(figures, "newest_event_timestamp_seconds", "%Y-%m-%d %H:%M UTC")),
        ("judged by", _baseline(figures)),
        ("last complete day", _moment(figures, "last_complete_day_timestamp_seconds", "%Y-%m-%d")),
        ("alerts", _by_label(figures, "alerts")),
        ("largest tables", ", ".join(_largest(figures, tables))),
        *(
            ("for the operator", f"{alert.kind} since {alert.opened_at:%Y-%m-%d %H:%M} UTC: {alert.message}")
            for alert in alerts
        ),
    ]
    return [(name, text or "none") for name, text in rows]


def _total(figures: Figures, name: str) -> float:
    return sum(figures.get(name, {}).values())


def _by_label(figures: Figures, name: str) -> str:
    return ", ".join(f"{value:,.0f} {' by '.join(labels)}" for labels, value in figures.get(name, {}).items())


def _query(figures: Figures, name: str, now: datetime) -> str:
    age = now.timestamp() - figures["observed_timestamp_seconds"][(name,)]
    last = figures.get("last_batch_seconds", {}).get((name,))
    batch = "" if last is None else f", last batch {last:.1f} s"
    return f"{figures['lag_records'][(name,)]:,.0f} records behind as of {age:,.0f} s ago{batch}"


def _baseline(figures: Figures) -> str:
    """Return what the newest window is judged by."""
    return ", ".join(
        baseline_sentence(judged_by, minutes)
        for (judged_by,), minutes in figures.get("learned_minutes", {}).items()
    )


def baseline_sentence(judged_by: str, learned_minutes: float) -> str:
    """Return what windows are judged by, by the columns of the view `detection_baseline`.

    >>> baseline_sentence("learning", 25.0), baseline_sentence("first day", 45.0)
    ('learning: 25 of 45 minutes', 'first day: the windows before, until the first daily statistics')
    """
    if judged_by == "learning":
        return f"learning: {learned_minutes:.0f} of 45 minutes"
    if judged_by == "first day":
        return "first day: the windows before, until the first daily statistics"
    return judged_by


def _moment(figures: Figures, name: str, style: str) -> str:
    seconds = figures.get(name, {}).get(())
    return "" if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime(style)


def _largest(figures: Figures, count: int) -> Sequence[str]:
    sizes = sorted(figures.get("table_bytes", {}).items(), key=lambda size: -size[1])
    return [f"{table} {size / 1e6:,.1f} MB" for (table,), size in sizes[:count]]
