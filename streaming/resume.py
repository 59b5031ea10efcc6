"""What a query does before its first batch, so that nothing is archived twice or closed half counted.

With a new checkpoint and tables that are not new, the archive query starts after what it has archived, and
detection closes what has expired and counts the open windows again from Kafka. With tables that are older
than its checkpoint, or a checkpoint that lacks what was counted, detection does not start at all.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from alerts.step import LONG_AGO, advance_on_idle, load_clock, lock_detection
from core.catalog import FROM_KAFKA, RAW_POSTS
from core.errors import BadInputError, CheckpointError
from core.settings import Settings
from core.windows import window_number
from sql.connection import query, transaction
from streaming.checkpoints import checkpoint_of, set_detection_checkpoint_aside
from streaming.counted_posts import CountedPosts, LostCountsError
from streaming.failures import how_to_reset
from streaming.progress import EndOffsets, Offsets

EARLIEST = "earliest"

log = logging.getLogger(__name__)


def offsets_after_archive(
    spark: SparkSession, settings: Settings, *, topics: Sequence[str], checkpoint: str
) -> str:
    """Return Spark's starting offsets of the archive query.

    `earliest` if its checkpoint knows where to resume or nothing is archived yet.
    """
    if not is_new(spark, checkpoint):
        return EARLIEST
    rows = (
        spark.table(RAW_POSTS)
        .where(F.col("topic").isin(list(topics)) & F.expr(FROM_KAFKA))
        .groupBy("topic", "partition")
        .agg((F.max("offset") + 1).alias("next_offset"))
        .collect()
    )
    archived = {(row.topic, row.partition): row.next_offset for row in rows}
    if not archived:
        return EARLIEST
    with closing(EndOffsets(settings)) as ends:
        begins, known_ends = ends.begin_offsets(topics), ends.end_offsets(topics)
    chosen = starting_offsets(archived, begins, known_ends)
    log.warning("archive: new checkpoint; resumes after what is archived: %s", chosen)
    return chosen


def starting_offsets(archived: Mapping[tuple[str, int], int], begins: Offsets, ends: Offsets) -> str:
    """Return Spark's JSON: for each partition the offset after the archive, but none that Kafka has deleted.

    An archive that is ahead of Kafka belongs to another topic of the same name, so this one is read from its
    beginning.
    """
    offsets = {}
    for partition, end in ends.items():
        next_offset = archived.get((partition.topic, partition.partition), 0)
        begin = begins.get(partition, 0)
        offsets[partition] = max(next_offset, begin) if next_offset <= end else begin
    return _as_json(offsets)


def _as_json(offsets: Offsets) -> str:
    """Return offsets as Spark reads them: by topic and partition."""
    by_topic: dict[str, dict[str, int]] = {}
    for partition, offset in offsets.items():
        by_topic.setdefault(partition.topic, {})[str(partition.partition)] = offset
    return json.dumps(by_topic, sort_keys=True)


def close_expired_windows(settings: Settings) -> None:
    """Close the windows that the newest event has passed, by their counts so far.

    Otherwise the next batch would close them; with a new checkpoint that is the first batch, which recounts
    only part of their posts.
    """
    with transaction(settings, application_name="groundswell clock") as cursor:
        lock_detection(cursor)
        clock = load_clock(cursor)
        if clock.max_event_time != LONG_AGO:
            advance_on_idle(cursor, settings, now=clock.max_event_time)


def offsets_of_open_windows(settings: Settings) -> str:
    """Return Spark's starting offsets of detection with a new checkpoint: no open window has posts before.

    An event time is at most `future_minutes` after Kafka's time, so that records of an earlier Kafka time are
    in windows that are closed. `earliest` if nothing was detected yet.
    """
    with transaction(settings) as cursor:
        closed_until = load_clock(cursor).closed_until
    if closed_until == LONG_AGO:
        return EARLIEST
    since = closed_until - timedelta(minutes=settings.future_minutes)
    topics = [settings.posts_topic]
    with closing(EndOffsets(settings)) as ends:
        ends_of, first = ends.end_offsets(topics), ends.offsets_since(topics, since)
    offsets = {partition: first.get(partition, end) for partition, end in ends_of.items()}
    return _as_json(offsets) if offsets else EARLIEST


def resume_counts(spark: SparkSession, settings: Settings, counted: CountedPosts, *, checkpoint: str) -> None:
    """Have what the batches of detection's checkpoint counted in the windows that are open.

    Raises CheckpointError if the checkpoint lacks it, or if the tables lack the newest batch that it has as
    done: they are then new or restored from a backup.
    """
    query_id = _query_id(spark, checkpoint)
    if query_id is None:
        raise CheckpointError(
            f"its checkpoint cannot be read: it lacks metadata. {how_to_reset(settings, 'detect')}"
        )
    with transaction(settings) as cursor:
        cursor.execute(query("newest_detect_batches"), {"query_id": query_id})
        last_batch, last_with_posts = cursor.fetchone() or (-1, -1)
        closed_before = window_number(load_clock(cursor).closed_until)
    done = _newest_batch(spark, checkpoint, "commits")
    if done is not None and done > last_batch:
        raise CheckpointError(
            f"the tables in {settings.postgres_database} are older than its checkpoint, or others. "
            "Rebuild them (docs/rebuild.md), or after restoring a backup (docs/backup.md): "
            f"{how_to_reset(settings, 'detect')}"
        )
    try:
        counted.resume(last_batch, last_with_posts, closed_before)
    except LostCountsError as error:
        raise LostCountsError(f"{error}. {how_to_reset(settings, 'detect')}") from error


def is_of_older_version(spark: SparkSession, checkpoint: str) -> bool:
    """Return whether the checkpoint has counts in Spark's state store, as up to version 2.0."""
    files, folder = _file_system(spark, checkpoint, "state")
    return bool(files.exists(folder))


