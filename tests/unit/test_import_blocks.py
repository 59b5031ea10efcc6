"""Laws of an import's blocks: however they are read, each line of the file is in them once, numbered."""

import gzip
import hashlib
import queue
from contextlib import closing
from pathlib import Path

import pytest

from batch.importing import blocks
from batch.importing.blocks import blocks_of, survey, surveys
from core.errors import BadInputError
from producer import sources
from producer.sources import Input

CONTENTS = {
    "empty": b"",
    "one line": b'{"a": 1}\n',
    "no line feed at the end": b"a\nb\nc",
    "blank lines": b"\n\na\n\n\nb\n\n",
    "carriage returns": b"a\r\nb\rc\r\n",
    "byte order mark": b"\xef\xbb\xbf{}\n{}\n",
    "many lines": b"".join(b"line %d\n" % number for number in range(1000)),
    "a line too long": b"a\n" + b"x" * 700 + b"\nb\n",
    "the last line too long": b"a\nb\n" + b"x" * 900,
}


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 100)
    monkeypatch.setattr(sources, "BUFFER_BYTES", 64)
    for module in (blocks, sources):
        monkeypatch.setattr(module, "MAX_LINE_BYTES", 500)
    monkeypatch.setattr(sources, "KEPT_OF_LONG_LINE", 10)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("after_line", [0, 1, 2, 37])
@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_blocks_hold_the_lines_of_the_file(tmp_path: Path, content: bytes, after_line: int, compress: bool):
    path = tmp_path / ("a.ndjson.gz" if compress else "a.ndjson")
    path.write_bytes(gzip.compress(content) if compress else content)
    source = Input(str(path))
    surveyed = survey(source)
    made = list(blocks_of(source, surveyed.blocks, after_line=after_line))
    lines = [(line.number, line.data) for block in made for line in block.lines() if line.number > after_line]
    assert lines == [
        (line.number, line.data.removesuffix(b"\n")) for line in source.lines() if line.number > after_line
    ]
    last_numbers = [block.last_number for block in made], [line.number for line in source.lines()]
    assert last_numbers[0][-1:] == last_numbers[1][-1:] or not lines
    assert (surveyed.sha256, surveyed.size) == (hashlib.sha256(content).hexdigest(), len(content))


def test_a_plain_file_is_read_where_its_lines_are_needed(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(CONTENTS["many lines"])
    made = survey(Input(str(path))).blocks
    assert made is not None and len(made) > 50
    assert sum(block.length for block in made) == len(CONTENTS["many lines"])


def test_the_next_input_is_surveyed_while_one_is_in_use_and_none_after_it(tmp_path, monkeypatch):
    inputs = [Input(str(tmp_path / f"{number}.ndjson")) for number in range(4)]
    for number, source in enumerate(inputs):
        Path(source.name).write_bytes(b"%d\n" % number)
    begun: queue.Queue[Input] = queue.Queue()

    def recorded(source, **options):
        begun.put(source)
        return survey(source, **options)

    monkeypatch.setattr(blocks, "survey", recorded)
    with closing(surveys(inputs, lambda: False)) as surveyed:
        for number in (0, 1):
            source, fingerprint, result = next(surveyed)
            sha256 = hashlib.sha256(b"%d\n" % number).hexdigest()
            assert (source, fingerprint, result.sha256) == (inputs[number], source.fingerprint(), sha256)
        assert [begun.get(timeout=10) for _ in range(3)] == inputs[:3]
    assert begun.empty()


def test_a_survey_ends_when_the_import_is_stopped(tmp_path):
    path = tmp_path / "a.ndjson"
    path.write_bytes(CONTENTS["many lines"])
    answers = iter([False] * 10 + [True] * 1000)
    [(_, _, partial)] = surveys([Input(str(path))], lambda: next(answers))
    assert 0 < partial.size < len(CONTENTS["many lines"])


def test_an_input_that_cannot_be_read_is_named_when_its_turn_comes(tmp_path):
    good, missing = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    good.write_bytes(b"{}\n")
    surveyed = surveys([Input(str(good)), Input(str(missing))], lambda: False)
    assert next(surveyed)[0].name == str(good)
    with pytest.raises(BadInputError, match=r"b\.ndjson cannot be read"):
        next(surveyed)
