"""The Spark session of the streaming process."""

import os
import re
from contextlib import suppress
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from archive.session import LEAST_DRIVER_MEMORY, start_session
from core.catalog import CATALOG
from core.settings import Settings

FAIR_SHARES = {
    "spark.scheduler.mode": "FAIR",
    # Hadoop takes the path literally and does not decode %20.
    "spark.scheduler.allocation.file": f"file:{Path(__file__).parent / 'pools.xml'}",
}
"""Spark properties that apply to a whole application."""
WAITING_TASKS = 8
"""Tasks that may wait for S3 (archive partitions and evidence) without taking cores from detection."""
_STATE_STORES = {
    "hdfs": "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
    "rocksdb": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
}


def query_options(settings: Settings) -> dict[str, str]:
    """Return Spark properties of a session for both queries: small batches, not followed by empty ones."""
    options = {
        "spark.sql.streaming.stateStore.providerClass": _STATE_STORES[settings.state_store],
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
        # Our own clock closes windows, so no empty batch is needed to advance the watermark.
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
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
    heap = settings.spark_driver_memory or driver_memory(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )
    settings = settings.model_copy(
        update={"spark_master": with_room_to_wait(settings.spark_master), "spark_driver_memory": heap}
    )
    return start_session(settings, "groundswell streaming", **FAIR_SHARES, **query_options(settings))


def driver_memory(machine_bytes: int) -> str:
    """Return a quarter of the machine's memory, as Java itself would take, or the minimum if that is more.

    The state of a window grows with its distinct words: at 1,000 posts a second, each with three new words, 2
    GiB are full after nine minutes.

    >>> driver_memory(24 << 30), driver_memory(4 << 30)
    ('6144m', '2g')
    """
    quarter = machine_bytes // 4 // 2**20
    return f"{quarter}m" if quarter > 2048 else LEAST_DRIVER_MEMORY


def with_room_to_wait(master: str | None) -> str | None:
    """Return a local master with extra slots for tasks that wait; any other master as it is.

    >>> with_room_to_wait("local[2]"), with_room_to_wait("spark://cluster:7077"), with_room_to_wait(None)
    ('local[10]', 'spark://cluster:7077', None)
    """
    cores = local_cores(master)
    return master if cores is None else f"local[{cores + WAITING_TASKS}]"


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
