"""`make run` without POSTS: a simulated history once, then one live day of the same world per run."""

import json
import time
from collections.abc import Sequence
from datetime import UTC, date, datetime

from deploy.local.demo import world as demo
from deploy.local.demo.session import Session
from deploy.local.demo.stages import python_arguments, side_by_side
from deploy.local.demo.watching import alerts_of_day, is_learned
from deploy.local.demo.world import DemoReport, LabelledEvent

DEFAULT_SPEED = "1152"
"""A day in 75 seconds."""
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
    """Load the history if needed, learn up to the day before, replay the day, report what was found."""
    LiveDay(session).play(
        python_arguments([("--speed", speed or DEFAULT_SPEED), ("--rate", rate), ("--limit", limit)])
    )


class LiveDay:
    """The next day of the demonstration, step by step; each finished step is recorded in the calendar."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._folder = session.layout.root / "demo"
        self._calendar = demo.read_calendar(self._folder, datetime.now(UTC).date())
        self._day = self._calendar.live_day

    def play(self, options: list[str]) -> None:
        """Run all steps; `options` go to the producer."""
        session, calendar = self._session, self._calendar
        first = "" if calendar.has_history else "a history of 7 days, then "
        session.screen.say(
            f"Groundswell: {first}{self._day:%A, %d %B %Y} of a simulated world, "
            f"{demo.POSTS_PER_DAY:,} posts a day"
        )
        session.prepare()
        side_by_side(self._simulate, self._start)
        self._import_history()
        self._learn()
        session.show_alerts()
        decided: list[float] = []
        replay_started = time.time()

        def replay_and_decide() -> None:
            self._replay(options)
            session.wait_for("detect", "detecting what is in Kafka")
            session.commands.run("finish", "closing the last windows", "streaming.finish")
            session.finish_alerts()
            decided.append(time.time())

        side_by_side(replay_and_decide, self._fill_tables)
        session.wait_for("archive", "archiving the live day")
        self._note(last_learned=self._day - demo.ONE_DAY, played=[*calendar.played, self._day])
        session.is_decided = True
        found = demo.compare_with_labels(
            demo.read_events(self._folder, self._day), alerts_of_day(session.settings, self._day)
        )
        report(session, found, decided=decided[0], replay_started=replay_started)
        self._run_airflow()
        session.archive_classes()
        session.show_next_steps()

    def _simulate(self) -> None:
        days = [self._day] if self._calendar.has_history else [*self._calendar.days_to_learn(), self._day]
        if all(demo.posts_file(self._folder, day).exists() for day in days):
            return
        self._note()
        self._session.commands.run(
            "simulate",
            f"simulating {_days(len(days))}",
            *(
                "producer",
                "simulate",
                "--start",
                str(days[0]),
                "--days",
                str(len(days)),
                "--world-start",
                str(self._calendar.world_start),
            ),
            *(
                "--posts-per-day",
                str(demo.POSTS_PER_DAY),
                "--seed",
                str(demo.SEED),
                "--out",
                str(self._folder),
                "--compress",
                "zst",
            ),
        )

    def _import_history(self) -> None:
        """Bring the history into the archive, past Kafka, so that detection never sees it."""
        if self._calendar.has_history:
            return
        files = [str(demo.posts_file(self._folder, day)) for day in self._calendar.days_to_learn()]
        self._session.commands.run(
            "import", "importing the history into the archive", "batch", "import", *files
        )
        self._note(history_imported=True)

    def _start(self) -> None:
        """Start the servers and the streaming process, which creates the archive's table."""
        self._session.start_stack()
        # A day that was begun resumes where detection is.
        midnight = datetime(self._day.year, self._day.month, self._day.day, tzinfo=UTC)
        first_event = midnight + demo.ONE_DAY if self._calendar.begun == self._day else midnight
        self._session.start_streaming(
            first_event=first_event, replays_old_posts=True, from_here=self._calendar.begun is None
        )

    def _learn(self) -> None:
        """Learn the statistics of the days before the live day, which detection needs first."""
        days = self._calendar.days_to_learn()
        if all(is_learned(self._session.settings, day) for day in days):
            return
        self._batch("statistics", f"learning {_days(len(days))}", days, "statistics")

    def _fill_tables(self) -> None:
        """Fill the tables of the same days, which only readers need, and prepare Airflow."""
        days = self._calendar.days_to_learn()
        if days:
            self._batch("load", f"loading {_days(len(days))} into the tables", days, "load,trends")
        self._session.prepare_airflow()

    def _batch(self, name: str, title: str, days: Sequence[date], steps: str) -> None:
        # The import ended before, and later days were fully archived when they were played.
        period = ["--from", str(days[0]), "--to", str(days[-1])]
        self._session.commands.run(name, title, "batch", *period, "--steps", steps, "--assume-complete")

    def _run_airflow(self) -> None:
        """Run the daily batch of the day that was played, as Airflow would at half past midnight."""
        # Airflow would retry after minutes, but the user waits.
        self._session.commands.run(
            "airflow-dags-test",
            f"the daily batch of {self._day} in Airflow",
            *("airflow", "dags", "test", "daily_batch", str(self._day)),
            gives_up_at=b"=up_for_retry",
        )
        self._note(last_learned=self._day)

    def _replay(self, options: list[str]) -> None:
        if self._calendar.sent == self._day:
            return
        self._note(begun=self._day)
        self._session.screen.say(
            f"Replaying {self._day} ({' '.join(options)}). EARLY is an alert while its window is still open."
        )
        file = str(demo.posts_file(self._folder, self._day))
        self._session.commands.run(
            "producer",
            "replaying the live day",
            "producer",
            file,
            "--clock",
            "original",
            "--no-sort",
            *options,
        )
        self._note(sent=self._day)

    def _note(self, **changes: object) -> None:
        """Record what is done."""
        self._calendar = self._calendar.model_copy(update=changes)
        demo.save_calendar(self._folder, self._calendar)


