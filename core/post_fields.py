"""Read what detection and evidence need of an archived record in Python, as Spark's JSON parser reads it.

For records that `core.records.parse_records` has accepted, which the archive marks by an event time: this
module does not decide which records are usable, and reads them as leniently as Spark did.
"""

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from core.errors import BadInputError

_DEEPEST = 4_000
"""Recursion limit for records; Spark's parser accepts 1,000 levels."""
_ENCODED_SURROGATE = re.compile(rb"\xed[\xa0-\xbf][\x80-\xbf]")
_REPLACEMENT = "\ufffd".encode()
_QUOTED_OR_INFINITE = re.compile(
    r'"(?:[^"\\]|\\.)*"|' r"'((?:[^'\\]|\\.)*)'|" r"([+-])(?:INF|Infinity)", re.DOTALL
)
"""A string in double quotes, one in single quotes, and an infinite number as Spark may read it."""
_INTEGER = re.compile(r"[+-]?[0-9]+", re.ASCII)
_ID = re.compile(r"[0-9]{1,19}", re.ASCII)
_BLANKS = "".join(map(chr, [*range(33), 127]))
_LARGEST, _SMALLEST = 2**63 - 1, -(2**63)

MAX_NAME_CHARACTERS = 500
"""Characters kept of a name or foreign id: an index entry has at most 2,704 bytes, a character up to four."""


class PostFields(NamedTuple):
    """A post's fields as Spark's JSON parser gives them."""

    post_id: int
    text: str | None
    author_id: str | None
    likes: str | None

    @property
    def known_likes(self) -> int | None:
        """The likes; None if they are no integer, or negative because their source overflowed."""
        return _known(self.likes)


class PostDetails(NamedTuple):
    """What is shown of a post: names and foreign ids are shortened, None if unknown."""

    text: str | None
    likes: int | None
    author_id: str | None
    author_name: str | None
    music_id: str | None
    music_name: str | None


class _Item(msgspec.Struct):
    id: Any = None
    text: Any = None
    authorId: Any = None
    diggCount: Any = None


class _Post(msgspec.Struct):
    itemInfos: _Item


class _ItemWithMusic(_Item):
    musicId: Any = None


class _Author(msgspec.Struct):
    userId: Any = None
    uniqueId: Any = None


class _Music(msgspec.Struct):
    musicId: Any = None
    musicName: Any = None


class _DetailedPost(msgspec.Struct):
    itemInfos: _ItemWithMusic
    authorInfos: _Author | None = None
    musicInfos: _Music | None = None


class _Number(str):
    """A JSON number as Spark writes it."""


class _Members(list[tuple[str, Any]]):
    """The members of a JSON object in order, repeated names included."""


_read = msgspec.json.Decoder(_Post).decode
_read_detailed = msgspec.json.Decoder(_DetailedPost).decode
_NO_AUTHOR, _NO_MUSIC = _Author(), _Music()
_Names = dict[str, tuple[str, ...]]
"""Names of fields by the object that they are in."""
_FIELDS: _Names = {"itemInfos": ("id", "text", "authorId", "diggCount")}
_DETAILS: _Names = {
    "itemInfos": ("text", "diggCount", "authorId", "musicId"),
    "authorInfos": ("userId", "uniqueId"),
    "musicInfos": ("musicId", "musicName"),
}


def read_post_fields(value: bytes) -> PostFields:
    """Return the fields of an accepted record; raises BadInputError if they cannot be read.

    >>> read_post_fields(b'{"itemInfos": {"id": "7", "text": 1.50, "diggCount": 3}, "time_stamp": 5}')
    PostFields(post_id=7, text='1.5', author_id=None, likes='3')
    """
    try:
        item = _read(value).itemInfos
        texts = [
            part if type(part) is str else _plain_text(part)
            for part in (item.id, item.text, item.authorId, item.diggCount)
        ]
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
        texts = _read_leniently(value, _FIELDS)
    post_id, text, author_id, likes = texts
    if post_id is None or not _ID.fullmatch(post_id):
        raise BadInputError(f"an archived record has no usable id: {value[:80]!r}")
    return PostFields(int(post_id), text, author_id, likes)


