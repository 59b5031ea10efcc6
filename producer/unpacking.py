"""Unpack an input, however often it is packed, as a stream: text in UTF-8 comes out, or one sentence."""

import bz2
import codecs
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import IO, Any

import zstandard

from core.errors import BadInputError
from producer.kinds import START_BYTES, Packing, check_is_text, encoding_of, has_posts, packing_of

BUFFER_BYTES = 1024 * 1024
COMPRESSED_BYTES = 16 * 1024
"""Few at a time, because zstd's decompressor returns all that it makes of them."""
LARGEST_ZSTD_WINDOW = 2**31
"""The dump's archives are written with zstd's long windows."""
MOST_LAYERS = 5
LONGEST_MAGIC = 8
"""Bytes that tell text from every kind of file that may have a line feed among its first bytes."""
DAMAGE = (
    EOFError,
    OSError,
    zlib.error,
    lzma.LZMAError,
    zstandard.ZstdError,
    zipfile.BadZipFile,
    tarfile.TarError,
    UnicodeDecodeError,
)
"""What a damaged input raises while it is read."""
_CLUTTER = (".DS_Store", "Thumbs.db", "desktop.ini")
_OFFICE = "[Content_Types].xml"


class Pieces(io.RawIOBase):
    """A stream of pieces of any size; what is before a damage is read before the error."""

    def __init__(self, pieces: Iterator[bytes], file: IO[bytes]) -> None:
        """`file`: where the pieces come from, to be closed with this."""
        self._pieces = pieces
        self._piece = memoryview(b"")
        self._file = file

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read the next bytes; return how many, 0 at the end; raises one of DAMAGE."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size

    def close(self) -> None:
        """Close the file too."""
        if isinstance(self._pieces, Generator):
            self._pieces.close()
        self._file.close()
        super().close()


def buffered(raw: Any) -> io.BufferedReader:
    """Return a stream with a buffer; one that has a buffer stays as it is."""
    return raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(raw, BUFFER_BYTES)


def start_of(file: io.BufferedReader) -> tuple[bytes, io.BufferedReader]:
    """Return the first bytes of `file`, and the file from its beginning.

    Of a stream no more is waited for than a first line.
    """
    start = file.peek(START_BYTES)[:START_BYTES]
    if _is_enough(start):
        return start, file
    start = b""
    while not _is_enough(start) and (piece := file.read1(START_BYTES - len(start))):
        start += piece
    if isinstance(file.raw, io.FileIO) and file.seekable():
        file.seek(0)
        return start, file
    return start, buffered(Pieces(chain([start], _pieces(file)), file))


def _is_enough(start: bytes) -> bool:
    """Return whether `start` tells what the file is; a tar archive needs a block, but has no line in it."""
    return len(start) >= START_BYTES or (len(start) >= LONGEST_MAGIC and b"\n" in start)


@dataclass(frozen=True)
class Unpacking:
    """How one input is unpacked, or one of the files in it.

    `reopen` gives it as a seekable file, which a zip archive needs; None if it has only a stream. With
    `only_check`, the files in an archive are recognised and not read: the content is empty.
    """

    name: str
    reopen: Callable[[], IO[bytes]] | None = None
    only_check: bool = False
    layers: int = 0
    archive: str | None = None
    """Name of the input that this file is packed in."""

    def text(self, file: io.BufferedReader) -> io.BufferedReader:
        """Return the content of `file` as UTF-8.

        The files in an archive follow one another, each from a new line. Raises BadInputError for what is
        not ndjson, and one of DAMAGE, both also while the result is read.
        """
        reopen = self.reopen
        for layer in range(self.layers, MOST_LAYERS):
            start, file = start_of(file)
            packing, encoding = packing_of(start), encoding_of(start)
            if packing in (Packing.ZIP, Packing.TAR):
                members = _zip_members(self.name, reopen) if packing is Packing.ZIP else _tar_members(file)
                return self._files(members, file, layer + 1)
            if packing is not None:
                pieces = _gunzipped(file) if packing is Packing.GZIP else _decompressed(file, packing)
                file, reopen = buffered(Pieces(pieces, file)), None
            elif encoding is not None:
                file = buffered(Pieces(_transcoded(file, encoding), file))
            else:
                self._check(start)
                return file
        raise BadInputError(f"{self.archive or self.name} is packed too many times: unpack it.")

    def _check(self, start: bytes) -> None:
        try:
            check_is_text(start, self.name)
        except BadInputError as error:
            if self.archive is None:
                raise
            raise self._other_kind() from error
        if self.archive is not None and not has_posts(start):
            raise self._other_kind()

    def _other_kind(self) -> BadInputError:
        return BadInputError(
            f"{self.archive} holds {self.name}, which is not ndjson: "
            "unpack it and name the files of posts in it."
        )

    def _files(
        self, members: Iterator[tuple[str, IO[bytes]]], file: io.BufferedReader, layers: int
    ) -> io.BufferedReader:
        archive = self.archive or self.name
        files = (
            Unpacking(name, only_check=self.only_check, layers=layers, archive=archive).text(buffered(member))
            for name, member in members
            if not _is_clutter(name)
        )
        if self.only_check:
            if not sum(1 for _ in files):
                raise BadInputError(f"{archive} holds no files: name one that holds posts.")
            file.close()
            return buffered(io.BytesIO())
        return buffered(Pieces(_joined(files), file))


