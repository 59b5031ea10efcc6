"""Archived records are read as Spark's JSON parser reads them; test_recount.py compares the two."""

import pytest

from core.errors import BadInputError
from core.post_fields import PostDetails, as_integer, read_post_details, read_post_fields


def record(**fields: str) -> bytes:
    members = ", ".join(f'"{name}": {value}' for name, value in {"id": '"7"', **fields}.items())
    return f'{{"itemInfos": {{{members}}}, "time_stamp": 5}}'.encode()


@pytest.mark.parametrize(
    ("value", "text"),
    {
        '"a\\u00e9"': "aé",
        "null": None,
        "12": "12",
        "-0": "0",
        "true": "true",
        "1e5": "100000.0",
        "12345678.9": "1.23456789E7",
        "123456789012345678901234567890": "123456789012345678901234567890",
        "NaN": '"NaN"',
        "+INF": '"Infinity"',
        "[-INF, +Infinity]": '["-Infinity","Infinity"]',
        '["+INF", NaN]': '["+INF","NaN"]',
        '"\\ud800x"': "?x",
        '"\\ud83d\\ude00"': "😀",
        '[1, 2.50, "a"]': '[1,2.5,"a"]',
        '{"b": 1, "b": [true, null]}': '{"b":1,"b":[true,null]}',
    }.items(),
)
def test_a_text_of_any_type_is_read_as_text(value: str, text: str | None) -> None:
    assert read_post_fields(record(text=value)).text == text


def test_of_members_of_one_name_the_last_counts_unless_it_is_no_object() -> None:
    assert read_post_fields(b'{"itemInfos": {"id": "1", "text": "a", "te\\u0078t": "b"}}').text == "b"
    assert read_post_fields(b'{"itemInfos": {"id": "1", "text": "a"}, "itemInfos": {"id": "2"}}')[:2] == (
        2,
        None,
    )
    assert read_post_fields(b'{"itemInfos": {"id": "1", "text": "a"}, "itemInfos": []}')[:2] == (1, "a")


def test_what_is_not_quite_json_is_read_as_far_as_spark_reads_it() -> None:
    assert read_post_fields(b" {'itemInfos': {'id': '1', 'text': 'a \"b\" \\'c\\''}} x").text == "a \"b\" 'c'"
    assert read_post_fields(b'{"x": %s, "itemInfos": {"id": "1"}}' % (b"[" * 998 + b"]" * 998)).post_id == 1


def test_each_malformed_sequence_of_bytes_is_one_replacement_character() -> None:
    broken = {b"\xff": 1, b"\xe2\x82": 1, b"\xed\xa0\x80": 1, b"\xc0\x80": 2, b"\xf4\x90\x80\x80": 4}
    for data, characters in broken.items():
        value = record(text='"aHERE"').replace(b"HERE", data)
        assert read_post_fields(value).text == "a" + "\ufffd" * characters


@pytest.mark.parametrize("value", [b"[]", b"{", b'{"itemInfos": null}', record(id='"x"'), record(id="null")])
def test_what_spark_would_have_rejected_raises(value: bytes) -> None:
    with pytest.raises(BadInputError, match="archived record"):
        read_post_fields(value)


def test_likes_that_are_negative_are_unknown() -> None:
    likes = [
        read_post_fields(record(diggCount=count)).known_likes for count in ("-2147483000", '"-1"', "0", '"7"')
    ]
    assert likes == [None, None, 0, 7]


def test_a_bigint_is_read_as_spark_casts_it() -> None:
    read = [as_integer(text) for text in ("5", " -5\x7f", "+5", "00005", str(2**63 - 1), str(-(2**63)))]
    assert read == [5, -5, 5, 5, 2**63 - 1, -(2**63)]
    assert {as_integer(text) for text in (None, "", "+", "5.0", "1e3", "٣", "\u00a05", str(2**63))} == {None}


def test_what_is_shown_of_a_post_is_known_from_either_place_shortened_and_without_music_0() -> None:
    of_item = b'{"itemInfos": {"id": "1", "text": "a", "authorId": 5, "musicId": "0", "diggCount": "-3"}}'
    assert read_post_details(of_item) == PostDetails("a", None, "5", None, None, None)
    author = b'"authorInfos": {"userId": "6", "uniqueId": "%s"}' % (b"u" * 501)
    elsewhere = record()[:-1] + b', %s, "musicInfos": {"musicId": "9", "musicName": 1.50}}' % author
    assert read_post_details(elsewhere) == PostDetails(None, None, "6", "u" * 500, "9", "1.5")


@pytest.mark.parametrize("other", ["null", "[]", '"x"', "5", '{"uniqueId": null}'])
def test_an_author_that_is_no_object_is_unknown(other: str) -> None:
    value = record(text='"a"')[:-1] + b', "authorInfos": %s}' % other.encode()
    assert read_post_details(value) == PostDetails("a", None, None, None, None, None)