def put_lost_checkpoint_aside(spark: SparkSession, settings: Settings) -> None:
    """Set detection's checkpoint aside if the tables hold no decision: its own tables are then lost.

    Raises BadInputError if the checkpoint is not on a local disk and has to be moved by hand.
    """
    with transaction(settings) as cursor:
        cursor.execute(query("decided_since"), {"start": LONG_AGO})
        has_decided = cursor.fetchone() != (None,)
    if not has_decided and not is_new(spark, checkpoint_of(settings, "detect")):
        if "://" in settings.checkpoint_dir:
            raise BadInputError(
                f"Detection's checkpoint in {settings.checkpoint_dir} belongs to tables that are lost: "
                "move its folder `detect` aside there and run this again."
            )
        set_detection_checkpoint_aside(settings)


def is_new(spark: SparkSession, checkpoint: str) -> bool:
    """Return whether no batch has been planned in this checkpoint yet, whatever file system it is on."""
    return _newest_batch(spark, checkpoint, "offsets") is None


def _newest_batch(spark: SparkSession, checkpoint: str, log_name: str) -> int | None:
    """Return the newest batch in a log of the checkpoint, `offsets` or `commits`; None if it has none."""
    files, folder = _file_system(spark, checkpoint, log_name)
    names = (
        [status.getPath().getName() for status in files.listStatus(folder)] if files.exists(folder) else []
    )
    return max((int(name) for name in names if name.isdigit()), default=None)


def _query_id(spark: SparkSession, checkpoint: str) -> str | None:
    """Return the id that Spark gave to the query of a checkpoint; None if it is lost."""
    files, path = _file_system(spark, checkpoint, "metadata")
    if not files.exists(path):
        return None
    stream = files.open(path)
    try:
        content = spark.sparkContext._jvm.org.apache.commons.io.IOUtils.toString(stream, "UTF-8")  # type: ignore[union-attr]
    finally:
        stream.close()
    return str(json.loads(content)["id"])


def _file_system(spark: SparkSession, checkpoint: str, name: str) -> tuple[Any, Any]:
    """Return Hadoop's FileSystem and Path of a file or folder in the checkpoint."""
    context = spark.sparkContext
    assert context._jvm is not None
    path = context._jvm.org.apache.hadoop.fs.Path(checkpoint, name)
    return path.getFileSystem(context._jsc.hadoopConfiguration()), path
