"""The keyword rule, from a post's text to its keywords, as Spark columns for stream, batch and checks.

Text is first composed (NFKC) and case folded (Unicode Standard Annex 15 and chapter 5.18). A keyword is then
- a word of any script with its marks and digits, inner apostrophes included: `don't`, `любовь`, `covid19`;
- a whole hashtag without its #, so that `#fyp` and `fyp` are counted as one keyword;
- a pair of adjacent characters in scripts written without spaces (Han, Kana, Thai, Lao, Khmer, Myanmar);
- an emoji, with sequences and flags kept whole and skin tones and presentation selectors dropped.
Mentions, URLs, single letters, plain numbers and stop words are not keywords.
"""

import zlib
from collections.abc import Callable, Sequence
from functools import cache

import stopwordsiso
from pyspark.sql import Column
from pyspark.sql import functions as F

KEYWORD_RULE_VERSION = "keywords-1"
ALL_POSTS = ""
"""Value of the keyword column in rows that count all posts; no keyword is empty."""
MAX_KEYWORDS_PER_POST = 100
MAX_KEYWORD_CHARACTERS = 64
STOP_BUCKETS = 8192

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

# The range comes first because it rules out most letters at once; every script costs a search per letter.
_UNSPACED = (
    r"[\u0E00-\x{10FFFF}&&"
    r"[\p{IsHan}\p{IsHiragana}\p{IsKatakana}\u30FC\p{IsThai}\p{IsLao}\p{IsKhmer}\p{IsMyanmar}]]"
)
_ANY = r"[\p{L}\p{M}\p{N}_]"
_LETTER = rf"[{_UNSPACED}&&[^\p{{M}}]]"
_WORD = rf"[\p{{L}}\p{{M}}\p{{N}}_&&[^{_UNSPACED}]]"
_PICTURE = r"[\x{1F000}-\x{1F1E5}\x{1F200}-\x{1FAFF}\u2600-\u27BF\u231A\u231B\u23E9-\u23FA\u2B50\u2B55]"
_EMOJI = rf"[\x{{1F1E6}}-\x{{1F1FF}}]{{2}}|{_PICTURE}(?:\u200D{_PICTURE})*"

LINK_OR_MENTION = r"(?:https?://|www\.)\S+|@[\p{L}\p{M}\p{N}_.]+"
SELECTOR = r"[\uFE0E\uFE0F\x{1F3FB}-\x{1F3FF}]"
# Lookaheads exclude numbers before a word is matched; a token has two characters or more; (?<=#) matches a
# whole hashtag.
TOKEN = (
    rf"(?<=#)(?![\p{{N}}_]+(?!{_ANY})){_ANY}{{2,}}"
    rf"|(?![\p{{N}}_]+(?!{_WORD})){_WORD}{{2,}}(?:'{_WORD}+)*|{_EMOJI}"
)
ASCII_TOKEN = r"(?![0-9_]+(?![a-z0-9_]))[a-z0-9_]{2,}(?:'[a-z0-9_]+)*"  # noqa: S105 - a pattern, not a secret
HASHTAG = rf"#{_ANY}+"
HASH_SIGN = r"[#\uFF03\uFE5F]"
PAIR = rf"(?=({_LETTER}\p{{M}}*{_LETTER}\p{{M}}*)){_LETTER}"


def keywords(text: Column, phrases: Sequence[str] = ()) -> Column:
    """Return the distinct keywords of `text` (string) as an array of strings; empty for null.

    They are in order of first appearance: at most 100 per post, each cut at 64 characters. NUL and other
    control characters separate words. `phrases`, written as `phrase_tokens` joined by spaces, are keywords of
    the texts that contain their words in sequence; they come first.
    """
    tokens = phrase_tokens(text)
    if not phrases:
        return _keywords_of(text, tokens)

    def with_phrases(tokens: Column) -> Column:
        # Split, so that a list of any length is a single literal.
        watched = F.split(F.lit("\n".join(phrases)), "\n")
        joined = F.concat(F.lit(" "), F.array_join(tokens, " "), F.lit(" "))
        present = F.filter(
            watched, lambda phrase: F.contains(joined, F.concat(F.lit(" "), phrase, F.lit(" ")))
        )
        return F.slice(F.concat(present, _keywords_of(text, tokens)), 1, MAX_KEYWORDS_PER_POST)

    return _evaluated_once(tokens, with_phrases)


