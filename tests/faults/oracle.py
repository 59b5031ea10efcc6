"""The oracle: what must be in archive and tables, counted anew in plain Python from the very bytes that were sent."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from core.settings import Settings
from sql.connection import transaction
from sql.lake import open_archive
from tests.faults.feed import WINDOW_SECONDS, Record, window_of

Place = tuple[str, int, int]
"""Topic, partition, offset."""
Alerts = list[tuple[object, ...]]

_ALERTS = """
SELECT keyword, status, opened_window, last_window, resolved_at, posts, expected, peak_score, distinct_authors, first_post_id,
       latest_post_id, top_post_id
FROM anomaly_alerts WHERE status <> 'withdrawn' ORDER BY keyword, opened_window
"""
_ALERT_WINDOWS = "SELECT keyword, window_start, alert_windows.posts FROM alert_windows JOIN anomaly_alerts USING (alert_id) WHERE closed"


@dataclass
class Expected:
    """What follows from the records that were sent."""

    records: dict[Place, Record]
    rejected: set[Place] = field(default_factory=set)
    usable: int = 0
    counted: set[tuple[int, int]] = field(default_factory=set)
    """Pairs of post and window that came in time."""
    late: set[tuple[int, int]] = field(default_factory=set)
    """Pairs that came only after their window was closed."""
    words: Counter[tuple[str, int]] = field(default_factory=Counter)
    """Distinct posts by word and window."""

    @property
    def duplicates(self) -> int:
        """Usable deliveries beyond the first in their window."""
        return self.usable - len(self.counted) - len(self.late)


@dataclass
class Audit:
    """What was found, in numbers, and every sentence on what is wrong."""

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


def expected_of(sent: Sequence[tuple[Place, Record]], posts_topic: str) -> Expected:
    """Count what was sent, in its order."""
    expected = Expected(dict(sent))
    for place, record in sent:
        if record.rejected or record.value is None or place[0] != posts_topic:
            expected.rejected.add(place)
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


def audit(settings: Settings, sent: Sequence[tuple[Place, Record]]) -> Audit:
    """Hold archive and tables against what was sent; alerts are compared by `compare_alerts`."""
    expected = expected_of(sent, settings.posts_topic)
    found = Audit(records=len(expected.records))
    _audit_archive(settings, expected, found)
    _audit_tables(settings, expected, found)
    found.late = len(expected.counted) + len(expected.late) - found.counted
    found.duplicates = expected.duplicates
    rest = found.archived - found.counted - found.rejected - found.late - found.duplicates
    _note(found, rest != 0, f"archived is not counted + rejected + late + duplicates: {rest} records")
    _note(
        found,
        found.late != len(expected.late),
        f"{found.late} posts are late, {len(expected.late)} were sent late",
    )
    return found


def compare_alerts(
    found: Audit, alerts: Alerts, undisturbed: Alerts, planted: Sequence[tuple[str, datetime]]
) -> None:
    """Alerts must be those of a run without a fault, and every planted burst must be among them."""
    found.alerts, found.expected_alerts = len(alerts), len(undisturbed)
    missing, more = set(undisturbed) - set(alerts), set(alerts) - set(undisturbed)
    _note(
        found,
        bool(missing or more),
        f"{len(missing)} alerts are not as without the fault: {sorted(map(str, missing | more))[:2]}",
    )
    opened = {(alert[0], alert[2]) for alert in alerts}
    silent = [word for word, start in planted if (word, start) not in opened]
    _note(found, bool(silent), f"planted bursts without an alert: {silent[:3]}")


def alerts_of(settings: Settings) -> Alerts:
    """The alerts that stand in the tables, without what a moment of writing decides."""
    with transaction(settings) as cursor:
        cursor.execute(_ALERTS)
        return cursor.fetchall()


def _audit_archive(settings: Settings, expected: Expected, found: Audit) -> None:
    with open_archive(settings) as database:
        rows = database.execute('SELECT topic, "partition", "offset", value FROM raw_posts').fetchall()
    counts = Counter(row[:3] for row in rows)
    values = {row[:3]: row[3] for row in rows}
    found.archived = len(rows)
    found.lost = len(expected.records.keys() - counts.keys())
    found.doubled = sum(counts.values()) - len(counts)
    altered = sum(
        place in values and values[place] != record.value for place, record in expected.records.items()
    )
    _note(found, found.lost > 0, f"{found.lost} records are not in the archive")
    _note(found, found.doubled > 0, f"{found.doubled} rows are double in the archive")
    _note(found, altered > 0, f"{altered} records are not archived byte for byte")
    unknown = len(counts.keys() - expected.records.keys())
    _note(found, unknown > 0, f"{unknown} records are in the archive that were not sent")


def _audit_tables(settings: Settings, expected: Expected, found: Audit) -> None:
    with transaction(settings) as cursor:
        cursor.execute("SELECT window_start, posts FROM traffic_windows")
        by_window = {window_of(start.timestamp()): posts for start, posts in cursor.fetchall()}
        cursor.execute('SELECT topic, partition, "offset" FROM rejected_records')
        rejected = Counter(cursor.fetchall())
        cursor.execute(_ALERT_WINDOWS)
        alert_windows = cursor.fetchall()
    found.counted, found.rejected = sum(by_window.values()), sum(rejected.values())
    should = Counter(window for _, window in expected.counted)
    wrong = [
        window for window in should.keys() | by_window.keys() if should[window] != by_window.get(window, 0)
    ]
    places = ", ".join(
        f"{_start(window)}: {by_window.get(window, 0)} of {should[window]}" for window in sorted(wrong)[:3]
    )
    _note(found, bool(wrong), f"{len(wrong)} windows are counted wrongly ({places})")
    _note(
        found,
        rejected != Counter(expected.rejected),
        f"rejected_records holds {found.rejected} of {len(expected.rejected)} rejected",
    )
    differing = [
        f"{word} {start:%H:%M}: {posts} of {expected.words[word, window_of(start.timestamp())]}"
        for word, start, posts in alert_windows
        if posts != expected.words[word, window_of(start.timestamp())]
    ]
    _note(
        found,
        bool(differing),
        f"{len(differing)} windows of alerts have a wrong count ({', '.join(differing[:3])})",
    )


def _start(window: int) -> str:
    return f"{datetime.fromtimestamp(window * WINDOW_SECONDS, UTC):%m-%d %H:%M}"


def _note(found: Audit, is_wrong: bool, sentence: str) -> None:
    if is_wrong:
        found.problems.append(sentence)
