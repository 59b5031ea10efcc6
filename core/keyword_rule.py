"""What both forms of the keyword rule share: version, limits, stop words, and its patterns.

`core.keywords` applies the rule to Spark columns, `core.text_keywords` to single texts in Python. Java's and
Python's patterns differ in how they write the classes of characters, so a pattern is put together from those.

Text is first composed (NFKC) and case folded (Unicode Standard Annex 15 and chapter 5.18). A keyword is then
- a word of any script with its marks and digits, inner apostrophes included: `don't`, `любовь`, `covid19`;
- a whole hashtag without its #, so that `#fyp` and `fyp` are counted as one keyword;
- a pair of adjacent characters in scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar);
- an emoji, with sequences and flags kept whole and skin tones and presentation selectors dropped.
Mentions, URLs, single letters, plain numbers and stop words are not keywords.
"""

from functools import cache
from typing import NamedTuple

import stopwordsiso

KEYWORD_RULE_VERSION = "keywords-1"
ALL_POSTS = ""
"""Value of the keyword column in rows that count all posts; no keyword is empty."""
MAX_KEYWORDS_PER_POST = 100
MAX_KEYWORD_CHARACTERS = 64

STOP_LANGUAGES = """
    ar bg bn cs da de el en es fa fi fr he hi hu id it ja ko ms nl no pl pt ro ru sk sv sw th tl tr uk ur vi
    zh
""".split()
# The English list of stopwordsiso comes from search engines and includes nouns that may well be news.
NOT_STOP_WORDS = frozenset(
    """
    case computer face fact film fire group help home interest member million money news number order room
    system test text usa work works world year young
    """.split()
)


class CharacterClasses(NamedTuple):
    """What the patterns call a character, each as it is written between the brackets of a class."""

    any: str
    """Letters, marks, numbers and the underscore."""
    word: str
    """The same without scripts that are written without spaces."""
    letter: str
    """Characters of those scripts that are not marks."""
    unspaced: str
    """Characters of those scripts."""
    number: str
    """Numbers and the underscore."""
    mark: str


class Patterns(NamedTuple):
    """The patterns of the rule for folded text with characters beyond ASCII."""

    token: str
    pair: str
    """Group 1 is the pair; matches overlap."""
    hashtag: str
    link_or_mention: str
    unspaced: str


# The range comes first because it rules out most letters at once; every script costs a search per letter.
_JAVA_UNSPACED = (
    r"[\u0E00-\x{10FFFF}&&"
    r"[\p{IsHan}\p{IsHiragana}\p{IsKatakana}\u30FC\p{IsThai}\p{IsLao}\p{IsKhmer}\p{IsMyanmar}]]"
)
JAVA_CLASSES = CharacterClasses(
    any=r"\p{L}\p{M}\p{N}_",
    word=rf"\p{{L}}\p{{M}}\p{{N}}_&&[^{_JAVA_UNSPACED}]",
    letter=rf"{_JAVA_UNSPACED}&&[^\p{{M}}]",
    unspaced=_JAVA_UNSPACED,
    number=r"\p{N}_",
    mark=r"\p{M}",
)

# Characters beyond U+FFFF are in the patterns as they are, because Java and Python escape them differently.
_PICTURE = "[\U0001f000-\U0001f1e5\U0001f200-\U0001faff\u2600-\u27bf\u231a\u231b\u23e9-\u23fa\u2b50\u2b55]"
_EMOJI = f"[\U0001f1e6-\U0001f1ff]{{2}}|{_PICTURE}(?:\u200d{_PICTURE})*"

SELECTOR = "[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]"
ASCII_TOKEN = r"(?![0-9_]+(?![a-z0-9_]))[a-z0-9_]{2,}(?:'[a-z0-9_]+)*"  # noqa: S105 - a pattern, not a secret
HASH_SIGN = r"[#\uFF03\uFE5F]"
BEYOND_ASCII = r"[^\x00-\x7F]"
LONG_RUN = rf"\S{{{MAX_KEYWORD_CHARACTERS + 1}}}"
"""Only texts in which this matches are searched for keywords to cut."""


def patterns(classes: CharacterClasses) -> Patterns:
    r"""Return the patterns over `classes`; `\S` in them means all but ASCII blanks, as by default in Java."""
    any_, word, letter = f"[{classes.any}]", f"[{classes.word}]", f"[{classes.letter}]"
    number, marks = f"[{classes.number}]", f"[{classes.mark}]*"
    return Patterns(
        # Lookaheads exclude numbers before a word is matched; a token has two characters or more; (?<=#)
        # matches a whole hashtag.
        token=(
            rf"(?<=#)(?!{number}+(?!{any_})){any_}{{2,}}"
            rf"|(?!{number}+(?!{word})){word}{{2,}}(?:'{word}+)*|{_EMOJI}"
        ),
        pair=rf"(?=({letter}{marks}{letter}{marks})){letter}",
        hashtag=f"#{any_}+",
        link_or_mention=rf"(?:https?://|www\.)\S+|@[{classes.any}.]+",
        unspaced=f"[{classes.unspaced}]",
    )


@cache
def stop_words() -> frozenset[str]:
    """Return the stop words of common languages (stopwordsiso), folded, without nouns that may be news."""
    words = {word.casefold().replace("\u2019", "'") for word in stopwordsiso.stopwords(STOP_LANGUAGES)}
    return frozenset(word for word in words if " " not in word) - NOT_STOP_WORDS
