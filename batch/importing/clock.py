"""The clocks that give imported posts their `time_stamp`."""

from enum import StrEnum


class ImportClock(StrEnum):
    """original: the post's creation, as with the producer; kept: the `time_stamp` in the file."""

    ORIGINAL = "original"
    KEPT = "kept"
