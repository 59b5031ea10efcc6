"""Workers that turn blocks into files: this process, or several others that share the blocks."""

import gc
import importlib
import multiprocessing
import queue
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cached_property
from typing import Any, Protocol

from pyiceberg.manifest import DataFile

from batch.importing.clock import ImportClock
from batch.importing.lines import Rows
from batch.importing.parquet import BlockResult, FileWriter, Job
from core.errors import NotReadyError
from core.settings import Settings
from sql.lake import load_archive

WAITING_BLOCKS = 3
POLL_SECONDS = 0.5
ORPHAN_SECONDS = 5.0
GARBAGE_THRESHOLD = 100_000
OnResult = Callable[[BlockResult], None]
"""Called with the result of each block."""


class Workers(Protocol):
    """Turns blocks into files."""

    def put(self, job: Job, on_result: OnResult) -> None:
        """Process a block, now or later; calls `on_result` for blocks that are done."""

    def finish(self, on_result: OnResult) -> list[DataFile]:
        """Wait until all blocks are written, and return the files since the last call."""


class OneProcess:
    """Processes each block immediately, in this process."""

    def __init__(self, settings: Settings, clock: ImportClock) -> None:
        self._settings = settings
        self._clock = clock

    @cached_property
    def _writer(self) -> FileWriter:
        return FileWriter(load_archive(self._settings), Rows(self._settings, self._clock))

    def prepare(self) -> None:
        """Open the archive ahead of the first block, which raises the error if that fails."""
        with suppress(Exception):
            _ = self._writer

    def put(self, job: Job, on_result: OnResult) -> None:
        """Process the block."""
        on_result(self._writer.add(job))

    def finish(self, on_result: OnResult) -> list[DataFile]:
        """Write the rest and return the files since the last call."""
        return self._writer.finish()


class Processes:
    """Hands blocks to processes; each takes the next one when it is free."""

    def __init__(self, settings: Settings, clock: ImportClock, number: int) -> None:
        """Start the processes; do so before there are connections or threads, which a fork would share."""
        # Imported once here rather than once in each process.
        for module in ("pyiceberg.catalog.sql", "pyarrow.fs"):
            importlib.import_module(module)
        context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")
        self._finished: list[list[DataFile]] = []
        self._jobs: Any = context.Queue(WAITING_BLOCKS)
        self._results: Any = context.Queue()
        self._barrier = context.Barrier(number)
        arguments = settings, clock, self._jobs, self._results, self._barrier
        self._processes = [context.Process(target=_work, args=arguments, daemon=True) for _ in range(number)]
        for process in self._processes:
            process.start()

    def put(self, job: Job | None, on_result: OnResult) -> None:
        """Queue the block, or None to request the files; waits while the queue is full."""
        while True:
            with suppress(queue.Full):
                self._jobs.put(job, timeout=POLL_SECONDS)
                break
            self._receive(on_result)
        self._receive(on_result)

    def finish(self, on_result: OnResult) -> list[DataFile]:
        """Have every process write the rest, and return the files since the last call."""
        for _ in self._processes:
            self.put(None, on_result)
        while len(self._finished) < len(self._processes):
            self._receive(on_result, wait=True)
        finished, self._finished = self._finished, []
        return [file for written in finished for file in written]

    def _receive(self, on_result: OnResult, *, wait: bool = False) -> None:
        """Process the results that have arrived; raises NotReadyError if a process failed."""
        while True:
            try:
                result = self._results.get(timeout=POLL_SECONDS) if wait else self._results.get_nowait()
            except queue.Empty:
                self._check()
                return
            if isinstance(result, str):
                raise NotReadyError(result)
            if isinstance(result, BlockResult):
                on_result(result)
            else:
                self._finished.append(result)
            wait = False

    def _check(self) -> None:
        dead = next((process for process in self._processes if process.exitcode is not None), None)
        if dead is not None:
            raise NotReadyError(
                f"A worker process ended with exit code {dead.exitcode}. "
                "Run the same command again: it resumes where it stopped."
            )

    def stop(self) -> None:
        """End the processes."""
        self._jobs.cancel_join_thread()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)


@contextmanager
def start_workers(settings: Settings, clock: ImportClock, number: int) -> Iterator[Workers]:
    """Yield `number` worker processes, stopped at the end, or this process alone if `number` is 1."""
    if number == 1:
        yield OneProcess(settings, clock)
        return
    processes = Processes(settings, clock, number)
    try:
        yield processes
    finally:
        processes.stop()


def _work(settings: Settings, clock: ImportClock, jobs: Any, results: Any, barrier: Any) -> None:
    """Run a worker process: send the result of each block, and its files on None."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole process group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Rows are many objects but no garbage: frequent collections cost a tenth of the speed.
    gc.set_threshold(GARBAGE_THRESHOLD)
    worker = OneProcess(settings, clock)
    worker.prepare()
    try:
        while True:
            job = _next(jobs)
            if job is None:
                results.put(worker.finish(results.put))
                barrier.wait()  # so that no process takes the None meant for another
            else:
                worker.put(job, results.put)
    except Exception as error:
        reason = "".join(traceback.format_exception_only(error)).strip()
        results.put(
            f"A worker process failed: {reason}. Run the same command again: it resumes where it stopped."
        )


def _next(jobs: Any) -> Job | None:
    """Return the next block, or None if files are requested; exits if the parent process has died."""
    parent = multiprocessing.parent_process()
    while True:
        try:
            job: Job | None = jobs.get(timeout=ORPHAN_SECONDS)
            return job
        except queue.Empty:
            if parent is None or not parent.is_alive():
                sys.exit(1)
