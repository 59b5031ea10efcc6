"""The keyword rule of `core.keyword_rule` as Spark columns, for stream, batch and checks.

The rule runs in Java (`core/java/`), compiled by set-up, and reads all that it knows from `_definition`.
"""

import json
from collections.abc import Sequence
from functools import cache

from pyspark.sql import Column
from pyspark.sql import functions as F

from core.function_words import function_words
from core.keyword_rule import (
    ASCII_WORD,
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

CATALOG = "groundswell"
"""Catalog of the Java functions, which each Spark session has."""
CATALOG_PROPERTIES = {f"spark.sql.catalog.{CATALOG}": "groundswell.Functions"}


def keywords(text: Column, phrases: Sequence[str] = ()) -> Column:
    """Return the distinct keywords of `text` (string) as an array of strings; empty for null.

    They are in order of first appearance: at most 100 per post, each cut at 64 characters. NUL and other
    control characters separate words. `phrases`, written as `phrase_tokens` joined by spaces, are keywords of
    the texts that contain their words in sequence; they come first.
    """
    return _rule("keywords", text, F.lit("\n".join(phrases)))


def phrase_tokens(text: Column) -> Column:
    """Return all words of `text` as the rule writes them, in order, with function words and repetitions."""
    return _rule("words", text)


def hashtags(text: Column) -> Column:
    """Return the distinct hashtags of `text` (string) without #; empty for null.

    Composed and folded like keywords, with function words and numbers; at most 100 per post, each cut at 64
    characters.
    """
    return _rule("hashtags", text)


def folded(text: Column) -> Column:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions; null for null."""
    return _rule("folded", text)


def _rule(function: str, text: Column, *arguments: Column) -> Column:
    return F.call_function(f"{CATALOG}.{function}", text, F.lit(_definition()), *arguments)


@cache
def _definition() -> str:
    """Return what the Java form knows of the rule: patterns, translations, limits, function words' bits."""
    words = function_words().items()
    named = {
        **patterns(JAVA_CLASSES)._asdict(),
        "ascii_word": ASCII_WORD,
        "hash_sign": HASH_SIGN,
        "keycap": KEYCAP,
        "link_or_mention": LINK_OR_MENTION,
        "link_sign": LINK_SIGN,
        "long_run": LONG_RUN,
        "mention": MENTION,
        "odd": ODD,
        "stray_marks": STRAY_MARKS,
    }
    definition = {
        "patterns": named,
        "before": before(),
        "after": after(),
        "dot_of_i": DOT_OF_I,
        "number_sign_keycap": NUMBER_SIGN_KEYCAP,
        "characters": MAX_KEYWORD_CHARACTERS,
        "keywords": MAX_KEYWORDS_PER_POST,
        "sure": {word: known.languages for word, known in words if not known.ambiguous},
        "ambiguous": {word: known.languages for word, known in words if known.ambiguous},
    }
    return json.dumps(definition, ensure_ascii=False)
