"""A stack for one benchmark, and commands of Groundswell that run against it with their memory watched."""

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from core.settings import Settings
from deploy.local import stack
from deploy.local.layout import Layout, layout_for
from deploy.local.shell import settings_variables

REPOSITORY = Path(__file__).resolve().parents[1]
MEMORY_SECONDS = 0.5


@contextmanager
def benchmark_stack() -> Iterator[tuple[Settings, Path]]:
    """Start servers for this benchmark; yield their settings and a folder for its files; remove both."""
    with tempfile.TemporaryDirectory(prefix="groundswell-bench-") as folder:
        root = Path(folder)
        root.chmod(0o711)
        layout = stack_layout(root)
        layout.root.mkdir(mode=0o711)
        try:
            stack.up(layout)
            yield stack.stack_settings(layout), root
        finally:
            stack.clean(layout)


def stack_layout(folder: Path) -> Layout:
    """Return the layout of the stack of the benchmark with that folder."""
    return Layout(folder / "stack", layout_for().jars)


@dataclass
class Command:
    """A running `python -m MODULE ARGUMENTS` and its peak memory; a context manager that ends it."""

    settings: Settings
    arguments: tuple[str, ...]
    log: Path
    peak_bytes: int = 0
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __enter__(self) -> "Command":
        variables = {**os.environ, **settings_variables(self.settings)}
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *self.arguments],
                cwd=REPOSITORY,
                env=variables,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=60)

    def wait(self) -> None:
        """Wait for the command to end; raise RuntimeError with the end of its log if it failed."""
        if self.process.wait() != 0:
            raise RuntimeError(f"{' '.join(self.arguments)} failed:\n{self.log.read_text()[-3000:]}")

    def _watch(self) -> None:
        while self.process.poll() is None:
            with suppress(psutil.Error):
                root = psutil.Process(self.process.pid)
                # Java starts processes that share all of its memory until they run their program.
                settled = time.time() - MEMORY_SECONDS
                children = [one for one in root.children(recursive=True) if one.create_time() < settled]
                self.peak_bytes = max(
                    self.peak_bytes, sum(one.memory_info().rss for one in (root, *children))
                )
            threading.Event().wait(MEMORY_SECONDS)


def run(settings: Settings, log: Path, *arguments: str) -> Command:
    """Run a command to its end and return it, for its peak memory."""
    with Command(settings, arguments, log) as command:
        command.wait()
    return command
