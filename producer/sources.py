"""Read lines from a file, however it is packed, standard input or an S3 object, from any position."""

import io
import re
import select
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any, NamedTuple

from core.errors import BadInputError
from core.settings import Settings
from producer.kinds import BYTE_ORDER_MARK, encoding_of, packing_of
from producer.unpacking import BUFFER_BYTES, DAMAGE, Unpacking, buffered, start_of

STANDARD_INPUT = "-"
S3_SCHEME = "s3://"
MAX_LINE_BYTES = 10 * 1024 * 1024
"""A longer line cannot be a record: the topics accept 10 MB."""
KEPT_OF_LONG_LINE = 64 * 1024
_NAMED_AS = {".gz": "gzip", ".zst": "zstd", ".xz": "xz", ".bz2": "bzip2", ".zip": "zip", ".tar": "tar"}


class Line(NamedTuple):
    """One line of an input: number from 1, bytes, full length, and the (uncompressed) offset after it."""

    number: int
    data: bytes
    length: int
    end: int


@dataclass(frozen=True)
class Fingerprint:
    """Identifies the content of an input, to notice changes; `version` is a modification time or an ETag."""

    path: str
    size: int
    version: str

    def as_json(self) -> dict[str, Any]:
        """Return the fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Input:
    """One input of posts, by the name that the user gave."""

    name: str
    settings: Settings | None = None

    @property
    def is_standard_input(self) -> bool:
        """Whether it is standard input, which can be read only once."""
        return self.name == STANDARD_INPUT

    @property
    def can_be_read_again(self) -> bool:
        """Whether it is a file or an S3 object, not standard input or a named pipe."""
        return self.name.startswith(S3_SCHEME) or Path(self.name).is_file()

    @property
    def address(self) -> str:
        """The name, with an absolute path."""
        return (
            self.name
            if self.is_standard_input or self.name.startswith(S3_SCHEME)
            else str(Path(self.name).resolve())
        )

    @property
    def is_plain_file(self) -> bool:
        """Whether it is a file on the local disk whose bytes are its lines: not packed, and in UTF-8."""
        if self.is_standard_input or self.name.startswith(S3_SCHEME):
            return False
        with Path(self.name).open("rb") as file:
            start, _ = start_of(file)
        return packing_of(start) is None and encoding_of(start) is None

    def fingerprint(self) -> Fingerprint:
        """Return the current fingerprint; raises BadInputError if the input cannot be read."""
        if self.is_standard_input:
            return Fingerprint(self.name, 0, "")
        if self.name.startswith(S3_SCHEME):
            from producer import s3_objects

            return Fingerprint(self.name, *s3_objects.size_and_version(self.name, self._s3_settings()))
        path = Path(self.name)
        if path.is_dir():
            raise BadInputError(f"{self.name} is a folder: name the files in it.")
        try:
            path.open("rb").close()
            status = path.stat()
        except OSError as error:
            raise BadInputError(f"{self.name} cannot be read: {error.strerror or error}.") from error
        return Fingerprint(self.address, status.st_size, str(status.st_mtime_ns))

    def lines(
        self, *, offset: int = 0, number: int = 0, is_stopped: Callable[[], bool] = lambda: False
    ) -> Iterator[Line]:
        """Yield the lines after `offset` bytes and `number` lines of the uncompressed input.

        Standard input ends once `is_stopped`. A line over 10 MB comes with only its beginning, but its full
        length. A damaged input raises BadInputError after the lines before the damage.
        """
        try:
            with self._open(is_stopped) as file:
                _skip(file, offset)
                for line in _split(file, offset, number):
                    number = line.number
                    yield line
        except DAMAGE as error:
            raise BadInputError(
                f"{self.name} is damaged or cannot be read after line {number}: {error}."
            ) from error

    def pieces(self) -> Iterator[bytes]:
        """Yield the uncompressed content in pieces of up to 1 MB; a damaged input raises BadInputError."""
        try:
            with self._open(lambda: False) as file:
                while piece := file.read1(BUFFER_BYTES):
                    yield piece
        except DAMAGE as error:
            raise BadInputError(f"{self.name} is damaged or cannot be read: {error}.") from error

    def check(self) -> None:
        """Raise BadInputError if it is certainly no ndjson, nor files of ndjson packed in an archive.

        Reads the beginnings of all of them; what can be read only once is not checked.
        """
        if not self.can_be_read_again:
            return
        try:
            self._open(lambda: False, only_check=True).close()
        except DAMAGE as error:
            raise BadInputError(f"{self.name} is damaged or cannot be read: {error}.") from error

    def _open(self, is_stopped: Callable[[], bool], *, only_check: bool = False) -> io.BufferedReader:
        raw = buffered(StandardInput(is_stopped) if self.is_standard_input else self._open_raw())
        start, file = start_of(raw)
        named_as = next((kind for suffix, kind in _NAMED_AS.items() if self.name.endswith(suffix)), None)
        if start and named_as and packing_of(start) is None and encoding_of(start) is None:
            file.close()
            raise BadInputError(
                f"{self.name} is not a {named_as} archive despite its name: rename it, or download it again."
            )
        reopen = self._open_seekable if self.can_be_read_again else None
        try:
            return Unpacking(self.name, reopen, only_check=only_check).text(file)
        except BaseException:
            file.close()
            raise

    def _open_seekable(self) -> IO[bytes]:
        return buffered(self._open_raw())

    def _open_raw(self) -> io.RawIOBase:
        if self.name.startswith(S3_SCHEME):
            from producer import s3_objects

            return s3_objects.S3Object(self.name, self._s3_settings())
        return Path(self.name).open("rb", buffering=0)

    def _s3_settings(self) -> Settings:
        if self.settings is None:
            raise BadInputError(f"{self.name} needs the S3 settings of the environment.")
        return self.settings


def by_their_numbers(names: Sequence[str]) -> list[str]:
    """Return file names with those that a shell has listed by their letters in order of their numbers.

    They are those that differ in numbers alone. Other orders stay, because whoever wrote them meant them.

    >>> by_their_numbers(["first", "crawl-1", "crawl-10", "crawl-2"]), by_their_numbers(["a-2", "a-1"])
    (['first', 'crawl-1', 'crawl-2', 'crawl-10'], ['a-2', 'a-1'])
    """
    alike: dict[str, list[int]] = {}
    for place, name in enumerate(names):
        alike.setdefault(re.sub("[0-9]+", "0", name), []).append(place)
    ordered = list(names)
    for places in alike.values():
        group = [names[place] for place in places]
        of_shells = sorted(group), sorted(group, key=lambda name: re.sub(r"\W", "", name).lower())
        if group in of_shells:
            group.sort(key=lambda name: [int(number) for number in re.findall("[0-9]+", name)])
        for place, name in zip(places, group, strict=True):
            ordered[place] = name
    return ordered


def checked_inputs(names: Sequence[str], settings: Settings) -> list[Input]:
    """Return the inputs that a user named; raises BadInputError if one cannot be read or is no ndjson."""
    inputs = [Input(name, settings) for name in by_their_numbers(names)]
    for source in inputs:
        source.fingerprint()
        source.check()
    return inputs


class StandardInput(io.RawIOBase):
    """Standard input that ends when a stop is requested: a plain read would wait for the next line."""

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self._is_stopped = is_stopped
        self._file = io.FileIO(0, closefd=False)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read what is available; return how many bytes, 0 at the end or when a stop is requested."""
        while not select.select([self._file], [], [], 0.2)[0]:
            if self._is_stopped():
                return 0
        return self._file.readinto(buffer) or 0


