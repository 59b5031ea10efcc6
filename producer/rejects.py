"""Turn a line that is not a usable post into the JSON record that goes to the rejected topic."""

import base64
from collections import Counter
from collections.abc import Sequence

import orjson

from producer.delivery import Record
from producer.posts import NotAPost
from producer.resume import Position
from producer.sources import Input, Line

HEAD_CHARACTERS = 500
LARGEST_RAW_BYTES = 256 * 1024


def rejected_record(topic: str, file: str, line: Line, error: NotAPost) -> Record:
    """Return a rejected record.

    Fields: file, line, reason, detail, bytes (length of the line), head (its beginning as text), raw_base64
    (the whole line, up to 256 KB).
    """
    value = {
        "file": file,
        "line": line.number,
        "reason": error.reason,
        "detail": str(error),
        "bytes": line.length,
        "head": line.data[: 4 * HEAD_CHARACTERS].decode("utf-8", "replace")[:HEAD_CHARACTERS],
        "raw_base64": base64.b64encode(line.data).decode() if line.length <= LARGEST_RAW_BYTES else None,
    }
    # The detail may contain a lone surrogate, which JSON allows and UTF-8 does not.
    value["detail"] = str(value["detail"]).encode("utf-8", "replace").decode()
    return Record(topic, f"{file}:{line.number}".encode("utf-8", "surrogateescape"), orjson.dumps(value))


class Rejects:
    """Makes rejected records and counts them by reason."""

    def __init__(self, topic: str, inputs: Sequence[Input], counts: Counter[str]) -> None:
        self._topic = topic
        self._inputs = inputs
        self._counts = counts

    def record_for(self, file: str, line: Line, error: NotAPost) -> Record:
        """Return the rejected record for a line of `file`."""
        self._counts[error.reason] += 1
        return rejected_record(self._topic, file, line, error)

    def replace_too_large(self, record: Record, position: Position) -> Record:
        """Return the rejected record for a post that the posts' topic finds too large."""
        error = NotAPost("larger than the topic takes", f"{len(record.value):,} bytes")
        line = Line(position.line, record.value, len(record.value), position.offset)
        return self.record_for(self._inputs[position.input].name, line, error)
