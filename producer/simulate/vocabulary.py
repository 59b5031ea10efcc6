"""Make words from a language and a frequency rank: an endless vocabulary in ten scripts, under Zipf's law.

Vocabulary grows as tokens^0.8 if ranks follow a power law with exponent 1/0.8, as in the real posts: about
four in five words of a day are then seen once. There is no table: a word is computed from its rank.
"""

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from producer.simulate import wordlists as lists

ZIPF_EXPONENT = 1.25
HEAD = 12.0
"""Flattens the head: the most frequent word makes up about 0.25 / HEAD of a language's tokens."""
LARGEST_RANK = 2**36
CACHED_RANKS = 20_000


def draw_ranks(
    random: np.random.Generator, size: int, *, exponent: float, head: float, largest: int = LARGEST_RANK
) -> NDArray[np.int64]:
    """Draw `size` ranks from 0 under Zipf-Mandelbrot, by inverting its tail.

    P(rank >= r) = ((r + head) / head)^(1 - exponent).
    """
    ranks = head * (1.0 - random.random(size)) ** (1.0 / (1.0 - exponent)) - head
    return np.minimum(ranks, float(largest)).astype(np.int64)


def rank_probability(rank: int) -> float:
    """Return the share of the word of `rank` in a language's tokens."""
    at_least, above = ((first + HEAD) / HEAD for first in (rank, rank + 1))
    return math.pow(at_least, 1 - ZIPF_EXPONENT) - math.pow(above, 1 - ZIPF_EXPONENT)


@dataclass(frozen=True)
class Language:
    """A language: its share of the posts, the UTC hour when it peaks, and what its words are made of."""

    name: str
    share: float
    peak_hour: float
    first_words: list[str]
    onsets: list[str]
    vowels: list[str] = field(default_factory=lambda: [""])
    separator: str = " "

    @cached_property
    def _syllables(self) -> list[str]:
        return [onset + vowel for onset in self.onsets for vowel in self.vowels]

    @cached_property
    def _first_words(self) -> frozenset[str]:
        return frozenset(self.first_words)

    @cached_property
    def _words(self) -> dict[int, str]:
        return {}

    def word(self, rank: int) -> str:
        """Return the word of `rank`; 0 is the most frequent."""
        word = self._words.get(rank)
        if word is None:
            word = self._make_word(rank)
            if rank < CACHED_RANKS:
                self._words[rank] = word
        return word

    def _make_word(self, rank: int) -> str:
        if rank < len(self.first_words):
            return self.first_words[rank]
        word = spell(rank - len(self.first_words), self._syllables)
        return word + self._syllables[0] if word in self._first_words else word


def spell(number: int, syllables: list[str]) -> str:
    """Return word number `number` made of `syllables`: first all words of two, then of three, and so on."""
    length, words = 2, len(syllables) ** 2
    while number >= words:
        number -= words
        length, words = length + 1, words * len(syllables)
    # Multiplying by a coprime shuffles the words of one length, so that neighbours do not look alike.
    number = number * 1_000_003 % words
    spelled = []
    for _ in range(length):
        number, position = divmod(number, len(syllables))
        spelled.append(syllables[position])
    return "".join(spelled)


LANGUAGES = (
    Language("en", 0.36, 0.0, lists.ENGLISH, lists.LATIN_ONSETS, lists.LATIN_VOWELS),
    Language("es", 0.13, 1.0, lists.SPANISH, lists.LATIN_ONSETS, lists.SPANISH_VOWELS),
    Language("pt", 0.08, 23.0, lists.PORTUGUESE, lists.LATIN_ONSETS, lists.PORTUGUESE_VOWELS),
    Language("ru", 0.11, 18.0, lists.RUSSIAN, lists.CYRILLIC_ONSETS, lists.CYRILLIC_VOWELS),
    Language("ar", 0.08, 19.0, lists.ARABIC, lists.ARABIC_ONSETS, lists.ARABIC_VOWELS),
    Language("hi", 0.08, 15.0, lists.HINDI, lists.DEVANAGARI_ONSETS, lists.DEVANAGARI_VOWELS),
    Language("zh", 0.04, 13.0, lists.CHINESE, lists.HAN_CHARACTERS, separator=""),
    Language("ja", 0.04, 12.0, lists.JAPANESE, lists.KANA_SYLLABLES, separator=""),
    Language("th", 0.04, 14.0, lists.THAI, lists.THAI_ONSETS, lists.THAI_VOWELS, separator=""),
    Language("ko", 0.04, 12.5, lists.KOREAN, lists.HANGUL_SYLLABLES),
)
LANGUAGE_NUMBERS = {language.name: number for number, language in enumerate(LANGUAGES)}


def coined_word(number: int, *, cyrillic: bool = False) -> str:
    """Return coined word number `number`, which no language has: its onsets are in no vocabulary."""
    onsets, vowels = lists.UNUSED_ONSETS, lists.UNUSED_VOWELS
    if cyrillic:
        onsets, vowels = lists.UNUSED_CYRILLIC_ONSETS, lists.CYRILLIC_VOWELS
    syllables = [onset + vowel for onset in onsets for vowel in vowels]
    return spell(number + len(syllables) ** 2, syllables)
