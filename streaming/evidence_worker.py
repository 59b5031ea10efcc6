"""Evidence while streaming: what is due after each archive commit, in its own thread and scheduler pool."""

import logging
import threading
import time

from pyspark import InheritableThread
from pyspark.sql import SparkSession

from alerts.evidence.store import store_due_evidence
from core.settings import Settings
from streaming.session import local_cores

log = logging.getLogger(__name__)

POOL = "evidence"
STOP_SECONDS = 60.0
LEAST_WAIT_SECONDS = 5.0


class EvidenceWorker:
    """Stores evidence in the background, so that neither the queries nor the supervisor wait for it."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._tasks = evidence_tasks(settings.spark_master)
        self._settings = settings
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = InheritableThread(target=self._work, name="evidence", daemon=True)

    def start(self) -> None:
        """Start waiting for commits."""
        self._thread.start()

    def archived(self) -> None:
        """Signal that the archive has grown."""
        self._wanted.set()

    def stop(self) -> None:
        """Cancel the scan in progress and end; the next process finds what is still due."""
        self._stopping.set()
        self._wanted.set()
        if self._thread.is_alive():
            self._spark.sparkContext.cancelJobGroup(POOL)
            self._thread.join(STOP_SECONDS)

    def store_all(self) -> None:
        """Store everything that is due now, in the calling thread."""
        self._use_pool()
        while store_due_evidence(self._spark, self._settings, tasks=self._tasks):
            pass

    def _work(self) -> None:
        self._use_pool()
        while True:
            # Alerts may open or end even when nothing more is archived.
            self._wanted.wait(timeout=max(self._settings.archive_trigger_seconds, LEAST_WAIT_SECONDS))
            self._wanted.clear()
            if self._stopping.is_set():
                return
            began = time.monotonic()
            try:
                count = store_due_evidence(self._spark, self._settings, tasks=self._tasks)
                if count:
                    log.info("stored evidence of %d alerts", count)
            except Exception as error:  # with Postgres or S3 down it is still due after the next commit
                if not self._stopping.is_set():
                    log.warning("cannot store evidence: %s", str(error).strip().partition("\n")[0])
            # Busy half of the time at most: if more alerts come in, the next scan covers more of them.
            self._stopping.wait(time.monotonic() - began)

    def _use_pool(self) -> None:
        context = self._spark.sparkContext
        context.setLocalProperty("spark.scheduler.pool", POOL)
        context.setJobGroup(POOL, "evidence of alerts", interruptOnCancel=True)


def evidence_tasks(master: str | None) -> int | None:
    """Return how many tasks may read the archive for evidence at once: one per two cores of a local master.

    None means as many as there are. A local session has more task slots than cores, so more tasks than this
    would take cores from detection.

    >>> evidence_tasks("local[2]"), evidence_tasks("local[8]"), evidence_tasks("spark://cluster:7077")
    (1, 4, None)
    """
    cores = local_cores(master)
    return None if cores is None else max(cores // 2, 1)
