"""`make run` without posts of one's own: a simulated history once, then one live day of the same world a run."""

import json
import time
from datetime import UTC, date, datetime

from deploy.local import demo
from deploy.local.demo import Calendar, Verdict
from deploy.local.session import Session
from deploy.local.stages import python_arguments, side_by_side
from deploy.local.watching import alerts_of_day

REPLAY_SECONDS = 75
_KINDS = {
    "organic_known": "burst of a known word",
    "organic_unseen": "burst of a new word",
    "slow_climb": "slow climb",
    "copy_paste": "one text by few authors",
    "spam": "spam of one author",
    "habit": "daily habit",
    "outage": "ingest outage",
}


def play_next_day(session: Session, *, speed: str, rate: str, limit: str) -> None:
    """Load the history where that is not done, learn up to yesterday, replay the day, say what was found."""
    folder = session.layout.root / "demo"
    calendar = demo.read_calendar(folder, datetime.now(UTC).date())
    day = calendar.live_day
    first = "a history of 7 days, then " if not calendar.history_sent else ""
    session.screen.say(f"Groundswell: {first}{day:%A, %d %B %Y} of a simulated world, {demo.POSTS_PER_DAY:,} posts a day")
    commands = session.commands
    side_by_side(session.start_stack, lambda: _simulate(session, calendar))
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)

    def start_streaming() -> None:
        # A day that was begun goes on where detection stands; before the first one the topic holds the history alone.
        first_event = midnight + demo.ONE_DAY if calendar.begun == day else midnight
        session.start_streaming(first_event=first_event, replays_old_posts=True, from_here=calendar.begun is None)

    def learn() -> None:
        session.prepare_airflow()
        _learn(session, calendar)

    if calendar.history_sent and calendar.played:
        # The days to learn were archived to their end when they were played.
        side_by_side(start_streaming, learn)
    else:
        side_by_side(lambda: _send_history(session, calendar), session.prepare_airflow)
        start_streaming()
        session.wait_for("archive", "archiving what is in Kafka")
        learn()
    session.show_alerts()
    chosen = speed or f"{86_400 / REPLAY_SECONDS:.0f}"
    replay_started = time.time()
    if calendar.sent != day:
        calendar.begun = day
        demo.save_calendar(folder, calendar)
        session.screen.say(f"Replaying {day}, {chosen} times as fast as life. EARLY: an alert while its window is still open.")
        options = python_arguments([("--speed", chosen), ("--rate", rate), ("--limit", limit)])
        commands.run("producer", "replaying the live day", "producer", str(demo.posts_file(folder, day)), "--clock", "original", *options)
        calendar.sent = day
        demo.save_calendar(folder, calendar)
    session.wait_for("detect", "detecting what is in Kafka")
    commands.run("decide", "deciding the last windows", "streaming.decide")
    session.finish_alerts()
    seconds_to_decision = time.time() - session.started_at
    session.wait_for("archive", "archiving the live day")
    calendar.played.append(day)
    demo.save_calendar(folder, calendar)
    session.is_decided = True
    _tell(session, demo.judge(demo.read_events(folder, day), alerts_of_day(session.settings, day)), seconds_to_decision, replay_started)
    session.tell_where_to_go_on()


def _simulate(session: Session, calendar: Calendar) -> None:
    folder = session.layout.root / "demo"
    days = [calendar.live_day] if calendar.history_sent else [*calendar.days_to_learn(), calendar.live_day]
    if all(demo.posts_file(folder, day).exists() for day in days):
        return
    demo.save_calendar(folder, calendar)
    session.commands.run(
        "simulate",
        f"simulating {len(days)} day{'s' if len(days) > 1 else ''}",
        *("producer", "simulate", "--start", str(days[0]), "--days", str(len(days)), "--world-start", str(calendar.world_start)),
        *("--posts-per-day", str(demo.POSTS_PER_DAY), "--seed", str(demo.SEED), "--out", str(folder), "--compress", "zst"),
    )


def _send_history(session: Session, calendar: Calendar) -> None:
    if calendar.history_sent:
        return
    folder = session.layout.root / "demo"
    files = [str(demo.posts_file(folder, day)) for day in calendar.days_to_learn()]
    session.commands.run("producer-history", "sending the history to Kafka", "producer", *files, "--clock", "original")
    calendar.history_sent = True
    demo.save_calendar(folder, calendar)


def _learn(session: Session, calendar: Calendar) -> None:
    """Run the batch for the days that were not learned: the last one by Airflow, those before it at once."""
    days = calendar.days_to_learn()
    earlier = days[:-1]
    if earlier:
        session.commands.run("batch", f"daily batch, {len(earlier)} days", "batch", "--from", str(earlier[0]), "--to", str(earlier[-1]))
        _learned(session, calendar, earlier[-1])
    if days:
        title = f"daily batch of {days[-1]} by Airflow"
        command = ["airflow", "dags", "test", "daily_batch", str(days[-1])]
        # Airflow would try again after minutes; here somebody waits.
        session.commands.run("airflow-dags-test", title, *command, gives_up_at=b"=up_for_retry")
        _learned(session, calendar, days[-1])


def _learned(session: Session, calendar: Calendar, day: date) -> None:
    calendar.last_learned = day
    demo.save_calendar(session.layout.root / "demo", calendar)


def _tell(session: Session, verdict: Verdict, seconds_to_decision: float, replay_started: float) -> None:
    say = session.screen.say
    first = session.seconds_to_first_alert()
    due = [event for event, _ in verdict.found if event.must_alert]
    say("")
    say(f"Found {len(due)} of {len(due) + len(verdict.missed)} bursts that had to be found:", style="bold")
    for event, alert in verdict.found:
        if event.must_alert:
            delay = f"in the window from {alert.opened_window:%H:%M}"
            say(f"  {_time(event.start)} {_KINDS[event.kind]:<24} {event.keyword}: {event.posts} posts, alert {delay}")
    for event in verdict.missed:
        say(f"  {_time(event.start)} {_KINDS[event.kind]:<24} {event.keyword}: {event.posts} posts, MISSED", style="bold red")
    others = [(event, alert) for event, alert in verdict.found if not event.must_alert]
    say(f"Also alerted: {len(others)} labelled events that need not or must not alert, {len(verdict.unlabelled)} words without a label")
    for event, alert in others:
        wish = "welcome" if event.must_alert is None else "unwanted"
        say(f"  {alert.opened_window:%H:%M} {_KINDS[event.kind]:<24} {event.keyword} ({wish})")
    for alert in verdict.unlabelled:
        say(f"  {alert.opened_window:%H:%M} {'no label':<24} {alert.keyword}: {alert.posts} posts")
    silent = [f"{_KINDS[event.kind]} ({event.keyword or _time(event.start)})" for event in verdict.left_alone]
    say(f"Rightly silent on: {', '.join(silent) or '-'}")
    say(f"First alert after {f'{first:.0f} s' if first else '-'}, everything decided after {seconds_to_decision:.0f} s "
        f"({time.time() - replay_started:.0f} s since the replay began).")  # fmt: skip
    summary = {
        "seconds_to_first_alert": first, "seconds_to_decision": seconds_to_decision, "stages": session.screen.seconds,
        "found": [event.keyword for event in due], "missed": [event.keyword for event in verdict.missed],
        "others": [event.keyword for event, _ in others], "unlabelled": [alert.keyword for alert in verdict.unlabelled],
    }  # fmt: skip
    (session.layout.logs / "run.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n")


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M}"
