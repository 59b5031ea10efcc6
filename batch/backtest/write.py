"""Write the CSV files of a backtest on counts: every row of the input with its verdict, and the alerts."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from batch.backtest.counts import CountsTable
from batch.backtest.walk import JudgedRows
from core.errors import BadInputError
from detection.lifecycle import LifecycleRule
from detection.tracker import TrackedAlert

_SCORES = pa.schema(
    [
        ("window_start", pa.string()),
        ("keyword", pa.string()),
        ("posts", pa.int64()),
        ("expected", pa.float64()),
        ("scale", pa.float64()),
        ("score", pa.float64()),
        ("anomalous", pa.bool_()),
    ]
)
_ALERTS = pa.schema(
    [
        ("keyword", pa.string()),
        ("opened_window", pa.string()),
        ("last_window", pa.string()),
        ("resolved_window", pa.string()),
        ("peak_score", pa.float64()),
        ("posts", pa.int64()),
    ]
)


@dataclass
class ScoresSummary:
    """How many rows were judged, and how many of them are anomalies."""

    rows: int = 0
    anomalous: int = 0


@contextmanager
def _writer(path: Path, schema: pa.Schema) -> Iterator[csv.CSVWriter]:
    try:
        with csv.CSVWriter(
            str(path), schema, write_options=csv.WriteOptions(quoting_style="needed")
        ) as writer:
            yield writer
    except OSError as error:
        raise BadInputError(f"{path} cannot be written: {error}. Give another path.") from error


def write_scores(
    path: Path, table: CountsTable, judged: Iterable[JudgedRows], summary: ScoresSummary
) -> Iterator[tuple[int, TrackedAlert]]:
    """Write the judged rows as they come, count them in `summary`, and yield the alerts that ended."""
    with _writer(path, _SCORES) as writer:
        for rows in judged:
            columns = [
                _times(pa.array(rows.window), table),
                table.keywords.take(pa.array(rows.keyword)),
                pa.array(rows.posts).cast(pa.int64()),
                *(pa.array(values) for values in (rows.expected, rows.scale, rows.score, rows.anomalous)),
            ]
            writer.write_table(pa.table(columns, schema=_SCORES))
            summary.rows += len(rows.posts)
            summary.anomalous += int(rows.anomalous.sum())
            yield from rows.ended


def write_alerts(
    path: Path, table: CountsTable, alerts: Iterable[tuple[int, TrackedAlert]], rule: LifecycleRule
) -> None:
    """Write alerts in order of their first window.

    `resolved_window` is the first window after the quiet ones that ended the alert, at whose start it was
    resolved; it is empty for an alert that was still running.
    """
    ordered = sorted(alerts, key=lambda pair: (pair[1].opened, pair[0]))
    resolved = [alert.last + 1 + rule.quiet_windows if alert.resolved else None for _, alert in ordered]
    columns = [
        table.keywords.take(pa.array([keyword for keyword, _ in ordered], pa.int64())),
        _times(pa.array([alert.opened for _, alert in ordered], pa.int64()), table),
        _times(pa.array([alert.last for _, alert in ordered], pa.int64()), table),
        _times(pa.array(resolved, pa.int64()), table),
        pa.array([max(window.score for window in alert.windows) for _, alert in ordered], pa.float64()),
        pa.array([sum(window.posts for window in alert.windows) for _, alert in ordered], pa.int64()),
    ]
    with _writer(path, _ALERTS) as writer:
        writer.write_table(pa.table(columns, schema=_ALERTS))


def _times(windows: pa.Array, table: CountsTable) -> pa.Array:
    """Return the starts of windows as ISO 8601 in UTC."""
    seconds = pc.multiply(windows, table.seasonality.window_seconds).cast(pa.timestamp("s"))
    return pc.strftime(seconds, format="%Y-%m-%dT%H:%M:%SZ")
