"""Nouns among the function words: which of a language's most frequent nouns its list drops from a text.

Frequencies are those of wordfreq, nouns those of lexica: spaCy's lookups, a German Wiktionary, pymorphy3's
morphology. All are packages that only this evaluation needs.
"""

import csv
import gzip
import json
from collections.abc import Callable, Iterable
from importlib import import_module
from importlib.resources import files
from itertools import islice
from typing import Any

from core.errors import NotReadyError
from core.function_words import LANGUAGES, function_words

MOST_FREQUENT = 10_000
_WORDS = 60_000
"""Words of a language, most frequent first, among which nouns are looked for."""
_PACKAGES = "wordfreq spacy-lookups-data german-nouns pymorphy3 pymorphy3-dicts-ru pymorphy3-dicts-uk".split()
IsNoun = Callable[[str], bool]


def show_nouns() -> None:
    """Print, by language, how many frequent nouns its list of function words has, and which.

    Raises NotReadyError if a package is missing.
    """
    try:
        top_n_list = import_module("wordfreq").top_n_list
        lexica = {language: load(language) for language, load in _LEXICA.items()}
    except ModuleNotFoundError as error:
        raise NotReadyError(
            f"The lexica of nouns are missing ({error.name}). Run: pip install {' '.join(_PACKAGES)}"
        ) from error
    for language, is_noun in lexica.items():
        words: Iterable[str] = (word for word in top_n_list(language, _WORDS) if len(word) > 1)
        nouns = list(islice(filter(is_noun, words), MOST_FREQUENT))
        listed = listed_nouns(language, nouns)
        print(f"{language}: {len(listed)} of the {len(nouns):,} most frequent nouns: {' '.join(listed)}")


def listed_nouns(language: str, nouns: Iterable[str]) -> list[str]:
    """Return those of `nouns` that are function words of their language.

    >>> listed_nouns("en", ["time", "will", "have", "war"])
    ['have']
    """
    bit = 1 << LANGUAGES.index(language)
    known = function_words()
    return [word for word in nouns if word in known and known[word].languages & bit]


def _spacy_file(name: str) -> Any:
    return json.loads(gzip.decompress((files("spacy_lookups_data") / f"data/{name}.json.gz").read_bytes()))


def _in_index(language: str) -> IsNoun:
    return {word.lower() for word in _spacy_file(f"{language}_lemma_index")["noun"]}.__contains__


def _in_lookup(language: str) -> IsNoun:
    nouns: set[str] = set()
    for form, lemmas in _spacy_file(f"{language}_lemma_lookup_noun").items():
        nouns.update(word.lower() for word in (form, *([lemmas] if isinstance(lemmas, str) else lemmas)))
    return nouns.__contains__


def _in_german_wiktionary(language: str) -> IsNoun:
    lines = (files("german_nouns") / "nouns.csv").read_text(encoding="utf-8").splitlines()
    return {row["lemma"].lower() for row in csv.DictReader(lines)}.__contains__


def _by_morphology(language: str) -> IsNoun:
    parse = import_module("pymorphy3").MorphAnalyzer(lang=language).parse

    def is_noun(word: str) -> bool:
        return any("NOUN" in form.tag and form.normal_form == word for form in parse(word) if form.is_known)

    return is_noun


_LEXICA: dict[str, Callable[[str], IsNoun]] = {
    **dict.fromkeys(("en", "es", "fr", "nl", "el", "fa"), _in_index),
    **dict.fromkeys(("it", "pl"), _in_lookup),
    "de": _in_german_wiktionary,
    **dict.fromkeys(("ru", "uk"), _by_morphology),
}
