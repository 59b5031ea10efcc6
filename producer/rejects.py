"""A line that is no post, as the JSON record that goes to the topic of the rejected."""

import base64

import orjson

from producer.delivery import Record
from producer.posts import NotAPost
from producer.sources import Line

HEAD_CHARACTERS = 500
LARGEST_RAW_BYTES = 256 * 1024


def rejected_record(topic: str, file: str, line: Line, error: NotAPost) -> Record:
    """file, line, reason, detail, bytes (of the line), head (its beginning as text), raw_base64 (all of it, up to 256 KB)."""
    value = {
        "file": file,
        "line": line.number,
        "reason": error.reason,
        "detail": str(error),
        "bytes": line.length,
        "head": line.data[: 4 * HEAD_CHARACTERS].decode("utf-8", "replace")[:HEAD_CHARACTERS],
        "raw_base64": base64.b64encode(line.data).decode() if line.length <= LARGEST_RAW_BYTES else None,
    }
    # A half of a surrogate pair in the detail is JSON's affair, not that of UTF-8.
    value["detail"] = str(value["detail"]).encode("utf-8", "replace").decode()
    return Record(topic, f"{file}:{line.number}".encode("utf-8", "surrogateescape"), orjson.dumps(value))
