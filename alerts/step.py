"""One step of detection, inside one Postgres transaction: counts of a batch, or only time, move alerts on."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2.extensions import cursor as Cursor

from alerts import live_counts, store, traffic
from alerts.drops import update_drops
from alerts.judge import Judge
from alerts.plans import load_plans
from core.settings import Settings
from core.windows import WINDOW, window_number, window_start
from detection.lifecycle import Alert, JudgedWindow, LifecycleRule, decide
from detection.window_counts import Counted

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('groundswell.detect'))"
LONG_AGO, FAR = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class DetectionClock:
    """How far detection has come in event time."""

    max_event_time: datetime
    closed_until: datetime
    idle_seconds: float
    """Seconds of wall clock since the newest event was seen."""


def lock_detection(cursor: Cursor) -> None:
    """Let no other process decide until this transaction ends."""
    cursor.execute(_LOCK)


def load_clock(cursor: Cursor) -> DetectionClock:
    """The clock as it was committed last; 1970 where nothing was seen yet."""
    cursor.execute(
        "SELECT max_event_time, closed_until, extract(epoch FROM now() - seen_at)::float8 FROM detect_clock"
    )
    row = cursor.fetchone()
    return DetectionClock(*row) if row else DetectionClock(LONG_AGO, LONG_AGO, 0.0)


def save_clock(
    cursor: Cursor, before: DetectionClock, *, max_event_time: datetime, closed_until: datetime
) -> None:
    """Move the clock on; it never goes back."""
    cursor.execute(
        """
        INSERT INTO detect_clock (max_event_time, closed_until) VALUES (%(max)s, %(closed)s)
        ON CONFLICT (singleton) DO UPDATE SET
            max_event_time = excluded.max_event_time,
            closed_until = excluded.closed_until,
            seen_at = CASE WHEN %(newer)s THEN now() ELSE detect_clock.seen_at END
        """,
        {"max": max_event_time, "closed": closed_until, "newer": max_event_time > before.max_event_time},
    )


def apply_counts(cursor: Cursor, settings: Settings, changed: Counted) -> None:
    """Take the counts that one batch changed: judge them early, close what the watermark has left behind, decide.

    Windows are closed by the newest event of *earlier* batches, because Spark still took this batch's late posts by that
    watermark.
    """
    clock = load_clock(cursor)
    watermark = clock.max_event_time - timedelta(minutes=settings.lateness_minutes)
    closed_until = max(clock.closed_until, window_start(window_number(max(watermark, LONG_AGO))))
    counts = changed.counts.filter(
        pc.greater_equal(changed.counts["window_start"], pa.scalar(clock.closed_until))
    )
    traffic.save_traffic(
        cursor,
        {start: posts for start, posts in changed.posts_by_window.items() if start >= clock.closed_until},
    )
    live_counts.keep(cursor, counts)
    step = _Step(cursor, settings, clock, closed_until=closed_until, quiet_until=closed_until)
    step.advance(of_batch=True)
    newest = max(clock.max_event_time, changed.last_post_at or LONG_AGO)
    save_clock(cursor, clock, max_event_time=newest, closed_until=closed_until)


def apply_closed(
    cursor: Cursor, settings: Settings, counted: Counted, *, first: datetime, before: datetime
) -> None:
    """Take the whole counts of windows that are over, from `first` to `before`, and decide them at once, as the stream does one by one.

    `counted` may begin up to `live_counts.EARLIER` before `first`, for the second look. Nothing that detection has decided may
    end after `first`.
    """
    clock = load_clock(cursor)
    traffic.save_traffic(cursor, counted.posts_by_window)
    live_counts.keep(cursor, counted.counts)
    cursor.execute("ANALYZE live_counts")  # a day of them instead of the hour that the tables usually hold
    undecided = DetectionClock(clock.max_event_time, first, clock.idle_seconds)
    _Step(cursor, settings, undecided, closed_until=before, quiet_until=before).advance(of_batch=False)
    newest = max(clock.max_event_time, counted.last_post_at or LONG_AGO)
    save_clock(cursor, clock, max_event_time=newest, closed_until=before)


def advance_on_idle(cursor: Cursor, settings: Settings, *, now: datetime | None) -> bool:
    """Let time alone close windows and resolve alerts, where no posts come; returns whether anything was closed.

    `now` is the time in terms of event time; None takes the newest event plus the seconds since it was seen. Windows
    behind the newest event stay open, so that a replay may go on later where it stopped.
    """
    clock = load_clock(cursor)
    if clock.max_event_time == LONG_AGO:
        return False
    moment = now or clock.max_event_time + timedelta(seconds=clock.idle_seconds)
    quiet_until = window_start(window_number(moment - timedelta(minutes=settings.lateness_minutes)))
    behind_newest = window_start(window_number(clock.max_event_time)) + WINDOW
    closed_until = max(clock.closed_until, min(quiet_until, behind_newest))
    if closed_until == clock.closed_until and not store.keywords_with_open_alerts(cursor):
        return False
    _Step(
        cursor, settings, clock, closed_until=closed_until, quiet_until=max(quiet_until, closed_until)
    ).advance(of_batch=False)
    save_clock(cursor, clock, max_event_time=clock.max_event_time, closed_until=closed_until)
    return closed_until > clock.closed_until


class _Step:
    """One step on: from windows closed until `clock.closed_until` to those closed until `closed_until`."""

    def __init__(
        self,
        cursor: Cursor,
        settings: Settings,
        clock: DetectionClock,
        *,
        closed_until: datetime,
        quiet_until: datetime,
    ) -> None:
        self._cursor = cursor
        self._rule = LifecycleRule(settings.cool_down_windows, settings.quiet_windows)
        self._plans = load_plans(cursor)
        self._judge = Judge(cursor, settings, self._plans)
        self._settings = settings
        self._undecided = clock.closed_until
        self._closed_until = closed_until
        self._quiet_before = window_number(quiet_until)
        self._time_passed = quiet_until > clock.closed_until

    def advance(self, *, of_batch: bool) -> None:
        """Judge what changed and what closes, decide the keywords concerned, write."""
        open_keywords = store.keywords_with_open_alerts(self._cursor)
        concerned: set[str] = set()
        if of_batch:
            early = self._judge.judge(
                live_counts.OF_BATCH, first=self._undecided, before=FAR, keywords=open_keywords
            )
            concerned = {
                keyword for day in early for keyword in day.anomalous() | (open_keywords & day.keywords())
            }
        if self._time_passed:
            concerned |= open_keywords | self._closing()
        alerts = self._decide(concerned)
        store.save_alerts(
            self._cursor,
            alerts,
            decided_before=window_number(self._undecided),
            quiet_windows=self._rule.quiet_windows,
            quiet_before=self._quiet_before,
        )
        if self._closed_until > self._undecided:
            confirmed = [store.alert_id(keyword, alert.opened) for keyword, alert in alerts]
            store.withdraw_unconfirmed(self._cursor, closed_until=self._closed_until, confirmed=confirmed)
            healthy_windows = traffic.mark_degraded(
                self._cursor, first=self._undecided, before=self._closed_until
            )
            update_drops(self._cursor, self._plans, healthy_windows, self._settings)
            live_counts.forget(self._cursor, self._closed_until)

    def _closing(self) -> set[str]:
        """Keywords with an anomaly in the windows that close with this step; what is vetoed there is written."""
        closing = self._judge.judge(live_counts.OF_WINDOWS, first=self._undecided, before=self._closed_until)
        store.save_suppressed(
            self._cursor,
            (pair for day in closing for pair in day.suppressed(window_number(self._closed_until))),
        )
        return {keyword for day in closing for keyword in day.anomalous()}

    def _decide(self, concerned: set[str]) -> list[tuple[str, Alert[JudgedWindow]]]:
        if not concerned:
            return []
        confirmed = store.load_confirmed(self._cursor, concerned)
        windows: dict[str, list[JudgedWindow]] = {keyword: [] for keyword in concerned}
        for day in self._judge.judge(
            live_counts.OF_KEYWORDS, first=self._undecided, before=FAR, keywords=concerned
        ):
            for keyword, window in day.windows(window_number(self._closed_until)):
                windows[keyword].append(window)
        alerts: list[tuple[str, Alert[JudgedWindow]]] = []
        for keyword in sorted(concerned):
            decided = decide(
                self._rule, confirmed.get(keyword), windows[keyword], quiet_before=self._quiet_before
            )
            running = confirmed.get(keyword)
            if (
                running is not None
                and not running.resolved
                and not any(alert.opened == running.opened for alert in decided)
            ):
                # Nothing new keeps it going: written again, so that a window that fell back to the usual leaves it.
                decided.insert(0, running)
            alerts += [(keyword, alert) for alert in decided]
        return alerts
