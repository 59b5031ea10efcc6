"""Compose (NFKC) and case fold a text as Spark's ICU does, whatever Unicode version this Python has.

Neither changes what it makes of a character once that character exists (Unicode's stability policies), so
Python and ICU agree on texts without newer characters. `core.unicode_tables` has those.
"""

import re
from collections.abc import Callable
from functools import cache
from itertools import zip_longest
from typing import NamedTuple
from unicodedata import combining, normalize

from core.keyword_rule import DOT_OF_I, KEYCAP, NUMBER_SIGN_KEYCAP, ODD, STRAY_MARKS
from core.letters import Translation, after, before
from core.unicode_tables import COMBINING_CLASSES, COMPOSED, DECOMPOSITIONS, FOLDS

_STRAY_MARKS, _KEYCAP = re.compile(STRAY_MARKS), re.compile(KEYCAP)


def folded_letters(text: str) -> str:
    r"""Return `text` as the keyword rule reads it, links and mentions included.

    Composed (NFKC) and case folded, with one letter for those that are read alike (`core.letters`).

    >>> [folded_letters(text) for text in ("\u0130ZM\u0130R", "under\u00adstanding", "5\ufe0f\u20e3")]
    ['izmir', 'understanding', ' 5\u20e3 ']
    """
    if text.isascii():
        return text.lower()
    tables = _tables()
    folded = composed_and_folded(tables.before.sub(tables.replace_before, text))
    if not tables.odd.search(folded):
        return folded
    translated = tables.after.sub(tables.replace_after, folded)
    translated = translated.replace(DOT_OF_I, "i").replace(NUMBER_SIGN_KEYCAP, " ")
    return _KEYCAP.sub(" \\g<0> ", _STRAY_MARKS.sub("", translated))


def composed_and_folded(text: str) -> str:
    r"""Return `text` composed (NFKC), then case folded (full folding).

    >>> composed_and_folded("ＳＴＲＡＳＳＥ Straße"), composed_and_folded("\U0001ccd6")
    ('strasse strasse', 'a')
    >>> composed_and_folded("\U000113c2\U000113c2") == "\U000113c5"
    True
    """
    if _newer_characters().isdisjoint(text):
        return normalize("NFKC", text).casefold()
    return "".join(_folds().get(character, character.casefold()) for character in _composed(text))


def _composed(text: str) -> str:
    """Return NFKC by the algorithm of Unicode Standard Annex 15, from what Python and the tables know."""
    composed: list[str] = []
    starter, last_class = -1, 0
    for character in _decomposed(text):
        its_class = _combining_class(character)
        adjacent = starter == len(composed) - 1
        if starter >= 0 and (adjacent or last_class < its_class):
            pair = _pair(composed[starter] + character)
            if pair:
                composed[starter] = pair
                continue
        if its_class == 0:
            starter = len(composed)
        last_class = its_class
        composed.append(character)
    return "".join(composed)


def _decomposed(text: str) -> list[str]:
    """Return the characters of the compatibility decomposition, marks in canonical order."""
    parts = (_decompositions().get(character) or normalize("NFKD", character) for character in text)
    ordered: list[str] = []
    marks: list[str] = []
    for character in "".join(parts):
        if _combining_class(character):
            marks.append(character)
            continue
        ordered += [*sorted(marks, key=_combining_class), character]
        marks = []
    return ordered + sorted(marks, key=_combining_class)


def _combining_class(character: str) -> int:
    return _combining_classes().get(character) or combining(character)


def _pair(characters: str) -> str | None:
    """Return the one character that two are composed to, None if there is none."""
    composed = _compositions().get(characters) or normalize("NFC", characters)
    return composed if len(composed) == 1 else None


class _Tables(NamedTuple):
    """Each translation as a pattern and what replaces a match: a text has few characters to translate."""

    before: re.Pattern[str]
    replace_before: Callable[[re.Match[str]], str]
    odd: re.Pattern[str]
    after: re.Pattern[str]
    replace_after: Callable[[re.Match[str]], str]


@cache
def _tables() -> _Tables:
    return _Tables(
        re.compile(before().guard),
        _replacement(before()),
        re.compile(ODD),
        re.compile(after().guard),
        _replacement(after()),
    )


def _replacement(translation: Translation) -> Callable[[re.Match[str]], str]:
    source, target = translation
    by_sign = dict(zip_longest(source, target, fillvalue=""))
    return lambda match: by_sign[match[0]]


@cache
def _newer_characters() -> frozenset[str]:
    first_of_pairs = frozenset(pair[0] for pair in _compositions())
    return first_of_pairs.union(_decompositions(), _folds(), _combining_classes())


@cache
def _decompositions() -> dict[str, str]:
    return _texts(DECOMPOSITIONS)


@cache
def _compositions() -> dict[str, str]:
    """Return characters by the two that they are composed of."""
    whole = {_decompositions()[character]: character for character in _characters(COMPOSED)}
    return {whole.get(parts[:-1], parts[:-1]) + parts[-1]: character for parts, character in whole.items()}


@cache
def _folds() -> dict[str, str]:
    return _texts(FOLDS)


@cache
def _combining_classes() -> dict[str, int]:
    pairs = (word.split(":") for word in COMBINING_CLASSES.split())
    return {chr(int(number, 16)): int(its_class) for number, its_class in pairs}


def _texts(table: str) -> dict[str, str]:
    pairs = (word.split(":") for word in table.split())
    return {chr(int(number, 16)): "".join(_characters(text.replace(",", " "))) for number, text in pairs}


def _characters(table: str) -> list[str]:
    return [chr(int(number, 16)) for number in table.split()]
