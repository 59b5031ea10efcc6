"""Cursors of the API's lists: where a page ended, opaque to clients and bound to the filter of the list."""

import base64
import binascii
import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson
from fastapi import HTTPException

FILTER_CHARACTERS = 12


class Place(NamedTuple):
    """The last row of a page of a list that is ordered by a moment and an id."""

    moment: datetime
    row_id: UUID


def cursor_of(place: Place, chosen: Mapping[str, Any]) -> str:
    """Return the cursor of a page that ended at `place`, in a list of the filter `chosen`."""
    parts = [place.moment.isoformat(), str(place.row_id), _digest(chosen)]
    return base64.urlsafe_b64encode(orjson.dumps(parts)).decode().rstrip("=")


def place_of(cursor: str, chosen: Mapping[str, Any]) -> Place:
    """Return where the page before ended; HTTPException 422 unless it was a page of the same list.

    >>> place = Place(datetime(2026, 1, 2, 18, 15), UUID(int=7))
    >>> place_of(cursor_of(place, {"status": "open"}), {"status": "open"}) == place
    True
    """
    try:
        moment, row_id, digest = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        place = Place(datetime.fromisoformat(moment), UUID(row_id))
    except (ValueError, TypeError, AttributeError, binascii.Error) as error:
        raise HTTPException(422, "cursor: not one of this list; begin without a cursor.") from error
    if digest != _digest(chosen):
        raise HTTPException(422, "cursor: of a list with another filter; begin without a cursor.")
    return place


def _digest(chosen: Mapping[str, Any]) -> str:
    return hashlib.sha256(orjson.dumps(chosen, default=str, option=orjson.OPT_SORT_KEYS)).hexdigest()[
        :FILTER_CHARACTERS
    ]
