"""Programs that outlive the command that started them: start, find and stop them, by files in `.local/run`.

A program counts as ours only while its process id still has the recorded start time.
"""

import contextlib
import json
import os
import pwd
import signal
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import psutil

from core.errors import NotReadyError
from deploy.local.layout import Layout, write_private

MARK = "GROUNDSWELL_STACK"
"""Environment variable of every program that a stack started: the stack's folder."""

PROGRAM_MARK = "GROUNDSWELL_PROGRAM"
"""Environment variable that distinguishes one start of a program from every other."""

LOG_LIMIT_BYTES = 20_000_000
_CHILDREN: dict[int, subprocess.Popen[bytes]] = {}


@dataclass(frozen=True)
class Program:
    """A running program: the leader of its own session, and the mark that it and its children carry."""

    name: str
    pid: int
    started: float
    stop_signal: int
    mark: str = ""

    def leader_lives(self) -> bool:
        """Return whether the started process is still alive."""
        _reap(self.pid)
        try:
            return _start_time(self.pid) == self.started and _is_alive(psutil.Process(self.pid))
        except psutil.Error:
            return False

    def processes(self) -> list[psutil.Process]:
        """Return what is alive: the leader, its session and all descendants, also after the leader died."""
        is_ours = _start_time(self.pid) == self.started

        def belongs(process: psutil.Process) -> bool:
            return (is_ours and _session(process.pid) == self.pid) or self._made(process)

        return [process for process in psutil.process_iter() if belongs(process) and _is_alive(process)]

    def _made(self, process: psutil.Process) -> bool:
        """Return whether the process carries this program's mark, which children inherit across sessions."""
        try:
            return bool(self.mark) and process.environ().get(PROGRAM_MARK) == self.mark
        except psutil.Error:
            return False


def start(
    layout: Layout,
    name: str,
    command: Sequence[str],
    *,
    environment: Mapping[str, str] | None = None,
    account: str | None = None,
    directory: Path | None = None,
    stop_signal: int = signal.SIGTERM,
) -> Program:
    """Start and register `command` in its own session; its output goes to `.local/logs/<name>.log`."""
    mark = uuid.uuid4().hex
    with open_log(layout, name) as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=directory or layout.root,
            env={
                **(os.environ if environment is None else environment),
                MARK: str(layout.root),
                PROGRAM_MARK: mark,
            },
            start_new_session=True,
            user=account,
            group=_group(account),
            extra_groups=None if account is None else [],
        )
    _CHILDREN[process.pid] = process
    program = Program(name, process.pid, _start_time(process.pid), stop_signal, mark)
    register(layout, program)
    return program


def register(layout: Layout, program: Program) -> None:
    """Record a program, so that `status` and `down` find it."""
    write_private(_file(layout, program.name), json.dumps(asdict(program)))


def run_as(account: str | None, command: Sequence[str], output: IO[bytes] | int) -> int:
    """Run a short command as another account without other groups; return its exit code, -1 if impossible."""
    try:
        return subprocess.run(
            command,
            cwd="/",
            check=False,
            stdout=output,
            stderr=subprocess.STDOUT,
            user=account,
            group=_group(account),
            extra_groups=None if account is None else [],
        ).returncode
    except OSError:
        return -1


def open_log(layout: Layout, name: str) -> IO[bytes]:
    """Open the log of `name` for appending; one of more than 20 MB is set aside as .1 first."""
    path = log_path(layout, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_LIMIT_BYTES:
        path.replace(path.with_suffix(".log.1"))
    return path.open("ab")


def log_end(layout: Layout, name: str) -> int:
    """Return the size of the log of `name` in bytes: a program started now writes after it."""
    with open_log(layout, name) as log:
        return log.seek(0, os.SEEK_END)


def log_path(layout: Layout, name: str) -> Path:
    """Return where the output of `name` goes."""
    return layout.logs / f"{name}.log"


def last_lines(path: Path, count: int = 5) -> str:
    """Return the last lines of a log for an error message."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def running(layout: Layout, name: str) -> Program | None:
    """Return the registered program `name` if it still runs; remove the record of one that is gone."""
    program = _read(_file(layout, name))
    if program is not None and program.processes():
        return program
    _file(layout, name).unlink(missing_ok=True)
    return None


def all_running(layout: Layout) -> list[Program]:
    """Return every registered program that still runs, the last started first."""
    names = [path.stem for path in layout.run.glob("*.json")]
    programs = [program for name in names if (program := running(layout, name))]
    return sorted(programs, key=lambda program: program.started, reverse=True)


def stop(layout: Layout, program: Program, timeout_seconds: float = 30) -> None:
    """Ask the leader to stop, wait, then kill what is left of its session."""
    if program.leader_lives():
        _signal(program.pid, program.stop_signal)
        _signal(program.pid, signal.SIGCONT)  # a suspended process would not receive the other signal
        wait_until(lambda: not program.leader_lives(), timeout_seconds)
    wait_until(lambda: not program.processes(), 2)
    for process in program.processes():
        _signal(process.pid, signal.SIGKILL)
    if not wait_until(lambda: not program.processes(), 10):
        raise NotReadyError(
            f"{program.name} (process {program.pid}) does not stop. See {log_path(layout, program.name)}."
        )
    forget(layout, program)


def wait_ready(
    layout: Layout, program: Program, is_ready: Callable[[], bool], timeout_seconds: float = 90
) -> None:
    """Wait until `is_ready`; NotReadyError with the end of the log if the program stops or takes too long."""
    deadline = time.monotonic() + timeout_seconds
    while not is_ready():
        log = log_path(layout, program.name)
        if not program.leader_lives():
            raise NotReadyError(
                f"{program.name} stopped while starting. The end of {log}:\n{last_lines(log)}"
            )
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"{program.name} did not answer within {timeout_seconds:.0f} s. "
                f"The end of {log}:\n{last_lines(log)}"
            )
        time.sleep(0.05)


def exit_code(program: Program) -> int | None:
    """Return the exit code of a program that this process started; None while it runs."""
    return _CHILDREN[program.pid].poll()


def forget(layout: Layout, program: Program) -> None:
    """Remove the record of a program that has ended."""
    _file(layout, program.name).unlink(missing_ok=True)


def memory_bytes(program: Program) -> int:
    """Return the resident memory of the program and its children; shared pages count for each."""
    total = 0
    for process in program.processes():
        try:
            total += process.memory_info().rss
        except psutil.Error:
            continue
    return total


def _file(layout: Layout, name: str) -> Path:
    return layout.run / f"{name}.json"


def _read(path: Path) -> Program | None:
    try:
        return Program(**json.loads(path.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def _start_time(pid: int) -> float:
    """Return when a process started, if possible in clock ticks since boot, which clock steps do not move."""
    try:
        return float(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except OSError:
        return psutil.Process(pid).create_time() if psutil.pid_exists(pid) else 0.0


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except OSError:
        return None


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _reap(pid: int) -> None:
    """Collect a child of this process, which otherwise stays a zombie."""
    child = _CHILDREN.get(pid)
    if child is not None:
        child.poll()


def _signal(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], timeout_seconds: float) -> bool:
    """Wait until `condition` holds; return whether it did in time."""
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _group(account: str | None) -> int | None:
    return None if account is None else pwd.getpwnam(account).pw_gid
