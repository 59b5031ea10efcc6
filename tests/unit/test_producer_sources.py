"""Inputs: every kind yields the same lines from any position, and the error for a damaged one says where."""

import bz2
import gzip
import lzma
from pathlib import Path

import pytest
import zstandard

from core.errors import BadInputError
from producer import sources
from producer.sources import Input, Line
from tests.packing import PACK, SKIPPABLE, input_of, tarred, two_frames, zipped

TEXT = '\ufeff{"a": 1}\r\n\n{"b": "é"}\nlast'.encode()
LINES = [b'{"a": 1}\r\n', b"\n", '{"b": "é"}\n'.encode(), b"last"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("plain.ndjson", TEXT),
        ("one.gz", gzip.compress(TEXT)),
        ("two.gz", gzip.compress(TEXT[:9]) + gzip.compress(TEXT[9:])),
        ("one.zst", zstandard.ZstdCompressor().compress(TEXT)),
        ("two.zst", two_frames(TEXT)),
        ("misnamed.ndjson", gzip.compress(TEXT)),
        ("twice.gz", gzip.compress(gzip.compress(TEXT))),
        ("one.bz2", bz2.compress(TEXT)),
        ("two.bz2", bz2.compress(TEXT[:9]) + bz2.compress(TEXT[9:])),
        ("one.xz", lzma.compress(TEXT)),
        ("two.xz", lzma.compress(TEXT[:9]) + b"\0\0\0\0" + lzma.compress(TEXT[9:])),
        ("one.lzma", lzma.compress(TEXT, lzma.FORMAT_ALONE)),
        ("skippable.zst", SKIPPABLE + two_frames(TEXT) + SKIPPABLE),
        ("one.zip", zipped(("posts.ndjson", TEXT))),
        ("one.tar", tarred(("posts.ndjson", TEXT))),
        ("one.tar.gz", gzip.compress(tarred(("posts.ndjson", TEXT)))),
        ("one.tar.zst", two_frames(tarred(("posts.ndjson", TEXT)))),
        ("packed.tar.xz", lzma.compress(tarred(("posts.ndjson.gz", gzip.compress(TEXT))))),
        ("packed.zip", zipped(("posts.ndjson.bz2", bz2.compress(TEXT)))),
    ],
    # Not the contents: gzip's include the time of compression, and all test processes must use the same ids.
    ids=[
        "plain",
        "gz",
        "two gz",
        "zst",
        "two zst",
        "gz misnamed",
        "gz twice",
        "bz2",
        "two bz2",
        "xz",
        "two xz",
        "lzma",
        "skippable zst",
        "zip",
        "tar",
        "tar.gz",
        "tar.zst",
        "gz in tar.xz",
        "bz2 in zip",
    ],
)
def test_every_kind_of_file_yields_the_same_lines_from_the_start_and_after_each_of_them(
    tmp_path: Path, name: str, content: bytes
) -> None:
    source = input_of(tmp_path, name, content)
    lines = list(source.lines())
    assert [line.data for line in lines] == LINES
    assert [(line.number, line.end) for line in lines] == [(1, 13), (2, 14), (3, 26), (4, 30)]
    for count, line in enumerate(lines, start=1):
        assert list(source.lines(offset=line.end, number=line.number)) == lines[count:]


def test_an_empty_file_has_no_lines(tmp_path: Path) -> None:
    assert list(input_of(tmp_path, "empty.zst", b"").lines()) == []


def test_a_line_over_the_limit_is_cut_but_has_its_full_length(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "MAX_LINE_BYTES", 10)
    monkeypatch.setattr(sources, "KEPT_OF_LONG_LINE", 4)
    source = input_of(tmp_path, "long.ndjson", b"short\n" + b"x" * 25 + b"\n" + b"0123456789\nend")
    lines = list(source.lines())
    assert lines == [
        Line(1, b"short\n", 6, 6),
        Line(2, b"xxxx", 26, 32),
        Line(3, b"0123456789\n", 11, 43),
        Line(4, b"end", 3, 46),
    ]


@pytest.mark.parametrize("name", [f"cut.{kind}" for kind in PACK])
def test_a_truncated_archive_yields_its_lines_and_then_an_error_that_says_where(
    tmp_path: Path, name: str
) -> None:
    content = b"".join(
        b'{"some": %d, "more": %d}\n' % (number, number * 7919 % 1000003) for number in range(200_000)
    )
    archive = PACK[name.removeprefix("cut.")](content)
    source = input_of(tmp_path, name, archive[: len(archive) // 2])
    lines: list[Line] = []
    with pytest.raises(BadInputError, match=rf"{name} is damaged or cannot be read after line \d+"):
        lines.extend(source.lines())
    assert len(lines) > 10_000
    assert [line.data for line in lines[:2]] == [b'{"some": 0, "more": 0}\n', b'{"some": 1, "more": 7919}\n']


@pytest.mark.parametrize(("name", "kind"), [("text.gz", "gzip"), ("text.zst", "zstd")])
def test_a_text_under_the_name_of_an_archive_is_an_error(tmp_path: Path, name: str, kind: str) -> None:
    with pytest.raises(BadInputError, match=f"is not a {kind} archive"):
        list(input_of(tmp_path, name, TEXT).lines())


def test_the_error_names_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"nothing\.ndjson cannot be read: No such file or directory"):
        Input(str(tmp_path / "nothing.ndjson")).fingerprint()
    with pytest.raises(BadInputError, match="is a folder"):
        Input(str(tmp_path)).fingerprint()


def test_a_changed_file_has_another_fingerprint(tmp_path: Path) -> None:
    before = input_of(tmp_path, "posts.ndjson", b"one\n").fingerprint()
    assert input_of(tmp_path, "posts.ndjson", b"one\ntwo\n").fingerprint() != before


def test_reading_past_the_end_of_an_archive_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="it ends before the position"):
        list(input_of(tmp_path, "short.gz", gzip.compress(b"one\n")).lines(offset=100, number=5))
