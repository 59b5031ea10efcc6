"""One step of detection, inside one Postgres transaction: counts of a batch, or only time, move incidents on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from psycopg2.extensions import cursor as Cursor

from core.lifecycle import Incident, JudgedWindow, LifecycleRule, decide
from core.settings import Settings
from core.windows import WINDOW, window_number, window_start
from streaming import alert_store as store
from streaming.judge import Judge, KeywordCount

_LOCK = "SELECT pg_advisory_xact_lock(hashtext('groundswell.detect'))"
LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Clock:
    """How far detection has come in event time."""

    max_event_time: datetime
    closed_until: datetime
    idle_seconds: float
    """Seconds of wall clock since the newest event was seen."""


def lock_detection(cursor: Cursor) -> None:
    """Let no other process decide until this transaction ends."""
    cursor.execute(_LOCK)


def load_clock(cursor: Cursor) -> Clock:
    """The clock as it was committed last; 1970 where nothing was seen yet."""
    cursor.execute("SELECT max_event_time, closed_until, extract(epoch FROM now() - seen_at)::float8 FROM detect_clock")
    row = cursor.fetchone()
    return Clock(*row) if row else Clock(LONG_AGO, LONG_AGO, 0.0)


def save_clock(cursor: Cursor, before: Clock, *, max_event_time: datetime, closed_until: datetime) -> None:
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


def apply_counts(
    cursor: Cursor,
    settings: Settings,
    *,
    counts: Sequence[KeywordCount],
    posts_by_window: Mapping[datetime, int],
    last_post_at: datetime | None,
) -> None:
    """Take the counts of one batch: judge them early, close what the watermark has left behind, decide.

    `counts` are the changed rows that could matter, `posts_by_window` the changed totals, `last_post_at` the newest event
    time among them. Windows are closed by the newest event of *earlier* batches, because Spark still took this batch's
    late posts by that watermark.
    """
    clock = load_clock(cursor)
    watermark = clock.max_event_time - timedelta(minutes=settings.lateness_minutes)
    closed_until = max(clock.closed_until, window_start(window_number(max(watermark, LONG_AGO))))
    store.save_traffic(cursor, posts_by_window)
    taken = [count for count in counts if count.window_start >= clock.closed_until]
    _advance(cursor, settings, taken, clock, closed_until=closed_until, quiet_until=closed_until)
    newest = max(clock.max_event_time, last_post_at or LONG_AGO)
    save_clock(cursor, clock, max_event_time=newest, closed_until=closed_until)


def apply_time(cursor: Cursor, settings: Settings, *, now: datetime | None) -> bool:
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
    _advance(cursor, settings, [], clock, closed_until=closed_until, quiet_until=max(quiet_until, closed_until))
    save_clock(cursor, clock, max_event_time=clock.max_event_time, closed_until=closed_until)
    return closed_until > clock.closed_until


def _advance(
    cursor: Cursor, settings: Settings, counts: Sequence[KeywordCount], clock: Clock, *, closed_until: datetime, quiet_until: datetime
) -> None:
    rule = LifecycleRule(settings.threshold, settings.cool_down_windows, settings.quiet_windows)
    open_keywords = store.keywords_with_open_alerts(cursor)
    early = _keep_unusual(cursor, settings, rule, counts, closed_until=clock.closed_until)
    concerned = {count.keyword for count, window in early if window.anomalous or count.keyword in open_keywords}
    if quiet_until > clock.closed_until:
        concerned |= open_keywords | store.live_keywords_closing(cursor, closed_until)
    incidents = _decide(cursor, settings, rule, concerned, closed_until=closed_until, quiet_until=quiet_until)
    store.save_incidents(
        cursor, incidents, threshold=settings.threshold, quiet_windows=rule.quiet_windows, quiet_before=window_number(quiet_until)
    )
    if closed_until > clock.closed_until:
        confirmed = [store.alert_id(keyword, incident.opened) for keyword, incident in incidents]
        store.withdraw_unconfirmed(cursor, closed_until=closed_until, confirmed=confirmed)
        store.drop_closed_live(cursor, closed_until)


def _keep_unusual(
    cursor: Cursor, settings: Settings, rule: LifecycleRule, counts: Sequence[KeywordCount], *, closed_until: datetime
) -> list[tuple[KeywordCount, JudgedWindow]]:
    """Judge the changed counts, keep the unusual ones for later decisions, and return those.

    A count that is not unusual now cannot become so without changing again: the window only fills up, and what is
    expected with it.
    """
    judged = _judge(cursor, settings, counts, closed_until=closed_until)
    unusual = [pair for pair in judged if pair[1].score >= rule.active_score]
    usual = [count for count, window in judged if window.score < rule.active_score]
    store.save_live(cursor, [count for count, _ in unusual], usual)
    return unusual


def _decide(
    cursor: Cursor, settings: Settings, rule: LifecycleRule, keywords: Iterable[str], *, closed_until: datetime, quiet_until: datetime
) -> list[tuple[str, Incident]]:
    concerned = set(keywords)
    if not concerned:
        return []
    confirmed = store.load_confirmed(cursor, concerned)
    windows: dict[str, list[JudgedWindow]] = {keyword: [] for keyword in concerned}
    for count, window in _judge(cursor, settings, store.load_live(cursor, keywords=concerned), closed_until=closed_until):
        windows[count.keyword].append(window)
    store.save_vetoed(cursor, ((keyword, w) for keyword in windows for w in windows[keyword] if w.closed and w.vetoed))
    incidents: list[tuple[str, Incident]] = []
    for keyword in sorted(concerned):
        decided = decide(rule, confirmed.get(keyword), windows[keyword], quiet_before=window_number(quiet_until))
        running = confirmed.get(keyword)
        if running is not None and not running.resolved and not any(incident.opened == running.opened for incident in decided):
            # Nothing new keeps it going: written again, so that a window that fell back to the usual leaves it.
            decided.insert(0, running)
        incidents += [(keyword, incident) for incident in decided]
    return incidents


def _judge(
    cursor: Cursor, settings: Settings, counts: Sequence[KeywordCount], *, closed_until: datetime
) -> list[tuple[KeywordCount, JudgedWindow]]:
    total_posts = store.load_traffic(cursor, (count.window_start for count in counts))
    return Judge(cursor, settings, total_posts=total_posts).judge(counts, closed_until=closed_until)
