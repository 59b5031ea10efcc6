"""Failures of a query that starting it again cannot mend: Spark's error in, a sentence on what a person has to do out."""

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
"""Names of Spark's error conditions, of which STATE_STORE_... also tell of damage."""


_TRACEBACK = "Traceback (most recent call last)"
_INTERRUPTIONS = (
    "java.lang.InterruptedException",
    "java.io.InterruptedIOException",
    "java.nio.channels.ClosedByInterruptException",
)


class Interrupted(Exception):
    """Spark has interrupted a batch, because its query is to stop."""


@contextmanager
def short_interruption() -> Iterator[None]:
    """In a batch's Python: an interruption as `Interrupted`, without Java's stack.

    Spark tells from the text of the error that it is one, by a pattern that takes a stack frame or more for each character
    (StreamExecution.PROXY_ERROR): on a whole trace it overflows, and a query that was only stopped ends with a thousand lines.
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


def is_no_interruption(record: logging.LogRecord) -> bool:
    """Whether a log record tells of anything but an interrupted batch, which is nothing to be told of; a filter of `logging`."""
    return not (record.exc_info and isinstance(record.exc_info[1], Interrupted))


def text_of(error: object) -> str:
    """An error of Spark with its causes and where in Spark each arose, which alone tells a log that cannot be parsed."""
    texts = []
    while error is not None:
        texts += [str(error), str(getattr(error, "_stackTrace", ""))]
        error = getattr(error, "_cause", None)
    return "\n".join(texts)


def is_corruption(error: str) -> bool:
    """Whether the error says that the checkpoint cannot be read."""
    return any(word in error for word in _CORRUPTION) and not any(
        word in error for word in (*_NO_CORRUPTION, *_OTHER_STATE)
    )


def is_data_loss(error: str) -> bool:
    """Whether the error says that Kafka no longer has what was to be read; a broker that just starts says so too."""
    return any(word in error for word in _DATA_LOSS)


def what_to_do(settings: Settings, query: str, topics: Sequence[str], error: str) -> str | None:
    """What a person has to do about an error that starting `query` again cannot mend; None for any other."""
    if is_data_loss(error):
        return _sentence_on_gap(settings, query, topics)
    if is_corruption(error):
        return f"its checkpoint cannot be read. {begin_anew(settings, query)}"
    if any(word in error for word in _OTHER_STATE):
        return f"its checkpoint is another version's, whose counts this one cannot go on with. {begin_anew(settings, query)}"
    return None


def begin_anew(settings: Settings, query: str) -> str:
    """How to give up the checkpoint of `query`, and what that costs."""
    return (
        f"Stop this process, move {checkpoint_of(settings, query)} away and start it again: "
        "nothing is lost or counted twice as long as Kafka holds the posts of the windows that are open (docs/rebuild.md)."
    )


def _sentence_on_gap(settings: Settings, query: str, topics: Sequence[str]) -> str | None:
    """How many records Kafka has thrown away before `query` read them, and what to do; None where there are none."""
    with closing(EndOffsets(settings)) as ends:
        begins = ends.begin_offsets(topics)
    reached = offsets_reached(settings, query)
    gaps = {}
    for partition, begin in begins.items():
        place = partition.topic, partition.partition
        if place in reached and reached[place] < begin:
            gaps[place] = reached[place], begin - 1
    if not gaps:
        return None
    lost = sum(last - first + 1 for first, last in gaps.values())
    where = ", ".join(
        f"{topic} partition {partition}: offsets {first} to {last}"
        for (topic, partition), (first, last) in gaps.items()
    )
    return (
        f"Kafka threw away {lost} records before they were read ({where}). They are lost here; whoever has them may send or import them "
        "again. Stop this process and start it once with --accept-loss, which goes on behind them."
    )


def first_line(error: object) -> str:
    """The line of an exception that says something to a person; Spark's run to hundreds."""
    text = (
        f"{type(error).__name__}: {error}"
        if isinstance(error, BaseException) and not isinstance(error, PySparkException)
        else str(error)
    )
    lines = [line for line in text.splitlines() if line.strip()]
    if any(_TRACEBACK in line for line in lines):
        # An error in foreachBatch: Python's traceback ends with a line that is not indented, Java's stack follows.
        after = lines[next(i for i, line in enumerate(lines) if _TRACEBACK in line) + 1 :]
        lines = [line for line in after if not line[0].isspace()] or lines
    caused = [line for line in lines if line.startswith("Caused by:")]
    return (caused[-1] if caused else lines[0]).strip()[:500] if lines else "no reason was given"
