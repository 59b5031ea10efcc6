"""Checking many lines at once never claims what checking each of them would deny."""

import json
import random

import pytest

from batch.importing.lines import beyond_spark
from batch.importing.prevalidate import Prevalidation, prevalidate
from tests.factories import a_post

DEEP = {depth: b'{"a":' * (depth - 1) + b"[1]" + b"}" * (depth - 1) for depth in (999, 1_000, 1_001, 1_500)}
LONG = {digits: b'{"a":' + b"7" * digits + b"}" for digits in (999, 1_000, 1_001, 1_099, 5_000)}


def ordinary(number: int) -> list[bytes]:
    rng = random.Random(number)
    infos = [{"id": str(rng.randrange(2**62)), "text": "née 雪 😀"} for _ in range(40)]
    return [json.dumps(a_post(itemInfos=each), ensure_ascii=False).encode() for each in infos]


def test_ordinary_posts_need_no_further_check() -> None:
    assert prevalidate(b"\n".join(ordinary(1))) == Prevalidation(is_utf8=True, is_shallow=True)
    assert prevalidate(b"") == Prevalidation(is_utf8=True, is_shallow=True)


@pytest.mark.parametrize("odd", [*DEEP.values(), *LONG.values()])
def test_what_spark_rejects_is_never_called_shallow_wherever_it_is(odd: bytes) -> None:
    for index in range(0, 40, 3):
        lines = ordinary(index)
        lines.insert(index, odd + b" " * index)
        assert not (prevalidate(b"\n".join(lines)).is_shallow and beyond_spark(odd))
    assert beyond_spark(odd) == (odd in (DEEP[1_001], DEEP[1_500], LONG[1_001], LONG[1_099], LONG[5_000]))


@pytest.mark.parametrize("cut", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xe9\x9b\x0a"])
def test_one_line_of_invalid_utf8_is_noticed_among_all(cut: bytes) -> None:
    lines = ordinary(2)
    lines[17] = b'{"text": "' + cut + b'"}'
    assert not prevalidate(b"\n".join(lines)).is_utf8
    assert not prevalidate(cut).is_utf8