def report(session: Session, found: DemoReport, *, decided: float, replay_started: float) -> None:
    """Print what was found and how long it took, and write it to `.local/logs/run.json`; Unix seconds."""
    say = session.screen.say
    say("")
    for line in lines_of(found):
        say(line, style="bold red" if line.endswith("MISSED") else None)
    first, total = session.seconds_to_first_alert(), decided - session.started_at
    soon = f"First alert after {first:.0f} s" if first else "No alert"
    replay_seconds = decided - replay_started
    say(f"{soon}, everything decided after {total:.0f} s; the replay itself took {replay_seconds:.0f} s.")
    summary = {
        "seconds_to_first_alert": first,
        "seconds_to_decision": total,
        "stages": session.screen.seconds,
        "found": [event.keyword for event, _ in found.found if event.must_alert],
        "missed": [event.keyword for event in found.missed],
        "others": [event.keyword for event, _ in found.found if not event.must_alert],
        "unlabelled": [alert.keyword for alert in found.unlabelled],
    }
    (session.layout.logs / "run.json").write_text(json.dumps(summary, ensure_ascii=False, indent=1) + "\n")


def lines_of(result: DemoReport) -> list[str]:
    """Return the report as lines of text."""
    due = [(event, alert) for event, alert in result.found if event.must_alert]
    others = [(event, alert) for event, alert in result.found if not event.must_alert]
    silent = [f"{_KINDS[event.kind]} ({event.keyword or _time(event.start)})" for event in result.left_alone]
    return [
        f"Found {len(due)} of {len(due) + len(result.missed)} bursts that had to be found:",
        *(
            f"{_named(event)}: {event.posts} posts, alert in the window from {alert.opened_window:%H:%M}"
            for event, alert in due
        ),
        *(f"{_named(event)}: {event.posts} posts, MISSED" for event in result.missed),
        f"Also alerted: {len(others)} labelled events that need not or must not alert, "
        f"{len(result.unlabelled)} words without a label",
        *(
            f"{_named(event)} ({'welcome' if event.must_alert is None else 'unwanted'})"
            for event, _ in others
        ),
        *(
            f"  {alert.opened_window:%H:%M} {'no label':<24} {alert.keyword}: {alert.posts} posts"
            for alert in result.unlabelled
        ),
        f"Rightly silent on: {', '.join(silent) or '-'}",
    ]


def _days(number: int) -> str:
    return f"{number} day{'' if number == 1 else 's'}"


def _named(event: LabelledEvent) -> str:
    return f"  {_time(event.start)} {_KINDS[event.kind]:<24} {event.keyword or ''}"


def _time(seconds: float) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%H:%M}"
