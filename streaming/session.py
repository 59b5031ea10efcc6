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
    # Hadoop takes the path as it is written and decodes no %20.
    "spark.scheduler.allocation.file": f"file:{Path(__file__).parent / 'pools.xml'}",
}
"""Spark properties that hold for a whole application."""
WAITING_TASKS = 8
"""Tasks that may stand and wait for S3, those of the archive's partitions and of evidence, without keeping detection from its cores."""
_STATE_STORES = {
    "hdfs": "org.apache.spark.sql.execution.streaming.state.HDFSBackedStateStoreProvider",
    "rocksdb": "org.apache.spark.sql.execution.streaming.state.RocksDBStateStoreProvider",
}


def query_options(settings: Settings) -> dict[str, str]:
    """Spark properties of a session for both queries: small batches without empty ones behind them."""
    options = {
        "spark.sql.streaming.stateStore.providerClass": _STATE_STORES[settings.state_store],
        "spark.sql.streaming.stateStore.rocksdb.changelogCheckpointing.enabled": "true",
        "spark.sql.streaming.stateStore.rocksdb.boundedMemoryUsage": "true",
        # Windows are closed by our own clock, so no empty batch is needed to move the watermark.
        "spark.sql.streaming.noDataMicroBatches.enabled": "false",
        "spark.sql.streaming.noDataProgressEventInterval": "1000",
        # The supervisor takes the reports twice a second, all that are kept at once.
        "spark.sql.streaming.numRecentProgressUpdates": "20",
        "spark.sql.adaptive.enabled": "false",
        # Another process compacts and expires; a cached table would be looked at as it was.
        f"spark.sql.catalog.{CATALOG}.cache-enabled": "false",
    }
    if "://" not in settings.checkpoint_dir or settings.checkpoint_dir.startswith(("file:", "hdfs:")):
        # Halves the overhead of a batch; it needs atomic renames, which S3 lacks.
        options["spark.sql.streaming.checkpointFileManagerClass"] = (
            "org.apache.spark.sql.execution.streaming.FileSystemBasedCheckpointFileManager"
        )
    return options


def start_streaming_session(settings: Settings) -> SparkSession:
    """A session for both queries, which have fair shares of the cores."""
    heap = settings.spark_driver_memory or driver_memory(
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    )
    settings = settings.model_copy(
        update={"spark_master": with_room_to_wait(settings.spark_master), "spark_driver_memory": heap}
    )
    return start_session(settings, "groundswell streaming", **FAIR_SHARES, **query_options(settings))


def driver_memory(machine_bytes: int) -> str:
    """A quarter of the machine's memory, as Java itself takes it, where that is more than the least.

    The state of a window grows with its different words: with 1,000 posts a second, each with three words never seen before,
    2 GiB are full after nine minutes.

    >>> driver_memory(24 << 30), driver_memory(4 << 30)
    ('6144m', '2g')
    """
    quarter = machine_bytes // 4 // 2**20
    return f"{quarter}m" if quarter > 2048 else LEAST_DRIVER_MEMORY


def with_room_to_wait(master: str | None) -> str | None:
    """A local master with room for tasks that wait; any other as it is.

    >>> with_room_to_wait("local[2]"), with_room_to_wait("spark://cluster:7077"), with_room_to_wait(None)
    ('local[10]', 'spark://cluster:7077', None)
    """
    cores = local_cores(master)
    return master if cores is None else f"local[{cores + WAITING_TASKS}]"


def local_cores(master: str | None) -> int | None:
    """Cores that a local master is given; None of any other master."""
    given = re.fullmatch(r"local\[(\d+)\]", master or "")
    return int(given[1]) if given else None


def stop_session(spark: SparkSession) -> None:
    """Stop Spark, also where a signal to the whole process group has ended its JVM already."""
    with suppress(Py4JError, OSError):
        spark.stop()


def has_jvm_ended(spark: SparkSession) -> bool:
    """Whether the JVM that this process started is gone."""
    jvm = getattr(spark.sparkContext._gateway, "proc", None)
    return jvm is not None and jvm.poll() is not None
