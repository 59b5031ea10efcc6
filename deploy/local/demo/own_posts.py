"""`make run POSTS=...`: the user's own files through the pipeline, with the counts at every stage."""

import glob
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.errors import BadInputError
from core.settings import Settings
from deploy.local.demo.session import Session
from deploy.local.demo.stages import python_arguments
from sql.connection import transaction
from sql.lake import open_archive

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Totals:
    """Totals in Postgres, in rows or posts; the difference of two is what a run did."""

    counted: int
    rejected: int
    late: int
    again: int


def play_own_posts(session: Session, pattern: str, *, clock: str, speed: str, rate: str, limit: str) -> None:
    """Send the files, wait until all is archived and judged, load their days, report the counts."""
    files = files_of(pattern)
    session.screen.say(f"Groundswell: {', '.join(files)}, clock {clock}")
    session.prepare()
    session.start_stack()
    commands, settings = session.commands, session.settings
    # Posts with their original times may be older than what detection has seen; current posts are not.
    is_old = clock == "original"
    session.start_streaming(first_event=LONG_AGO if is_old else datetime.now(UTC), replays_old_posts=is_old)
    before, started = _totals(settings), datetime.now(UTC)
    session.show_alerts()
    summary = session.layout.logs / "producer.json"
    summary.unlink(missing_ok=True)
    options = python_arguments([("--clock", clock), ("--speed", speed), ("--rate", rate), ("--limit", limit)])
    commands.run(
        "producer", "sending the posts", "producer", *files, *options, "--summary-json", str(summary)
    )
    session.wait_for("detect", "detecting what is in Kafka")
    if is_old:
        commands.run("finish", "closing the last windows", "streaming.finish")
    session.wait_for("archive", "archiving what is in Kafka")
    session.finish_alerts()
    session.is_decided = True
    archived = _archived(settings, started)
    for first, last in _ranges(sorted(day for day in archived if day)):
        title = f"loading {first}" + (f" to {last}" if last != first else "")
        commands.run(
            "batch", title, "batch", "--from", str(first), "--to", str(last), "--steps", "load,trends"
        )
    _report(session, json.loads(summary.read_text()), archived, before, is_old=is_old)
    session.show_next_steps()


def files_of(pattern: str) -> list[str]:
    """Return the files that POSTS names: a path, a pattern, or several separated by spaces; BadInputError."""
    if pattern.startswith("s3://") or Path(pattern).expanduser().exists():
        return [pattern if pattern.startswith("s3://") else str(Path(pattern).expanduser().absolute())]
    files = [
        found
        for part in ([pattern] if glob.glob(pattern) else pattern.split())
        for found in sorted(glob.glob(part)) or [part]
    ]
    missing = [name for name in files if not name.startswith("s3://") and not Path(name).exists()]
    if missing:
        raise BadInputError(
            f"There is no file {missing[0]}. "
            "Name ndjson files, plain, .gz or .zst, e.g. make run POSTS=posts.ndjson"
        )
    return [name if name.startswith("s3://") else str(Path(name).absolute()) for name in files]


def _totals(settings: Settings) -> Totals:
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(posts), 0) FROM traffic_windows), "
            "(SELECT count(*) FROM rejected_records), "
            "coalesce(sum(late_posts), 0), coalesce(sum(duplicate_posts), 0) FROM pipeline_metrics"
        )
        return Totals(*map(int, cursor.fetchone()))  # type: ignore[arg-type]


def _archived(settings: Settings, since: datetime) -> dict[date | None, int]:
    """Return records of the posts topic archived since a moment, by day of event time; None: rejected."""
    with open_archive(settings) as database:
        rows = database.execute(
            "SELECT CAST(event_time AS DATE), count(*) FROM raw_posts "
            "WHERE topic = ? AND kafka_time >= ? GROUP BY ALL ORDER BY 1",
            [settings.posts_topic, since],
        ).fetchall()
    return dict(rows)


def _ranges(days: list[date]) -> list[tuple[date, date]]:
    """Return days at most a week apart as ranges: one start of Java costs more than empty days."""
    ranges: list[tuple[date, date]] = []
    for day in days:
        if ranges and day - ranges[-1][1] <= timedelta(days=7):
            ranges[-1] = (ranges[-1][0], day)
        else:
            ranges.append((day, day))
    return ranges


def _report(
    session: Session,
    sent: dict[str, object],
    archived: dict[date | None, int],
    before: Totals,
    *,
    is_old: bool,
) -> None:
    after = _totals(session.settings)
    with transaction(session.settings) as cursor:
        cursor.execute("SELECT count(*) FROM posts")
        (posts,) = cursor.fetchone()  # type: ignore[misc]
    rows = [
        (
            "sent to Kafka",
            sent["sent"],
            f"{sent['rejected_total']} lines were not posts and went to {session.settings.rejected_topic}",
        ),
        ("in the archive", sum(archived.values()), 'make sql Q="select * from raw_posts limit 5"'),
        ("counted by detection", after.counted - before.counted, "distinct posts per window"),
        ("duplicates in a window", after.again - before.again, ""),
        ("too late for their window", after.late - before.late, ""),
        (
            "rejected",
            after.rejected - before.rejected,
            'make psql Q="select reason, count(*) from rejected_records group by 1"',
        ),
        ("in the table posts now", posts, "one row per post, all runs together"),
    ]
    session.screen.say("")
    for name, count, note in rows:
        session.screen.say(f"  {name:<28}{count:>10,}  {note}")
    if not is_old:
        session.screen.say(
            "The last half hour is closed by the clock: an alert in it may still be withdrawn."
        )
