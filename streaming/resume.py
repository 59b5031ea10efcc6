"""What a query does first. With a new checkpoint and tables that are not: the archive begins behind what it holds, detection closes
what is due, so that nothing is archived twice and no window is closed by a part of its posts. With tables that are older than the
checkpoint detection does not begin at all.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from contextlib import closing
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from alerts.step import LONG_AGO, advance_on_idle, load_clock, lock_detection
from core.catalog import FROM_KAFKA, RAW_POSTS
from core.errors import BadInputError, CheckpointError
from core.settings import Settings
from sql.connection import query, transaction
from streaming.checkpoints import checkpoint_of, put_detection_aside
from streaming.failures import begin_anew
from streaming.progress import EndOffsets, Offsets

EARLIEST = "earliest"

log = logging.getLogger(__name__)


def offsets_behind_archive(
    spark: SparkSession, settings: Settings, *, topics: Sequence[str], checkpoint: str
) -> str:
    """Spark's starting offsets of the archive query; `earliest` where its checkpoint says where to go on, or nothing is archived."""
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
    log.warning("archive: the checkpoint is new; it goes on behind what the archive holds: %s", chosen)
    return chosen


def starting_offsets(archived: Mapping[tuple[str, int], int], begins: Offsets, ends: Offsets) -> str:
    """Spark's JSON: for each partition the offset behind the archive, within what Kafka holds; its beginning where that cannot be.

    An archive that is further than Kafka is one of another topic of the same name, so all of this one is taken.
    """
    offsets: dict[str, dict[str, int]] = {}
    for partition, end in ends.items():
        behind = archived.get((partition.topic, partition.partition), 0)
        begin = begins.get(partition, 0)
        offsets.setdefault(partition.topic, {})[str(partition.partition)] = (
            max(behind, begin) if behind <= end else begin
        )
    return json.dumps(offsets, sort_keys=True)


def close_expired_windows(settings: Settings) -> None:
    """Close the windows that the newest event has left behind, by their counts as they stand.

    The next batch would close them; with a new checkpoint that is the first one, which counts a part of them anew.
    """
    with transaction(settings, application_name="groundswell clock") as cursor:
        lock_detection(cursor)
        clock = load_clock(cursor)
        if clock.max_event_time != LONG_AGO:
            advance_on_idle(cursor, settings, now=clock.max_event_time)


def check_counted(spark: SparkSession, settings: Settings, *, checkpoint: str) -> None:
    """Raise CheckpointError where the tables lack the newest batch that the checkpoint of detection says is done.

    They are then new or restored from a backup, and what was counted since is in the checkpoint's state alone.
    """
    done = _newest_batch(spark, checkpoint, "commits")
    if done is None:
        return
    query_id = _query_id(spark, checkpoint)
    if query_id is None:
        raise CheckpointError(
            f"its checkpoint cannot be read, it lacks metadata. {begin_anew(settings, 'detect')}"
        )
    with transaction(settings) as cursor:
        cursor.execute("SELECT FROM detect_batches WHERE query_id = %s AND batch_id = %s", (query_id, done))
        if not cursor.rowcount:
            raise CheckpointError(
                f"the tables in {settings.postgres_database} are older than its checkpoint, or others. Rebuild them (docs/rebuild.md), "
                f"or after restoring a backup (docs/backup.md): {begin_anew(settings, 'detect')}"
            )


def put_lost_checkpoint_aside(spark: SparkSession, settings: Settings) -> None:
    """Put detection's checkpoint aside where its tables hold nothing that was decided: what it remembers belongs to tables that are gone.

    Raises BadInputError where it lies on no disk and has to be moved by hand.
    """
    with transaction(settings) as cursor:
        cursor.execute(query("decided_since"), {"start": LONG_AGO})
        has_decided = cursor.fetchone() != (None,)
    if not has_decided and not is_new(spark, checkpoint_of(settings, "detect")):
        if "://" in settings.checkpoint_dir:
            raise BadInputError(
                f"The checkpoint of detection in {settings.checkpoint_dir} belongs to tables that are gone: "
                "move its folder detect aside there and run this again."
            )
        put_detection_aside(settings)


def is_new(spark: SparkSession, checkpoint: str) -> bool:
    """Whether no batch was planned in this checkpoint yet, wherever it lies."""
    return _newest_batch(spark, checkpoint, "offsets") is None


def _newest_batch(spark: SparkSession, checkpoint: str, log_name: str) -> int | None:
    """The newest batch in a log of the checkpoint, `offsets` or `commits`; None where there is none."""
    files, folder = _file_system(spark, checkpoint, log_name)
    names = (
        [status.getPath().getName() for status in files.listStatus(folder)] if files.exists(folder) else []
    )
    return max((int(name) for name in names if name.isdigit()), default=None)


def _query_id(spark: SparkSession, checkpoint: str) -> str | None:
    """The id that Spark gave to the query of a checkpoint; None where it is lost."""
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
    """Hadoop's FileSystem and Path of a file or folder in the checkpoint, wherever that lies."""
    context = spark.sparkContext
    assert context._jvm is not None
    path = context._jvm.org.apache.hadoop.fs.Path(checkpoint, name)
    return path.getFileSystem(context._jsc.hadoopConfiguration()), path
