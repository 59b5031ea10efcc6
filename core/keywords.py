"""The keyword rule of `core.keyword_rule` as Spark columns, for stream, batch and checks."""

import zlib
from collections.abc import Callable, Sequence
from functools import cache

from pyspark.sql import Column
from pyspark.sql import functions as F

from core.keyword_rule import (
    ASCII_TOKEN,
    BEYOND_ASCII,
    HASH_SIGN,
    JAVA_CLASSES,
    LONG_RUN,
    MAX_KEYWORD_CHARACTERS,
    MAX_KEYWORDS_PER_POST,
    SELECTOR,
    patterns,
    stop_words,
)

STOP_BUCKETS = 8192
_PATTERNS = patterns(JAVA_CLASSES)
HASHTAG = _PATTERNS.hashtag


def keywords(text: Column, phrases: Sequence[str] = ()) -> Column:
    """Return the distinct keywords of `text` (string) as an array of strings; empty for null.

    They are in order of first appearance: at most 100 per post, each cut at 64 characters. NUL and other
    control characters separate words. `phrases`, written as `phrase_tokens` joined by spaces, are keywords of
    the texts that contain their words in sequence; they come first.
    """
    tokens = phrase_tokens(text)
    if not phrases:
        return _keywords_of(text, tokens)

    def with_phrases(tokens: Column) -> Column:
        # Split, so that a list of any length is a single literal.
        watched = F.split(F.lit("\n".join(phrases)), "\n")
        joined = F.concat(F.lit(" "), F.array_join(tokens, " "), F.lit(" "))
        present = F.filter(
            watched, lambda phrase: F.contains(joined, F.concat(F.lit(" "), phrase, F.lit(" ")))
        )
        return F.slice(F.concat(present, _keywords_of(text, tokens)), 1, MAX_KEYWORDS_PER_POST)

    return _evaluated_once(tokens, with_phrases)


def phrase_tokens(text: Column) -> Column:
    """Return all words of `text` as the rule writes them, in order, with stop words and repetitions."""
    plain = ~F.coalesce(text, F.lit("")).rlike(BEYOND_ASCII)
    return F.when(plain, _plain_tokens(text)).otherwise(_evaluated_once(_folded(text), _tokens))


def hashtags(text: Column) -> Column:
    """Return the distinct hashtags of `text` (string) without #; empty for null.

    Composed and folded like keywords, with stop words and numbers; at most 100 per post, each cut at 64
    characters.
    """
    tags = F.regexp_extract_all(folded(text), F.lit(HASHTAG), 0)
    names = F.transform(tags, lambda tag: F.substring(tag, 2, MAX_KEYWORD_CHARACTERS))
    return F.when(
        text.rlike(HASH_SIGN), F.slice(F.array_distinct(names), 1, MAX_KEYWORDS_PER_POST)
    ).otherwise(F.array().cast("array<string>"))


def folded(text: Column) -> Column:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions; null for null."""
    plain = F.regexp_replace(F.lower(text), _PATTERNS.link_or_mention, " ")
    return F.when(text.rlike(BEYOND_ASCII), _folded(text)).otherwise(plain)


def _keywords_of(text: Column, tokens: Column) -> Column:
    cut = F.when(
        text.rlike(LONG_RUN), F.transform(tokens, lambda token: F.left(token, F.lit(MAX_KEYWORD_CHARACTERS)))
    ).otherwise(tokens)
    kept = F.filter(cut, lambda token: ~_is_stop_word(token))
    return F.slice(F.array_distinct(kept), 1, MAX_KEYWORDS_PER_POST)


def _plain_tokens(text: Column) -> Column:
    """Return the tokens of an ASCII text: the same rule, with a pattern that is several times faster."""
    lowered = F.regexp_replace(F.lower(F.coalesce(text, F.lit(""))), _PATTERNS.link_or_mention, " ")
    return F.regexp_extract_all(lowered, F.lit(ASCII_TOKEN), 0)


def _folded(text: Column) -> Column:
    composed = F.reflect(F.lit("com.ibm.icu.text.Normalizer"), F.lit("compose"), text, F.lit(True))
    folded = F.reflect(F.lit("com.ibm.icu.lang.UCharacter"), F.lit("foldCase"), composed, F.lit(True))
    return F.regexp_replace(
        F.replace(folded, F.lit("\u2019"), F.lit("'")), f"{_PATTERNS.link_or_mention}|{SELECTOR}", " "
    )


def _evaluated_once(value: Column, use: Callable[[Column], Column]) -> Column:
    """Return `use(value)` with `value` evaluated once.

    Spark interprets expressions inside functions such as `filter`, and would evaluate `value` wherever `use`
    names it.
    """
    return F.element_at(F.transform(F.array(value), use), 1)


def _tokens(folded: Column) -> Column:
    tokens = F.regexp_extract_all(folded, F.lit(_PATTERNS.token), 0)
    pairs = F.regexp_extract_all(F.regexp_replace(folded, HASHTAG, " "), F.lit(_PATTERNS.pair), 1)
    return F.when(folded.rlike(_PATTERNS.unspaced), F.concat(tokens, pairs)).otherwise(tokens)


def _is_stop_word(token: Column) -> Column:
    """Return whether `token` is a stop word: its CRC-32 selects the one of `STOP_BUCKETS` lines to search.

    `isin` with 15,000 literals would run as fast, but costs 70 ms of planning in every batch of the stream.
    """
    lines = F.split(F.lit(_stop_word_lines()), "\n")
    line = F.element_at(lines, (F.crc32(token.cast("binary")) % STOP_BUCKETS + 1).cast("int"))
    return F.contains(line, F.concat(F.lit(" "), token, F.lit(" ")))


@cache
def _stop_word_lines() -> str:
    buckets: list[list[str]] = [[] for _ in range(STOP_BUCKETS)]
    for word in sorted(stop_words()):
        buckets[zlib.crc32(word.encode()) % STOP_BUCKETS].append(word)
    return "\n".join(f" {' '.join(words)} " for words in buckets)
