"""The keyword rule in Python; tests/integration/test_text_keywords.py compares it with Spark's."""

import json
import re
from pathlib import Path
from typing import Any
from unicodedata import category

import pytest

from core import unicode_tables
from core.keyword_rule import JAVA_CLASSES, CharacterClasses
from core.text_folding import composed_and_folded
from core.text_keywords import folded_text, text_keywords, text_tokens
from tests.keyword_texts import KEYWORDS

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"


@pytest.mark.parametrize("text", KEYWORDS)
def test_a_text_has_these_keywords(text: str) -> None:
    assert text_keywords(text) == KEYWORDS[text]


def field_cases(name: str) -> list[Any]:
    path = CASES / name
    return json.loads(path.read_text()) if path.exists() else []


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the repository")
def test_the_cases_from_the_field_have_their_keywords() -> None:
    cases = field_cases("keywords.json")
    found = {case["id"]: set(text_keywords(case["text"])) for case in cases}
    assert found == {case["id"]: set(case["expect"]) for case in cases}
    assert len(cases) == 8


@pytest.mark.skipif(not CASES.exists(), reason="the cases are not beside the repository")
def test_the_short_cases_from_the_field_have_what_they_must_have() -> None:
    for case in field_cases("keywords-field.json"):
        found = set(text_keywords(case["text"]))
        joined = {keyword.replace("\u200d", "") for keyword in found}
        assert not found & set(case["must_not"]), case
        for wanted in case["must"]:
            if wanted == "=1":
                assert len(found) == 1, case
            elif wanted.startswith("~"):
                assert wanted[1:].replace("\u200d", "") in joined, case
            else:
                assert wanted in found, case


@pytest.mark.parametrize(
    "spellings",
    [
        "İzmir IZMIR izmir",
        "كتاب کتاب کِتاب كـتاب",
        "Oʻzbek O‘zbek O’zbek O'zbek",
        'צה״ל צה"ל',
        "שָׁלוֹם שלום",
        "葛飾市 葛\U000e0100飾市",
        "น้ำ #น้ำ",
        "#東京～大阪 #東京〜大阪",
        "ﾡﾢ ㄱㄲ",
        "coop co\u00adop co\u2060op \ufeffcoop",
        "like l̶i̶k̶e̶ l\u0305ike",
        "👍🏽 👍 👍🏿",
        "❤ ❤️ ❤︎",
        "🏳️\u200d🌈 🏳\u200d🌈",
        "1️⃣ 1⃣",
    ],
)
def test_what_is_read_alike_is_one_keyword(spellings: str) -> None:
    assert len({tuple(text_keywords(spelling)) for spelling in spellings.split(" ")}) == 1
    assert text_keywords(spellings)


def test_a_watched_function_word_is_counted_and_a_watched_word_once() -> None:
    assert text_keywords("It was fun", ["was", "fun"]) == ["was", "fun"]
    assert text_keywords("das war gut #was", ["war", "gut", "was"]) == ["war", "gut", "was"]
    assert text_keywords("wash them", ["was"]) == ["wash"]


def test_no_text_has_no_keywords() -> None:
    assert (text_keywords(None), text_tokens(None), text_keywords(None, ["a b"])) == ([], [], [])


def test_limits_of_length_and_number() -> None:
    assert text_keywords("x" * 100 + " tail9") == ["x" * 64, "tail9"]
    assert text_keywords(" ".join(f"w{number}q" for number in range(150))) == [f"w{n}q" for n in range(100)]
    # Only a long run of the text as it is posted is cut; this one has 64 characters before it is composed.
    assert text_keywords("ﬀ" * 64) == ["ff" * 64]


def test_phrases_come_first_and_need_their_words_in_sequence() -> None:
    assert text_keywords("New York's new york", ["new york", "york new"]) == [
        "new york",
        "new",
        "york's",
        "york",
    ]
    assert text_keywords("new, york", ["new york"])[0] == "new york"
    assert text_keywords("newyork", ["new york"]) == ["newyork"]


def test_a_link_ends_at_a_blank_and_at_a_script_without_spaces() -> None:
    assert folded_text("a http://xäy/ z é") == "a   z é"
    assert folded_text("http://x/y見 http://x/ไทย http://x/😍") == " 見  ไทย  😍"


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
