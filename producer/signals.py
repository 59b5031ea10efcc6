"""SIGINT and SIGTERM as an event that the program checks when convenient."""

import signal
import threading
from dataclasses import dataclass, field
from types import FrameType


@dataclass
class Stop:
    """`event` is set once a signal arrives; `signal` is its number."""

    event: threading.Event = field(default_factory=threading.Event)
    signal: int = 0


def stop_on_signals() -> Stop:
    """Return an event that the two signals set from now on; a second signal ends the program at once."""
    stop = Stop()

    def note(number: int, frame: FrameType | None) -> None:
        stop.signal = number
        stop.event.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, note)
    return stop
