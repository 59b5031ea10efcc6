"""Upkeep of the archive: compacts files, rewrites manifests, expires snapshots and deletes orphan files.

The archive query writes each batch exactly once because of the snapshot history: a commit names its batch,
and after `expire_snapshots(retain_last => 1)` a restart wrote one twice. So young and recent snapshots are
kept (docs/decisions/0012). Iceberg's procedures: https://iceberg.apache.org/docs/latest/spark-procedures/
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import SparkSession

from core.catalog import CATALOG, RAW_POSTS
from core.windows import ONE_DAY, day_start

LEAST_FILES = 5
"""Number of files at which a day's files are rewritten."""
FILE_BYTES = 128 * 1024 * 1024
KEPT_SNAPSHOTS = 100
SNAPSHOT_AGE = timedelta(days=1)
"""Younger snapshots are kept, and so are the newest hundred."""
ORPHAN_AGE = timedelta(days=3)
"""A younger file without a snapshot may belong to a commit in progress; one this old does not."""


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What `tidy_archive` did."""

    snapshots: int
    """Snapshots expired, with the files that only they referenced."""
    manifests: int
    """Manifests rewritten."""
    orphans: int
    """Files without a snapshot that were deleted."""


def compact_days(spark: SparkSession, first: date, last: date) -> tuple[int, int]:
    """Compact the files of each day that has many; return how many there were and are, or 0 and 0.

    Rejected records have no event time and so no day; their partition is compacted every time as well.
    """
    start, end = day_start(first), day_start(last + ONE_DAY)
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
    """Rewrite manifests, expire old snapshots and delete old orphan files, by this machine's clock."""
    now = datetime.now(UTC)
    manifests = _call(spark, f"rewrite_manifests('{RAW_POSTS}')")["rewritten_manifests_count"]
    count = f"SELECT count(*) FROM {RAW_POSTS}.snapshots"
    (before,) = spark.sql(count).collect()[0]
    _call(
        spark,
        f"expire_snapshots(table => '{RAW_POSTS}', older_than => {_timestamp(now - snapshot_age)}, "
        f"retain_last => {kept_snapshots}, stream_results => true)",
    )
    (after,) = spark.sql(count).collect()[0]
    orphans = spark.sql(
        f"CALL {CATALOG}.system.remove_orphan_files(table => '{RAW_POSTS}', "
        f"older_than => {_timestamp(now - ORPHAN_AGE)}, prefix_listing => true)"
    ).count()
    return Upkeep(before - after, manifests, orphans)


def _call(spark: SparkSession, procedure: str) -> dict[str, int]:
    return spark.sql(f"CALL {CATALOG}.system.{procedure}").collect()[0].asDict()


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment:%Y-%m-%d %H:%M:%S.%f}+00:00'"
