"""Why an alert alerted, as one sentence of its windows."""

from collections.abc import Mapping, Sequence
from typing import Any

from alerts.explain.sentence import what_happened


def reason_of(
    alert: Mapping[str, Any], windows: Sequence[Mapping[str, Any]], *, min_posts: int
) -> str | None:
    """Describe an alert's highest window, its first where only the hour was unusual; None without any."""
    if not windows:
        return None
    by_hour = alert["opened_by"] == "hour"
    window = windows[0] if by_hour else max(windows, key=lambda row: float(row["score"]))
    return what_happened(window, opened_by=alert["opened_by"], min_posts=min_posts)
