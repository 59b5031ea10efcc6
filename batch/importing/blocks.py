"""From inputs to blocks of whole lines, which is what the workers of an import are given; and to the digest of a content."""

import glob
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadInputError
from core.settings import Settings
from producer.sources import MAX_LINE_BYTES, S3_SCHEME, STANDARD_INPUT, Input, Line

BLOCK_BYTES = 8 * 1024 * 1024


@dataclass(frozen=True)
class Block:
    """Lines of one input that follow one another: as bytes, or one line that is too long to be a post."""

    file: str
    first_number: int
    data: bytes
    last_number: int
    too_long: Line | None = None

    def lines(self) -> Iterator[Line]:
        """The lines with their numbers in the file, without line feeds, which count in their lengths; their ends stand as 0.

        >>> [(line.number, line.data) for line in Block("a", 7, b"x\\ny\\n", 8).lines()]
        [(7, b'x'), (8, b'y')]
        """
        if self.too_long is not None:
            yield self.too_long
            return
        *complete, last = self.data.split(b"\n")
        for number, data in enumerate(complete, start=self.first_number):
            yield Line(number, data, len(data) + 1, 0)
        if last:
            yield Line(self.last_number, last, len(last), 0)


def inputs_of(names: Sequence[str], settings: Settings) -> list[Input]:
    """The inputs that `names` stand for, patterns such as posts-*.ndjson in order of their names; raises BadInputError.

    Standard input is refused: an import that goes on after a stop has to read its beginning again.
    """
    inputs = [Input(name, settings) for pattern in names for name in _matches(pattern)]
    if any(source.is_standard_input for source in inputs):
        raise BadInputError(f"{STANDARD_INPUT} cannot be imported, because it can be read only once. Write it to a file first.")
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


def digest_of(source: Input) -> tuple[str, int]:
    """SHA-256 of the uncompressed content, and its length in bytes."""
    digest, size = hashlib.sha256(), 0
    for piece in source.pieces():
        digest.update(piece)
        size += len(piece)
    return digest.hexdigest(), size


def blocks_of(source: Input, *, behind: int, is_stopped: Callable[[], bool]) -> Iterator[Block]:
    """The lines behind line `behind`, in blocks of some 8 MB; ends early once `is_stopped`."""
    lines: list[bytes] = []
    size, first = 0, behind + 1
    for line in source.lines():
        if line.number <= behind:
            continue
        if line.length > MAX_LINE_BYTES or size + line.length > BLOCK_BYTES:
            if lines:
                yield Block(source.name, first, b"".join(lines), line.number - 1)
            lines, size, first = [], 0, line.number
            if is_stopped():
                return
        if line.length > MAX_LINE_BYTES:
            yield Block(source.name, line.number, b"", line.number, line)
            first = line.number + 1
        else:
            lines.append(line.data)
            size += line.length
    if lines:
        yield Block(source.name, first, b"".join(lines), first + len(lines) - 1)
