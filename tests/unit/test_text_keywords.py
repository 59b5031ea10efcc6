"""The keyword rule in Python; tests/integration/test_text_keywords.py compares it with Spark's."""

import re
from unicodedata import category

import pytest

from core import unicode_tables
from core.keyword_rule import JAVA_CLASSES, CharacterClasses, stop_words
from core.text_folding import composed_and_folded
from core.text_keywords import folded_text, text_keywords, text_tokens

TEXTS = {
    "Corona, corona CORONA corona.": ["corona"],
    "#fyp and fyp": ["fyp"],
    "@some.user look https://t.co/a?b=c www.example.com/x #Dance": ["dance"],
    "90's 2020 12_3 a b covid19 3d": ["covid19", "3d"],
    "rock'n'roll rock’n’roll!": ["rock'n'roll"],
    "Straße STRASSE": ["strasse"],
    "ｆｕｌｌｗｉｄｔｈ 𝓯𝓪𝓷𝓬𝔂": ["fullwidth", "fancy"],
    "cafe\u0301 café": ["café"],
    "любовь #ЛЮБОВЬ": ["любовь"],
    "हिन्दी गाना": ["हिन्दी", "गाना"],
    "コロナ": ["コロ", "ロナ"],
    "#コロナ": ["コロナ"],
    "武漢2020年": ["武漢"],
    "愛": [],
    "👍🏽 👍 ❤️ 👨\u200d👩\u200d👧 🇩🇪🇫🇷": ["👍", "❤", "👨\u200d👩\u200d👧", "🇩🇪", "🇫🇷"],
    "": [],
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_has_these_keywords(text: str) -> None:
    assert text_keywords(text) == [word for word in TEXTS[text] if word not in stop_words()]


def test_no_text_has_no_keywords() -> None:
    assert (text_keywords(None), text_tokens(None), text_keywords(None, ["a b"])) == ([], [], [])


def test_limits_of_length_and_number() -> None:
    assert text_keywords("x" * 100 + " tail9") == ["x" * 64, "tail9"]
    assert text_keywords(" ".join(f"w{number}q" for number in range(150))) == [f"w{n}q" for n in range(100)]
    # Only a long run of the text as it is posted is cut; this one has 64 characters before it is composed.
    assert text_keywords("ﬀ" * 64) == ["ff" * 64]


def test_phrases_come_first_and_need_their_words_in_sequence() -> None:
    assert text_keywords("New York's new york", ["new york", "york new"]) == ["new york", "york's", "york"]
    assert text_keywords("new, york", ["new york"])[0] == "new york"
    assert text_keywords("newyork", ["new york"]) == ["newyork"]


def test_only_ascii_blanks_end_a_link() -> None:
    assert folded_text("a http://x\u2028y z é") == "a   z é"


def test_newer_characters_are_composed_in_any_order_of_marks() -> None:
    grave_below = "\u0316"
    assert composed_and_folded(f"\U000105d2{grave_below}\u0307") == f"\U000105c9{grave_below}"
    assert composed_and_folded(f"\U000105d2\u0307{grave_below}") == f"\U000105c9{grave_below}"
    assert composed_and_folded("\U0001611e\U0001611e\U0001611f") == "\U00016126"
    # The mark below is of a lower class than the accent above, so the accent is not blocked.
    assert composed_and_folded("A\U0001e4ee\u0301\u1100\u1161\u11a8") == "á\U0001e4ee각"


def test_each_class_of_characters_has_a_table_and_the_tables_are_of_this_worlds_letters() -> None:
    assert {name.upper() for name in JAVA_CLASSES._fields} <= vars(unicode_tables).keys()
    for name in CharacterClasses._fields:
        assert re.fullmatch(r"\s*([0-9A-F]+(-[0-9A-F]+)?\s+)+", getattr(unicode_tables, name.upper()))
    numbers = {int(part, 16) for word in unicode_tables.NUMBER.split() for part in word.split("-")}
    assert {category(chr(number))[0] for number in numbers} == {"N", "P"}
