"""Laws of what a checkpoint has counted: it survives any stop, counts once, and is not used in part."""

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from detection.plain_counts import PostInWindow
from streaming.checkpoint_files import LocalFiles
from streaming.counted_posts import MARK, CountedPosts, LostCountsError
from tests.unit.test_open_windows import WINDOW_MICROS, counted_one_by_one, some_posts, table_of

POSTS = some_posts(5, 300)
SIZE = 30


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "detect" / "counted"


@pytest.fixture
def new(folder: Path) -> CountedPosts:
    counted = CountedPosts(LocalFiles(folder))
    counted.begin()
    return counted


def batch_of(number: int) -> pa.Table:
    return table_of(POSTS[number * SIZE : (number + 1) * SIZE])


def count(counted: CountedPosts, number: int, *, closed_before: int = 0) -> dict:
    with counted.batch(number):
        changed = counted.count(number, batch_of(number), closed_before)
    rows = changed.counts.to_pylist()
    return {(row.pop("window_start"), row.pop("keyword")): row for row in rows}


def resumed(folder: Path, last_batch: int, *, closed_before: int = 0) -> CountedPosts:
    counted = CountedPosts(LocalFiles(folder))
    counted.resume(last_batch, last_batch, closed_before)
    return counted


def files_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.arrow"), key=lambda path: int(path.name.partition("-")[0]))


def fail(counted: CountedPosts, number: int) -> None:
    with suppress(InterruptedError), counted.batch(number):
        counted.count(number, batch_of(number), 0)
        raise InterruptedError


def test_a_process_per_batch_counts_as_one_process_does(folder: Path, new: CountedPosts) -> None:
    counts = count(new, 0)
    for number in range(1, 10):
        counts |= count(resumed(folder, number - 1), number)
    assert counts == counted_one_by_one(POSTS)[0]


def test_a_batch_that_was_not_committed_is_counted_again_as_if_for_the_first_time(
    folder: Path, new: CountedPosts
) -> None:
    counts = count(new, 0)
    fail(new, 1)
    new.resume(0, 0, 0)
    counts |= count(new, 1)
    fail(new, 2)
    for number in range(2, 10):
        counts |= count(resumed(folder, number - 1), number)
    assert counts == counted_one_by_one(POSTS)[0]
    assert len(files_of(folder)) == 10


def test_after_a_failure_nothing_is_counted_before_the_files_were_read(new: CountedPosts) -> None:
    fail(new, 0)
    with pytest.raises(AssertionError):
        count(new, 0)


def test_files_of_closed_windows_are_deleted_and_their_posts_are_late(
    folder: Path, new: CountedPosts
) -> None:
    windows = [
        table_of([PostInWindow(10 * at + post, at * WINDOW_MICROS, "ann", 1, ["a"]) for post in range(3)])
        for at in range(4)
    ]
    for number, posts in enumerate(windows):
        with new.batch(number):
            new.count(number, posts, max(number - 1, 0))
    assert len(files_of(folder)) == 2
    again = resumed(folder, 3, closed_before=2)
    with again.batch(4):
        again.count(4, pa.concat_tables(windows), 3)
    found = again.measures_of(4)
    assert (found.late_posts, found.duplicate_posts, found.state_rows) == (9, 3, 3 + 1)
    assert again.measures_of(4).late_posts == 0, "they are returned once"


@pytest.mark.parametrize(
    "damage",
    [
        lambda files: files[4].unlink(),
        lambda files: files[-1].unlink(),
        lambda files: files[3].write_bytes(files[3].read_bytes()[:200]),
        lambda files: files[0].with_name(MARK).unlink(),
        lambda files: [path.unlink() for path in (*files, files[0].with_name(MARK))],
    ],
    ids=["one is missing", "the newest is missing", "one is cut", "the mark is missing", "all are missing"],
)
def test_files_that_are_not_whole_are_not_used(
    folder: Path, new: CountedPosts, damage: Callable[[list[Path]], None]
) -> None:
    for number in range(8):
        count(new, number)
    damage(files_of(folder))
    with pytest.raises(LostCountsError, match="its batches counted"):
        resumed(folder, 7)


def test_a_query_that_restarts_in_the_same_process_reads_nothing_again(
    folder: Path, new: CountedPosts
) -> None:
    count(new, 0)
    for path in files_of(folder):
        path.unlink()
    new.resume(0, 0, 0)
    assert count(new, 1)


class LateFiles(LocalFiles):
    """Files that are written once `may_write` is set, or fail with `error` then."""

    def __init__(self, folder: Path, error: Exception | None = None) -> None:
        super().__init__(folder)
        self.may_write = threading.Event()
        self.error = error

    def write(self, name: str, content: bytes) -> None:
        if name != MARK:
            assert self.may_write.wait(60)
            if self.error is not None:
                raise self.error
        super().write(name, content)


def test_a_batch_is_counted_while_its_file_is_written_and_ends_once_it_is(folder: Path) -> None:
    files = LateFiles(folder)
    counted = CountedPosts(files)
    counted.begin()
    with counted.batch(0):
        assert counted.count(0, batch_of(0), 0).posts_by_window
        assert files_of(folder) == []
        files.may_write.set()
        counted.wait_until_written()
        assert len(files_of(folder)) == 1


def test_a_batch_fails_if_its_file_cannot_be_written(folder: Path) -> None:
    files = LateFiles(folder, OSError("disk full"))
    counted = CountedPosts(files)
    counted.begin()
    files.may_write.set()
    with pytest.raises(OSError, match="disk full"):
        count(counted, 0)
    with pytest.raises(AssertionError):
        count(counted, 0)


def test_a_batch_that_fails_ends_once_its_file_is_written_so_that_the_next_start_deletes_it(
    folder: Path,
) -> None:
    files = LateFiles(folder)
    counted = CountedPosts(files)
    counted.begin()
    threading.Timer(0.05, files.may_write.set).start()
    fail(counted, 0)
    assert len(files_of(folder)) == 1
    counted.resume(-1, -1, 0)
    assert files_of(folder) == []
