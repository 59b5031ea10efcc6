"""The screen of a run and its commands: each stage with its seconds, each command with its log.

In a terminal one line shows the current stage and the newest line of its log; elsewhere there is a plain line
every few seconds. A command that fails becomes one sentence with the end of its log.
"""

import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.status import Status

from core.errors import NotReadyError
from deploy.local import processes
from deploy.local.layout import Layout

PLAIN_SECONDS = 10.0
# Colours, and what Airflow's log puts around a line that a task printed.
_TRIMMINGS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|^\S+Z \[\w+ *\] | +\[airflow\.\S+\].*$", re.MULTILINE)
# Spark's progress bars and warnings, and the lines of a stack trace, are of no use while waiting.
_NOISE = re.compile(r"\[Stage |WARN|\bat |INFO  \[|alembic|loc=|^\s*$")


class StoppedError(NotReadyError):
    """A command was stopped because the run ends."""


@dataclass
class Active:
    """A stage that is under way."""

    title: str
    log: Path | None
    log_start: int
    detail: Callable[[], str] | None
    started: float = field(default_factory=time.monotonic)
    said: float = field(default_factory=time.monotonic)

    def describe(self, *, detail: bool) -> str:
        """Return title, seconds and, with `detail`, how far it is."""
        text = f"{self.title} {time.monotonic() - self.started:.0f} s"
        newest = self._newest_line() if detail else ""
        return f"{text}: {newest}" if newest else text

    def _newest_line(self) -> str:
        if self.detail:
            return self.detail()
        if self.log is None or not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(self.log_start, self.log.stat().st_size - 2000))
            lines = _TRIMMINGS.sub("", file.read().decode(errors="replace")).split("\n")
        return next((line.strip()[:120] for line in reversed(lines) if not _NOISE.search(line)), "")


