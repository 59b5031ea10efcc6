"""`make run POSTS=...`: the user's own files through the pipeline, with the counts at every stage."""

import glob
import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from core.errors import BadInputError
from core.settings import Settings
from deploy.local.demo.session import Session
from deploy.local.demo.stages import python_arguments
from producer.sources import by_their_numbers
from sql.connection import transaction
from sql.lake import open_archive

REMARK = re.compile("un: groundswell batch|^Negative counts|: they are sorted first")
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
    # Posts with times of their own may be older than what detection has seen; current posts are not.
    is_old = clock in ("original", "shifted")
    session.start_streaming(first_event=LONG_AGO if is_old else datetime.now(UTC), replays_old_posts=is_old)
    started = datetime.now(UTC)
    # A fresh start writes the windows of an earlier run over with the posts of this one.
    counted_since = started if is_old else LONG_AGO
    before = _totals(settings, counted_since=counted_since)
    session.show_alerts()
    summary = session.layout.logs / "producer.json"
    summary.unlink(missing_ok=True)
    options = python_arguments([("--clock", clock), ("--speed", speed), ("--rate", rate), ("--limit", limit)])
    printed = commands.run(
        "producer", "sending the posts", "producer", *files, *options, "--summary-json", str(summary)
    )
    for line in remarks_in(printed):
        session.screen.say(line)
    session.wait_for("detect", "detecting what is in Kafka")
    if is_old:
        commands.run("finish", "closing the last windows", "streaming.finish")
    session.wait_for("archive", "archiving what is in Kafka")
    session.finish_alerts()
    session.is_decided = True
    archived = _archived(settings, started)
    days = sorted(day for day in archived if day)
    for first, last in ranges(days, among=_days_with_posts(settings)):
        title = f"loading {first}" + (f" to {last}" if last != first else "")
        printed = commands.run(
            "batch", title, "batch", "--from", str(first), "--to", str(last), "--steps", "load,trends"
        )
        for line in remarks_in(printed):
            session.screen.say(line)
    after = _totals(settings, counted_since=counted_since)
    _report(session, json.loads(summary.read_text()), archived, (before, after), is_old=is_old)
    session.archive_classes()
    session.show_next_steps()


def files_of(pattern: str) -> list[str]:
    """Return the files that POSTS names: a path, a pattern, or several separated by spaces; BadInputError."""
    if pattern.startswith("s3://") or Path(pattern).expanduser().exists():
        return [pattern if pattern.startswith("s3://") else str(Path(pattern).expanduser().absolute())]
    files = [
        found
        for part in ([pattern] if glob.glob(pattern) else pattern.split())
        for found in by_their_numbers(sorted(glob.glob(part))) or [part]
    ]
    missing = [name for name in files if not name.startswith("s3://") and not Path(name).exists()]
    if missing:
        raise BadInputError(
            f"There is no file {missing[0]}. "
            "Name ndjson files, plain or packed, e.g. make run POSTS=posts.ndjson"
        )
    return [name if name.startswith("s3://") else str(Path(name).absolute()) for name in files]


def _totals(settings: Settings, *, counted_since: datetime) -> Totals:
    """Return the totals so far; of the windows only those that were written since a moment."""
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT (SELECT coalesce(sum(posts), 0) FROM traffic_windows WHERE updated_at >= %s), "
            "(SELECT count(*) FROM rejected_records), "
            "coalesce(sum(late_posts), 0), coalesce(sum(duplicate_posts), 0) FROM pipeline_metrics",
            (counted_since,),
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


def _days_with_posts(settings: Settings) -> set[date]:
    """Return all days that have posts in the archive, those of earlier runs included."""
    with open_archive(settings) as database:
        rows = database.execute(
            "SELECT DISTINCT CAST(event_time AS DATE) FROM raw_posts WHERE event_time IS NOT NULL"
        ).fetchall()
    return {day for (day,) in rows}


def ranges(days: Sequence[date], *, among: Collection[date]) -> list[tuple[date, date]]:
    """Return `days`, in order, as ranges for the batch: few, because one start of Java costs seconds.

    A range may span a week in which days with posts (`among`) were loaded before, and any time without posts.
    """
    found: list[tuple[date, date]] = []
    for day in days:
        last = found[-1][1] if found else day
        if found and (day - last <= timedelta(days=7) or not any(last < other < day for other in among)):
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return found


def remarks_in(printed: str) -> list[str]:
    r"""Return the lines of producer and batch that name a command to run, or say what the files got wrong.

    >>> remarks_in("2017-05-01  load  4 posts\nTo count it, run: groundswell batch 2017-05-01")
    ['To count it, run: groundswell batch 2017-05-01']
    """
    return [line for line in printed.splitlines() if REMARK.search(line)]


def _report(
    session: Session,
    sent: dict[str, object],
    archived: dict[date | None, int],
    totals: tuple[Totals, Totals],
    *,
    is_old: bool,
) -> None:
    """Print the counts at every stage; `totals` are those before and after the run."""
    before, after = totals
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
