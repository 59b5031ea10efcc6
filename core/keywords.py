"""The keyword rule of `core.keyword_rule` as Spark columns, for stream, batch and checks."""

import zlib
from collections.abc import Callable, Sequence

from pyspark.sql import Column
from pyspark.sql import functions as F

from core.function_words import UNKNOWN, FunctionWord, function_words
from core.keyword_rule import (
    ASCII_WORD,
    BEYOND_ASCII,
    DOT_OF_I,
    HASH_SIGN,
    JAVA_CLASSES,
    KEYCAP,
    LINK_OR_MENTION,
    LINK_SIGN,
    LONG_RUN,
    MAX_KEYWORD_CHARACTERS,
    MAX_KEYWORDS_PER_POST,
    MENTION,
    NUMBER_SIGN_KEYCAP,
    ODD,
    STRAY_MARKS,
    patterns,
)
from core.letters import after, before

LINES = 8192
_PATTERNS = patterns(JAVA_CLASSES)
_ALWAYS = 1 << 62
"""A bit beside the languages: of every text, and of words that are dropped in all texts."""
_FIRST_CODE = 0x100


def keywords(text: Column, phrases: Sequence[str] = ()) -> Column:
    """Return the distinct keywords of `text` (string) as an array of strings; empty for null.

    They are in order of first appearance: at most 100 per post, each cut at 64 characters. NUL and other
    control characters separate words. `phrases`, written as `phrase_tokens` joined by spaces, are keywords of
    the texts that contain their words in sequence; they come first.
    """
    tokens = _tokens(text)
    if not phrases:
        return _keywords_of(text, tokens)

    def with_phrases(tokens: Column) -> Column:
        # Split, so that a list of any length is a single literal.
        watched = F.split(F.lit("\n".join(phrases)), "\n")
        joined = F.replace(
            F.concat(F.lit(" "), F.array_join(tokens, " "), F.lit(" ")), F.lit(" #"), F.lit(" ")
        )
        present = F.filter(
            watched, lambda phrase: F.contains(joined, F.concat(F.lit(" "), phrase, F.lit(" ")))
        )
        found = F.array_union(present, _keywords_of(text, tokens))
        return F.slice(found, 1, MAX_KEYWORDS_PER_POST)

    return _evaluated_once(tokens, with_phrases)


def phrase_tokens(text: Column) -> Column:
    """Return all words of `text` as the rule writes them, in order, with function words and repetitions."""
    return F.transform(_tokens(text), _without_sign)


def hashtags(text: Column) -> Column:
    """Return the distinct hashtags of `text` (string) without #; empty for null.

    Composed and folded like keywords, with function words and numbers; at most 100 per post, each cut at 64
    characters.
    """
    tags = F.regexp_extract_all(folded(text), F.lit(_PATTERNS.hashtag), 0)
    names = F.transform(tags, lambda tag: F.substring(tag, 2, MAX_KEYWORD_CHARACTERS))
    return F.when(
        text.rlike(HASH_SIGN), F.slice(F.array_distinct(names), 1, MAX_KEYWORDS_PER_POST)
    ).otherwise(F.array().cast("array<string>"))


def folded(text: Column) -> Column:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions; null for null."""
    return F.when(text.rlike(BEYOND_ASCII), _folded(text)).otherwise(_without_links(F.lower(text)))


def _keywords_of(text: Column, tokens: Column) -> Column:
    kept = _evaluated_once(tokens, _without_function_words)
    cut = F.when(
        text.rlike(LONG_RUN), F.transform(kept, lambda word: F.left(word, F.lit(MAX_KEYWORD_CHARACTERS)))
    ).otherwise(kept)
    return F.slice(F.array_distinct(cut), 1, MAX_KEYWORDS_PER_POST)


def _tokens(text: Column) -> Column:
    """Return the words of `text` in order; those that are hashtags begin with #."""
    plain = ~F.coalesce(text, F.lit("")).rlike(BEYOND_ASCII)
    return F.when(plain, _plain_tokens(text)).otherwise(_evaluated_once(_folded(text), _tokens_of_folded))


def _without_sign(token: Column) -> Column:
    return F.ltrim(token, F.lit("#"))


def _plain_tokens(text: Column) -> Column:
    """Return the tokens of an ASCII text: the same rule, with a pattern that is several times faster."""
    lowered = _without_links(F.lower(F.coalesce(text, F.lit(""))))
    return F.regexp_extract_all(lowered, F.lit(ASCII_WORD), 0)


