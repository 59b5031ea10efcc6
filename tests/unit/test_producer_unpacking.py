"""Packed inputs: whatever they are packed in, their lines are posts, or one sentence says what they are."""

import bz2
import gzip
import lzma
import random
import tarfile
import tracemalloc
from functools import reduce
from pathlib import Path

import pytest

from core.errors import BadInputError
from producer.posts import read_record, usable_id
from producer.sources import Input
from tests.packing import PACK, Pack, input_of, tarred, zipped

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"
A, B = b'{"a": 1}\n', b'{"b": 2}'


def data(source: Input) -> list[bytes]:
    return [line.data for line in source.lines()]


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_the_files_in_an_archive_follow_one_another_each_from_a_new_line(tmp_path: Path, pack: Pack) -> None:
    clutter = (
        ("__MACOSX/._a.ndjson", b"\0\5\7\0"),
        ("posts/.DS_Store", b"\0\0\0\1Bud1"),
        ("._b.ndjson", b"\0\5"),
    )
    files = (
        ("posts/a.ndjson", B),
        *clutter,
        ("empty", b""),
        ("posts/b.ndjson.xz", lzma.compress(A + B)),
        ("c", A),
    )
    source = input_of(tmp_path, "posts", pack(*files))
    assert data(source) == [B + b"\n", A, B + b"\n", A]
    source.check()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_tar_archive_with_long_names_and_a_packed_one_in_it_is_read(tmp_path: Path, form: int) -> None:
    long = "/".join(["folder"] * 30) + "/posts.ndjson"
    inner = gzip.compress(tarred((long, A), form=form))
    assert data(input_of(tmp_path, "nested", tarred((long, A), ("b.tar.gz", inner), form=form))) == [A, A]


def test_a_tar_archive_of_many_files_larger_than_its_buffers_is_read_whole(tmp_path: Path) -> None:
    line = b'{"a": "%s"}\n' % (b"x" * 900)
    files = [(f"{number}.ndjson", line * number) for number in range(60)]
    lines = data(input_of(tmp_path, "many.tar.gz", gzip.compress(tarred(*files))))
    assert lines == [line] * sum(range(60))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_text_in_another_encoding_is_read_as_utf_8(tmp_path: Path, encoding: str, mark: str) -> None:
    text = '{"a": "é猫🎉"}\r\n\n{"b": 1}'
    content = ((mark if encoding[6:] else "") + text).encode(encoding)
    for name, packed in (
        ("posts", content),
        ("posts.gz", gzip.compress(content)),
        ("z", zipped(("p", content))),
    ):
        source = input_of(tmp_path, name, packed)
        lines = list(source.lines())
        assert [line.data for line in lines] == [line.encode() for line in text.splitlines(keepends=True)]
        assert list(source.lines(offset=lines[0].end, number=1)) == lines[1:]
        assert not source.is_plain_file


def test_half_a_character_costs_its_line_alone(tmp_path: Path) -> None:
    content = '{"a": "'.encode("utf-16") + b"\x3d\xd8" + '"}\n{"b": 1}\n'.encode("utf-16-le")
    first, second = data(input_of(tmp_path, "posts", content))
    assert second == b'{"b": 1}\n'
    with pytest.raises(UnicodeDecodeError):
        first.decode()


def test_utf_16_that_ends_in_half_a_unit_is_damaged(tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match="is damaged or cannot be read after line 0"):
        data(input_of(tmp_path, "posts", '{"a": 1}'.encode("utf-16") + b"\x00"))


def test_marks_of_joined_files_are_no_part_of_their_lines(tmp_path: Path) -> None:
    mark = "\ufeff".encode()
    content = mark + A + A + mark + mark + A + b'{"in a text": "' + mark + b'"}\n'
    expected = [A, A, A, b'{"in a text": "' + mark + b'"}\n']
    assert data(input_of(tmp_path, "plain", content)) == expected
    assert (
        data(input_of(tmp_path, "packed", gzip.compress(content[:12]) + gzip.compress(content[12:])))
        == expected
    )


