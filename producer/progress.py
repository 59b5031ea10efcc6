"""Show progress on stderr: one live line on a terminal, otherwise a line every few seconds."""

import sys
import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.status import Status

FIRST_LINE_SECONDS, SECONDS_BETWEEN_LINES = 2.0, 5.0


class StatusLine:
    """Shows the latest status on stderr; `say` prints what must not be missed."""

    def __init__(self) -> None:
        """Show nothing until `show` is called."""
        self._console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        self._status = Status("", console=self._console) if self._console.is_terminal else None
        self._next_line = time.monotonic() + FIRST_LINE_SECONDS

    def __enter__(self) -> Self:
        if self._status:
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status:
            self._status.stop()

    def show(self, text: str) -> None:
        """Show the current status; without a terminal, print it only every few seconds."""
        if self._status:
            self._status.update(text)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + SECONDS_BETWEEN_LINES
            self.say(text)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, markup=False)
