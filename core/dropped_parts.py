"""Why parts of a text are no keywords: for the command `groundswell keywords`, for pages and notebooks."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from core.function_words import function_words, languages_of, names_of, without_function_words
from core.keyword_rule import (
    LINK_OR_MENTION,
    LINK_SIGN,
    MAX_KEYWORD_CHARACTERS,
    MAX_KEYWORDS_PER_POST,
    MENTION,
)
from core.text_folding import folded_letters
from core.text_keywords import compiled_patterns, folded_text, tokens_with_signs


class DroppedPart(NamedTuple):
    """A part of a text that is no keyword."""

    part: str
    """As the rule writes it."""
    reason: str


def dropped_parts(text: str) -> list[DroppedPart]:
    """Return the distinct parts of `text` that are no keywords, each with the reason.

    Links and mentions come first, then function words, then numbers and single letters. What separates words
    is left out.

    >>> dropped_parts("@nina was with #was 24 x and das war")[:3]
    [DroppedPart(part='@nina', reason='mention'), DroppedPart(part='with', reason='function word (en)'), \
DroppedPart(part='and', reason='function word (en)')]
    >>> [part for part, reason in dropped_parts("24 x") if reason in ("number", "single letter")]
    ['24', 'x']
    """
    found = [*_links_and_mentions(text), *_function_words(text), *_fragments(text), *_beyond_limits(text)]
    return list(dict.fromkeys(found))


def _links_and_mentions(text: str) -> Iterator[DroppedPart]:
    letters = folded_letters(text)
    pattern = LINK_OR_MENTION if re.search(LINK_SIGN, letters, re.ASCII) else MENTION
    for part in re.findall(pattern, letters, re.ASCII):
        if part.startswith("@"):
            yield DroppedPart(part, "mention")
        else:
            yield DroppedPart(part, "e-mail address" if "@" in part.partition("/")[0] else "link")


def _function_words(text: str) -> Iterator[DroppedPart]:
    tokens = tokens_with_signs(text)
    languages, kept = languages_of(tokens), without_function_words(tokens)
    counted = {*kept, *(token[1:] for token in kept if token.startswith("#"))}
    for token in tokens:
        if token not in counted:
            known = function_words()[token]
            common = known.languages & languages
            yield DroppedPart(token, f"function word ({', '.join(names_of(common or known.languages))})")


def _fragments(text: str) -> Iterator[DroppedPart]:
    patterns = compiled_patterns()
    rest = patterns.token.sub(" ", folded_text(text))
    pairs = patterns.pair.findall(patterns.hashtag.sub(" ", rest))
    for part in patterns.run.findall(rest):
        if patterns.number.fullmatch(part):
            yield DroppedPart(part, "number")
        elif not any(pair in part for pair in pairs):
            yield DroppedPart(part, "single letter")


def _beyond_limits(text: str) -> Iterator[DroppedPart]:
    words = without_function_words(tokens_with_signs(text))
    kept = dict.fromkeys(word.removeprefix("#") for word in words)
    for keyword in list(kept)[MAX_KEYWORDS_PER_POST:]:
        yield DroppedPart(
            keyword[:MAX_KEYWORD_CHARACTERS], f"beyond the first {MAX_KEYWORDS_PER_POST} keywords"
        )
