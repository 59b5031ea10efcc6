"""What lists may be narrowed to: the values of parameters of pages and API."""

import re
from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import BeforeValidator


class Status(StrEnum):
    """How far an alert is."""

    OPEN = "open"
    RESOLVED = "resolved"
    WITHDRAWN = "withdrawn"


class State(StrEnum):
    """Whether an incident, or an alert of its own, goes on."""

    OPEN = "open"
    RESOLVED = "resolved"


class Severity(StrEnum):
    """How far above its threshold an alert is."""

    NOTABLE = "notable"
    STRONG = "strong"
    EXTREME = "extreme"


class Origin(StrEnum):
    """Who posts."""

    ORGANIC = "organic"
    FEW_AUTHORS = "few authors"
    ONE_TEXT = "one text"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """Kinds of trends."""

    KEYWORD = "keyword"
    HASHTAG = "hashtag"
    CHALLENGE = "challenge"
    MUSIC = "music"
    AUTHOR = "author"


def _only_iso(value: object) -> object:
    """Reject what pydantic would read as seconds since 1970."""
    if isinstance(value, str) and not re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        raise ValueError("needs a day such as 2026-01-02")
    return value


Day = Annotated[date | None, BeforeValidator(_only_iso)]
"""A day, ISO 8601."""