def _folded(text: Column) -> Column:
    """Return `text`, which has characters beyond ASCII, folded, without links and mentions."""
    whole = F.when(text.rlike(before().guard), F.translate(text, *before())).otherwise(text)
    composed = F.reflect(F.lit("com.ibm.icu.text.Normalizer"), F.lit("compose"), whole, F.lit(True))
    folded = F.reflect(F.lit("com.ibm.icu.lang.UCharacter"), F.lit("foldCase"), composed, F.lit(True))

    def translated(folded: Column) -> Column:
        alike = F.replace(F.translate(folded, *after()), F.lit(DOT_OF_I), F.lit("i"))
        alike = F.replace(alike, F.lit(NUMBER_SIGN_KEYCAP), F.lit(" "))
        return F.regexp_replace(F.regexp_replace(alike, STRAY_MARKS, ""), KEYCAP, " $0 ")

    letters = _evaluated_once(
        folded, lambda value: F.when(value.rlike(ODD), translated(value)).otherwise(value)
    )
    return _evaluated_once(letters, _without_links)


def _without_links(folded: Column) -> Column:
    return (
        F.when(folded.rlike(LINK_SIGN), F.regexp_replace(folded, LINK_OR_MENTION, " "))
        .when(F.contains(folded, F.lit("@")), F.regexp_replace(folded, MENTION, " "))
        .otherwise(folded)
    )


def _evaluated_once(value: Column, use: Callable[[Column], Column]) -> Column:
    """Return `use(value)` with `value` evaluated once.

    Spark interprets expressions inside functions such as `filter`, and would evaluate `value` wherever `use`
    names it.
    """
    return F.element_at(F.transform(F.array(value), use), 1)


def _tokens_of_folded(folded: Column) -> Column:
    tokens = F.regexp_extract_all(folded, F.lit(_PATTERNS.token), 0)
    pairs = F.regexp_extract_all(F.regexp_replace(folded, _PATTERNS.hashtag, " "), F.lit(_PATTERNS.pair), 1)
    return F.when(folded.rlike(_PATTERNS.unspaced), F.concat(tokens, pairs)).otherwise(tokens)


def _without_function_words(tokens: Column) -> Column:
    """Return `tokens` without function words of the text's languages, and without the # of hashtags.

    `core.function_words` says which those are. Each token has a code, which selects bits from two arrays:
    the languages that the text may still be in, and the languages in whose texts the token is dropped.
    """
    lines, may_be, dropped_in = _lookup()

    def kept(codes: Column) -> Column:
        languages = F.aggregate(
            codes, F.lit(UNKNOWN).cast("bigint"), lambda bits, code: bits.bitwiseAND(F.get(may_be, code))
        )
        known = F.when(languages == UNKNOWN, F.lit(_ALWAYS)).otherwise(languages.bitwiseOR(F.lit(_ALWAYS)))

        def kept_with(known: Column) -> Column:
            drops = F.transform(codes, lambda code: F.get(dropped_in, code).bitwiseAND(known) != 0)
            return F.filter(tokens, lambda _, place: ~F.get(drops, place))

        return _evaluated_once(known, kept_with)

    some = _evaluated_once(F.transform(tokens, lambda token: _code(lines, token)), kept)
    return F.transform(some, _without_sign)


def _code(lines: Column, token: Column) -> Column:
    """Return the code of a token, 0 for most: its CRC-32 selects the one of `LINES` lines to search.

    `isin` with thousands of literals would run as fast, but costs 70 ms of planning in every batch.
    """
    line = F.element_at(lines, (F.crc32(token.cast("binary")) % LINES + 1).cast("int"))
    marked = F.concat(F.lit(" "), token, F.lit(" "))
    return F.ascii(F.call_function("substring_index", line, marked, F.lit(-1))) - _FIRST_CODE


def _lookup() -> tuple[Column, Column, Column]:
    """Return the lines of function words with their codes, and the two arrays that codes select from."""
    words = function_words()
    kinds = sorted(set(words.values()))
    codes = {kind: chr(_FIRST_CODE + 1 + place) for place, kind in enumerate(kinds)}
    may_be = [UNKNOWN, *(UNKNOWN if kind.ambiguous else kind.languages for kind in kinds)]
    dropped_in = [0, *(kind.languages if kind.ambiguous else _ALWAYS for kind in kinds)]
    return (
        F.split(F.lit(_lines(codes)), "\n"),
        F.split(F.lit(" ".join(map(str, may_be))), " ").cast("array<bigint>"),
        F.split(F.lit(" ".join(map(str, dropped_in))), " ").cast("array<bigint>"),
    )


def _lines(codes: dict[FunctionWord, str]) -> str:
    lines = [chr(_FIRST_CODE)] * LINES
    for word, kind in sorted(function_words().items()):
        lines[zlib.crc32(word.encode()) % LINES] += f" {word} {codes[kind]}"
    return "\n".join(lines)
