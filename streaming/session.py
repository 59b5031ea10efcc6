"""The Spark session of the streaming process."""

import re
from contextlib import suppress
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from archive.session import start_session
from core.catalog import CATALOG
from core.settings import Settings

FAIR_SHARES = {
    "spark.scheduler.mode": "FAIR",
    # Hadoop takes the path literally and does not decode %20.
    "spark.scheduler.allocation.file": f"file:{Path(__file__).parent / 'pools.xml'}",
}
"""Spark properties that apply to a whole application."""


def query_options(settings: Settings) -> dict[str, str]:
    """Return Spark properties of a session for both queries: small batches, not followed by empty ones."""
    options = {
        "spark.sql.streaming.noDataProgressEventInterval": "1000",
        # The supervisor polls twice a second and reads all reports that are kept.
        "spark.sql.streaming.numRecentProgressUpdates": "20",
        "spark.sql.adaptive.enabled": "false",
        # Another process compacts and expires snapshots; a cached table would be stale.
        f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
    }
    if "://" not in settings.checkpoint_dir or settings.checkpoint_dir.startswith(("file:", "hdfs:")):
        # Halves the overhead of a batch, but needs atomic renames, which S3 lacks.
        options["spark.sql.streaming.checkpointFileManagerClass"] = (
            "org.apache.spark.sql.execution.streaming.FileSystemBasedCheckpointFileManager"
        )
    return options


def start_streaming_session(settings: Settings) -> SparkSession:
    """Start a session for both queries, which get fair shares of the cores."""
    settings = settings.model_copy(update={"spark_master": with_room_to_wait(settings.spark_master)})
    return start_session(settings, "groundswell streaming", **FAIR_SHARES, **query_options(settings))


def with_room_to_wait(master: str | None) -> str | None:
    """Return a local master with slots for tasks of the archive, which wait for S3; any other as it is.

    >>> with_room_to_wait("local[2]"), with_room_to_wait("spark://cluster:7077"), with_room_to_wait(None)
    ('local[3]', 'spark://cluster:7077', None)
    """
    cores = local_cores(master)
    return master if cores is None else f"local[{cores + (background_tasks(master) or 0)}]"


def background_tasks(master: str | None) -> int | None:
    """Return how many tasks may write to the archive at once: one per two cores of a local master.

    None means as many as there are. While posts come in at their own pace, more would take cores from
    detection in every commit.

    >>> background_tasks("local[2]"), background_tasks("local[8]"), background_tasks("spark://cluster:7077")
    (1, 4, None)
    """
    cores = local_cores(master)
    return None if cores is None else max(cores // 2, 1)


def local_cores(master: str | None) -> int | None:
    """Return the cores of a local master; None for any other master."""
    given = re.fullmatch(r"local\[(\d+)\]", master or "")
    return int(given[1]) if given else None


def stop_session(spark: SparkSession) -> None:
    """Stop Spark, even if a signal to the process group has already ended its JVM."""
    with suppress(Py4JError, OSError):
        spark.stop()


def has_jvm_ended(spark: SparkSession) -> bool:
    """Return whether the JVM that this process started has exited."""
    jvm = getattr(spark.sparkContext._gateway, "proc", None)
    return jvm is not None and jvm.poll() is not None
