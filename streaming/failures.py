"""Query failures that a restart cannot fix: from Spark's error to a message on what the user must do."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

from core.settings import Settings
from streaming.checkpoints import checkpoint_of
from streaming.progress import EndOffsets, offsets_reached

_DATA_LOSS = ("KAFKA_DATA_LOSS", "Some data may have been lost", "some data may have been missed")
_CORRUPTION = (
    "CANNOT_LOAD_STATE_STORE",
    "MALFORMED_LOG_FILE",
    "Malformed log file",
    "Incomplete log file",
    "BATCH_METADATA_NOT_FOUND",
    "OffsetSeqLog.deserialize",
    "CommitLog.deserialize",
    "OffsetSeqMetadata$.apply",
)
_NO_CORRUPTION = ("OUT_OF_MEMORY",)
_OTHER_STATE = (
    "STATE_STORE_KEY_SCHEMA_NOT_COMPATIBLE",
    "STATE_STORE_VALUE_SCHEMA_NOT_COMPATIBLE",
    "STATE_STORE_COLUMN_FAMILY_SCHEMA_INCOMPATIBLE",
    "STREAMING_STATEFUL_OPERATOR_NOT_MATCH_IN_STATE_METADATA",
    "STATE_STORE_PROVIDER_DOES_NOT_SUPPORT_",
    "STATE_STORE_KEY_ROW_FORMAT_VALIDATION_FAILURE",
    "STATE_STORE_VALUE_ROW_FORMAT_VALIDATION_FAILURE",
)
"""Names of Spark's error conditions; other STATE_STORE_... conditions may mean corruption."""


_TRACEBACK = "Traceback (most recent call last)"
_INTERRUPTIONS = (
    "java.lang.InterruptedException",
    "java.io.InterruptedIOException",
    "java.nio.channels.ClosedByInterruptException",
)


class Interrupted(Exception):
    """Spark interrupted a batch because its query is stopping."""


@contextmanager
def short_interruption() -> Iterator[None]:
    """Turn an interruption in a batch's Python code into `Interrupted`, without Java's stack trace.

    Spark recognizes an interruption by matching the error's text against StreamExecution.PROXY_ERROR, a
    pattern that uses at least one stack frame per character: a whole trace overflows the stack, and a query
    that was merely stopped ends with a thousand lines of log.
    """
    try:
        yield
    except Py4JJavaError as error:
        kind = error.java_exception.getClass().getName()
        if kind not in _INTERRUPTIONS:
            raise
        raise Interrupted(
            f"py4j.protocol.Py4JJavaError: An error occurred while calling Java.\n: {kind}"
        ) from None


def is_not_interruption(record: logging.LogRecord) -> bool:
    """Return whether a log record is about anything but an interrupted batch; a `logging` filter."""
    return not (record.exc_info and isinstance(record.exc_info[1], Interrupted))


def text_of(error: object) -> str:
    """Return the text of a Spark error and its causes, with stack traces.

    Only the stack trace shows that a log file of a checkpoint could not be parsed.
    """
    texts = []
    while error is not None:
        texts += [str(error), str(getattr(error, "_stackTrace", ""))]
        error = getattr(error, "_cause", None)
    return "\n".join(texts)


def is_corruption(error: str) -> bool:
    """Return whether the error means that the checkpoint cannot be read."""
    return any(word in error for word in _CORRUPTION) and not any(
        word in error for word in (*_NO_CORRUPTION, *_OTHER_STATE)
    )


def is_data_loss(error: str) -> bool:
    """Return whether the error says that Kafka no longer has what was to be read.

    A broker that is still starting says so too.
    """
    return any(word in error for word in _DATA_LOSS)


def what_to_do(settings: Settings, query: str, topics: Sequence[str], error: str) -> str | None:
    """Return what the user must do about an error that a restart of `query` cannot fix; None for others."""
    if is_data_loss(error):
        return _describe_gap(settings, query, topics)
    if is_corruption(error):
        return f"its checkpoint cannot be read. {how_to_reset(settings, query)}"
    if any(word in error for word in _OTHER_STATE):
        return (
            "its checkpoint is another version's, whose counts this version cannot continue. "
            f"{how_to_reset(settings, query)}"
        )
    return None


def how_to_reset(settings: Settings, query: str) -> str:
    """Return how to discard the checkpoint of `query`, and what that costs."""
    return (
        f"Stop this process, move {checkpoint_of(settings, query)} away and start it again: "
        "nothing is lost or counted twice as long as Kafka still holds the posts of the open windows "
        "(docs/rebuild.md)."
    )


def _describe_gap(settings: Settings, query: str, topics: Sequence[str]) -> str | None:
    """Return how many records Kafka deleted before `query` read them and what to do; None if none."""
    with closing(EndOffsets(settings)) as ends:
        begins = ends.begin_offsets(topics)
    reached = offsets_reached(settings, query)
    gaps = {}
    for partition, begin in begins.items():
        key = partition.topic, partition.partition
        if key in reached and reached[key] < begin:
            gaps[key] = reached[key], begin - 1
    if not gaps:
        return None
    lost = sum(last - first + 1 for first, last in gaps.values())
    where = ", ".join(
        f"{topic} partition {partition}: offsets {first} to {last}"
        for (topic, partition), (first, last) in gaps.items()
    )
    return (
        f"Kafka deleted {lost} records before they were read ({where}). They are lost here; if you have them "
        "elsewhere, send or import them again. Stop this process and start it once with --accept-loss, which "
        "resumes after them."
    )


def first_line(error: object) -> str:
    """Return the line of an exception that tells a reader most; Spark's exceptions run to hundreds."""
    text = (
        f"{type(error).__name__}: {error}"
        if isinstance(error, BaseException) and not isinstance(error, PySparkException)
        else str(error)
    )
    lines = [line for line in text.splitlines() if line.strip()]
    if any(_TRACEBACK in line for line in lines):
        # An error in foreachBatch: Python's traceback ends with an unindented line; Java's stack follows.
        after = lines[next(i for i, line in enumerate(lines) if _TRACEBACK in line) + 1 :]
        lines = [line for line in after if not line[0].isspace()] or lines
    caused = [line for line in lines if line.startswith("Caused by:")]
    return (caused[-1] if caused else lines[0]).strip()[:500] if lines else "no reason given"
