"""Which characters are written differently and read alike: two translations around composition and folding.

Both forms of the keyword rule use them: `BEFORE` on the text as it is posted, because composition (NFKC)
takes some characters apart that their writers see as one; `AFTER` on the folded text. Each is guarded by a
class of characters, without any of which a text stays as it is.
"""

from functools import cache
from typing import NamedTuple
from unicodedata import decomposition, normalize

from core.unicode_tables import EMOJI, IGNORABLE

_PRIVATE_USE = 0xF0000
_SARA_AM = "\u0e33\u0eb3"
_HANGUL_LETTERS = "".join(map(chr, [*range(0x3131, 0x3164), *range(0x3165, 0x318F)]))
_HALF_WIDTH_HANGUL = "".join(chr(number) for number in range(0xFFA1, 0xFFDD) if decomposition(chr(number)))
_HANGUL_FILLERS = "\u115f\u1160"
_ORDINALS = "\u00aa\u00ba"
_LETTERS_AS_ONE_SIGN = "\u2116\u2120\u2121"
"""Signs for number, service mark and telephone: composition would join their letters to the word beside."""
_VOICED_MARKS, _COMBINING_VOICED_MARKS = "\u309b\u309c", "\u3099\u309a"
_FULL_WIDTH_TILDE, _WAVE_DASH = "\uff5e", "\u301c"

_APOSTROPHES = "\u2018\u2019\u02bb\u02bc\u05f3"
_GERSHAYIM = "\u05f4"
_ARABIC_YEH_KAF, _PERSIAN_YEH_KAF = "\u064a\u0643", "\u06cc\u06a9"
_ARABIC_SIGNS = "".join(
    map(
        chr,
        [
            *range(0x610, 0x61B),
            0x640,
            *range(0x64B, 0x660),
            0x670,
            *range(0x6D6, 0x6DD),
            *range(0x6DF, 0x6E5),
        ],
    )
)
"""Vowel signs, the stretching tatweel, and marks of recitation."""
_HEBREW_POINTS = "".join(map(chr, [*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7]))
_LINES_THROUGH_LETTERS = "\u0305\u0332\u0333\u0335\u0336\u0337\u0338\u035f"
_SKIN_TONES = "".join(map(chr, range(0x1F3FB, 0x1F400)))
_VARIATIONS_OF_HAN = "".join(map(chr, range(0xE0100, 0xE01F0)))
_STILL_MEANT = {
    *range(0x200B, 0x200E),
    *range(0x202A, 0x202F),
    *range(0x2065, 0x2070),
    *range(0x115F, 0x1161),
}
"""Ignorable characters that separate or join, or that stand for a blank."""


class Translation(NamedTuple):
    """Characters of `source` become the one at the same place of `target`, or nothing beyond its end."""

    source: str
    target: str

    @property
    def guard(self) -> str:
        """A class of characters, as a pattern: at least those of `source`."""
        return f"[{ranges_in(self.source)}]"


def ranges_of(table: str) -> str:
    """Return a table of ranges in `core.unicode_tables` as it is written between the brackets of a class.

    >>> ranges_of("61-7A 5F")
    'a-z_'
    """
    words = (word.split("-") for word in table.split())
    return "".join("-".join(chr(int(number, 16)) for number in limits) for limits in words)


def characters_of(table: str) -> str:
    """Return the characters of a table of ranges in `core.unicode_tables`.

    >>> characters_of("41-43 5F")
    'ABC_'
    """
    limits = ([int(number, 16) for number in word.split("-")] for word in table.split())
    return "".join(
        chr(number) for first, *last in limits for number in range(first, (last or [first])[0] + 1)
    )


@cache
def kept_from_composition() -> str:
    """Return the characters that composition takes apart and that stay whole.

    Korean letters (`ㅋㅋㅋ`), AM of Thai and Lao, and emoji such as the trade mark sign.
    """
    emoji = (sign for sign in characters_of(EMOJI) if normalize("NFKC", sign) != sign)
    return _HANGUL_LETTERS + _SARA_AM + "".join(emoji)


@cache
def before() -> Translation:
    """Return the translation of a text as it is posted: what stays whole becomes private use characters."""
    kept = kept_from_composition()
    private = "".join(chr(_PRIVATE_USE + place) for place in range(len(kept)))
    full_width = "".join(chr(int(decomposition(half).split()[1], 16)) for half in _HALF_WIDTH_HANGUL)
    pairs = dict(zip(kept, private, strict=True))
    blanks = _LETTERS_AS_ONE_SIGN
    source = kept + _HALF_WIDTH_HANGUL + _VOICED_MARKS + _FULL_WIDTH_TILDE + blanks + _ORDINALS
    halves = "".join(pairs.get(letter, " ") for letter in full_width)
    target = private + halves + _COMBINING_VOICED_MARKS + _WAVE_DASH + " " * len(blanks)
    return Translation(source, target)


@cache
def after() -> Translation:
    """Return the translation of a folded text: one letter for those that are read alike."""
    kept = kept_from_composition()
    private = "".join(chr(_PRIVATE_USE + place) for place in range(len(kept)))
    source = private + _APOSTROPHES + _GERSHAYIM + _ARABIC_YEH_KAF + _HANGUL_FILLERS
    target = kept + "'" * len(_APOSTROPHES) + '"' + _PERSIAN_YEH_KAF + " " * len(_HANGUL_FILLERS)
    ignorable = "".join(
        sign for sign in characters_of(IGNORABLE) if ord(sign) < 0xFFF0 and ord(sign) not in _STILL_MEANT
    )
    dropped = _ARABIC_SIGNS + _HEBREW_POINTS + _LINES_THROUGH_LETTERS + ignorable + _SKIN_TONES
    return Translation(source + "".join(dict.fromkeys(dropped + _VARIATIONS_OF_HAN)), target)


def ranges_in(characters: str) -> str:
    """Return `characters` as ranges between brackets."""
    runs: list[list[int]] = []
    for number in sorted(map(ord, characters)):
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return "".join(chr(first) if first == last else f"{chr(first)}-{chr(last)}" for first, last in runs)
