"""Split inputs into blocks of whole lines for the workers of an import, and hash their content."""

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
    MAX_LINE_BYTES,
    S3_SCHEME,
    STANDARD_INPUT,
    Fingerprint,
    Input,
    Line,
    by_their_numbers,
    checked_inputs,
    without_byte_order_mark,
)

BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Block:
    """Consecutive lines of one input: bytes, a range of a plain file, or one line too long to be a post."""

    file: str
    first_number: int
    last_number: int
    length: int
    data: bytes = b""
    offset: int | None = None
    """Where the lines start in the plain file `file`, `length` bytes long; None if they are in `data`."""
    too_long: Line | None = None

    def lines(self) -> Iterator[Line]:
        r"""Yield the lines with their numbers in the file; `end` is always 0.

        Line feeds are not part of a line's data, but count in its length.

        >>> [(line.number, line.data) for line in Block("a", 7, 8, 4, b"x\ny\n").lines()]
        [(7, b'x'), (8, b'y')]
        """
        if self.too_long is not None:
            yield self.too_long
            return
        *complete, last = self._content().split(b"\n")
        for number, data in enumerate(complete, start=self.first_number):
            yield Line(number, without_byte_order_mark(data), len(data) + 1, 0)
        if last:
            yield Line(self.last_number, without_byte_order_mark(last), len(last), 0)

    def _content(self) -> bytes:
        if self.offset is None:
            return self.data
        with Path(self.file).open("rb") as file:
            file.seek(self.offset)
            return file.read(self.length)


@dataclass(frozen=True)
class Survey:
    """What a first pass over an input found: SHA-256 and length of its uncompressed content, and its blocks.

    `blocks` is None unless the input is a plain file.
    """

    sha256: str
    size: int
    blocks: Sequence[Block] | None


def inputs_of(names: Sequence[str], settings: Settings) -> list[Input]:
    """Return the inputs for `names`, with patterns such as posts-*.ndjson expanded in order of name.

    Raises BadInputError, also for standard input: to resume, an import has to read its beginning again.
    """
    files = [name for pattern in names for name in _matches(pattern)]
    if STANDARD_INPUT in files:
        raise BadInputError(
            f"{STANDARD_INPUT} cannot be imported, as it can be read only once. Write it to a file first."
        )
    return checked_inputs(files, settings)


def _matches(pattern: str) -> list[str]:
    if pattern.startswith(S3_SCHEME) or not glob.has_magic(pattern) or Path(pattern).exists():
        return [pattern]
    names = by_their_numbers(sorted(glob.glob(pattern, recursive=True)))
    if not names:
        raise BadInputError(f"No file matches {pattern}. Correct the pattern.")
    return names


def surveys(
    inputs: Iterable[Input], is_stopped: Callable[[], bool]
) -> Generator[tuple[Input, Fingerprint, Survey]]:
    """Yield each input with its survey and the fingerprint it had before.

    The next input is surveyed while the current one is in use. Once `is_stopped`, surveys are incomplete.
    """
    closed = threading.Event()

    def survey_one(source: Input) -> tuple[Input, Fingerprint, Survey]:
        fingerprint = source.fingerprint()
        return source, fingerprint, survey(source, is_stopped=lambda: closed.is_set() or is_stopped())

    with ThreadPoolExecutor(1) as pool:
        try:
            submitted = (pool.submit(survey_one, source) for source in inputs)
            pending = next(submitted, None)
            while pending is not None:
                surveyed = pending.result()
                pending = next(submitted, None)
                yield surveyed
        finally:
            closed.set()


def survey(source: Input, *, is_stopped: Callable[[], bool] = lambda: False) -> Survey:
    """Read all of an input once, unless stopped.

    Workers read the blocks of a plain file themselves, which saves sending them. There are no blocks if a
    line may be too long to be a post: `blocks_of` knows how to skip it.
    """
    digest, size = hashlib.sha256(), 0
    plain = source.is_plain_file
    blocks: list[Block] = []
    start, first, lines = 0, 1, 0
    for piece in source.pieces():
        if is_stopped():
            break
        digest.update(piece)
        end_of_lines = piece.rfind(b"\n") + 1
        lines += piece.count(b"\n") if plain else 0
        if end_of_lines and size + end_of_lines - start >= BLOCK_BYTES:
            length = size + end_of_lines - start
            blocks.append(Block(source.name, first, first + lines - 1, length, offset=start))
            start, first, lines = size + end_of_lines, first + lines, 0
        size += len(piece)
        plain = plain and size - start <= MAX_LINE_BYTES
    if size > start:
        ends_in_line = not piece.endswith(b"\n")
        blocks.append(Block(source.name, first, first + lines - 1 + ends_in_line, size - start, offset=start))
    return Survey(digest.hexdigest(), size, blocks if plain else None)


def blocks_of(source: Input, blocks: Sequence[Block] | None, *, after_line: int) -> Iterator[Block]:
    """Yield the blocks with lines after line `after_line`: those of a survey or, if None, read now."""
    if blocks is None:
        yield from _read_blocks(source, after_line)
        return
    for block in blocks:
        if block.last_number > after_line:
            yield block


def _read_blocks(source: Input, after_line: int) -> Iterator[Block]:
    """Yield the lines after line `after_line` in blocks of about 8 MB."""
    lines: list[bytes] = []
    size, first = 0, after_line + 1
    for line in source.lines():
        if line.number <= after_line:
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
