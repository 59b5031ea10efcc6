"""Where blocks become files: in this process, or in several beside it, each with the share of the blocks that it comes to."""

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
from batch.importing.parquet import Done, FileWriter, Job
from core.errors import NotReadyError
from core.settings import Settings
from sql.lake import load_archive

WAITING_BLOCKS = 3
LOOK_SECONDS = 0.5
ORPHAN_SECONDS = 5.0
GARBAGE_THRESHOLD = 100_000
Take = Callable[[Done], None]
"""Takes note of what became of a block."""


class Workers(Protocol):
    """Something that takes blocks and gives files."""

    def put(self, job: Job, take: Take) -> None:
        """Have a block done, now or later; `take` is given what became of blocks that are done."""

    def finish(self, take: Take) -> list[DataFile]:
        """Once all blocks are done and written: the files since the last call."""


class OneProcess:
    """Does each block at once."""

    def __init__(self, settings: Settings, clock: ImportClock) -> None:
        self._settings = settings
        self._clock = clock

    @cached_property
    def _writer(self) -> FileWriter:
        return FileWriter(load_archive(self._settings), Rows(self._settings, self._clock))

    def prepare(self) -> None:
        """Open the archive before there is a block, while somebody looks for one; what fails now is said by the first block."""
        with suppress(Exception):
            _ = self._writer

    def put(self, job: Job, take: Take) -> None:
        """Do the block."""
        take(self._writer.add(job))

    def finish(self, take: Take) -> list[DataFile]:
        """Write what is left."""
        return self._writer.finish()


class Processes:
    """Gives blocks to processes; each takes the next one when it is free."""

    def __init__(self, settings: Settings, clock: ImportClock, number: int) -> None:
        """Started before there are connections and threads, which a forked process would share with this one."""
        # Once for all processes rather than once in each.
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

    def put(self, job: Job | None, take: Take) -> None:
        """Line the block up; waits while enough are lined up already."""
        while True:
            with suppress(queue.Full):
                self._jobs.put(job, timeout=LOOK_SECONDS)
                break
            self._listen(take)
        self._listen(take)

    def finish(self, take: Take) -> list[DataFile]:
        """Have every process write what it keeps, and wait for all of them."""
        for _ in self._processes:
            self.put(None, take)
        while len(self._finished) < len(self._processes):
            self._listen(take, wait=True)
        finished, self._finished = self._finished, []
        return [file for written in finished for file in written]

    def _listen(self, take: Take, *, wait: bool = False) -> None:
        """Take what the processes have said; raises what one of them failed with."""
        while True:
            try:
                result = self._results.get(timeout=LOOK_SECONDS) if wait else self._results.get_nowait()
            except queue.Empty:
                self._check()
                return
            if isinstance(result, str):
                raise NotReadyError(result)
            if isinstance(result, Done):
                take(result)
            else:
                self._finished.append(result)
            wait = False

    def _check(self) -> None:
        dead = next((process for process in self._processes if process.exitcode is not None), None)
        if dead is not None:
            raise NotReadyError(
                f"A process of the import ended with {dead.exitcode}. Run the same command again: it goes on where it was."
            )

    def stop(self) -> None:
        """End the processes."""
        self._jobs.cancel_join_thread()
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join(5)


@contextmanager
def workers(settings: Settings, clock: ImportClock, number: int) -> Iterator[Workers]:
    """So many processes, or this one alone where `number` is 1; ended with the context."""
    if number == 1:
        yield OneProcess(settings, clock)
        return
    processes = Processes(settings, clock, number)
    try:
        yield processes
    finally:
        processes.stop()


def _work(settings: Settings, clock: ImportClock, jobs: Any, results: Any, barrier: Any) -> None:
    """A process: blocks in, what became of them out; None asks for the files."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Rows are many objects but no garbage: looking through them often costs a tenth of the speed.
    gc.set_threshold(GARBAGE_THRESHOLD)
    worker = OneProcess(settings, clock)
    worker.prepare()
    try:
        while True:
            job = _next(jobs)
            if job is None:
                results.put(worker.finish(results.put))
                barrier.wait()  # so that no process takes the question of another
            else:
                worker.put(job, results.put)
    except Exception as error:
        told = "".join(traceback.format_exception_only(error)).strip()
        results.put(
            f"A process of the import failed: {told}. Run the same command again: it goes on where it was."
        )


def _next(jobs: Any) -> Job | None:
    """The next block; ends this process where the one that would give it has been killed."""
    parent = multiprocessing.parent_process()
    while True:
        try:
            job: Job | None = jobs.get(timeout=ORPHAN_SECONDS)
            return job
        except queue.Empty:
            if parent is None or not parent.is_alive():
                sys.exit(1)
