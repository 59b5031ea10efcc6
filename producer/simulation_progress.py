"""Progress of a simulation: a bar on a terminal, a line every two seconds elsewhere."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

SECONDS_BETWEEN_LINES = 2.0


class SimulationProgress:
    """Counts records and bytes as they are written, and shows them on stderr."""

    def __init__(self, *, expected: float) -> None:
        """`expected`: about how many records there will be."""
        self.records = 0
        self.bytes = 0
        self._started = self._shown = time.monotonic()
        console = Console(file=sys.stderr)
        self._bar: Progress | None = None
        if console.is_terminal:
            columns = TextColumn("simulating"), BarColumn(), TextColumn("{task.completed:,.0f} posts"), TimeElapsedColumn()
            self._bar = Progress(*columns, console=console, transient=True)
            self._task = self._bar.add_task("", total=expected)

    def __enter__(self) -> Self:
        if self._bar:
            self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._bar:
            self._bar.stop()

    def advance(self, records: int, size: int) -> None:
        """Count what was written just now: records and bytes."""
        self.records += records
        self.bytes += size
        if self._bar:
            self._bar.advance(self._task, records)
        elif time.monotonic() - self._shown >= SECONDS_BETWEEN_LINES:
            self._shown = time.monotonic()
            print(f"simulating: {self.records:,} posts, {self.records / (self._shown - self._started):,.0f}/s", file=sys.stderr, flush=True)
