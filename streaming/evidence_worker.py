"""Evidence while streaming: what is due after each archive commit, in a process that yields to all others."""

import logging
import os
import signal
import sys
import threading
import time
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess

from alerts.evidence.store import is_evidence_due, store_due_evidence, store_evidence
from core.errors import NotReadyError
from core.settings import Settings

log = logging.getLogger(__name__)

NICENESS = 10
"""A tenth of the weight of detection: it hardly slows that, and is not starved on a machine that is full."""
STOP_SECONDS = 10.0
LEAST_WAIT_SECONDS = 5.0
LONGEST_REST_SECONDS = 10.0
"""A scan is followed by a rest as long as itself, but for large windows no longer than this."""


class EvidenceWorker:
    """Stores evidence in the background, so that neither the queries nor the supervisor wait for it."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._process: BaseProcess | None = None
        self._thread = threading.Thread(target=self._work, name="evidence", daemon=True)

    def start(self) -> None:
        """Start waiting for commits."""
        self._thread.start()

    def archived(self) -> None:
        """Signal that the archive has grown."""
        self._wanted.set()

    def stop(self) -> None:
        """End the scan in progress; the next process finds what is still due."""
        self._stopping.set()
        self._wanted.set()
        process = self._process
        if process is not None:
            process.terminate()
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS)

    def store_all(self) -> None:
        """Store everything that is due now, in the calling process."""
        while store_due_evidence(self._settings):
            pass

    def _work(self) -> None:
        while True:
            # Alerts may open or end even when nothing more is archived.
            self._wanted.wait(timeout=max(self._settings.archive_trigger_seconds, LEAST_WAIT_SECONDS))
            self._wanted.clear()
            if self._stopping.is_set():
                return
            began = time.monotonic()
            try:
                count = self._store_due()
                if count:
                    log.info("stored evidence of %d alerts", count)
            except Exception as error:  # with Postgres or S3 down it is still due after the next commit
                if not self._stopping.is_set():
                    log.warning("cannot store evidence: %s", str(error).strip().partition("\n")[0])
            # If more alerts come in, the next scan covers more of them.
            self._stopping.wait(min(time.monotonic() - began, LONGEST_REST_SECONDS))

    def _store_due(self) -> int:
        """Store what is due, in a process that ends with it and so holds no memory until the next time."""
        if not is_evidence_due(self._settings):
            store_evidence(self._settings, [])
            return 0
        context = get_context("spawn")
        receiver, sender = context.Pipe(duplex=False)
        self._process = context.Process(target=_store_due_here, args=(self._settings, sender), daemon=True)
        self._process.start()
        sender.close()
        try:
            with receiver:
                outcome = receiver.recv()
        except EOFError:
            outcome = f"its process ended with {self._process.exitcode}"
        self._process.join(STOP_SECONDS)
        if not isinstance(outcome, int):
            raise NotReadyError(str(outcome))
        return outcome


def _store_due_here(settings: Settings, sender: Connection) -> None:
    """Store the evidence that is due and send how many alerts it is of, or why it could not be stored."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole group; the stream ends this process
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    os.nice(NICENESS)
    outcome: int | str
    try:
        outcome = store_due_evidence(settings)
    except Exception as error:
        outcome = str(error)
    with suppress(BrokenPipeError):  # the stream has been killed
        sender.send(outcome)
