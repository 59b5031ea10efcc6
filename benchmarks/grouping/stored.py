"""Compare the incidents that Postgres holds with the labelled events of a simulated day."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from benchmarks.grouping.quality import Quality, quality_of
from core.settings import Settings
from core.windows import WINDOW
from deploy.local.demo.world import LabelledEvent
from sql.connection import transaction

_ALERTS = """
SELECT alert_id, incident_id, keyword, extract(epoch FROM opened_window)::float8
FROM incident_members JOIN anomaly_alerts USING (alert_id)
WHERE opened_window >= %(day)s AND opened_window < %(day)s + interval '1 day'
"""


def quality_of_day(settings: Settings, day: date, events: Sequence[LabelledEvent]) -> Quality:
    """Compare the incidents of the alerts of `day` with `events`; an alert without an event is alone."""
    groups: dict[UUID, list[UUID]] = defaultdict(list)
    about: dict[UUID, frozenset[str]] = {}
    with transaction(settings) as cursor:
        cursor.execute(_ALERTS, {"day": day})
        for alert_id, incident_id, keyword, opened in cursor.fetchall():
            groups[incident_id].append(alert_id)
            about[alert_id] = _events_of(keyword, opened, events) or frozenset({str(alert_id)})
    return quality_of(groups.values(), about)


def _events_of(keyword: str, opened: float, events: Sequence[LabelledEvent]) -> frozenset[str]:
    """Return the events with the keyword that touch the window that starts at `opened` (Unix seconds)."""
    return frozenset(
        f"{event.kind} {event.keyword} {event.start}"
        for event in events
        if keyword in event.keywords and event.start - WINDOW.total_seconds() < opened < event.end
    )
