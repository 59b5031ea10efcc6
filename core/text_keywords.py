"""The keyword rule of `core.keyword_rule` for single texts, in Python: equal to `core.keywords` on Spark.

For programs that read few posts and cannot wait for Spark. Differences between Java's, ICU's and Python's
Unicode are in `core.unicode_tables`.
"""

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from core import unicode_tables
from core.function_words import without_function_words
from core.keyword_rule import (
    ASCII_WORD,
    HASH_SIGN,
    LINK_OR_MENTION,
    LINK_SIGN,
    LONG_RUN,
    MAX_KEYWORD_CHARACTERS,
    MAX_KEYWORDS_PER_POST,
    MENTION,
    CharacterClasses,
    patterns,
)
from core.letters import ranges_of
from core.text_folding import folded_letters

_ASCII_WORD = re.compile(ASCII_WORD)
_LONG_RUN = re.compile(LONG_RUN, re.ASCII)
_MENTION = re.compile(MENTION)
_HASH_SIGN = re.compile(HASH_SIGN)
_LINK_SIGN = re.compile(LINK_SIGN, re.ASCII)
_LINK_OR_MENTION = re.compile(LINK_OR_MENTION, re.ASCII)


class CompiledPatterns(NamedTuple):
    """The patterns of `core.keyword_rule` over Java's classes of characters."""

    token: re.Pattern[str]
    pair: re.Pattern[str]
    hashtag: re.Pattern[str]
    unspaced: re.Pattern[str]
    run: re.Pattern[str]
    """Letters, marks and numbers in sequence, keywords or not."""
    number: re.Pattern[str]


def text_keywords(text: str | None, phrases: Sequence[str] = ()) -> list[str]:
    """Return the distinct keywords of `text`, as `core.keywords.keywords` gives them on Spark.

    They are in order of first appearance: at most 100, each cut at 64 characters; none for None. `phrases`
    that the text contains come first.

    >>> text_keywords("Corona, #Corona 2020!")
    ['corona']
    >>> text_keywords("New York, New York", phrases=["new york", "old york"])
    ['new york', 'new', 'york']
    """
    tokens = tokens_with_signs(text)
    found = _keywords_of(text or "", tokens)
    if not phrases:
        return found
    joined = f" {' '.join(tokens)} ".replace(" #", " ")
    present = [phrase for phrase in phrases if f" {phrase} " in joined]
    return list(dict.fromkeys([*present, *found]))[:MAX_KEYWORDS_PER_POST]


def text_tokens(text: str | None) -> list[str]:
    """Return all words of `text` as the rule writes them, in order, with function words and repetitions.

    >>> text_tokens("The Beatles, the band")
    ['the', 'beatles', 'the', 'band']
    """
    return _without_signs(tokens_with_signs(text))


def text_hashtags(text: str | None) -> list[str]:
    """Return the distinct hashtags of `text` without #, as `core.keywords.hashtags` gives them on Spark.

    >>> text_hashtags("#FYP, the #1 #fyp #of"), text_hashtags(None)
    (['fyp', '1', 'of'], [])
    """
    if not text or not _HASH_SIGN.search(text):
        return []
    tags = compiled_patterns().hashtag.findall(folded_text(text))
    names = (tag[1 : 1 + MAX_KEYWORD_CHARACTERS] for tag in tags)
    return list(dict.fromkeys(names))[:MAX_KEYWORDS_PER_POST]


def tokens_with_signs(text: str | None) -> list[str]:
    """Return the words of `text` in order; those that are hashtags begin with #."""
    if not text:
        return []
    folded = folded_text(text)
    if text.isascii():
        return _ASCII_WORD.findall(folded)
    compiled = compiled_patterns()
    tokens = compiled.token.findall(folded)
    if compiled.unspaced.search(folded):
        tokens += compiled.pair.findall(compiled.hashtag.sub(" ", folded))
    return tokens


def folded_text(text: str) -> str:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions."""
    letters = folded_letters(text)
    pattern = _LINK_OR_MENTION if _LINK_SIGN.search(letters) else _MENTION
    return pattern.sub(" ", letters)


def _without_signs(tokens: list[str]) -> list[str]:
    return [token[1:] if token[0] == "#" else token for token in tokens]


def _keywords_of(text: str, tokens: list[str]) -> list[str]:
    kept = _without_signs(without_function_words(tokens))
    if len(text) > MAX_KEYWORD_CHARACTERS and _LONG_RUN.search(text):
        kept = [keyword[:MAX_KEYWORD_CHARACTERS] for keyword in kept]
    return list(dict.fromkeys(kept))[:MAX_KEYWORDS_PER_POST]


@cache
def compiled_patterns() -> CompiledPatterns:
    """Return the patterns, compiled when they are first needed: it takes longer than most texts."""
    classes = CharacterClasses(
        *(ranges_of(getattr(unicode_tables, name.upper())) for name in CharacterClasses._fields)
    )
    names = patterns(classes)
    return CompiledPatterns(
        token=re.compile(names.token),
        pair=re.compile(names.pair),
        hashtag=re.compile(names.hashtag),
        unspaced=re.compile(names.unspaced),
        run=re.compile(f"[{classes.any}]+"),
        number=re.compile(f"[{classes.number}]+"),
    )
