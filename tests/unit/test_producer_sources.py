"""Inputs: every kind yields the same lines from any position, and the error for a damaged one says where."""

import bz2
import gzip
import lzma
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import zstandard

from core.errors import BadInputError
from producer import sources
from producer.sources import Input, Line, by_their_numbers, checked_inputs
from tests.factories import settings_without_servers
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


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["c-1.gz", "c-10.gz", "c-11.gz", "c-2.gz"], ["c-1.gz", "c-2.gz", "c-10.gz", "c-11.gz"]),
        (["b", "c1", "c10", "c2", "a"], ["b", "c1", "c2", "c10", "a"]),
        (["c-1", "d-1", "c-10", "d-10", "c-2"], ["c-1", "d-1", "c-2", "d-10", "c-10"]),
        (["c-10.n", "c-11.n", "c-1.n", "c-2.n"], ["c-1.n", "c-2.n", "c-10.n", "c-11.n"]),
        (["c-2026-10-02", "c-2026-11-25", "c-2026-9-1"], ["c-2026-9-1", "c-2026-10-02", "c-2026-11-25"]),
        (["new", "old"], ["new", "old"]),
        (["c-10", "c-9", "c-8"], ["c-10", "c-9", "c-8"]),
        (["1", "a", "b2"], ["1", "a", "b2"]),
    ],
)
def test_files_in_the_order_of_a_shell_are_taken_in_that_of_their_numbers(
    names: list[str], expected: list[str]
) -> None:
    assert by_their_numbers(names) == expected


def test_a_named_pipe_is_neither_checked_nor_read_before_its_time(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    source = Input(str(tmp_path / "pipe"))
    assert not source.can_be_read_again
    source.check()
    with ThreadPoolExecutor(1) as pool:
        pool.submit((tmp_path / "pipe").write_bytes, TEXT)
        assert [line.data for line in source.lines()] == LINES


def test_inputs_that_a_user_names_are_checked_at_once(tmp_path: Path) -> None:
    good, bad = (
        input_of(tmp_path, name, content).name for name, content in (("a", TEXT), ("b", b"PAR1" * 9))
    )
    assert [source.name for source in checked_inputs([good], settings_without_servers())] == [good]
    with pytest.raises(BadInputError, match="b is a Parquet file"):
        checked_inputs([good, bad], settings_without_servers())