def _skip(file: io.BufferedReader, offset: int) -> None:
    if isinstance(file.raw, io.FileIO) and file.seekable():
        file.seek(offset)
        return
    while offset > 0:
        skipped = len(file.read(min(offset, BUFFER_BYTES)))
        if not skipped:
            raise EOFError("it ends before the position where the last run stopped")
        offset -= skipped


def without_byte_order_mark(line: bytes) -> bytes:
    r"""Return a line as it is read: files that were joined may have a mark where each begins.

    >>> without_byte_order_mark(b'\xef\xbb\xbf{"a": 1}\n')
    b'{"a": 1}\n'
    """
    while line.startswith(BYTE_ORDER_MARK):
        line = line.removeprefix(BYTE_ORDER_MARK)
    return line


def _split(file: io.BufferedReader, offset: int, number: int) -> Iterator[Line]:
    readline = file.readline
    while data := readline(MAX_LINE_BYTES + 1):
        number += 1
        length = len(data)
        if length > MAX_LINE_BYTES and not data.endswith(b"\n"):
            length += _skip_rest_of_line(file)
            data = data[:KEPT_OF_LONG_LINE]
        offset += length
        yield Line(number, without_byte_order_mark(data), length, offset)


def _skip_rest_of_line(file: io.BufferedReader) -> int:
    skipped = 0
    while data := file.readline(BUFFER_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
