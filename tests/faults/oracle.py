"""The oracle: what archive and tables must hold, counted in plain Python from the bytes that were sent."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.settings import Settings
from sql.connection import transaction
from sql.lake import open_archive
from tests.faults.feed import WINDOW_SECONDS, Record, window_of

Position = tuple[str, int, int]
"""Topic, partition, offset."""
Alerts = list[tuple[object, ...]]

_ALERTS = """
SELECT keyword, status, opened_window, last_window, resolved_at, posts, expected, peak_score,
       distinct_authors, first_post_id, latest_post_id, top_post_id
FROM anomaly_alerts WHERE status <> 'withdrawn' ORDER BY keyword, opened_window
"""
_ALERT_WINDOWS = """
SELECT keyword, window_start, alert_windows.posts
FROM alert_windows JOIN anomaly_alerts USING (alert_id)
WHERE closed
"""


@dataclass
class Expected:
    """What the records that were sent imply."""

    records: dict[Position, Record]
    rejected: set[Position] = field(default_factory=set)
    usable: int = 0
    counted: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of post and window that arrived in time."""
    late: set[tuple[int, int]] = field(default_factory=set)
    """Pairs that arrived only after their window had closed."""
    words: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Distinct posts by word and window."""

    @property
    def duplicates(self) -> int:
        """Number of usable deliveries beyond the first in their window."""
        return self.usable - len(self.counted) - len(self.late)


@dataclass
class Audit:
    """The result of an audit in numbers, with a sentence for every problem."""

    records: int = 0
    archived: int = 0
    counted: int = 0
    rejected: int = 0
    late: int = 0
    duplicates: int = 0
    lost: int = 0
    doubled: int = 0
    alerts: int = 0
    expected_alerts: int = 0
    problems: list[str] = field(default_factory=list)


def expected_of(sent: Sequence[tuple[Position, Record]], posts_topic: str) -> Expected:
    """Count what was sent, in order."""
    expected = Expected(dict(sent))
    for position, record in sent:
        if record.rejected or record.value is None or position[0] != posts_topic:
            expected.rejected.add(position)
            continue
        post = json.loads(record.value)
        pair = (int(post["itemInfos"]["id"]), window_of(post["time_stamp"]))
        expected.usable += 1
        if record.late and pair not in expected.counted:
            expected.late.add(pair)
        elif not record.late and pair not in expected.counted:
            expected.counted.add(pair)
            expected.words.update((word, pair[1]) for word in set(post["itemInfos"]["text"].split()))
    return expected


def audit(settings: Settings, sent: Sequence[tuple[Position, Record]]) -> Audit:
    """Compare archive and tables with what was sent; `compare_alerts` compares alerts."""
    expected = expected_of(sent, settings.posts_topic)
    result = Audit(records=len(expected.records))
    _audit_archive(settings, expected, result)
    _audit_tables(settings, expected, result)
    result.late = len(expected.counted) + len(expected.late) - result.counted
    result.duplicates = expected.duplicates
    rest = result.archived - result.counted - result.rejected - result.late - result.duplicates
    _note(result, rest != 0, f"archived - counted - rejected - late - duplicates is {rest} records, not 0")
    _note(
        result,
        result.late != len(expected.late),
        f"{result.late} posts are late, {len(expected.late)} were sent late",
    )
    return result


def compare_alerts(
    result: Audit, alerts: Alerts, undisturbed: Alerts, planted: Sequence[tuple[str, datetime]]
) -> None:
    """Check that alerts are those of an undisturbed run and that every planted burst is among them."""
    result.alerts, result.expected_alerts = len(alerts), len(undisturbed)
    missing, more = set(undisturbed) - set(alerts), set(alerts) - set(undisturbed)
    _note(
        result,
        bool(missing or more),
        f"{len(missing)} alerts differ from a run without the fault: {sorted(map(str, missing | more))[:2]}",
    )
    opened = {(alert[0], alert[2]) for alert in alerts}
    silent = [word for word, start in planted if (word, start) not in opened]
    _note(result, bool(silent), f"planted bursts without an alert: {silent[:3]}")


def alerts_of(settings: Settings) -> Alerts:
    """Return the alerts in the tables, without what depends on the time of writing."""
    with transaction(settings) as cursor:
        cursor.execute(_ALERTS)
        return cursor.fetchall()


def _audit_archive(settings: Settings, expected: Expected, result: Audit) -> None:
    with open_archive(settings) as database:
        rows = database.execute('SELECT topic, "partition", "offset", value FROM raw_posts').fetchall()
    counts = Counter(row[:3] for row in rows)
    values = {row[:3]: row[3] for row in rows}
    result.archived = len(rows)
    result.lost = len(expected.records.keys() - counts.keys())
    result.doubled = sum(counts.values()) - len(counts)
    altered = sum(
        position in values and values[position] != record.value
        for position, record in expected.records.items()
    )
    _note(result, result.lost > 0, f"{result.lost} records are not in the archive")
    _note(result, result.doubled > 0, f"{result.doubled} rows are duplicated in the archive")
    _note(result, altered > 0, f"{altered} records are not archived byte for byte")
    unknown = len(counts.keys() - expected.records.keys())
    _note(result, unknown > 0, f"{unknown} records in the archive were never sent")


def _audit_tables(settings: Settings, expected: Expected, result: Audit) -> None:
    with transaction(settings) as cursor:
        cursor.execute("SELECT window_start, posts FROM traffic_windows")
        by_window = {window_of(start.timestamp()): posts for start, posts in cursor.fetchall()}
        cursor.execute('SELECT topic, partition, "offset" FROM rejected_records')
        rejected = Counter(cursor.fetchall())
        cursor.execute(_ALERT_WINDOWS)
        alert_windows = cursor.fetchall()
    result.counted, result.rejected = sum(by_window.values()), sum(rejected.values())
    should = Counter(window for _, window in expected.counted)
    wrong = [
        window for window in should.keys() | by_window.keys() if should[window] != by_window.get(window, 0)
    ]
    examples = ", ".join(
        f"{_start(window)}: {by_window.get(window, 0)} of {should[window]}" for window in sorted(wrong)[:3]
    )
    _note(result, bool(wrong), f"{len(wrong)} windows have a wrong count ({examples})")
    _note(
        result,
        rejected != Counter(expected.rejected),
        f"rejected_records holds {result.rejected} of {len(expected.rejected)} rejected",
    )
    differing = [
        f"{word} {start:%H:%M}: {posts} of {expected.words[word, window_of(start.timestamp())]}"
        for word, start, posts in alert_windows
        if posts != expected.words[word, window_of(start.timestamp())]
    ]
    _note(
        result,
        bool(differing),
        f"{len(differing)} windows of alerts have a wrong count ({', '.join(differing[:3])})",
    )


def _start(window: int) -> str:
    return f"{datetime.fromtimestamp(window * WINDOW_SECONDS, UTC):%m-%d %H:%M}"


def _note(result: Audit, is_wrong: bool, problem: str) -> None:
    if is_wrong:
        result.problems.append(problem)
