"""Which moment an imported post gets as its `time_stamp`."""

from enum import StrEnum


class ImportClock(StrEnum):
    """original: the post's creation, as the producer's clock of that name; kept: the `time_stamp` that stands in the file."""

    ORIGINAL = "original"
    KEPT = "kept"
