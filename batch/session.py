"""The Spark session of a batch: its properties, and a session that starts only when it is needed."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from pyspark.sql import SparkSession

from archive.session import session_options, start_session
from archive.storage import check_storage
from core.catalog import COMMAND_S3_RETRIES, S3_RETRIES
from core.settings import Settings


@contextmanager
def lazy_session(settings: Settings) -> Iterator[Callable[[], SparkSession]]:
    """Yield a function that returns the Spark session: started at the first call, stopped at the end."""
    started: list[SparkSession] = []

    @cache
    def session() -> SparkSession:
        check_storage(settings)
        started.append(start_session(settings, "groundswell batch", **batch_options(settings)))
        started[0].conf.set(S3_RETRIES, COMMAND_S3_RETRIES)
        return started[0]

    try:
        yield session
    finally:
        for running in started:
            running.stop()


def batch_options(settings: Settings) -> dict[str, str]:
    """Return the Spark properties in which a batch differs from a stream."""
    options = {
        "spark.sql.shuffle.partitions": str(settings.batch_partitions),
        "spark.sql.debug.maxToStringFields": "200",
        "spark.ui.showConsoleProgress": "false",
        # No limit in bytes besides the one of 10,000 rows: Spark would measure the batch after every row.
        "spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1),
    }
    if settings.batch_quick_start:
        # Of 50 CPU seconds for a first day of 24,000 posts, 20 went into compiling code that ran for one.
        options["spark.sql.codegen.wholeStage"] = "false"
        java_options = session_options(settings).get("spark.driver.extraJavaOptions", "")
        options["spark.driver.extraJavaOptions"] = f"{java_options} -XX:TieredStopAtLevel=1".strip()
    return options
