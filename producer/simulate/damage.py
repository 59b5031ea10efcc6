"""Ways to break a record, as changes to the bytes of a good one."""

from collections.abc import Callable


def _without_id(line: bytes) -> bytes:
    start = line.index(b'"id": ')
    return line[:start] + line[line.index(b'"text"') :]


def _with_id(value: bytes) -> Callable[[bytes], bytes]:
    def change(line: bytes) -> bytes:
        return _without_id(line).replace(b'{"itemInfos": {', b'{"itemInfos": {"id": ' + value + b", ", 1)

    return change


def _with_field(name: bytes, value: bytes) -> Callable[[bytes], bytes]:
    """Replace the scalar field `name` of itemInfos."""

    def change(line: bytes) -> bytes:
        start = line.index(b'"' + name + b'": ')
        end = line.index(b', "', start)
        return line[:start] + b'"' + name + b'": ' + value + line[end:]

    return change


def _year_ahead(line: bytes) -> bytes:
    start = line.index(b'"createTime": ') + len(b'"createTime": ')
    end = line.index(b",", start)
    return line[:start] + b'"%d"' % (int(line[start:end].strip(b'"')) + 365 * 86_400) + line[end:]


def _id_as_number(line: bytes) -> bytes:
    start = line.index(b'"id": "') + len(b'"id": "')
    return _with_id(line[start : line.index(b'"', start)])(line)


UNUSABLE: dict[str, Callable[[bytes], bytes]] = {
    "html": lambda line: b"<html><head><title>502 Bad Gateway</title></head></html>",
    "truncated": lambda line: line[: len(line) // 2],
    "array": lambda line: b"[" + line + b"]",
    "number": lambda line: b"12345",
    "two objects": lambda line: line + line[:1],
    "not utf-8": lambda line: line.replace(b'"text": "', b'"text": "\xff\xfe', 1),
    "id missing": _without_id,
    "id null": _with_id(b"null"),
    "id no number": _with_id(b'"abc"'),
    "id a float": _with_id(b"6.807325450981969e18"),
    "id too long": _with_id(b'"68073254509819691580"'),
    "id an object": _with_id(b'{"value": "6807325450981969158"}'),
    "itemInfos null": lambda line: b'{"itemInfos": null}',
}
"""Lines that are not posts: not a JSON object, or without a usable id."""

ODD: dict[str, Callable[[bytes], bytes]] = {
    "id as number": _id_as_number,
    "createTime a year ahead": _year_ahead,
    "createTime in milliseconds": _with_field(b"createTime", b'"1584953968000"'),
    "createTime huge": _with_field(b"createTime", b"9000000000000000000"),
    "createTime no number": _with_field(b"createTime", b'"yesterday"'),
    "createTime null": _with_field(b"createTime", b"null"),
    "createTime missing": lambda line: line.replace(b'"createTime"', b'"created"', 1),
    "text NUL": lambda line: line.replace(b'"text": "', b'"text": "\\u0000', 1),
    "text lone surrogate": lambda line: line.replace(b'"text": "', b'"text": "\\ud83d', 1),
    "text missing": lambda line: line.replace(b'"text"', b'"caption"', 1),
    "text a number": lambda line: line.replace(b'"text": "', b'"text": 7, "caption": "', 1),
    "text null": lambda line: line.replace(b'"text": "', b'"text": null, "caption": "', 1),
    "textExtra text": lambda line: line.replace(b'"textExtra": [', b'"textExtra": "none", "extra": [', 1),
    "counts text": _with_field(b"diggCount", b'"many"'),
    "authorInfos missing": lambda line: line.replace(b'"authorInfos"', b'"author"', 1),
    "deep": lambda line: line[:-1] + b', "deep": ' + b"[" * 200 + b"]" * 200 + b"}",
}
"""Posts with an odd or missing field."""

DAMAGE_KINDS = [*UNUSABLE, *ODD]


def damage(line: bytes, kind: int) -> bytes:
    """Return the record `line` broken in way number `kind`, from 1."""
    name = DAMAGE_KINDS[kind - 1]
    return (UNUSABLE.get(name) or ODD[name])(line)


def is_unusable(kind: int) -> bool:
    """Return whether a record broken in way number `kind` is no longer a post."""
    return 0 < kind <= len(UNUSABLE)
