"""One `make run`: its stack, its streaming process, its alerts, and its closing hints."""

import time
from datetime import UTC, datetime, timedelta

from archive.session import CLASS_ARCHIVE
from core.errors import NotReadyError
from core.settings import Settings
from deploy.local import processes, stack
from deploy.local.demo.stages import Commands, Screen, StoppedError
from deploy.local.demo.watching import AlertPrinter, detection_has_started, lag_records, newest_event_time
from deploy.local.layout import Layout
from deploy.local.servers import airflow
from deploy.local.servers.web import start_page
from deploy.local.shell import child_environment

NEVER_IDLE_SECONDS = 10**9
"""As `idle_seconds`: in a replay of old posts not the wall clock but the end of the replay closes windows."""


class Session:
    """What the steps of a run share."""

    def __init__(self, layout: Layout, screen: Screen, started_at: float) -> None:
        self.layout = layout
        self.screen = screen
        self.started_at = started_at
        self.is_decided = False
        self._settings: Settings | None = None
        self._commands: Commands | None = None
        self._streaming: processes.Program | None = None
        self._alerts: AlertPrinter | None = None
        self._environment: dict[str, str] = {}

    @property
    def is_prepared(self) -> bool:
        """Whether anything may be running."""
        return self._commands is not None

    @property
    def settings(self) -> Settings:
        """Settings of the stack, once it is prepared."""
        assert self._settings is not None
        return self._settings

    @property
    def commands(self) -> Commands:
        """Runs commands on the stack, once it is prepared."""
        assert self._commands is not None
        return self._commands

    def prepare(self) -> None:
        """Choose ports and credentials, so that commands can be started beside the servers."""
        state = stack.prepare(self.layout)
        self._settings = stack.settings_of(self.layout, state)
        self._environment = child_environment(self.layout, state, self._settings)
        self._commands = Commands(self.layout, self.screen, self._environment)

    def start_stack(self) -> None:
        """Start Kafka, S3 and Postgres."""
        with self.screen.stage("starting Kafka, S3 and Postgres"):
            for note in stack.up(self.layout):
                self.screen.say(note)
        address = start_page(self.layout, stack.known_state(self.layout), self._environment)
        self.screen.say(f"The page, alive from now on: {address}")

    def prepare_airflow(self) -> None:
        """Create Airflow's database."""
        if airflow.is_migrated(self.layout):
            return
        with self.screen.stage("preparing Airflow"):
            airflow.migrate_database(self.layout, self._environment)

    def archive_classes(self) -> None:
        """Archive Spark's classes, if the set-up left that for now; an empty file if Java cannot."""
        if CLASS_ARCHIVE.exists():
            return
        title = "archiving Spark's classes for later starts"
        try:
            self.commands.run("classes", title, "deploy.local.classes")
        except StoppedError:
            raise
        except NotReadyError as error:
            self.screen.say(f"Later starts are slower: {error}")
            CLASS_ARCHIVE.touch()  # as set-up does, so that nobody tries again

    def start_streaming(
        self, *, first_event: datetime, replays_old_posts: bool, from_here: bool = False
    ) -> None:
        """Start the streaming process and wait until detection reads.

        Detection starts over at the end of the topic if it has seen posts newer than `first_event`, or on
        request (`from_here`) if the topic holds posts that it should not judge.
        """
        log = processes.log_path(self.layout, "streaming")
        log_start = processes.log_end(self.layout, "streaming")
        newest = newest_event_time(self.settings)
        fresh = from_here or (newest is not None and newest > first_event)
        further = {"GROUNDSWELL_ARCHIVE_TRIGGER_SECONDS": "10"}
        if replays_old_posts:
            further["GROUNDSWELL_IDLE_SECONDS"] = str(NEVER_IDLE_SECONDS)
        with self.screen.stage("starting the streaming process", log):
            program = self.commands.start(
                "streaming", "streaming", *(["--fresh-detect"] if fresh else []), further=further
            )
            self._streaming = program
            self.commands.wait_until(
                lambda: detection_has_started(self.settings.checkpoint_dir, log, log_start),
                program,
                "the start of detection",
                120,
            )

    def wait_for(self, query: str, title: str) -> None:
        """Wait until a query has read everything that is in Kafka now."""
        assert self._streaming is not None
        # Its observation of the end of the topic must be newer than this moment.
        now = datetime.now(UTC) + timedelta(seconds=1)
        behind: list[int] = []

        def is_done() -> bool:
            lag = lag_records(self.settings, query, seen_after=now)
            behind[:] = [] if lag is None else [lag]
            return lag == 0

        with self.screen.stage(title, detail=lambda: f"{behind[0]:,} records to go" if behind else ""):
            self.commands.wait_until(is_done, self._streaming, title)

    def show_alerts(self) -> None:
        """Print alerts from now on."""
        self._alerts = AlertPrinter(self.settings, self.screen)
        self._alerts.start()

    def finish_alerts(self) -> None:
        """Print the remaining alerts, then stop printing."""
        if self._alerts is not None:
            self._alerts.finish()

    def seconds_to_first_alert(self) -> float | None:
        """Return the seconds from the command to the first printed alert; None without one."""
        first = self._alerts.first_at if self._alerts else None
        return None if first is None else first - self.started_at

    def show_next_steps(self) -> None:
        """Print the commands that make sense now."""
        env = self.layout.env_file
        for line in (
            "Next:",
            f"  make psql Q=\"select * from recent_alerts limit 5\"  the tables; or source '{env}'; psql",
            '  make sql Q="select count(*) from raw_posts"         archive and tables; without Q a prompt',
            "  make alerts | make airflow | make status | make stop    in another terminal",
            f"  logs: {self.layout.logs}",
        ):
            self.screen.say(line)

    def stay(self) -> None:
        """Print alerts until Ctrl-C or the end of the streaming process."""
        assert self._streaming is not None
        self.screen.say("Everything keeps running. Ctrl-C stops it.")
        self.show_alerts()
        while processes.exit_code(self._streaming) is None:
            time.sleep(0.5)
        raise self.commands.failure(self._streaming)

    def stop_commands(self) -> None:
        """Stop the streaming process and everything else that still runs."""
        if self._commands is not None:
            self._commands.stop_all()
        if self._alerts is not None:
            self._alerts.finish()
