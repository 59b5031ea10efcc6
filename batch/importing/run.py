"""Run one import, committed a gigabyte at a time so that a stop costs little."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta

from psycopg2.extensions import connection as Connection

from batch.importing.blocks import Survey, blocks_of, surveys
from batch.importing.ledger import Archived, KnownFile, check_lock, register, save_progress, save_rejected
from batch.importing.parquet import BlockResult, Job, commit_files
from batch.importing.workers import Workers
from core.errors import BadInputError
from core.settings import Settings
from producer.sources import Input
from sql.lake import load_archive

COMMIT_BYTES = 1024**3
REJECTED_AT_ONCE = 5_000
_EPOCH = date(1970, 1, 1)


@dataclass
class ImportSummary:
    """What an import did."""

    posts: int = 0
    rejected: int = 0
    bytes: int = 0
    seconds: float = 0.0
    files: int = 0
    already_archived: list[str] = field(default_factory=list)
    days: set[int] = field(default_factory=set)
    stopped_at: str | None = None

    def as_text(self) -> str:
        """Return a few lines to print."""
        speed = self.posts / self.seconds if self.seconds else 0.0
        lines = [f"already in the archive: {name}" for name in self.already_archived]
        lines.append(
            f"imported {self.posts:,} posts and {self.rejected:,} rejected lines of {self.files:,} files, "
            f"{self.bytes / 1e6:,.1f} MB, in {self.seconds:,.1f} s: {speed:,.0f} posts/s"
        )
        if self.days:
            first, last = (_EPOCH + timedelta(days=day) for day in (min(self.days), max(self.days)))
            lines.append(
                f"For their tables run: groundswell batch --from {first} --to {last} --assume-complete"
            )
        if self.stopped_at:
            lines.append(f"stopped: the same command resumes after {self.stopped_at}")
        return "\n".join(lines)


@dataclass
class FileProgress:
    """The last line of a file that the workers have been given, and its rows by topic so far."""

    known: KnownFile
    line: int
    posts: int
    rejected: int
    finished: bool = False


class Import:
    """Imports inputs into the archive."""

    def __init__(
        self,
        settings: Settings,
        *,
        lock: Connection,
        archived: Mapping[int, Archived],
        is_stopped: Callable[[], bool],
        show: Callable[[str], None],
        now: Callable[[], float] = time.time,
        commit_bytes: int | None = None,
    ) -> None:
        """Load the archive's table.

        `archived` is what the archive holds of imported files, `now` returns Unix seconds, `show` displays
        progress.
        """
        self._settings = settings
        self._lock = lock
        self._archived = archived
        self._is_stopped = is_stopped
        self._show = show
        self._now = now
        self._commit_bytes = commit_bytes or COMMIT_BYTES
        self._table = load_archive(settings)
        self._progress: dict[int, FileProgress] = {}
        self._rejected_rows: list[tuple[object, ...]] = []
        self._bytes = 0
        self._arrived_micros = 0
        self._partitions: set[int] = set()
        self.summary = ImportSummary()

    def run(self, inputs: Iterable[Input], workers: Workers) -> None:
        """Import what the archive does not have yet, and count it in `summary`."""
        started = time.monotonic()
        with closing(surveys(inputs, self._is_stopped)) as surveyed:
            for source, fingerprint, survey in surveyed:
                if self._is_stopped():
                    self.summary.stopped_at = f"line 0 of {source.name}"
                    break
                known = register(
                    self._settings,
                    sha256=survey.sha256,
                    size=survey.size,
                    file=source.name,
                    archived=self._archived,
                )
                if known.finished or known.partition in self._partitions:
                    self.summary.already_archived.append(source.name)
                    continue
                self._partitions.add(known.partition)
                self._read(source, survey, known, workers)
                if self._is_stopped():
                    break
                if source.fingerprint() != fingerprint:
                    raise BadInputError(
                        f"{source.name} changed while it was read. Import it again once it is complete."
                    )
                self._progress[known.partition].finished = True
                self.summary.files += 1
        self._commit(workers)
        self.summary.seconds = time.monotonic() - started

    def add_result(self, result: BlockResult) -> None:
        """Count the result of a block, and store rejections once there are many."""
        progress = self._progress[result.partition]
        posts = result.counts[self._settings.posts_topic]
        rejected = result.counts.total() - posts
        progress.posts += posts
        progress.rejected += rejected
        self.summary.posts += posts
        self.summary.rejected += rejected
        self.summary.days |= result.days
        self._rejected_rows += result.rejected_rows
        if len(self._rejected_rows) >= REJECTED_AT_ONCE:
            self._save_rejected()
        self._show(f"{self.summary.posts:,} posts, {self.summary.rejected:,} rejected lines")

    def _read(self, source: Input, survey: Survey, known: KnownFile, workers: Workers) -> None:
        progress = FileProgress(known, known.last_line, known.posts, known.rejected)
        self._progress[known.partition] = progress
        self._arrived_micros += 1000  # a later file was collected later
        for block in blocks_of(source, survey.blocks, after_line=known.last_line):
            if self._is_stopped():
                break
            job = Job(block, known.partition, known.base_offset, self._arrival_micros(), known.last_line)
            workers.put(job, self.add_result)
            progress.line = block.last_number
            self._bytes += block.length
            self.summary.bytes += block.length
            if self._bytes >= self._commit_bytes:
                self._commit(workers)
        if self._is_stopped():
            self.summary.stopped_at = f"line {progress.line:,} of {source.name}"

    def _arrival_micros(self) -> int:
        """Return now in Unix microseconds, rounded down to milliseconds like Kafka's times, never less."""
        self._arrived_micros = max(self._arrived_micros, int(self._now() * 1000) * 1000)
        return self._arrived_micros

    def _save_rejected(self) -> None:
        save_rejected(self._settings, self._rejected_rows)
        self._rejected_rows = []

    def _commit(self, workers: Workers) -> None:
        """Commit everything read so far.

        Rejections are stored first, so that no rejected row is in the archive without its reason.
        """
        files = workers.finish(self.add_result) if self._bytes else []
        self._save_rejected()
        check_lock(self._lock)
        if files:
            commit_files(self._table, files, {"groundswell.import.files": str(len(self._progress))})
        for partition, progress in self._progress.items():
            save_progress(
                self._settings,
                partition,
                lines=progress.line,
                posts=progress.posts,
                rejected=progress.rejected,
                finished=progress.finished,
            )
        self._progress = {
            partition: progress for partition, progress in self._progress.items() if not progress.finished
        }
        self._bytes = 0
