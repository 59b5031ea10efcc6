"""The keyword rule of `core.keyword_rule` for single texts, in Python: equal to `core.keywords` on Spark.

For programs that read few posts and cannot wait for Spark. Differences between Java's, ICU's and Python's
Unicode are in `core.unicode_tables`.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from core import unicode_tables
from core.keyword_rule import (
    ASCII_TOKEN,
    LONG_RUN,
    MAX_KEYWORD_CHARACTERS,
    MAX_KEYWORDS_PER_POST,
    SELECTOR,
    CharacterClasses,
    patterns,
    stop_words,
)
from core.text_folding import composed_and_folded

_ASCII_TOKEN = re.compile(ASCII_TOKEN)
_LONG_RUN = re.compile(LONG_RUN, re.ASCII)


class _Compiled(NamedTuple):
    token: re.Pattern[str]
    pair: re.Pattern[str]
    hashtag: re.Pattern[str]
    unspaced: re.Pattern[str]
    link_or_mention: re.Pattern[str]
    dropped: re.Pattern[str]
    """Links, mentions and selectors."""


def text_keywords(text: str | None, phrases: Sequence[str] = ()) -> list[str]:
    """Return the distinct keywords of `text`, as `core.keywords.keywords` gives them on Spark.

    They are in order of first appearance: at most 100, each cut at 64 characters; none for None. `phrases`
    that the text contains come first.

    >>> text_keywords("Corona, #Corona 2020!")
    ['corona']
    >>> text_keywords("New York, New York", phrases=["new york", "old york"])
    ['new york', 'york']
    """
    tokens = text_tokens(text)
    found = _keywords_of(text or "", tokens)
    if not phrases:
        return found
    joined = f" {' '.join(tokens)} "
    present = [phrase for phrase in phrases if f" {phrase} " in joined]
    return [*present, *found][:MAX_KEYWORDS_PER_POST]


def text_tokens(text: str | None) -> list[str]:
    """Return all words of `text` as the rule writes them, in order, with stop words and repetitions.

    >>> text_tokens("The Beatles, the band")
    ['the', 'beatles', 'the', 'band']
    """
    if not text:
        return []
    folded = folded_text(text)
    if text.isascii():
        return _ASCII_TOKEN.findall(folded)
    compiled = _compiled()
    tokens = compiled.token.findall(folded)
    if compiled.unspaced.search(folded):
        tokens += compiled.pair.findall(compiled.hashtag.sub(" ", folded))
    return tokens


def folded_text(text: str) -> str:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions."""
    if text.isascii():
        return _compiled().link_or_mention.sub(" ", text.lower())
    return _compiled().dropped.sub(" ", composed_and_folded(text).replace("\u2019", "'"))


def _keywords_of(text: str, tokens: list[str]) -> list[str]:
    if len(text) > MAX_KEYWORD_CHARACTERS and _LONG_RUN.search(text):
        tokens = [token[:MAX_KEYWORD_CHARACTERS] for token in tokens]
    stop = stop_words()
    distinct = dict.fromkeys(token for token in tokens if token not in stop)
    return list(distinct)[:MAX_KEYWORDS_PER_POST]


@cache
def _compiled() -> _Compiled:
    """Compile the patterns when they are first needed: it takes longer than most texts."""
    names = patterns(CharacterClasses(*(_ranges(name) for name in CharacterClasses._fields)))
    return _Compiled(
        token=re.compile(names.token),
        pair=re.compile(names.pair),
        hashtag=re.compile(names.hashtag),
        unspaced=re.compile(names.unspaced),
        link_or_mention=re.compile(names.link_or_mention, re.ASCII),
        dropped=re.compile(f"{names.link_or_mention}|{SELECTOR}", re.ASCII),
    )


def _ranges(name: str) -> str:
    """Return a class of `core.unicode_tables` as it is written between the brackets of a pattern."""
    words: str = getattr(unicode_tables, name.upper())
    ranges = (word.split("-") for word in words.split())
    return "".join("-".join(chr(int(number, 16)) for number in limits) for limits in ranges)
