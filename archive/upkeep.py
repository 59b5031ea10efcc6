"""Upkeep of the archive: few files, few manifests, few snapshots, nothing that belongs to no snapshot.

The archive query's promise to write each batch once stands on the snapshot history: a commit names its batch, and after
`expire_snapshots(retain_last => 1)` a restart doubled one. So young and recent snapshots stay (docs/decisions/0012).
Iceberg's procedures: https://iceberg.apache.org/docs/latest/spark-procedures/
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import SparkSession

from core.catalog import CATALOG, RAW_POSTS
from core.windows import ONE_DAY, day_start

LEAST_FILES = 5
"""Files of a day from which on they are rewritten."""
FILE_BYTES = 128 * 1024 * 1024
KEPT_SNAPSHOTS = 100
SNAPSHOT_AGE = timedelta(days=1)
"""Snapshots that are younger stay, and so do the newest hundred."""
ORPHAN_AGE = timedelta(days=3)
"""A file that belongs to no snapshot may be of a commit under way; one as old as this is not."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What was tidied."""

    snapshots: int
    """Snapshots that were forgotten, with the files that only they held."""
    manifests: int
    """Manifests that were rewritten."""
    orphans: int
    """Files that belonged to no snapshot and were deleted."""


def compact_day(spark: SparkSession, day: date) -> tuple[int, int]:
    """Rewrite the day's files as few large ones where they are many; returns how many there were and are; 0, 0 where nothing was done.

    Refused records, which have no event time and so no day, are in a partition of their own: it is looked at each time.
    """
    start, end = day_start(day), day_start(day + ONE_DAY)
    before = after = 0
    for condition in (
        f"event_time >= {_timestamp(start)} AND event_time < {_timestamp(end)}",
        "event_time IS NULL",
    ):
        row = _call(
            spark,
            f"rewrite_data_files(table => '{RAW_POSTS}', where => \"{condition}\", options => "
            f"map('min-input-files', '{LEAST_FILES}', 'target-file-size-bytes', '{FILE_BYTES}'))",
        )
        before, after = before + row["rewritten_data_files_count"], after + row["added_data_files_count"]
    return before, after


def tidy_archive(
    spark: SparkSession, *, snapshot_age: timedelta = SNAPSHOT_AGE, kept_snapshots: int = KEPT_SNAPSHOTS
) -> Upkeep:
    """Rewrite manifests, forget old snapshots and delete old files of no snapshot, by the clock of this machine."""
    now = datetime.now(UTC)
    manifests = _call(spark, f"rewrite_manifests('{RAW_POSTS}')")["rewritten_manifests_count"]
    count = f"SELECT count(*) FROM {RAW_POSTS}.snapshots"
    (had,) = spark.sql(count).collect()[0]
    _call(
        spark,
        f"expire_snapshots(table => '{RAW_POSTS}', older_than => {_timestamp(now - snapshot_age)}, retain_last => {kept_snapshots}, "
        "stream_results => true)",
    )
    (has,) = spark.sql(count).collect()[0]
    orphans = spark.sql(
        f"CALL {CATALOG}.system.remove_orphan_files(table => '{RAW_POSTS}', older_than => {_timestamp(now - ORPHAN_AGE)}, "
        "prefix_listing => true)"
    ).count()
    return Upkeep(had - has, manifests, orphans)


def _call(spark: SparkSession, procedure: str) -> dict[str, int]:
    return spark.sql(f"CALL {CATALOG}.system.{procedure}").collect()[0].asDict()


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}+00:00'"