def _pieces(file: io.BufferedReader) -> Iterator[bytes]:
    while piece := file.read1(BUFFER_BYTES):
        yield piece


def _gunzipped(file: io.BufferedReader) -> Iterator[bytes]:
    with gzip.GzipFile(fileobj=file) as archive:
        while piece := archive.read1(BUFFER_BYTES):
            yield piece


def _decompressor(packing: Packing) -> tuple[Any, tuple[int, ...]]:
    """Return a decompressor for one stream, and the further arguments of its `decompress`."""
    if packing is Packing.ZSTD:
        return zstandard.ZstdDecompressor(max_window_size=LARGEST_ZSTD_WINDOW).decompressobj(), ()
    return bz2.BZ2Decompressor() if packing is Packing.BZIP2 else lzma.LZMADecompressor(), (BUFFER_BYTES,)


def _decompressed(file: io.BufferedReader, packing: Packing) -> Iterator[bytes]:
    """Yield the content of any number of streams, with zeros between them.

    The libraries' own readers end without an error where a stream is truncated (zstd) or damaged at its
    beginning (xz, bzip2).
    """
    compressed, stream = b"", None
    most: tuple[int, ...] = ()
    while True:
        if not compressed and (stream is None or getattr(stream, "needs_input", True)):
            compressed = file.read1(COMPRESSED_BYTES)
            if not compressed:
                if stream is not None:
                    raise EOFError("it ends too early")
                return
        if stream is None:
            compressed = compressed.lstrip(b"\0")
            if not compressed:
                continue
            stream, most = _decompressor(packing)
        yield stream.decompress(compressed, *most)
        compressed, stream = (stream.unused_data, None) if stream.eof else (b"", stream)


def _transcoded(file: io.BufferedReader, encoding: str) -> Iterator[bytes]:
    """Yield text as UTF-8; a lone surrogate stays one, so that its line alone is rejected."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass")
    for piece in chain(_pieces(file), [b""]):
        yield decoder.decode(piece, final=not piece).encode("utf-8", "surrogatepass")


def _joined(files: Iterator[io.BufferedReader]) -> Iterator[bytes]:
    last = b"\n"
    for file in files:
        if not last.endswith(b"\n"):
            yield (last := b"\n")
        for piece in _pieces(file):
            yield (last := piece)


def _is_clutter(name: str) -> bool:
    """Return whether a file in an archive is the work of a file manager."""
    base = name.rpartition("/")[2]
    return name.startswith("__MACOSX/") or base.startswith("._") or base in _CLUTTER


def _zip_members(name: str, reopen: Callable[[], IO[bytes]] | None) -> Iterator[tuple[str, IO[bytes]]]:
    if reopen is None:
        raise BadInputError(
            f"{name} is a zip archive, whose end has to be read first: unpack it and name the files in it."
        )
    with reopen() as file, zipfile.ZipFile(file) as archive:
        files = [member for member in archive.infolist() if not member.is_dir()]
        if any(member.filename == _OFFICE for member in files):
            raise BadInputError(f"{name} is an Office file: write its posts as ndjson, one post a line.")
        for member in files:
            if member.flag_bits & 1:
                raise BadInputError(f"{name} is encrypted: unpack it and name the files of posts in it.")
            try:
                opened = archive.open(member)
            except NotImplementedError as error:
                raise BadInputError(
                    f"{name} is a zip archive with a rare compression: unpack it and name the files in it."
                ) from error
            yield member.filename, opened


class _Blocks:
    """A file that remembers what was read from it last, and where that begins."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file
        self.start = 0
        self.last = b""

    def read(self, size: int) -> bytes:
        self.start += len(self.last)
        self.last = self._file.read(size)
        return self.last


def _tar_members(file: io.BufferedReader) -> Iterator[tuple[str, IO[bytes]]]:
    """Yield the files of a tar archive; raises TarError also where `tarfile` ends without a word."""
    blocks = _Blocks(file)
    with tarfile.open(fileobj=blocks, mode="r|") as archive:  # type: ignore[call-overload]
        while (member := archive.next()) is not None:
            if member.isreg() and (opened := archive.extractfile(member)) is not None:
                yield member.name, opened
            archive.members.clear()  # else all headers are kept in memory
        rest = blocks.last[archive.offset - blocks.start :]
    if any(piece.strip(b"\0") for piece in chain([rest], _pieces(file))):
        raise tarfile.ReadError("something other than a file follows in the tar archive")
