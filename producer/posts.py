"""Read a post and its id from a line, or the reason why it is not usable; add `time_stamp` to the line."""

import json
import re
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn

import msgspec
import orjson

from core.collection import COLLECTED_AT, COLLECTION_TIMES

TIME_STAMP = "time_stamp"
LARGEST_ID = 2**63 - 1
MICROSECONDS = 1_000_000
_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_BLANK = re.compile(r"[ \t\n\r]*")


class NotAPost(Exception):
    """Why a line cannot be sent as a post; `reason` is what is counted, the message also has the detail."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason + (f": {detail}" if detail else ""))
        self.reason = reason


class _Item(msgspec.Struct):
    id: Any = None
    createTime: Any = None


class _Record(msgspec.Struct):
    itemInfos: _Item
    time_stamp: Any = msgspec.UNSET


_read_members = msgspec.json.Decoder(_Record).decode
"""Parses the whole line but keeps only these members, at a third of the cost of keeping everything."""


def read_record(line: bytes, *, is_utf8: bool = False) -> dict[str, Any]:
    """Return at least `itemInfos.id`, `itemInfos.createTime` and `time_stamp` of the JSON object in a line.

    Raises NotAPost. Numbers of up to 20 digits stay exact. `is_utf8`: the line is known to be UTF-8.
    """
    try:
        members = _read_members(line)
        if not (is_utf8 or line.isascii()):
            line.decode("utf-8")  # msgspec checks only the texts that it keeps
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _read_whole(line)
    item = members.itemInfos
    record: dict[str, Any] = {"itemInfos": {"id": item.id, "createTime": item.createTime}}
    if members.time_stamp is not msgspec.UNSET:
        record[TIME_STAMP] = members.time_stamp
    return record


def _read_whole(line: bytes) -> dict[str, Any]:
    try:
        record = orjson.loads(line)
    except orjson.JSONDecodeError:
        record = _read_leniently(line)
    if type(record) is not dict:
        raise NotAPost("not a JSON object", _shown(record))
    return record


def _read_leniently(line: bytes) -> Any:
    """Parse JSON that orjson does not accept: an escaped lone surrogate, more than 1,024 levels."""
    try:
        return json.loads(line.decode("utf-8"), parse_constant=_reject_constant)
    except UnicodeDecodeError as error:
        raise NotAPost("not UTF-8", f"byte {error.start}") from error
    except RecursionError as error:
        raise NotAPost("nested too deeply") from error
    except ValueError as error:
        raise NotAPost("not JSON", str(error)) from error


def _reject_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def usable_id(record: dict[str, Any]) -> int:
    """Return itemInfos.id, a positive 64-bit integer that may be a string of digits; raises NotAPost."""
    item = record.get("itemInfos")
    post_id = item.get("id") if type(item) is dict else None
    if type(post_id) is str and _DIGITS.fullmatch(post_id):
        post_id = int(post_id)
    if type(post_id) is int and 0 < post_id <= LARGEST_ID:
        return post_id
    if post_id is None:
        raise NotAPost("itemInfos.id is missing")
    raise NotAPost("itemInfos.id is not a positive 64-bit integer", _shown(post_id))


def _shown(value: object) -> str:
    return repr(value)[:80]


def as_json_number(microseconds: int) -> bytes:
    """Return Unix seconds with at most six decimals, exact.

    >>> as_json_number(1584953968_000000), as_json_number(1584953968_000250)
    (b'1584953968', b'1584953968.00025')
    """
    seconds, rest = divmod(microseconds, MICROSECONDS)
    return (b"%d.%06d" % (seconds, rest)).rstrip(b"0") if rest else b"%d" % seconds


def with_time_stamp(
    line: bytes, record: dict[str, Any], microseconds: int, *, collected_ms: int | None = None
) -> bytes:
    """Return the line with `time_stamp` as its last member, replacing an older one; keep all other bytes.

    `line` is the JSON of `record`, which has at least one other member; `time_stamp` is in Unix seconds. With
    `collected_ms`, `collected_at` comes before it, unless the line says itself when it was collected.
    """
    body = line.strip(b" \t\r\n")
    if TIME_STAMP in record:
        body = _without_time_stamp(body)
    collected = b""
    if collected_ms is not None and not any(b'"%b"' % name.encode() in body for name in COLLECTION_TIMES):
        collected = b', "%b": %b' % (COLLECTED_AT.encode(), as_json_number(collected_ms * 1000))
    return b"".join((body[:-1], collected, b', "time_stamp": ', as_json_number(microseconds), b"}"))


def _without_time_stamp(body: bytes) -> bytes:
    text = body.decode("utf-8")
    members = [text[start:end] for name, start, end in _members(text) if name != TIME_STAMP]
    return ("{" + ",".join(members) + "}").encode()


def _members(text: str) -> list[tuple[str, int, int]]:
    """Return name, start and end (in characters, with blanks) of every member of the JSON object `text`."""
    decoder = json.JSONDecoder()
    members, start = [], text.index("{") + 1
    while True:
        name, position = scanstring(text, _past_blanks(text, start) + 1)
        _, position = decoder.raw_decode(text, _past_blanks(text, _past_blanks(text, position) + 1))
        end = _past_blanks(text, position)
        members.append((name, start, end))
        if text[end] != ",":
            return members
        start = end + 1


def _past_blanks(text: str, position: int) -> int:
    match = _BLANK.match(text, position)
    return match.end() if match else position
