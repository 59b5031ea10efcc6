"""One import: files in, rows of the archive out, committed a gigabyte at a time so that a stop costs little."""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, timedelta

from psycopg2.extensions import connection as Connection

from batch.importing.blocks import Survey, blocks_of, surveys
from batch.importing.ledger import Archived, KnownFile, check_lock, register, save_progress, save_rejected
from batch.importing.parquet import Done, Job, commit_files
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
    already_there: list[str] = field(default_factory=list)
    days: set[int] = field(default_factory=set)
    stopped_at: str | None = None

    def as_text(self) -> str:
        """A few lines for people."""
        speed = self.posts / self.seconds if self.seconds else 0.0
        lines = [f"already in the archive: {name}" for name in self.already_there]
        lines.append(
            f"imported {self.posts:,} posts and {self.rejected:,} rejected lines of {self.files:,} files, {self.bytes / 1e6:,.1f} MB, "
            f"in {self.seconds:,.1f} s: {speed:,.0f} posts/s"
        )
        if self.days:
            first, last = (_EPOCH + timedelta(days=day) for day in (min(self.days), max(self.days)))
            lines.append(
                f"For their tables run: groundswell batch --from {first} --to {last} --assume-complete"
            )
        if self.stopped_at:
            lines.append(f"stopped: the same command goes on behind {self.stopped_at}")
        return "\n".join(lines)


@dataclass
class FileProgress:
    """How far a file is, of what was given to the workers since the last commit."""

    known: KnownFile
    line: int
    posts: int
    rejected: int
    finished: bool = False


class Import:
    """Brings inputs into the archive."""

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
        """`archived`: what the archive holds of imported files; `now` gives Unix seconds; `show` is told how far it is."""
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
        self._seen: set[int] = set()
        self.summary = ImportSummary()

    def run(self, inputs: Iterable[Input], workers: Workers) -> None:
        """Import what is not there yet; the summary says what was done."""
        started = time.monotonic()
        with closing(surveys(inputs, self._is_stopped)) as surveyed:
            for source, before, found in surveyed:
                if self._is_stopped():
                    self.summary.stopped_at = f"line 0 of {source.name}"
                    break
                known = register(
                    self._settings,
                    sha256=found.sha256,
                    size=found.size,
                    file=source.name,
                    archived=self._archived,
                )
                if known.finished or known.partition in self._seen:
                    self.summary.already_there.append(source.name)
                    continue
                self._seen.add(known.partition)
                self._read(source, found, known, workers)
                if self._is_stopped():
                    break
                if source.fingerprint() != before:
                    raise BadInputError(
                        f"{source.name} changed while it was read. Import it again when it is complete."
                    )
                self._progress[known.partition].finished = True
                self.summary.files += 1
        self._commit(workers)
        self.summary.seconds = time.monotonic() - started

    def take(self, done: Done) -> None:
        """Take note of what became of a block."""
        progress = self._progress[done.partition]
        posts = done.counts[self._settings.posts_topic]
        progress.posts += posts
        progress.rejected += done.counts.total() - posts
        self.summary.posts += posts
        self.summary.rejected += done.counts.total() - posts
        self.summary.days |= done.days
        self._rejected_rows += done.rejected_rows
        if len(self._rejected_rows) >= REJECTED_AT_ONCE:
            self._save_rejected()
        self._show(f"{self.summary.posts:,} posts, {self.summary.rejected:,} rejected lines")

    def _read(self, source: Input, found: Survey, known: KnownFile, workers: Workers) -> None:
        progress = FileProgress(known, known.last_line, known.posts, known.rejected)
        self._progress[known.partition] = progress
        for block in blocks_of(source, found.blocks, behind=known.last_line):
            if self._is_stopped():
                break
            workers.put(
                Job(block, known.partition, known.base_offset, self._taken_micros(), known.last_line),
                self.take,
            )
            progress.line = block.last_number
            self._bytes += block.length
            self.summary.bytes += block.length
            if self._bytes >= self._commit_bytes:
                self._commit(workers)
        if self._is_stopped():
            self.summary.stopped_at = f"line {progress.line:,} of {source.name}"

    def _taken_micros(self) -> int:
        """Now, in milliseconds as Kafka has them, as Unix microseconds."""
        return int(self._now() * 1000) * 1000

    def _save_rejected(self) -> None:
        save_rejected(self._settings, self._rejected_rows)
        self._rejected_rows = []

    def _commit(self, workers: Workers) -> None:
        """Make all that was read part of the archive; what is rejected is stored before, so that its reason is never missing."""
        files = workers.finish(self.take) if self._bytes else []
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
