"""Run the commands of set-up one by one, with their output in a log and their progress on the screen.

Standard library only: set-up runs on the system's Python before anything is installed.
"""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[3]
VENV = REPOSITORY / ".venv"
LOCAL = REPOSITORY / ".local"
LOG = LOCAL / "logs" / "setup.log"
PROGRESS_SECONDS = 10
LOG_LINES = 8


class SetupError(Exception):
    """A step failed; the message says which one and where to look."""


def say(line: str) -> None:
    """Print a line of progress."""
    print(f"set-up: {line}", flush=True)


def run_step(what: str, command: Sequence[str], *, may_fail: bool = False) -> None:
    """Run one command with its output in the log; print what it does and how long it took."""
    say(what)
    with LOG.open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    try:
        wait_for(what, [process])
    finally:
        process.kill()
    if process.returncode and not may_fail:
        raise SetupError(failure(f"{what[0].upper()}{what[1:]} failed: fix what the log reports", LOG))


def wait_for(what: str, children: Sequence[subprocess.Popen[bytes]]) -> None:
    """Wait for the processes to end, with a line of progress every ten seconds."""
    started = reported = time.monotonic()
    while any(child.poll() is None for child in children):
        time.sleep(0.1)
        if time.monotonic() - reported > PROGRESS_SECONDS:
            reported = time.monotonic()
            say(f"  {what}: {reported - started:.0f} s so far")
    if time.monotonic() - started > 2:
        say(f"  {what}: {time.monotonic() - started:.0f} s")


def failure(sentence: str, log: Path) -> str:
    """Return the message of a SetupError: the sentence, what to do, and the last lines of the log."""
    lines = log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join([f"{sentence} and run `make setup` again. The end of {log}:", *lines])
