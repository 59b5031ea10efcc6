"""A stack of its own for a benchmark, and the commands of Groundswell run against it as processes with their memory watched."""

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
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
    """Settings of servers that run for this benchmark alone, and a folder for its files; all of it gone at the end."""
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
    """Where the servers of the benchmark with that folder have their files."""
    return Layout(folder / "stack", layout_for().jars)


@dataclass
class Command:
    """`python -m MODULE ARGUMENTS` under way, its peak memory watched; a context that ends it."""

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
        """Wait for its end; raises RuntimeError with the end of its log where it failed."""
        if self.process.wait() != 0:
            raise RuntimeError(f"{' '.join(self.arguments)} failed:\n{self.log.read_text()[-3000:]}")

    def _watch(self) -> None:
        while self.process.poll() is None:
            try:
                root = psutil.Process(self.process.pid)
                self.peak_bytes = max(
                    self.peak_bytes, sum(p.memory_info().rss for p in [root, *root.children(recursive=True)])
                )
            except psutil.Error:
                pass
            threading.Event().wait(MEMORY_SECONDS)


def run(settings: Settings, log: Path, *arguments: str) -> Command:
    """Run a command to its end and return it, for its peak memory."""
    with Command(settings, arguments, log) as command:
        command.wait()
    return command
