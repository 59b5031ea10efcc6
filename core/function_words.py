"""Function words by language: which words of a text are dropped because of the language it is written in.

`core/word_lists/` has the words of each language and, in ambiguous.txt, those that mean something in another
one: `war` is a verb form in German and a noun in English. An ambiguous word is dropped only where the other
function words show that the text is in a language that has it as a function word.
"""

from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from core.text_folding import folded_letters

LANGUAGES = """
    ar bg bn cs da de el en es fa fi fr he hi hu id it ja ko ms nl no pl pt ro ru sk sv sw th tl tr uk ur vi
    zh
""".split()
UNKNOWN = -1
"""The languages of a text without an unambiguous function word: all bits."""


class FunctionWord(NamedTuple):
    """What is known of a function word."""

    languages: int
    """A bit for each of LANGUAGES that has it."""
    ambiguous: bool
    """Whether it means something in another language."""


@cache
def function_words() -> dict[str, FunctionWord]:
    """Return the function words of all languages as the keyword rule writes them.

    >>> function_words()["the"].ambiguous, function_words()["war"].ambiguous, "indonesia" in function_words()
    (False, True, False)
    """
    lists = files("core") / "word_lists"
    ambiguous = {
        folded_letters(line.split()[0]) for line in (lists / "ambiguous.txt").read_text().splitlines()
    }
    languages: dict[str, int] = {}
    for place, language in enumerate(LANGUAGES):
        for word in folded_letters((lists / f"{language}.txt").read_text()).split():
            languages[word] = languages.get(word, 0) | 1 << place
    return {word: FunctionWord(bits, word in ambiguous) for word, bits in languages.items()}


def languages_of(words: Iterable[str]) -> int:
    """Return the languages that have all unambiguous function words among `words`; UNKNOWN without any.

    >>> names_of(languages_of(["das", "war", "nicht"]))
    ['de']
    """
    sure, languages = _bits_of_sure_words(), UNKNOWN
    for word in words:
        if word in sure:
            languages &= sure[word]
    return languages


def without_function_words(words: list[str]) -> list[str]:
    """Return the words of a text without its function words; a hashtag begins with # and stays.

    An ambiguous one is dropped if one of the text's languages has it.

    >>> without_function_words(["das", "war", "gut"]), without_function_words(["the", "war", "#the"])
    (['gut'], ['war', '#the'])
    >>> without_function_words(["war"])
    ['war']
    """
    languages = languages_of(words)
    if languages == UNKNOWN:
        return words
    sure, ambiguous = _bits_of_sure_words(), _bits_of_ambiguous_words()
    return [
        word for word in words if word not in sure and not (word in ambiguous and languages & ambiguous[word])
    ]


@cache
def _bits_of_sure_words() -> dict[str, int]:
    return {word: known.languages for word, known in function_words().items() if not known.ambiguous}


@cache
def _bits_of_ambiguous_words() -> dict[str, int]:
    return {word: known.languages for word, known in function_words().items() if known.ambiguous}


def names_of(languages: int) -> list[str]:
    """Return the codes of languages that are given as bits."""
    return [language for place, language in enumerate(LANGUAGES) if languages >> place & 1]


def is_searched_for(watched: str) -> bool:
    """Return whether counting has to search for a watched keyword: a phrase, or a function word.

    >>> [is_searched_for(keyword) for keyword in ("new york", "was", "york")]
    [True, True, False]
    """
    return " " in watched or watched in function_words()


def is_counted_only_if_watched(keyword: str) -> bool:
    """Return whether the keyword rule alone never finds `keyword`, but for a hashtag.

    >>> [is_counted_only_if_watched(keyword) for keyword in ("new york", "that", "war")]
    [True, True, False]
    """
    known = function_words().get(keyword)
    return " " in keyword or (known is not None and not known.ambiguous)
