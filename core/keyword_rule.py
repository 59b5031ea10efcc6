"""What both forms of the keyword rule share: version, limits, and its patterns.

`core.keywords` applies the rule to Spark columns, `core.text_keywords` to single texts in Python. Java's and
Python's patterns differ in how they write the classes of characters, so a pattern is put together from those.

Text is first composed (NFKC) and case folded (Unicode Standard Annex 15 and chapter 5.18), and letters that
are read alike become one (`core.letters`). A keyword is then
- a word of any script with its marks and digits, inner apostrophes and joiners included: `don't`, `covid19`;
- a whole hashtag without its #, so that `#fyp` and `fyp` are counted as one keyword;
- a pair of adjacent characters in scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar);
- an emoji by Unicode's data, with sequences, flags and keycaps kept whole, skin tones and selectors dropped.
Mentions, links, single letters, plain numbers, and the function words of the text's own language
(`core.function_words`) are not keywords; as a hashtag, a single letter and a function word are.
"""

from typing import NamedTuple

from core.letters import after, ranges_of
from core.unicode_tables import EMOJI

KEYWORD_RULE_VERSION = "keywords-2"
ALL_POSTS = ""
"""Value of the keyword column in rows that count all posts; no keyword is empty."""
MAX_KEYWORDS_PER_POST = 100
MAX_KEYWORD_CHARACTERS = 64


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
    """A hashtag keeps its #."""
    pair: str
    """Group 1 is the pair; matches overlap."""
    hashtag: str
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

_BEFORE_APOSTROPHE = "[og\u0430-\u045f\u0491]"
"""Letters that begin a word even if an apostrophe follows: o'zbek, g'alaba, м'яч; not French l'amour."""
_HEBREW_QUOTE = '(?<=[\u05d0-\u05ea]")(?=[\u05d0-\u05ea])'
"""In the middle of Hebrew abbreviations."""
_INSIDE_WORD = f"['\u200c\u200d\u00b7\"](?:(?<=['\u200c\u200d])|(?<=l\u00b7)(?=l)|{_HEBREW_QUOTE})"
"""What joins the parts of a word; a raised dot only in Catalan. One class comes first, to fail fast."""
_INSIDE_HASHTAGS = "\u200c\u200d\u00b7\u05be\u0f0b\u3003\u301c\u30a0\u30fb\ua67e"
"""What social platforms let join the parts of a hashtag, beside letters, marks and numbers."""

# Characters beyond U+FFFF are in the patterns as they are, because Java and Python escape them differently.
_TAGS = "[\U000e0020-\U000e007f]"
_REGIONAL = "[\U0001f1e6-\U0001f1ff]"
# The first lookahead rules out all but a few characters at once; the class has ninety ranges.
_PICTURE = f"(?=[\u00a9\u00ae\u203c-\u3299\U0001f000-\U0001fffd])[{ranges_of(EMOJI)}]{_TAGS}*"
_EMOJI = f"{_REGIONAL}{{2}}|{_PICTURE}(?:\u200d{_PICTURE})*|[0-9*]\u20e3"

LINK_SIGN = r"[.:@](?:(?<=:)//|(?<=[^\s.]\.)[^\s.]|(?<=[a-z0-9]@)[a-z0-9])"
"""Only texts in which this matches are searched for links; others may have mentions."""
MENTION = "@[a-z0-9_.]+"
_LINK_CHARACTER = "[!-~\u00a1-\u0dff\u10a0-\u177f\u1800-\u1fff\u2100-\u2fff]"
"""Links end at a blank and at scripts that are written without spaces."""
_COMMON_DOMAINS = "com|net|org|gov|edu"
"""Domains of links without scheme and path; what looks like another may be two words and a full stop."""
LINK_OR_MENTION = (
    rf"(?:https?://|www\.){_LINK_CHARACTER}+"
    r"|(?<![a-z0-9._+-])[a-z0-9._+-]++@[a-z0-9-]++(?:\.[a-z0-9-]++)++"
    r"|(?<![a-z0-9._@-])(?:[a-z0-9-]++\.)+"
    rf"(?:[a-z]{{2,}}+(?::[0-9]++)?/{_LINK_CHARACTER}*"
    rf"|(?:{_COMMON_DOMAINS})(?:\.[a-z]{{2}})?+(?![a-z0-9_])(?:[/?:]{_LINK_CHARACTER}*)?)"
    rf"|{MENTION}"
)
NUMBER_SIGN_KEYCAP = "#\u20e3"
"""It would look like a hashtag."""
KEYCAP = "([0-9*])\u20e3"
_MARK = "[\u0300-\u036f]"
STRAY_MARKS = f"{_MARK}(?:(?<![^ ]{_MARK}){_MARK}*|{_MARK}{{2,}})"
"""Marks on no letter, as of a free-standing accent; and more on one letter than any script writes."""
DOT_OF_I = "i\u0307"
"""What case folding makes of the Turkish capital I with a dot."""
ODD = "[\u0300-\u036f\u20e3" + after().guard[1:]
"""Only folded texts in which this matches are translated."""
ASCII_WORD = (
    r"(?!#?[0-9_]+(?![a-z0-9_]))"
    r"(?:#[a-z0-9_]+(?:'(?!s(?![a-z0-9_]))[a-z0-9_]+)*|(?:[a-z0-9_]{2,}|[og](?='[a-z0-9_]))(?:'[a-z0-9_]+)*)"
)
HASH_SIGN = r"[#\uFF03\uFE5F]"
LONG_RUN = rf"\S{{{MAX_KEYWORD_CHARACTERS + 1}}}"
"""Only texts in which this matches are searched for keywords to cut."""


def patterns(classes: CharacterClasses) -> Patterns:
    r"""Return the patterns over `classes`; `\S` in them means all but ASCII blanks, as by default in Java."""
    any_, word, letter = f"[{classes.any}]", f"[{classes.word}]", f"[{classes.letter}]"
    number, mark = f"[{classes.number}]", f"[{classes.mark}]"
    joined = rf"(?:(?<=[{_INSIDE_HASHTAGS}])|{_HEBREW_QUOTE}|(?<=')(?!s(?!{any_})))"
    hashtag = rf"#{any_}+(?:[{_INSIDE_HASHTAGS}'\"]{joined}{any_}+)*"
    return Patterns(
        # Lookaheads exclude numbers before a word is matched.
        token=(
            rf"(?!#{number}+(?!{any_})){hashtag}"
            rf"|(?!{number}+(?!{word}))(?:{word}{{2,}}|{_BEFORE_APOSTROPHE}(?='{word}))"
            rf"(?:{_INSIDE_WORD}{word}+)*"
            rf"|{_EMOJI}"
        ),
        pair=rf"(?=({letter}{mark}*{letter}{mark}*)){letter}",
        hashtag=hashtag,
        unspaced=f"[{classes.unspaced}]",
    )
