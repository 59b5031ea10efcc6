"""Read lines from a file, a gzip or zstd archive, standard input or an S3 object, from any position."""

import gzip
import io
import select
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import zstandard

from core.errors import BadInputError
from core.settings import Settings

STANDARD_INPUT = "-"
S3_SCHEME = "s3://"
MAX_LINE_BYTES = 10 * 1024 * 1024
"""A longer line cannot be a record: the topics accept 10 MB."""
KEPT_OF_LONG_LINE = 64 * 1024
BUFFER_BYTES = 1024 * 1024
LARGEST_ZSTD_WINDOW = 2**31
"""The dump's archives are written with zstd's long windows."""
GZIP_MAGIC, ZSTD_MAGIC, BYTE_ORDER_MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"
_DAMAGE = (EOFError, OSError, zlib.error, zstandard.ZstdError)


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
    def address(self) -> str:
        """The name, with an absolute path."""
        return (
            self.name
            if self.is_standard_input or self.name.startswith(S3_SCHEME)
            else str(Path(self.name).resolve())
        )

    @property
    def is_plain_file(self) -> bool:
        """Whether it is an uncompressed file on the local disk."""
        if self.is_standard_input or self.name.startswith(S3_SCHEME):
            return False
        with Path(self.name).open("rb") as file:
            start = file.read(4)
        return (
            not start.startswith(GZIP_MAGIC)
            and start != ZSTD_MAGIC
            and not self.name.endswith((".gz", ".zst"))
        )

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
        except _DAMAGE as error:
            raise BadInputError(
                f"{self.name} is damaged or cannot be read after line {number}: {error}."
            ) from error

    def pieces(self) -> Iterator[bytes]:
        """Yield the uncompressed content in pieces of up to 1 MB; a damaged input raises BadInputError."""
        try:
            with self._open(lambda: False) as file:
                while piece := file.read1(BUFFER_BYTES):
                    yield piece
        except _DAMAGE as error:
            raise BadInputError(f"{self.name} is damaged or cannot be read: {error}.") from error

    def _open(self, is_stopped: Callable[[], bool]) -> io.BufferedReader:
        plain = _buffered(StandardInput(is_stopped) if self.is_standard_input else self._open_raw())
        start = plain.peek(4)[:4]
        if start.startswith(GZIP_MAGIC):
            return _buffered(GzipMembers(plain))
        if start == ZSTD_MAGIC:
            return _buffered(ZstdFrames(plain))
        for suffix, kind in ((".gz", "gzip"), (".zst", "zstd")):
            if self.name.endswith(suffix) and start:
                plain.close()
                raise BadInputError(
                    f"{self.name} is not a {kind} archive despite its name: rename it, or download it again."
                )
        return plain

    def _open_raw(self) -> io.RawIOBase:
        if self.name.startswith(S3_SCHEME):
            from producer import s3_objects

            return s3_objects.S3Object(self.name, self._s3_settings())
        return Path(self.name).open("rb", buffering=0)

    def _s3_settings(self) -> Settings:
        if self.settings is None:
            raise BadInputError(f"{self.name} needs the S3 settings of the environment.")
        return self.settings


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


class GzipMembers(io.RawIOBase):
    """The content of a gzip archive in pieces, so that all before a damage is read before the error."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._archive = file
        self._file = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; return how many, 0 at the end; raises EOFError if the archive is truncated."""
        return self._file.readinto1(buffer)

    def close(self) -> None:
        """Close the archive too."""
        self._archive.close()
        super().close()


class ZstdFrames(io.RawIOBase):
    """The content of a zstd archive of any number of frames; the library's own reader ignores truncation."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._frame: Any = None
        self._compressed = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; return how many, 0 at the end; raises EOFError if a frame is truncated."""
        while not self._content:
            compressed = self._compressed or self._file.read1(BUFFER_BYTES // 8)
            if not compressed:
                if self._frame:
                    raise EOFError("it ends too early")
                return 0
            self._frame = (
                self._frame or zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW).decompressobj()
            )
            self._content = memoryview(self._frame.decompress(compressed))
            self._compressed = self._frame.unused_data if self._frame.eof else b""
            self._frame = None if self._frame.eof else self._frame
        size = min(len(buffer), len(self._content))
        buffer[:size] = self._content[:size]
        self._content = self._content[size:]
        return size

    def close(self) -> None:
        """Close the archive too."""
        self._file.close()
        super().close()


def _buffered(raw: Any) -> io.BufferedReader:
    return raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw, BUFFER_BYTES)


def _skip(file: io.BufferedReader, offset: int) -> None:
    if isinstance(file.raw, io.FileIO) and file.seekable():
        file.seek(offset)
        return
    while offset > 0:
        skipped = len(file.read(min(offset, BUFFER_BYTES)))
        if not skipped:
            raise EOFError("it ends before the position where the last run stopped")
        offset -= skipped


def _split(file: io.BufferedReader, offset: int, number: int) -> Iterator[Line]:
    readline = file.readline
    while data := readline(MAX_LINE_BYTES + 1):
        number += 1
        length = len(data)
        if length > MAX_LINE_BYTES and not data.endswith(b"\n"):
            length += _skip_rest_of_line(file)
            data = data[:KEPT_OF_LONG_LINE]
        offset += length
        yield Line(number, data.removeprefix(BYTE_ORDER_MARK) if number == 1 else data, length, offset)


def _skip_rest_of_line(file: io.BufferedReader) -> int:
    skipped = 0
    while data := file.readline(BUFFER_BYTES):
        skipped += len(data)
        if data.endswith(b"\n"):
            break
    return skipped
