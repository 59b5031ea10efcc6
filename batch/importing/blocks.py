"""From inputs to blocks of whole lines, which is what the workers of an import are given, and to the digest of their content."""

import glob
import hashlib
import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInputError
from core.settings import Settings
from producer.sources import (
    BYTE_ORDER_MARK,
    MAX_LINE_BYTES,
    S3_SCHEME,
    STANDARD_INPUT,
    Fingerprint,
    Input,
    Line,
)

BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Block:
    """Lines of one input that follow one another: as bytes, as a place in a plain file, or one line too long to be a post."""

    file: str
    first_number: int
    last_number: int
    length: int
    data: bytes = b""
    offset: int | None = None
    """Where `length` bytes of the plain file `file` are the lines; None: they are `data`."""
    too_long: Line | None = None

    def lines(self) -> Iterator[Line]:
        """The lines with their numbers in the file, without line feeds, which count in their lengths; their ends stand as 0.

        >>> [(line.number, line.data) for line in Block("a", 7, 8, 4, b"x\\ny\\n").lines()]
        [(7, b'x'), (8, b'y')]
        """
        if self.too_long is not None:
            yield self.too_long
            return
        *complete, last = self._content().split(b"\n")
        for number, data in enumerate(complete, start=self.first_number):
            yield Line(number, data, len(data) + 1, 0)
        if last:
            yield Line(self.last_number, last, len(last), 0)

    def _content(self) -> bytes:
        if self.offset is None:
            return self.data
        with Path(self.file).open("rb") as file:
            file.seek(self.offset)
            content = file.read(self.length)
        return content.removeprefix(BYTE_ORDER_MARK) if self.first_number == 1 else content


@dataclass(frozen=True)
class Survey:
    """What a first look at an input found: SHA-256 and length of the uncompressed content, and its blocks where it is a plain file."""

    sha256: str
    size: int
    blocks: Sequence[Block] | None


def inputs_of(names: Sequence[str], settings: Settings) -> list[Input]:
    """The inputs that `names` stand for, patterns such as posts-*.ndjson in order of their names; raises BadInputError.

    Standard input is rejected_rows: an import that goes on after a stop has to read its beginning again.
    """
    inputs = [Input(name, settings) for pattern in names for name in _matches(pattern)]
    if any(source.is_standard_input for source in inputs):
        raise BadInputError(
            f"{STANDARD_INPUT} cannot be imported, because it can be read only once. Write it to a file first."
        )
    for source in inputs:
        source.fingerprint()
    return inputs


def _matches(pattern: str) -> list[str]:
    if pattern.startswith(S3_SCHEME) or not glob.has_magic(pattern) or Path(pattern).exists():
        return [pattern]
    found = sorted(glob.glob(pattern, recursive=True))
    if not found:
        raise BadInputError(f"No file is named like {pattern}.")
    return found


def surveys(
    inputs: Iterable[Input], is_stopped: Callable[[], bool]
) -> Generator[tuple[Input, Fingerprint, Survey]]:
    """Each input with its fingerprint before it was read and its survey, which is made while the one before is in use.

    Once `is_stopped`, surveys are not whole.
    """
    closed = threading.Event()

    def look(source: Input) -> tuple[Input, Fingerprint, Survey]:
        return (
            source,
            source.fingerprint(),
            survey(source, is_stopped=lambda: closed.is_set() or is_stopped()),
        )

    with ThreadPoolExecutor(1) as pool:
        try:
            started = (pool.submit(look, source) for source in inputs)
            coming = next(started, None)
            while coming is not None:
                found = coming.result()
                coming = next(started, None)
                yield found
        finally:
            closed.set()


def survey(source: Input, *, is_stopped: Callable[[], bool] = lambda: False) -> Survey:
    """Read all of an input once, unless stopped.

    Whoever is to turn the lines of a plain file into rows then reads them there, which saves sending them. Without blocks
    where a line may be too long to be a post: `blocks_of` knows how to pass over it.
    """
    digest, size = hashlib.sha256(), 0
    plain = source.is_plain_file
    blocks: list[Block] = []
    start, first, lines = 0, 1, 0
    for piece in source.pieces():
        if is_stopped():
            break
        digest.update(piece)
        behind_last = piece.rfind(b"\n") + 1
        lines += piece.count(b"\n") if plain else 0
        if behind_last and size + behind_last - start >= BLOCK_BYTES:
            blocks.append(
                Block(source.name, first, first + lines - 1, size + behind_last - start, offset=start)
            )
            start, first, lines = size + behind_last, first + lines, 0
        size += len(piece)
        plain = plain and size - start <= MAX_LINE_BYTES
    if size > start:
        ends_in_line = not piece.endswith(b"\n")
        blocks.append(Block(source.name, first, first + lines - 1 + ends_in_line, size - start, offset=start))
    return Survey(digest.hexdigest(), size, blocks if plain else None)


def blocks_of(source: Input, blocks: Sequence[Block] | None, *, behind: int) -> Iterator[Block]:
    """The blocks with lines behind line `behind`: those of a survey, or read now."""
    if blocks is None:
        yield from _read_blocks(source, behind)
        return
    for block in blocks:
        if block.last_number > behind:
            yield block


def _read_blocks(source: Input, behind: int) -> Iterator[Block]:
    """The lines behind line `behind`, in blocks of some 8 MB."""
    lines: list[bytes] = []
    size, first = 0, behind + 1
    for line in source.lines():
        if line.number <= behind:
            continue
        if line.length > MAX_LINE_BYTES or size + line.length > BLOCK_BYTES:
            if lines:
                yield Block(source.name, first, line.number - 1, size, b"".join(lines))
            lines, size, first = [], 0, line.number
        if line.length > MAX_LINE_BYTES:
            yield Block(source.name, line.number, line.number, line.length, too_long=line)
            first = line.number + 1
        else:
            lines.append(line.data)
            size += line.length
    if lines:
        yield Block(source.name, first, first + len(lines) - 1, size, b"".join(lines))
