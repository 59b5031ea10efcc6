"""The lists of function words: how they are written, and which words they leave alone."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

import core.function_words
from alerts.watchlist import watched_keyword
from core.command_line import new_app
from core.dropped_parts import dropped_parts
from core.function_words import LANGUAGES, function_words, languages_of, names_of
from core.keywords_command import keywords_command
from core.text_keywords import text_keywords, text_tokens

LISTS = Path(core.function_words.__file__).parent / "word_lists"
MEANINGFUL = {
    "en": "dog cat china india indonesia malaysia islam bank meme memes news money world may "
    "will can might mine us own still like well one who war son car film fire home system test order case",
    "de": "mal bank haus hund stadt leute welt",
    "es": "casa vida amor sobre tiempo son era",
    "fr": "car pas être été fait sous son point",
    "it": "stato verso era ancora casa",
    "id": "rumah bank indonesia gempa gua",
    "nl": "haar want huis",
    "ru": "том дом мир",
}


def test_each_language_has_a_list_and_each_ambiguous_word_is_in_one() -> None:
    assert {path.stem for path in LISTS.glob("??.txt")} == set(LANGUAGES)
    for language in LANGUAGES:
        words = (LISTS / f"{language}.txt").read_text().split()
        assert len(words) == len(set(words)) >= 30
    lines = [line.split() for line in (LISTS / "ambiguous.txt").read_text().splitlines()]
    listed = {word for path in LISTS.glob("??.txt") for word in path.read_text().split()}
    assert {word for word, *_ in lines} <= listed
    assert {language for _, *others in lines for language in others} <= set(LANGUAGES)


@pytest.mark.parametrize("language", MEANINGFUL)
def test_words_with_a_meaning_are_in_no_list_of_their_language(language: str) -> None:
    bit = 1 << LANGUAGES.index(language)
    words = function_words()
    listed = [word for word in MEANINGFUL[language].split() if word in words and words[word].languages & bit]
    assert listed == []


def test_an_ambiguous_word_is_dropped_only_beside_function_words_of_its_language() -> None:
    assert text_keywords("das war gut und ist nicht schlecht") == ["gut", "schlecht"]
    assert text_keywords("they say the war goes on and on") == ["say", "war", "goes"]
    assert text_keywords("war") == ["war"]
    assert text_keywords("they said nicht war") == ["said", "war"]
    assert names_of(languages_of(["nicht", "ich", "war"])) == ["de"]


@pytest.mark.parametrize("word", ["war", "not", "the", "that", "bank", "x"])
def test_a_hashtag_is_always_a_keyword(word: str) -> None:
    assert word in text_keywords(f"they said that it was over #{word}")
    assert text_keywords(f"{word} because of them #{word}").count(word) == 1


@pytest.mark.parametrize(
    ("phrase", "keyword"),
    [("Was", "was"), ("THE", "the"), ("to be", "to be"), ("#not", "not"), ("24 @nina", None), ("x", None)],
)
def test_a_function_word_can_be_watched(phrase: str, keyword: str | None) -> None:
    found, problem = watched_keyword(text_tokens(phrase), text_keywords(phrase))
    assert (found, problem is None) == (keyword, keyword is not None)


def test_each_part_that_is_dropped_has_its_reason() -> None:
    text = "@nina.x was here 24/7 x 猫 https://t.co/x a.b@c.de with #was vm.tiktok.com/ZM because 春が来た 🎉"
    assert dropped_parts(text) == [
        ("@nina.x", "mention"),
        ("https://t.co/x", "link"),
        ("a.b@c.de", "e-mail address"),
        ("vm.tiktok.com/zm", "link"),
        ("here", "function word (en)"),
        ("with", "function word (en)"),
        ("because", "function word (en)"),
        ("24", "number"),
        ("7", "number"),
        ("x", "single letter"),
        ("猫", "single letter"),
    ]
    many = " ".join(f"w{number}q" for number in range(101))
    assert dropped_parts(many) == [("w100q", "beyond the first 100 keywords")]


def test_the_command_prints_keywords_and_with_an_option_what_is_dropped() -> None:
    app = new_app()
    app.command()(keywords_command)
    plain = CliRunner().invoke(app, ["The war because of 24 #猫"])
    assert plain.stdout == "war\n猫\n"
    full = CliRunner().invoke(app, ["-", "--dropped"], input="because of bank")
    assert full.stdout == "bank\nbecause\tfunction word (en)\nof\tfunction word (en)\n"
    broken = CliRunner().invoke(app, ["-"], input=b"\xff")
    assert broken.exit_code == 1 and "is not UTF-8 text" in broken.output
