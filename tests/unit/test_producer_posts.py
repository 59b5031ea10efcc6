"""Reading lines: which lines are posts, and what the value in Kafka looks like."""

import json

import pytest

from producer.posts import NotAPost, as_json_number, read_record, usable_id, with_time_stamp

ID = "6807325450981969158"


def reason_of(line: bytes) -> str:
    with pytest.raises(NotAPost) as caught:
        usable_id(read_record(line))
    return caught.value.reason


@pytest.mark.parametrize(
    ("line", "post_id"),
    [
        (b'{"itemInfos": {"id": "6807325450981969158"}}', 6807325450981969158),
        (b'{"itemInfos": {"id": 6807325450981969158}}', 6807325450981969158),
        (b'{"itemInfos": {"id": "9223372036854775807"}}', 9223372036854775807),
        (b'{"itemInfos": {"id": "0042"}}', 42),
        (b'{"itemInfos": {"id": "1", "text": "half a pair \\ud83d"}}', 1),
        (b'{"itemInfos": {"id": "1", "text": "a NUL \\u0000"}}', 1),
    ],
)
def test_an_id_of_a_positive_64_bit_integer_is_usable_and_exact(line: bytes, post_id: int) -> None:
    assert usable_id(read_record(line)) == post_id


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"<html></html>", "not JSON"),
        (b'{"itemInfos": {"id": "1"}', "not JSON"),
        (b'{"itemInfos": {"id": "1"}} {', "not JSON"),
        (b'{"itemInfos": {"id": "1"}, "n": NaN}', "not JSON"),
        (b'{"itemInfos": {"id": "1", "text": "\xff"}}', "not UTF-8"),
        (b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
        (b"[1]", "not a JSON object"),
        (b"12345", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "itemInfos.id is missing"),
        (b'{"itemInfos": null}', "itemInfos.id is missing"),
        (b'{"itemInfos": "text"}', "itemInfos.id is missing"),
        (b'{"itemInfos": {"id": null}}', "itemInfos.id is missing"),
        (b'{"itemInfos": {"id": ""}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": "0"}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": "-5"}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": "abc"}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": "9223372036854775808"}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": 6.807e18}}', "itemInfos.id is not a positive 64-bit integer"),
        (b'{"itemInfos": {"id": true}}', "itemInfos.id is not a positive 64-bit integer"),
        ('{"itemInfos": {"id": "١٢٣"}}'.encode(), "itemInfos.id is not a positive 64-bit integer"),
    ],
)
def test_a_line_that_is_not_an_object_or_has_no_usable_id_is_rejected_with_a_reason(
    line: bytes, reason: str
) -> None:
    assert reason_of(line) == reason


def stamped(line: bytes, microseconds: int = 1584953968_500000) -> bytes:
    return with_time_stamp(line, read_record(line), microseconds)


def test_time_stamp_is_appended_and_every_other_byte_is_kept() -> None:
    line = b'{"itemInfos": {"id": "1", "x": 1.10, "y": 1E5, "t": "\\u00e9\\/"},  "a":1'
    assert stamped(line + b"}\r\n") == line + b', "time_stamp": 1584953968.5}'


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": 1, "time_stamp": 7}', b'{"a": 1, "time_stamp": 1584953968.5}'),
        (b'{"time_stamp": {"x": [1, "}"]}, "a": 1.10}', b'{ "a": 1.10, "time_stamp": 1584953968.5}'),
        (
            b'{"a": "\\u0000,\\"", "time_stamp" : null , "b": [ 1 ]}',
            b'{"a": "\\u0000,\\"", "b": [ 1 ], "time_stamp": 1584953968.5}',
        ),
        (b'{"time_stamp": 1, "a": 2, "time_stamp": 3}', b'{ "a": 2, "time_stamp": 1584953968.5}'),
        (b'{"a": {"time_stamp": 7}}', b'{"a": {"time_stamp": 7}, "time_stamp": 1584953968.5}'),
        (b'{"time_stam\\u0070": 1, "a": 2}', b'{ "a": 2, "time_stamp": 1584953968.5}'),
    ],
)
def test_an_older_time_stamp_of_the_record_itself_is_replaced(line: bytes, value: bytes) -> None:
    assert stamped(line) == value
    assert json.loads(stamped(line))["time_stamp"] == 1584953968.5


@pytest.mark.parametrize(
    ("microseconds", "number"),
    [
        (1584953968_000000, b"1584953968"),
        (1584953968_000001, b"1584953968.000001"),
        (1584953968_120000, b"1584953968.12"),
    ],
)
def test_time_stamp_is_a_number_of_seconds_with_at_most_six_decimals(
    microseconds: int, number: bytes
) -> None:
    assert as_json_number(microseconds) == number


def test_the_time_of_collection_is_added_unless_the_line_has_one() -> None:
    line = b'{"itemInfos": {"id": "7"}}'
    stamped = with_time_stamp(line, read_record(line), 5_000_000, collected_ms=1_600_000_000_001)
    assert stamped == b'{"itemInfos": {"id": "7"}, "collected_at": 1600000000.001, "time_stamp": 5}'
    said = b'{"itemInfos": {"id": "7"}, "retrieved_on": 3}'
    stamped = with_time_stamp(said, read_record(said), 5_000_000, collected_ms=1_600_000_000_001)
    assert stamped == b'{"itemInfos": {"id": "7"}, "retrieved_on": 3, "time_stamp": 5}'
