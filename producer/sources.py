"""From a file, a gzip or zstd archive, standard input or an S3 object to its lines, from any position on."""

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
"""A longer line cannot be a record: the topics take 10 MB."""
KEPT_OF_LONG_LINE = 64 * 1024
BUFFER_BYTES = 1024 * 1024
LARGEST_ZSTD_WINDOW = 2**31
"""The dump's archives are written with zstd's long windows."""
GZIP_MAGIC, ZSTD_MAGIC, BYTE_ORDER_MARK = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xef\xbb\xbf"
_DAMAGE = (EOFError, OSError, zlib.error, zstandard.ZstdError)


class Line(NamedTuple):
    """One line of an input: its number from 1, its bytes, its whole length, and the offset behind it (uncompressed)."""

    number: int
    data: bytes
    length: int
    end: int


@dataclass(frozen=True)
class Fingerprint:
    """By what a changed input is told from the one that was begun; `version` is a time of change or an S3 ETag."""

    path: str
    size: int
    version: str

    def as_json(self) -> dict[str, Any]:
        """The fields by name."""
        return asdict(self)


@dataclass(frozen=True)
class Input:
    """One input of posts by the name that the user gave."""

    name: str
    settings: Settings | None = None

    @property
    def is_standard_input(self) -> bool:
        """Whether it can be read once only."""
        return self.name == STANDARD_INPUT

    @property
    def address(self) -> str:
        """The name, absolute."""
        return (
            self.name
            if self.is_standard_input or self.name.startswith(S3_SCHEME)
            else str(Path(self.name).resolve())
        )

    @property
    def is_plain_file(self) -> bool:
        """Whether its bytes on the local disk are its content."""
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
        """Size and version of the input as it is now; raises BadInputError where it cannot be read."""
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
        """The lines behind `offset` bytes and `number` lines of the uncompressed input; standard input ends once `is_stopped`.

        A line over 10 MB comes with its beginning and its whole length. A damaged input raises BadInputError once the
        lines before the damage are out.
        """
        try:
            with self._open(is_stopped) as file:
                _skip(file, offset)
                for line in _split(file, offset, number):
                    number = line.number
                    yield line
        except _DAMAGE as error:
            raise BadInputError(
                f"{self.name} is damaged or cannot be read behind line {number}: {error}."
            ) from error

    def pieces(self) -> Iterator[bytes]:
        """The uncompressed content, some hundred kilobytes at a time; a damaged input raises BadInputError."""
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
                raise BadInputError(
                    f"{self.name} is no {kind} archive in spite of its name: rename it, or fetch it again."
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
    """Standard input that ends when the program is to stop: a plain read would wait for the next line."""

    def __init__(self, is_stopped: Callable[[], bool]) -> None:
        self._is_stopped = is_stopped
        self._file = io.FileIO(0, closefd=False)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What is there now; 0 at its end or when the program is to stop."""
        while not select.select([self._file], [], [], 0.2)[0]:
            if self._is_stopped():
                return 0
        return self._file.readinto(buffer) or 0


class GzipMembers(io.RawIOBase):
    """The content of a gzip archive piece by piece, so that what lies before a damage is out before the error."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = gzip.GzipFile(fileobj=file)

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What comes next; 0 at the end; raises EOFError where the archive ends too early."""
        return self._file.readinto1(buffer)


class ZstdFrames(io.RawIOBase):
    """The content of a zstd archive of one frame or many; the library's own reader is silent where an archive is cut off."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self._frame: Any = None
        self._compressed = b""
        self._content = memoryview(b"")

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """What comes next; 0 at the end; raises EOFError where the archive ends inside a frame."""
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


def _buffered(raw: Any) -> io.BufferedReader:
    return raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw, BUFFER_BYTES)


def _skip(file: io.BufferedReader, offset: int) -> None:
    if isinstance(file.raw, io.FileIO) and file.seekable():
        file.seek(offset)
        return
    while offset > 0:
        passed = len(file.read(min(offset, BUFFER_BYTES)))
        if not passed:
            raise EOFError("it ends before the place at which the last run stopped")
        offset -= passed


def _split(file: io.BufferedReader, offset: int, number: int) -> Iterator[Line]:
    readline = file.readline
    while data := readline(MAX_LINE_BYTES + 1):
        number += 1
        length = len(data)
        if length > MAX_LINE_BYTES and not data.endswith(b"\n"):
            length += _pass_rest_of_line(file)
            data = data[:KEPT_OF_LONG_LINE]
        offset += length
        yield Line(number, data.removeprefix(BYTE_ORDER_MARK) if number == 1 else data, length, offset)


def _pass_rest_of_line(file: io.BufferedReader) -> int:
    passed = 0
    while data := file.readline(BUFFER_BYTES):
        passed += len(data)
        if data.endswith(b"\n"):
            break
    return passed
