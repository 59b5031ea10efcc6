"""One step of detection in one Postgres transaction: a batch of counts, or time alone, advances alerts."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts, store, traffic
from alerts.drops import update_drops
from alerts.judge import Judge
from alerts.judged import Judged
from alerts.plans import Plans, load_plans
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from core.windows import WINDOW, window_number, window_start
from detection.first_day import past_gap
from detection.lifecycle import Alert, JudgedWindow, LifecycleRule, decide
from detection.open_windows import Counted
from sql.connection import query
from sql.rows import fetch_as

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('groundswell.detect'))"
LONG_AGO, FAR = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DetectionClock:
    """How far detection has come in event time."""

    max_event_time: datetime
    closed_until: datetime
    idle_seconds: float
    """Seconds of wall clock since the newest event was seen."""
    keyword_rule: str
    """Version of the keyword rule that it counted by."""


def lock_detection(cursor: Cursor) -> None:
    """Keep other processes from deciding until this transaction ends."""
    cursor.execute(_LOCK)


def load_clock(cursor: Cursor) -> DetectionClock:
    """Return the clock as last committed; 1970 before the first event."""
    cursor.execute(
        "SELECT max_event_time, closed_until, extract(epoch FROM now() - seen_at)::float8 AS idle_seconds, "
        "keyword_rule FROM detect_clock"
    )
    clocks = fetch_as(cursor, DetectionClock)
    return clocks[0] if clocks else DetectionClock(LONG_AGO, LONG_AGO, 0.0, KEYWORD_RULE_VERSION)


def save_clock(
    cursor: Cursor, before: DetectionClock, *, max_event_time: datetime, closed_until: datetime
) -> None:
    """Advance the clock from `before`; the callers never set it back."""
    cursor.execute(
        query("save_detection_clock"),
        {
            "max_event_time": max_event_time,
            "closed_until": closed_until,
            "keyword_rule": KEYWORD_RULE_VERSION,
            "newer": max_event_time > before.max_event_time,
        },
    )


def apply_counts(cursor: Cursor, settings: Settings, changed: Counted) -> None:
    """Apply the counts that a batch changed: judge them early, close windows, decide.

    Windows are closed by the newest event of *earlier* batches, less the lateness: which of a batch's posts
    are late does not depend on the posts beside them.
    """
    clock = load_clock(cursor)
    watermark = clock.max_event_time - timedelta(minutes=settings.lateness_minutes)
    closed_until = max(clock.closed_until, _window_of(max(watermark, LONG_AGO)))
    counts = changed.counts.filter(
        pc.greater_equal(changed.counts["window_start"], pa.scalar(clock.closed_until))
    )
    if clock.keyword_rule != KEYWORD_RULE_VERSION:
        cursor.execute(query("begin_past"))
    traffic.save_traffic(
        cursor,
        {start: posts for start, posts in changed.posts_by_window.items() if start >= clock.closed_until},
    )
    live_counts.save(cursor, counts)
    step = _Step(
        decided_until=clock.closed_until, closed_until=closed_until, quiet_until=closed_until, of_batch=True
    )
    _advance(cursor, settings, step)
    newest = max(clock.max_event_time, changed.last_post_at or LONG_AGO)
    save_clock(cursor, clock, max_event_time=newest, closed_until=closed_until)


def apply_closed(
    cursor: Cursor, settings: Settings, counted: Counted, *, first: datetime, before: datetime
) -> None:
    """Apply the complete counts of past windows from `first` to `before`, and decide them all at once.

    The alerts are those that the stream decides window by window. `counted` may begin up to
    `live_counts.EARLIER` before `first`, for the hourly window. Detection must not have decided anything that
    ends after `first`.
    """
    clock = load_clock(cursor)
    traffic.save_traffic(cursor, counted.posts_by_window)
    live_counts.save(cursor, counted.counts)
    cursor.execute("ANALYZE live_counts")  # a day of counts instead of the hour that the table usually holds
    step = _Step(decided_until=first, closed_until=before, quiet_until=before, of_batch=False)
    _advance(cursor, settings, step)
    newest = max(clock.max_event_time, counted.last_post_at or LONG_AGO)
    save_clock(cursor, clock, max_event_time=newest, closed_until=before)


def advance_on_idle(cursor: Cursor, settings: Settings, *, now: datetime | None) -> bool:
    """Close windows and resolve alerts by time alone while no posts arrive; return whether any was closed.

    `now` is the current event time; None takes the newest event plus the seconds since it was seen. Windows
    after that of the newest event stay open, so that a replay of posts can continue later where it stopped.
    """
    clock = load_clock(cursor)
    if clock.max_event_time == LONG_AGO:
        return False
    moment = now or clock.max_event_time + timedelta(seconds=clock.idle_seconds)
    quiet_until = _window_of(moment - timedelta(minutes=settings.lateness_minutes))
    after_newest = _window_of(clock.max_event_time) + WINDOW
    closed_until = max(clock.closed_until, min(quiet_until, after_newest))
    if closed_until == clock.closed_until and not store.keywords_with_open_alerts(cursor):
        return False
    step = _Step(
        decided_until=clock.closed_until,
        closed_until=closed_until,
        quiet_until=max(quiet_until, closed_until),
        of_batch=False,
    )
    _advance(cursor, settings, step)
    save_clock(cursor, clock, max_event_time=clock.max_event_time, closed_until=closed_until)
    return closed_until > clock.closed_until


def _window_of(moment: datetime) -> datetime:
    return window_start(window_number(moment))


@dataclass(frozen=True, slots=True)
class _Step:
    """The bounds of one step in event time; each excludes the window that starts there."""

    decided_until: datetime
    """Up to here windows were closed and decided by earlier steps."""
    closed_until: datetime
    """Up to here windows are closed once the step is done."""
    quiet_until: datetime
    """Up to here no more posts are expected; at least `closed_until`."""
    of_batch: bool
    """Whether the temporary table batch_counts holds counts that a batch changed."""

    @property
    def closes_windows(self) -> bool:
        return self.closed_until > self.decided_until

    @property
    def time_passes(self) -> bool:
        return self.quiet_until > self.decided_until


@dataclass(frozen=True, slots=True)
class _Loaded:
    """What a step loads to find the keywords that it concerns."""

    open_keywords: set[str]
    """Keywords with an open alert."""
    changed: list[Judged]
    """Counts that the batch changed in windows that stay open."""
    closing: list[Judged]
    """Counts of the windows that close with this step, and all of `open_keywords` in them."""


def _advance(cursor: Cursor, settings: Settings, step: _Step) -> None:
    """Load and judge what changed or closes, then answer: which keywords, which alerts, what is written."""
    rule = LifecycleRule(settings.cool_down_windows, settings.quiet_windows)
    plans = load_plans(cursor)
    judge = Judge(cursor, settings, plans)
    loaded = _load(cursor, judge, step)
    store.save_suppressed(cursor, _suppressed(loaded, step))
    alerts = []
    if keywords := _keywords_concerned(loaded, step):
        confirmed = store.load_confirmed(cursor, keywords)
        undecided = _undecided_windows(judge, loaded, keywords, step)
        alerts = _alerts_of(
            rule, keywords, confirmed, undecided, quiet_before=window_number(step.quiet_until)
        )
    _save(cursor, rule, step, alerts)
    if step.closes_windows:
        _close_windows(cursor, settings, plans, step)


def _load(cursor: Cursor, judge: Judge, step: _Step) -> _Loaded:
    open_keywords = store.keywords_with_open_alerts(cursor)
    changed, closing = [], []
    if step.of_batch:
        changed = judge.judge(
            live_counts.OF_BATCH, first=step.closed_until, before=FAR, keywords=open_keywords
        )
    if step.closes_windows:
        closing = judge.judge(
            live_counts.OF_WINDOWS,
            first=step.decided_until,
            before=step.closed_until,
            keywords=open_keywords,
        )
    return _Loaded(open_keywords, changed, closing)


def _suppressed(loaded: _Loaded, step: _Step) -> Iterable[tuple[str, JudgedWindow]]:
    """Yield the suppressed windows among those that close."""
    closed_before = window_number(step.closed_until)
    return (pair for judged in loaded.closing for pair in judged.suppressed(closed_before))


def _keywords_concerned(loaded: _Loaded, step: _Step) -> set[str]:
    """Return the keywords whose alerts this step may change.

    Those with an anomaly among the counts, and those with an open alert: all of them if time passes, as a
    quiet window may resolve an alert, else those that the batch changed.
    """
    anomalous = {keyword for judged in (*loaded.changed, *loaded.closing) for keyword in judged.anomalous()}
    if step.time_passes:
        return anomalous | loaded.open_keywords
    changed = {keyword for judged in loaded.changed for keyword in judged.keywords()}
    return anomalous | (loaded.open_keywords & changed)


def _undecided_windows(
    judge: Judge, loaded: _Loaded, keywords: set[str], step: _Step
) -> dict[str, list[JudgedWindow]]:
    """Return all undecided windows of `keywords`; those that are not loaded yet are loaded and judged."""
    begun = keywords & loaded.open_keywords if step.closes_windows else set()
    others = keywords - begun
    windows: dict[str, list[JudgedWindow]] = {keyword: [] for keyword in keywords}
    parts = [(judged, begun) for judged in loaded.closing]
    for wanted, first in ((begun, step.closed_until), (others, step.decided_until)):
        if wanted:
            further = judge.judge(live_counts.OF_KEYWORDS, first=first, before=FAR, keywords=wanted)
            parts += [(judged, wanted) for judged in further]
    for judged, wanted in parts:
        for keyword, window in judged.windows(window_number(step.closed_until), wanted):
            windows[keyword].append(window)
    return windows


def _alerts_of(
    rule: LifecycleRule,
    keywords: set[str],
    confirmed: Mapping[str, Alert[JudgedWindow]],
    windows: Mapping[str, list[JudgedWindow]],
    *,
    quiet_before: int,
) -> list[tuple[str, Alert[JudgedWindow]]]:
    """Return the (keyword, alert) pairs to write, in order: new, changed and running alerts."""
    alerts: list[tuple[str, Alert[JudgedWindow]]] = []
    for keyword in sorted(keywords):
        newest = confirmed.get(keyword)
        decided = decide(rule, newest, windows[keyword], quiet_before=quiet_before)
        if newest is not None and not newest.resolved and newest.opened not in {a.opened for a in decided}:
            # Nothing continues it. Written again, so that an open window that fell back to normal is removed.
            decided.insert(0, newest)
        alerts += [(keyword, alert) for alert in decided]
    return alerts


def _save(
    cursor: Cursor, rule: LifecycleRule, step: _Step, alerts: list[tuple[str, Alert[JudgedWindow]]]
) -> None:
    """Write the alerts; where windows close, withdraw provisional alerts that they did not confirm."""
    store.save_alerts(
        cursor,
        alerts,
        decided_before=window_number(step.decided_until),
        quiet_windows=rule.quiet_windows,
        quiet_before=window_number(step.quiet_until),
    )
    if step.closes_windows:
        confirmed = [store.alert_id(keyword, alert.opened) for keyword, alert in alerts]
        store.withdraw_unconfirmed(cursor, closed_until=step.closed_until, confirmed=confirmed)


def _close_windows(cursor: Cursor, settings: Settings, plans: Plans, step: _Step) -> None:
    """Mark degraded windows among those that close, update drops by the healthy ones, delete old counts."""
    healthy = traffic.mark_degraded(cursor, first=step.decided_until, before=step.closed_until)
    update_drops(cursor, plans, healthy, settings)
    baseline = traffic.expected_before(cursor, (step.closed_until - WINDOW).date())
    live_counts.delete_closed(
        cursor,
        step.closed_until,
        gap=past_gap(settings.lateness_minutes),
        into_past=not baseline.suffices,
    )
