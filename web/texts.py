"""Texts for the templates: moments, numbers and links, and texts of strangers made harmless."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from markupsafe import Markup, escape

from alerts.listing import shown_distinct

TIKTOK = "https://www.tiktok.com/"
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, and those that reorder the text around them (Unicode Standard Annex 9, Table 4)."""


def stranger(text: str | None) -> Markup:
    """Return a text of a post or user as HTML: isolated, and its control characters visible.

    >>> stranger("<b>hi\u202e</b>")
    Markup('<bdi>&lt;b&gt;hi<span class="mark">U+202E</span>&lt;/b&gt;</bdi>')
    """
    parts = []
    end = 0
    for match in _UNSEEN.finditer(text or ""):
        mark = f"U+{ord(match.group()):04X}"
        parts += [
            escape((text or "")[end : match.start()]),
            Markup('<span class="mark">{}</span>').format(mark),
        ]
        end = match.end()
    return Markup("<bdi>{}</bdi>").format(Markup("").join([*parts, escape((text or "")[end:])]))


def tiktok_link(link: str | None) -> str | None:
    """Return a link if it leads to TikTok and nowhere else, else None."""
    return link if link and link.startswith(TIKTOK) else None


def word_path(keyword: str) -> str:
    """Return the path of a keyword's page.

    >>> word_path("a/b?"), word_path("50%")
    ('/words/a%2Fb%3F', '/words/50%25')
    """
    return f"/words/{quote(keyword, safe='')}"


def moment(value: datetime | None, style: str = "%Y-%m-%d %H:%M") -> Markup:
    """Return a moment as a time element in UTC; empty for None."""
    if value is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(f"{value:%Y-%m-%dT%H:%M:%SZ}", f"{value:{style}}")


def number(value: float | None, digits: int = 0) -> str:
    """Format a number for people; a dash for None.

    >>> number(12345.6), number(0.25, 1), number(None)
    ('12,346', '0.2', '–')
    """
    return "–" if value is None else f"{value:,.{digits}f}"


def growth(value: float | None) -> str:
    """Format a growth (ratio - 1) as a percentage with its sign; a dash for None.

    >>> growth(0.5), growth(-0.25), growth(0.0), growth(None)
    ('+50%', '−25%', '0%', '–')
    """
    if value is None:
        return "–"
    percent = round(100 * value)
    return f"{'+' if percent > 0 else '−' if percent < 0 else ''}{abs(percent):,}%"


def people(row: Mapping[str, Any], column: str = "distinct_authors") -> str:
    """Return how many authors (or texts) an alert has, as the listing shows it: counted, or estimated."""
    return shown_distinct(row[column] or 0, counted=row["authors_counted"])


ORIGIN_BADGES = {
    "organic": "many people, own texts",
    "few authors": "few people, again and again",
    "one text": "copies of one text",
    None: "too few posts to tell people from copies",
}


def badges(row: Mapping[str, Any]) -> Sequence[str]:
    """Return what a user should know of an alert at a glance."""
    return [
        ORIGIN_BADGES[row["origin"]],
        *(["early: may still be withdrawn"] if row["provisional"] else []),
        *(["few posts arrive at the moment"] if row["degraded"] else []),
        *(["first day: compared with the hours before"] if row["judged_by"] == "first day" else []),
        *(["watched"] if row["watched"] else []),
        *([f"label: {row['label']}"] if row["label"] else []),
    ]