class Screen:
    """The stages of a run, for a terminal or for a file; used from several threads."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, soft_wrap=True)
        self.seconds: dict[str, float] = {}
        self._active: list[Active] = []
        self._lock = threading.Lock()
        self._status = Status("", console=self.console) if self.is_terminal else None
        self._ended = threading.Event()
        self._ticker = threading.Thread(target=self._tick, daemon=True)

    @property
    def is_terminal(self) -> bool:
        """Whether the output is a terminal."""
        return sys.stdout.isatty()

    def __enter__(self) -> "Screen":
        self._ticker.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._ticker.join()
        if self._status:
            self._status.stop()

    def say(self, text: str, style: str | None = None) -> None:
        """Print a line that stays."""
        self.console.print(text, markup=False, style=style)

    @contextmanager
    def stage(
        self, title: str, log: Path | None = None, detail: Callable[[], str] | None = None
    ) -> Iterator[None]:
        """Show `title` as the current stage, with `detail` or the newest log line; record its seconds."""
        active = Active(title, log, log.stat().st_size if log and log.exists() else 0, detail)
        with self._lock:
            self._active.append(active)
        try:
            yield
        finally:
            with self._lock:
                self._active.remove(active)
            self.seconds[title] = time.monotonic() - active.started
        self.say(f"  {title:<52}{self.seconds[title]:>6.1f} s", style="dim")

    def _tick(self) -> None:
        while not self._ended.wait(0.25):
            with self._lock:
                active = list(self._active)
            if self._status:
                self._show(self._status, active)
            else:
                self._remind(active)

    def _show(self, status: Status, active: list[Active]) -> None:
        if not active:
            status.stop()
            return
        status.update(
            " | ".join(stage.describe(detail=len(active) < 3) for stage in active)[
                : max(self.console.width - 4, 20)
            ]
        )
        status.start()

    def _remind(self, active: list[Active]) -> None:
        for stage in active:
            if time.monotonic() - stage.said > PLAIN_SECONDS:
                stage.said = time.monotonic()
                self.say(f"  ... {stage.describe(detail=True)}")


class Commands:
    """Runs commands in the stack's environment, registered so that `make stop` ends them too."""

    def __init__(self, layout: Layout, screen: Screen, environment: Mapping[str, str]) -> None:
        self._layout = layout
        self._screen = screen
        self._environment = environment
        self._names: list[str] = []
        self._stopping = threading.Event()

    def run(self, name: str, title: str, *arguments: str, gives_up_at: bytes | None = None) -> str:
        """Run `python -m ARGUMENTS` to its end as a stage, and return what it printed.

        Raises NotReadyError if it fails, or if `gives_up_at` appears in its log.
        """
        start = processes.log_end(self._layout, name)
        self.run_until(name, title, *arguments, gives_up_at=gives_up_at)
        return _since(processes.log_path(self._layout, name), start).decode(errors="replace")

    def run_until(
        self,
        name: str,
        title: str,
        *arguments: str,
        gives_up_at: bytes | None = None,
        enough: Callable[[], bool] = lambda: False,
    ) -> Callable[[str], None]:
        """Like `run`, but return once there is `enough`; the result waits for the end as a further stage."""
        log = processes.log_path(self._layout, name)
        start = processes.log_end(self._layout, name)

        def watch(program: processes.Program, enough: Callable[[], bool]) -> None:
            while processes.exit_code(program) is None:
                if enough():
                    return
                time.sleep(0.1)
                if gives_up_at and gives_up_at in _since(log, start):
                    failure = self.failure(program)
                    processes.stop(self._layout, program)
                    raise failure
            if processes.exit_code(program):
                raise self.failure(program)
            processes.forget(self._layout, program)

        def finish(title: str) -> None:
            with self._screen.stage(title, log):
                watch(program, lambda: False)

        with self._screen.stage(title, log):
            program = self.start(name, *arguments)
            watch(program, enough)
        return finish

    def start(
        self, name: str, *arguments: str, further: Mapping[str, str] | None = None
    ) -> processes.Program:
        """Start `python -m ARGUMENTS`, its output in `.local/logs/NAME.log`."""
        if self._stopping.is_set():
            raise StoppedError(f"{name} was not started because the run ends.")
        self._names.append(name)
        environment = {**self._environment, **(further or {})}
        return processes.start(
            self._layout, name, [sys.executable, "-m", *arguments], environment=environment
        )

    def wait_until(
        self,
        condition: Callable[[], bool],
        program: processes.Program,
        what: str,
        timeout_seconds: float = 600,
    ) -> None:
        """Wait until `condition` holds while `program` runs; NotReadyError if it ends or time runs out."""
        deadline = time.monotonic() + timeout_seconds
        while not condition():
            if processes.exit_code(program) is not None:
                raise self.failure(program)
            if time.monotonic() > deadline:
                raise NotReadyError(
                    f"{what} did not finish within {timeout_seconds:.0f} s. {self._end_of_log(program)}"
                )
            time.sleep(0.2)

    def failure(self, program: processes.Program) -> NotReadyError:
        """Return the error for a program that ended."""
        if self._stopping.is_set():
            return StoppedError(f"{program.name} was stopped.")
        return NotReadyError(f"{program.name} failed. {self._end_of_log(program)}")

    def _end_of_log(self, program: processes.Program) -> str:
        log = processes.log_path(self._layout, program.name)
        lines = processes.last_lines(log, 200).splitlines()
        # From Airflow's log only the output of the command that it ran.
        printed = [_TRIMMINGS.sub("", line) for line in lines if "loc=subprocess.py" in line]
        return "\n".join([f"The end of {log}:", *(printed or lines)[-8:]])

    def stop_all(self) -> None:
        """Stop whatever was started here and still runs."""
        self._stopping.set()
        for name in self._names:
            program = processes.running(self._layout, name)
            if program is not None:
                processes.stop(self._layout, program)


def _since(log: Path, start: int) -> bytes:
    with log.open("rb") as file:
        file.seek(start)
        return file.read()


def side_by_side(*tasks: Callable[[], None]) -> None:
    """Run tasks in threads and wait for all, then raise the first error."""
    errors: list[BaseException] = []

    def guarded(task: Callable[[], None]) -> None:
        try:
            task()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.2)  # with a time limit, so that Ctrl-C works
    if errors:
        raise errors[0]


def python_arguments(values: Sequence[tuple[str, str | None]]) -> list[str]:
    """Return `--name value` for every value that is given."""
    return [part for name, value in values if value for part in (name, value)]
