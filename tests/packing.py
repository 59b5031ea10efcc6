"""Packs files in every way that the producer unpacks."""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import zstandard

from producer.sources import Input

Pack = Callable[..., bytes]
SKIPPABLE = b"\x50\x2a\x4d\x18\x04\x00\x00\x00size"


def two_frames(content: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor()
    return compressor.compress(content[:20]) + compressor.compress(content[20:])


def zipped(*files: tuple[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
    return packed.getvalue()


def tarred(*files: tuple[str, bytes], form: int = tarfile.PAX_FORMAT) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=form) as archive:
        for name, content in files:
            header = tarfile.TarInfo(name)
            header.size = len(content)
            archive.addfile(header, io.BytesIO(content))
    return packed.getvalue()


def input_of(folder: Path, name: str, content: bytes) -> Input:
    (folder / name).write_bytes(content)
    return Input(str(folder / name))


PACK: dict[str, Pack] = {
    "gz": lambda content: gzip.compress(content, 1),
    "zst": lambda content: zstandard.ZstdCompressor().compress(content),
    "xz": lambda content: lzma.compress(content, preset=0),
    "bz2": bz2.compress,
    "tar": lambda content: tarred(("posts.ndjson", content)),
    "tar.gz": lambda content: gzip.compress(tarred(("posts.ndjson", content)), 1),
}
