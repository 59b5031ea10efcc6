"""Recognise what an input is by its first bytes: packed, text in some encoding, or neither."""

import re
import tarfile
from enum import StrEnum

from core.errors import BadInputError

START_BYTES = 4096
"""As many first bytes decide; fewer where an input is shorter or its first line is."""
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MOST_CONTROLS = 0.02
"""Largest share of control characters in text: bytes at random have a tenth."""
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r")) + b"\x7f"
_ENCODED_STARTS = b"{[\t\n\r "
_READ = "gzip, zstd, xz, bzip2, zip or tar"


class Packing(StrEnum):
    """How the files of an input may be packed."""

    GZIP = "gzip"
    ZSTD = "zstd"
    XZ = "xz"
    BZIP2 = "bzip2"
    ZIP = "zip"
    TAR = "tar"


_PACKED = {
    Packing.GZIP: rb"\x1f\x8b",
    # An archive may begin with a skippable frame, as pzstd's do.
    Packing.ZSTD: rb"\x28\xb5\x2f\xfd|[\x50-\x5f]\x2a\x4d\x18",
    Packing.XZ: rb"\xfd7zXZ\x00|\x5d\x00\x00[\x00-\xff]{2}(\xff{8}|[\x00-\xff]{5}\x00{3})",
    Packing.BZIP2: rb"BZh[1-9](1AY&SY|\x17rE8P\x90)",
    Packing.ZIP: rb"PK(\x03\x04|\x05\x06|\x07\x08)",
}
_UNREAD_ARCHIVES = {
    "a 7z archive": b"7z\xbc\xaf\x27\x1c",
    "a RAR archive": b"Rar!\x1a\x07",
    "an lz4 archive": b"\x04\x22\x4d\x18",
    "an lzip archive": b"LZIP",
    "an lzop archive": b"\x89LZO",
    "a Snappy archive": b"\xff\x06\x00\x00sNaPpY",
    "an archive of compress (.Z)": b"\x1f\x9d",
    "a cabinet archive": b"MSCF",
}
_UNREAD_FILES = {
    "a Parquet file": b"PAR1",
    "an encrypted Parquet file": b"PARE",
    "an ORC file": b"ORC",
    "an Avro file": b"Obj\x01",
    "an Arrow file": b"ARROW1",
    "a SQLite database": b"SQLite format 3\x00",
    "an HDF5 file": b"\x89HDF",
    "a PDF": b"%PDF",
    "an old Office file": b"\xd0\xcf\x11\xe0",
    "a pickle of Python": b"\x80\x04\x95",
    "a PNG picture": b"\x89PNG",
    "a JPEG picture": b"\xff\xd8\xff",
}


def packing_of(start: bytes) -> Packing | None:
    """Return how a file that begins with `start` is packed; None if it is not.

    >>> packing_of(b"BZh91AY&SY..."), packing_of(b'{"itemInfos": ...')
    (<Packing.BZIP2: 'bzip2'>, None)
    """
    for packing, pattern in _PACKED.items():
        if re.match(pattern, start, re.DOTALL):
            return packing
    return Packing.TAR if _is_tar(start[: tarfile.BLOCKSIZE]) else None


def _is_tar(block: bytes) -> bool:
    """Return whether a block is the header of a file in a tar archive, by its checksum."""
    try:
        tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return False
    return True


def encoding_of(start: bytes) -> str | None:
    r"""Return the encoding of a text that is neither UTF-8 nor one of its relatives, None for any other.

    >>> encoding_of("\ufeff{}".encode("utf-16-be")), encoding_of("{}".encode("utf-16-le")), encoding_of(b"{}")
    ('utf-16', 'utf-16-le', None)
    """
    for encoding, marks in (
        ("utf-32", (b"\xff\xfe\0\0", b"\0\0\xfe\xff")),
        ("utf-16", (b"\xff\xfe", b"\xfe\xff")),
    ):
        if start.startswith(marks):
            return encoding
    # JSON begins with two ASCII characters, so the zeros among the first bytes tell the encoding (RFC 4627).
    zeros = {(1, 3): "utf-16-le", (0, 2): "utf-16-be", (1, 2, 3): "utf-32-le", (0, 1, 2): "utf-32-be"}
    first = start[:4].strip(b"\0")[:1]
    if not first or first not in _ENCODED_STARTS:
        return None
    return zeros.get(tuple(place for place, byte in enumerate(start[:4]) if not byte))


def check_is_text(start: bytes, name: str) -> None:
    """Raise BadInputError with one sentence if what begins with `start` is certainly no ndjson."""
    for kind, magic in _UNREAD_ARCHIVES.items():
        if start.startswith(magic):
            raise BadInputError(f"{name} is {kind}: unpack it, or pack its files by {_READ}.")
    for kind, magic in _UNREAD_FILES.items():
        if start.startswith(magic):
            raise BadInputError(f"{name} is {kind}: write its posts as ndjson, one post a line.")
    controls = len(start) - len(start.translate(None, _CONTROLS))
    if controls > MOST_CONTROLS * len(start):
        raise BadInputError(
            f"{name} is neither text nor packed by {_READ}: name files of ndjson, one post a line."
        )


def has_posts(start: bytes) -> bool:
    r"""Return whether a text that begins with `start` may be ndjson: a line has an object, or all are blank.

    >>> has_posts(b'\n{"itemInfos": ...'), has_posts(b"id,text\n1,two\n"), has_posts(b"\n")
    (True, False, True)
    """
    lines = [line.removeprefix(BYTE_ORDER_MARK).strip() for line in start.splitlines()]
    return not any(lines) or any(line.startswith(b"{") for line in lines)