def read_post_details(value: bytes) -> PostDetails:
    """Return what is shown of the post in an accepted record; raises BadInputError if it cannot be read.

    >>> read_post_details(b'{"itemInfos": {"id": "7", "musicId": "0"}, "authorInfos": {"userId": 3}}')
    PostDetails(text=None, likes=None, author_id='3', author_name=None, music_id=None, music_name=None)
    """
    try:
        post = _read_detailed(value)
        item, author, music = post.itemInfos, post.authorInfos or _NO_AUTHOR, post.musicInfos or _NO_MUSIC
        parts = (
            *(item.text, item.diggCount, item.authorId, item.musicId),
            *(author.userId, author.uniqueId, music.musicId, music.musicName),
        )
        texts = [part if type(part) is str else _plain_text(part) for part in parts]
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError, RecursionError):
        texts = _read_leniently(value, _DETAILS)
    text, likes, author_id, music_id, user_id, author_name, other_music_id, music_name = texts
    known_music = music_id if music_id is not None else other_music_id
    return PostDetails(
        text=text,
        likes=_known(likes),
        author_id=_shortened(author_id if author_id is not None else user_id),
        author_name=_shortened(author_name),
        music_id=None if known_music == "0" else _shortened(known_music),
        music_name=_shortened(music_name),
    )


def as_integer(text: str | None) -> int | None:
    r"""Return what Spark's `try_cast(text AS bigint)` gives.

    >>> as_integer(" +5\n"), as_integer("5.0"), as_integer("9223372036854775808")
    (5, None, None)
    """
    if text is None or not _INTEGER.fullmatch(bare := text.strip(_BLANKS)):
        return None
    number = int(bare)
    return number if _SMALLEST <= number <= _LARGEST else None


def _known(likes: str | None) -> int | None:
    number = as_integer(likes)
    return number if number is not None and number >= 0 else None


def _shortened(name: str | None) -> str | None:
    return name and name[:MAX_NAME_CHARACTERS]


def _plain_text(value: object) -> str | None:
    """Return an integer or null as text; raises TypeError for any other value."""
    if value is None:
        return None
    if type(value) is int:
        return str(value)
    raise TypeError


def _read_leniently(value: bytes, names: _Names) -> list[str | None]:
    """Return fields of a record that is not plain JSON, as Spark's parser reads it.

    It accepts single quotes, NaN and infinite numbers, ignores what follows the object and replaces bytes
    that are not UTF-8.
    """
    text = _ENCODED_SURROGATE.sub(_REPLACEMENT, value).decode("utf-8", errors="replace")
    try:
        with _recursion_limit(_DEEPEST):
            record, _ = _LENIENT.raw_decode(_QUOTED_OR_INFINITE.sub(_as_python_reads, text).lstrip())
            return [
                _text_of(members.get(name))
                for part, of_part in names.items()
                for members in (_members_of(record, part),)
                for name in of_part
            ]
    except (ValueError, TypeError, RecursionError) as error:
        raise BadInputError(f"an archived record cannot be read ({error}): {value[:80]!r}") from error


def _members_of(record: _Members, part: str) -> dict[str, Any]:
    """Return the members of an object in a record; none if it is null or absent."""
    # A value of another type leaves what an earlier member of the same name gave.
    given = [value for name, value in record if name == part and isinstance(value, _Members | None)]
    return dict(given[-1] or {}) if given else {}


def _as_python_reads(match: re.Match[str]) -> str:
    if match[2] is not None:
        return "-Infinity" if match[2] == "-" else "Infinity"
    if match[1] is None:
        return match[0]
    return '"' + match[1].replace("\\'", "'").replace('"', '\\"') + '"'


@contextmanager
def _recursion_limit(limit: int) -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(limit, before))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _text_of(value: object) -> str | None:
    """Return a JSON value as Spark reads it into a string: other values than strings are written as JSON."""
    if value is None:
        return None
    if type(value) is str:
        # Java writes a lone surrogate as a question mark.
        return value.encode("utf-8", errors="replace").decode()
    return _as_json(value)


def _as_json(value: object) -> str:
    if isinstance(value, _Number):
        return value
    if isinstance(value, _Members):
        return "{" + ",".join(f"{_as_json(name)}:{_as_json(part)}" for name, part in value) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_as_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _java_double(text: str) -> _Number:
    """Return a number as Java writes the nearest double.

    >>> [str(_java_double(text)) for text in ("1.50", "1e5", "1e7", "0.0001", "-0.0", "1e400")]
    ['1.5', '100000.0', '1.0E7', '1.0E-4', '-0.0', '"Infinity"']
    """
    number = float(text)
    if not isfinite(number):
        return _Number('"NaN"' if number != number else '"Infinity"' if number > 0 else '"-Infinity"')
    if number == 0 or 1e-3 <= abs(number) < 1e7:
        return _Number(repr(number))
    sign, digits, _ = Decimal(repr(number)).normalize().as_tuple()
    exponent = Decimal(repr(number)).adjusted()
    rest = "".join(map(str, digits[1:])) or "0"
    return _Number(f"{'-' if sign else ''}{digits[0]}.{rest}E{exponent}")


_LENIENT = json.JSONDecoder(
    object_pairs_hook=_Members,
    parse_int=lambda text: _Number(int(text)),
    parse_float=_java_double,
    parse_constant=_java_double,
)
