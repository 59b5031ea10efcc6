"""Sort posts by creation in a database on disk; imported only when needed, because it is slow to load."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

import duckdb
import pyarrow as pa

from core.errors import BadInputError
from producer.order import created_at
from producer.outgoing import Numbered, read_lines
from producer.resume import Position
from producer.sources import Input, Line

MEMORY_LIMIT = "512MB"
LINES_AT_ONCE = 2_000


class SortedPosts:
    """The lines of inputs in order of creation time, in a database on disk; lines without one come first."""

    def __init__(self, inputs: Sequence[Input], folder: Path, *, is_stopped: Callable[[], bool]) -> None:
        """`folder`: where a folder for the database is made, which needs the space of the unpacked inputs."""
        self._inputs = inputs
        self._folder = folder
        self._is_stopped = is_stopped
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            try:
                self._folder.mkdir(parents=True, exist_ok=True)
                folder = stack.enter_context(TemporaryDirectory(prefix="sort-", dir=self._folder))
                config: dict[str, str | bool | int | float | list[str]] = {
                    "memory_limit": MEMORY_LIMIT,
                    "temp_directory": folder,
                    "threads": 2,
                }
                self._database = stack.enter_context(duckdb.connect(f"{folder}/posts.duckdb", config=config))
                self._fill()
            except (OSError, duckdb.Error) as error:
                raise BadInputError(
                    f"The posts cannot be sorted in {self._folder}: {error}. Free up space, or name another "
                    "folder in GROUNDSWELL_PRODUCER_STATE_DIR."
                ) from error
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _fill(self) -> None:
        self._database.execute(
            "CREATE TABLE lines (seconds BIGINT, input INTEGER, number BIGINT, length BIGINT, line BLOB)"
        )
        lines = read_lines(self._inputs, Position(), is_stopped=self._is_stopped)
        while rows := list(islice(lines, LINES_AT_ONCE)):
            if self._is_stopped():
                return
            added = pa.table(
                {
                    "seconds": pa.array([created_at(line) for _, line, _ in rows], pa.int64()),
                    "input": [position.input for _, _, position in rows],
                    "number": [line.number for _, line, _ in rows],
                    "length": [line.length for _, line, _ in rows],
                    "line": pa.array([line.data for _, line, _ in rows], pa.binary()),
                }
            )
            self._database.register("added", added)
            self._database.execute("INSERT INTO lines SELECT * FROM added")
            self._database.unregister("added")

    def creation_times(self) -> Iterator[int]:
        """Yield when each post was created, in Unix seconds, oldest first."""
        found = self._database.execute("SELECT seconds FROM lines WHERE seconds IS NOT NULL ORDER BY seconds")
        while rows := found.fetchmany(LINES_AT_ONCE):
            yield from (seconds for (seconds,) in rows)

    def lines(self, start: Position) -> Iterator[Numbered]:
        """Yield the lines after `start`, oldest first.

        A position is that of the line in its input, except that its `offset` counts the lines up to here.
        """
        found = self._database.execute(
            "SELECT input, number, length, line FROM lines ORDER BY seconds NULLS FIRST, input, number "
            f"OFFSET {start.offset}"
        )
        place = start.offset
        while rows := found.fetchmany(LINES_AT_ONCE):
            for source, number, length, data in rows:
                place += 1
                yield (
                    self._inputs[source].name,
                    Line(number, data, length, place),
                    Position(source, place, number),
                )
