"""SIGINT and SIGTERM as a wish to stop that the program looks at when it suits it."""

import signal
import threading
from dataclasses import dataclass, field
from types import FrameType


@dataclass
class Stop:
    """Set once a signal has come; `signal` is its number."""

    event: threading.Event = field(default_factory=threading.Event)
    signal: int = 0


def stop_on_signals() -> Stop:
    """From now on the two signals set the returned wish; a second one ends the program at once."""
    stop = Stop()

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        stop.event.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return stop
