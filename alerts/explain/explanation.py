"""Explain alerts: recount them in the archive, judge them again and compare every stored figure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from psycopg2.extensions import cursor as Cursor

from alerts.explain.day import BaselineFor
from alerts.explain.load import Row, as_of_loader, baseline_loader, load_evidence, without_late_posts
from alerts.explain.recompute import (
    Comparison,
    StoredAlert,
    compare,
    recompute_windows,
    span_to_recount,
)
from alerts.explain.recount import Recount, recount
from alerts.store import RULE_VERSION
from alerts.watchlist import watched_phrases
from archive.spans import Span
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import WINDOW, window_number
from detection.score import WINDOWS_PER_HOUR
from sql.connection import transaction

ALERTS_A_SCAN = 50
"""Alerts that are recounted together, in one scan of the archive."""


@dataclass
class Explanation:
    """One alert with its evidence and the comparison of its stored and recomputed figures."""

    stored: StoredAlert
    comparison: Comparison | None = None
    """None if the alert could not be recomputed; `problem` says why."""
    problem: str | None = None
    extra_posts: int = 0
    """Archived posts in closed windows minus those counted; negative if the archive holds fewer."""
    evidence: list[Row] = field(default_factory=list)
    terms: list[Row] = field(default_factory=list)
    run: Row | None = None
    """What the evidence counted: posts, authors, texts; None before it was gathered."""

    @property
    def matches(self) -> bool:
        """Whether every stored figure that is final matches the recomputed one exactly."""
        return self.comparison is not None and not self.comparison.differences


def explain(settings: Settings, alerts: Sequence[StoredAlert]) -> Iterator[Explanation]:
    """Yield an explanation of each alert, scanning the archive once for every fifty of them."""
    for start in range(0, len(alerts), ALERTS_A_SCAN):
        scanned = alerts[start : start + ALERTS_A_SCAN]
        archived = _recount(settings, scanned)
        with transaction(settings, application_name="groundswell explain") as cursor:
            counted = replace(archived, total_posts=without_late_posts(cursor, archived.total_posts))
            baseline_for, as_of_before = baseline_loader(cursor), as_of_loader(cursor)
            for stored in scanned:
                explanation = _explain(cursor, settings, stored, counted, baseline_for, as_of_before)
                explanation.extra_posts = _extra_posts(stored, archived)
                yield explanation


def _recount(settings: Settings, alerts: Sequence[StoredAlert]) -> Recount:
    """Recount the windows of the alerts and of the hours before them; of what is further back, the past."""
    spans: list[Span] = []
    past_spans: list[Span] = []
    for stored in alerts:
        begin, end = span_to_recount(stored, settings)
        hour_before = stored.windows[0]["window_start"] - (WINDOWS_PER_HOUR - 1) * WINDOW
        spans.append((max(begin, hour_before), end))
        if begin < hour_before:
            past_spans.append((begin, hour_before))
    with transaction(settings) as cursor:
        watched = watched_phrases(cursor)
    keywords = [stored.keyword for stored in alerts]
    return recount(settings, keywords, spans, past_spans=past_spans, watched=watched)


def _explain(
    cursor: Cursor,
    settings: Settings,
    stored: StoredAlert,
    counted: Recount,
    baseline_for: BaselineFor,
    as_of_before: Callable[[date], date | None],
) -> Explanation:
    evidence, terms, run = load_evidence(cursor, stored)
    explanation = Explanation(stored, evidence=evidence, terms=terms, run=run)
    if stored.alert["rule_version"] != RULE_VERSION:
        explanation.problem = (
            f"it was decided by {stored.alert['rule_version']}; this version recomputes {RULE_VERSION} only."
        )
        return explanation
    try:
        judged = recompute_windows(stored, counted, baseline_for, as_of_before, settings)
    except NotReadyError as error:
        explanation.problem = str(error)
        return explanation
    explanation.comparison = compare(stored, judged, settings)
    return explanation


def _extra_posts(stored: StoredAlert, archived: Recount) -> int:
    return sum(
        archived.total_posts.get(window_number(window["window_start"]), 0) - (window["total_posts"] or 0)
        for window in stored.windows
        if window["closed"]
    )