def phrase_tokens(text: Column) -> Column:
    """Return all words of `text` as the rule writes them, in order, with stop words and repetitions."""
    plain = ~F.coalesce(text, F.lit("")).rlike(r"[^\x00-\x7F]")
    return F.when(plain, _plain_tokens(text)).otherwise(_evaluated_once(_folded(text), _tokens))


def hashtags(text: Column) -> Column:
    """Return the distinct hashtags of `text` (string) without #; empty for null.

    Composed and folded like keywords, with stop words and numbers; at most 100 per post, each cut at 64
    characters.
    """
    tags = F.regexp_extract_all(folded(text), F.lit(HASHTAG), 0)
    names = F.transform(tags, lambda tag: F.substring(tag, 2, MAX_KEYWORD_CHARACTERS))
    return F.when(
        text.rlike(HASH_SIGN), F.slice(F.array_distinct(names), 1, MAX_KEYWORDS_PER_POST)
    ).otherwise(F.array().cast("array<string>"))


def folded(text: Column) -> Column:
    """Return `text` as the rule reads it: composed, case folded, no links or mentions; null for null."""
    plain = F.regexp_replace(F.lower(text), LINK_OR_MENTION, " ")
    return F.when(text.rlike(r"[^\x00-\x7F]"), _folded(text)).otherwise(plain)


def _keywords_of(text: Column, tokens: Column) -> Column:
    cut = F.when(
        text.rlike(r"\S{65}"), F.transform(tokens, lambda token: F.left(token, F.lit(MAX_KEYWORD_CHARACTERS)))
    ).otherwise(tokens)
    kept = F.filter(cut, lambda token: ~_is_stop_word(token))
    return F.slice(F.array_distinct(kept), 1, MAX_KEYWORDS_PER_POST)


def _plain_tokens(text: Column) -> Column:
    """Return the tokens of an ASCII text: the same rule, with a pattern that is several times faster."""
    lowered = F.regexp_replace(F.lower(F.coalesce(text, F.lit(""))), LINK_OR_MENTION, " ")
    return F.regexp_extract_all(lowered, F.lit(ASCII_TOKEN), 0)


def _folded(text: Column) -> Column:
    composed = F.reflect(F.lit("com.ibm.icu.text.Normalizer"), F.lit("compose"), text, F.lit(True))
    folded = F.reflect(F.lit("com.ibm.icu.lang.UCharacter"), F.lit("foldCase"), composed, F.lit(True))
    return F.regexp_replace(
        F.replace(folded, F.lit("\u2019"), F.lit("'")), f"{LINK_OR_MENTION}|{SELECTOR}", " "
    )


def _evaluated_once(value: Column, use: Callable[[Column], Column]) -> Column:
    """Return `use(value)` with `value` evaluated once.

    Spark interprets expressions inside functions such as `filter`, and would evaluate `value` wherever `use`
    names it.
    """
    return F.element_at(F.transform(F.array(value), use), 1)


def _tokens(folded: Column) -> Column:
    tokens = F.regexp_extract_all(folded, F.lit(TOKEN), 0)
    pairs = F.regexp_extract_all(F.regexp_replace(folded, HASHTAG, " "), F.lit(PAIR), 1)
    return F.when(folded.rlike(f"[{_UNSPACED}]"), F.concat(tokens, pairs)).otherwise(tokens)


@cache
def stop_words() -> frozenset[str]:
    """Return the stop words of common languages (stopwordsiso), folded, without nouns that may be news."""
    words = {word.casefold().replace("\u2019", "'") for word in stopwordsiso.stopwords(STOP_LANGUAGES)}
    return frozenset(word for word in words if " " not in word) - NOT_STOP_WORDS


def _is_stop_word(token: Column) -> Column:
    """Return whether `token` is a stop word: its CRC-32 selects the one of `STOP_BUCKETS` lines to search.

    `isin` with 15,000 literals would run as fast, but costs 70 ms of planning in every batch of the stream.
    """
    lines = F.split(F.lit(_stop_word_lines()), "\n")
    line = F.element_at(lines, (F.crc32(token.cast("binary")) % STOP_BUCKETS + 1).cast("int"))
    return F.contains(line, F.concat(F.lit(" "), token, F.lit(" ")))


@cache
def _stop_word_lines() -> str:
    buckets: list[list[str]] = [[] for _ in range(STOP_BUCKETS)]
    for word in sorted(stop_words()):
        buckets[zlib.crc32(word.encode()) % STOP_BUCKETS].append(word)
    return "\n".join(f" {' '.join(words)} " for words in buckets)