NOT_READ = {
    "posts.7z": (b"7z\xbc\xaf\x27\x1c" + bytes(100), "is a 7z archive: unpack it"),
    "posts.rar": (b"Rar!\x1a\x07\x01\x00" + bytes(100), "is a RAR archive: unpack it"),
    "posts.lz4": (b"\x04\x22\x4d\x18" + bytes(100), "is an lz4 archive: unpack it"),
    "posts.parquet": (b"PAR1\x15\x04" + bytes(100), "is a Parquet file: write its posts as ndjson"),
    "posts.sqlite": (b"SQLite format 3\0" + bytes(100), "is a SQLite database: write its posts as ndjson"),
    "posts.xlsx": (
        zipped(("[Content_Types].xml", b"<x/>"), ("xl/a.xml", b"<x/>")),
        "is an Office file: write",
    ),
    "random": (
        random.Random(1).randbytes(300),
        "is neither text nor packed by gzip, zstd, xz, bzip2, zip or tar",
    ),
    "random.gz": (gzip.compress(random.Random(2).randbytes(5000)), "is neither text nor packed"),
    "zeros": (bytes(2000), "is neither text nor packed"),
    "table.zip": (
        zipped(("posts.ndjson", A), ("read me.csv", b"id,text\n1,two\n")),
        r"table\.zip holds read me\.csv, which is not ndjson: unpack it and name the files of posts in it\.",
    ),
    "picture.tar.gz": (
        gzip.compress(tarred(("posts.ndjson", A), ("a.png", b"\x89PNG\r\n\x1a\n" + bytes(50)))),
        r"picture\.tar\.gz holds a\.png, which is not ndjson",
    ),
    "empty.zip": (zipped(), "holds no files"),
    "inner.zip.gz": (
        gzip.compress(zipped(("a", A))),
        "is a zip archive, whose end has to be read first: unpack it",
    ),
    "cut.zip": (zipped(("a", A))[:-9], "is damaged or cannot be read"),
    "deep.gz": (reduce(lambda content, _: gzip.compress(content), range(6), A), "is packed too many times"),
}


@pytest.mark.parametrize("name", NOT_READ)
def test_what_is_not_read_is_one_sentence_that_names_what_it_is(tmp_path: Path, name: str) -> None:
    content, sentence = NOT_READ[name]
    source = input_of(tmp_path, name, content)
    with pytest.raises(BadInputError, match=sentence) as raised:
        source.check()
    assert "\n" not in str(raised.value)


def test_an_encrypted_zip_archive_is_named(tmp_path: Path) -> None:
    content = bytearray(zipped(("a.ndjson", A)))
    content[content.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(BadInputError, match="is encrypted: unpack it"):
        input_of(tmp_path, "secret.zip", bytes(content)).check()


@pytest.mark.parametrize("damage", ["header", "joined"])
def test_a_tar_archive_that_goes_on_where_its_reader_would_end_is_damaged(
    tmp_path: Path, damage: str
) -> None:
    content = bytearray(tarred(("a", A), ("b", A)))
    if damage == "header":
        content[1024 + 20] ^= 1  # the name of the second file, so that its checksum is wrong
    else:
        content = content * 2
    with pytest.raises(BadInputError, match="something other than a file follows in the tar archive"):
        data(input_of(tmp_path, "posts.tar", bytes(content)))


def test_a_stream_that_is_damaged_at_its_beginning_is_no_end(tmp_path: Path) -> None:
    for name, pack in (("a.xz", lzma.compress), ("a.bz2", bz2.compress), ("a.gz", gzip.compress)):
        with pytest.raises(BadInputError, match="is damaged or cannot be read after line 1"):
            data(input_of(tmp_path, name, pack(A) + b"X" + pack(A)))


def test_text_with_a_few_control_characters_is_read(tmp_path: Path) -> None:
    content = A * 10 + b"\x00\n" + A * 10
    source = input_of(tmp_path, "posts", content)
    source.check()
    assert len(data(source)) == 21


def test_little_memory_is_used_however_well_an_archive_is_packed(tmp_path: Path) -> None:
    content = b'{"a": "%s"}\n' % (b"x" * 100_000) * 320
    for kind, pack in PACK.items():
        if kind == "zst":
            continue  # the library returns all of a piece at once
        source = input_of(tmp_path, f"posts.{kind}", pack(content))
        tracemalloc.start()
        assert sum(line.length for line in source.lines()) == len(content)
        assert tracemalloc.get_traced_memory()[1] < 24_000_000, kind
        tracemalloc.stop()


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not in ../shared/data/cases")
@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("bom-inside/joined.ndjson", 4),
        ("bom-inside/joined.ndjson.gz", 4),
        ("containers/posts.ndjson.bz2", 3),
        ("containers/posts.ndjson.xz", 3),
        ("containers/posts.tar.gz", 4),
        ("containers/posts.zip", 3),
        ("containers/twice.ndjson.gz", 3),
        ("pzstd/posts.ndjson", 3),
        ("pzstd/posts.ndjson.zst", 3),
        ("utf16/posts.ndjson", 3),
    ],
)
def test_all_lines_of_a_case_from_the_field_are_posts(name: str, count: int) -> None:
    source = Input(str(CASES / name))
    source.check()
    assert [usable_id(read_record(line.data.strip())) > 0 for line in source.lines()] == [True] * count
