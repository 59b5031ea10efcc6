"""The evaluation of function words by nouns, whose lexica need not be there."""

import sys

import pytest

from benchmarks.nouns import listed_nouns, show_nouns
from core.errors import NotReadyError


def test_without_the_lexica_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordfreq", None)
    with pytest.raises(NotReadyError, match=r"lexica of nouns are missing.* pip install wordfreq "):
        show_nouns()


def test_a_noun_is_listed_by_the_list_of_its_own_language_alone() -> None:
    assert listed_nouns("de", ["war", "haus", "ich"]) == ["war", "ich"]
    assert listed_nouns("en", ["war", "ich"]) == []
