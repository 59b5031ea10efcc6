"""The posts that detection has counted in open windows: in memory, and in a file per batch in its checkpoint.

The file of a batch is written while the batch is counted and decided, and is there before its transaction in
Postgres commits. A start reads the files of the batches that were committed; Spark repeats one that was not,
and its file is written again.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import NamedTuple

import pyarrow as pa
import pyarrow.compute as pc

from core.errors import CheckpointError
from core.windows import window_start
from detection.open_windows import Counted, OpenWindows
from streaming.checkpoint_files import CheckpointFiles
from streaming.progress import NO_MEASURES, Measures

FOLDER = "counted"
MARK = "format-1"
"""Name of the file that says what the others are."""


class LostCountsError(CheckpointError):
    """A checkpoint lacks what its batches counted."""


class _File(NamedTuple):
    """The file of a batch that counted posts; `number` counts those files from 0."""

    number: int
    batch_id: int
    last_window: int

    @property
    def name(self) -> str:
        return f"{self.number}-{self.batch_id}-{self.last_window}.arrow"


class CountedPosts:
    """The open windows of a checkpoint."""

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._windows: OpenWindows | None = None
        self._kept: deque[_File] = deque()
        self._last_batch = -1
        self._writer = ThreadPoolExecutor(1)
        self._writing: list[Future[None]] = []
        """The file of the present batch, until it was waited for."""
        self._measures: dict[int, Measures] = {}
        """By batch id, until `measures_of` returned them."""

    def begin(self) -> None:
        """Begin with nothing, in a new checkpoint."""
        for name in self._files.names():
            self._files.delete(name)
        self._files.write(MARK, b"")
        self._windows, self._kept, self._last_batch = OpenWindows(), deque(), -1

    def resume(self, last_batch: int, last_with_posts: int, closed_before: int) -> None:
        """Have what the batches up to `last_batch` counted in windows from number `closed_before` on.

        `last_with_posts` is the newest of them that counted a post; -1 stands for none. Raises
        LostCountsError if files are missing or cannot be read.
        """
        if self._windows is not None and self._last_batch == last_batch:
            return
        files = self._listed()
        done = [file for file in files if file.batch_id <= last_batch]
        _check(done, last_with_posts)
        for file in files[len(done) :]:
            self._files.delete(file.name)
        windows = OpenWindows()
        for file in done:
            if file.last_window >= closed_before:
                windows.add(_posts_of(self._files.read(file.name), file.name))
        windows.close(closed_before)
        self._windows, self._kept, self._last_batch = windows, deque(done), last_batch

    @contextmanager
    def batch(self, batch_id: int) -> Iterator["CountedPosts"]:
        """Yield itself, to `count` a batch that is committed inside; after a failure, `resume` is needed."""
        try:
            yield self
            self.wait_until_written()
        except BaseException:
            self._windows = None
            wait(self._writing)
            self._writing = []
            raise
        self._last_batch = batch_id

    def wait_until_written(self) -> None:
        """Wait for the file of the batch, as has to be done before its transaction commits.

        Raises what writing it raised.
        """
        while self._writing:
            self._writing.pop().result()

    def count(self, batch_id: int, posts: pa.Table, closed_before: int) -> Counted:
        """Count a batch of posts in windows from number `closed_before` on, and begin to write its file."""
        assert self._windows is not None
        self._forget_closed(closed_before)
        in_time = posts.filter(pc.greater_equal(posts["window"], closed_before))
        new = self._windows.enter(in_time)
        if new.num_rows:
            number = self._kept[-1].number + 1 if self._kept else 0
            self._kept.append(_File(number, batch_id, pc.max(new["window"]).as_py()))
            self._writing.append(self._writer.submit(self._write, self._kept[-1].name, new))
        counted = self._windows.count(new)
        self._measures[batch_id] = Measures(
            watermark=window_start(closed_before),
            late_posts=posts.num_rows - in_time.num_rows,
            duplicate_posts=in_time.num_rows - new.num_rows,
            state_rows=self._windows.posts + self._windows.keywords,
            state_bytes=self._windows.nbytes,
        )
        return counted

    def measures_of(self, batch_id: int) -> Measures:
        """Return what a batch came to, once; those of earlier batches are forgotten."""
        found = self._measures.get(batch_id, NO_MEASURES)
        self._measures = {other: measures for other, measures in self._measures.items() if other > batch_id}
        return found

    def _write(self, name: str, posts: pa.Table) -> None:
        self._files.write(name, _content(posts))

    def _forget_closed(self, closed_before: int) -> None:
        assert self._windows is not None
        self._windows.close(closed_before)
        while len(self._kept) > 1 and self._kept[0].last_window < closed_before:
            self._files.delete(self._kept.popleft().name)

    def _listed(self) -> list[_File]:
        names = self._files.names()
        if MARK not in names:
            raise LostCountsError("it lacks what its batches counted")
        numbers = (name.removesuffix(".arrow").split("-") for name in names if name != MARK)
        return sorted(_File(*map(int, parts)) for parts in numbers)


def _check(done: list[_File], last_with_posts: int) -> None:
    consecutive = all(file.number == done[0].number + index for index, file in enumerate(done))
    newest = done[-1].batch_id if done else -1
    if not consecutive or newest < last_with_posts:
        raise LostCountsError("files of what its batches counted are missing")


def _content(posts: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, posts.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(posts)
    content: bytes = sink.getvalue().to_pybytes()
    return content


def _posts_of(content: bytes, name: str) -> pa.Table:
    try:
        return pa.ipc.open_stream(content).read_all()
    except (pa.ArrowInvalid, OSError) as error:
        raise LostCountsError(f"{name} of what its batches counted cannot be read ({error})") from error
