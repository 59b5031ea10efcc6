"""Failures of a query that starting it again cannot mend: Spark's error in, a sentence on what a person has to do out."""

from collections.abc import Sequence
from contextlib import closing

from core.settings import Settings
from streaming.checkpoints import checkpoint_of
from streaming.progress import EndOffsets, offsets_reached

_DATA_LOSS = ("KAFKA_DATA_LOSS", "Some data may have been lost", "some data may have been missed")
_DAMAGE = (
    "CANNOT_LOAD_STATE_STORE", "MALFORMED_LOG_FILE", "Malformed log file", "Incomplete log file", "BATCH_METADATA_NOT_FOUND",
    "OffsetSeqLog.deserialize", "CommitLog.deserialize", "OffsetSeqMetadata$.apply",
)  # fmt: skip
_NO_DAMAGE = ("OUT_OF_MEMORY",)


def text_of(error: object) -> str:
    """An error of Spark with its causes and where in Spark each arose, which alone tells a log that cannot be parsed."""
    texts = []
    while error is not None:
        texts += [str(error), str(getattr(error, "_stackTrace", ""))]
        error = getattr(error, "_cause", None)
    return "\n".join(texts)


def is_damage(error: str) -> bool:
    """Whether the error says that the checkpoint cannot be read."""
    return any(word in error for word in _DAMAGE) and not any(word in error for word in _NO_DAMAGE)


def is_data_loss(error: str) -> bool:
    """Whether the error says that Kafka no longer has what was to be read; a broker that just starts says so too."""
    return any(word in error for word in _DATA_LOSS)


def sentence_on_damage(settings: Settings, query: str) -> str:
    """What to do about a checkpoint that cannot be read."""
    return (
        f"its checkpoint cannot be read. Stop this process, move {checkpoint_of(settings, query)} away and start it again: "
        "nothing is lost or counted twice as long as Kafka holds the posts of the windows that are open (docs/rebuild.md)."
    )


def sentence_on_gap(settings: Settings, query: str, topics: Sequence[str]) -> str | None:
    """How many records Kafka has thrown away before `query` read them, and what to do; None where there are none."""
    with closing(EndOffsets(settings)) as ends:
        begins = ends.begins(topics)
    reached = offsets_reached(settings, query)
    gaps = {}
    for partition, begin in begins.items():
        place = partition.topic, partition.partition
        if place in reached and reached[place] < begin:
            gaps[place] = reached[place], begin - 1
    if not gaps:
        return None
    lost = sum(last - first + 1 for first, last in gaps.values())
    where = ", ".join(f"{topic} partition {partition}: offsets {first} to {last}" for (topic, partition), (first, last) in gaps.items())
    return (
        f"Kafka threw away {lost} records before they were read ({where}). They are lost here; whoever has them may send or import them "
        "again. Stop this process and start it once with --accept-loss, which goes on behind them."
    )
