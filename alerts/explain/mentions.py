"""A quick test whether a text may have one of some keywords, before the keyword rule decides."""

from collections.abc import Iterable

from core.text_folding import folded_letters


class Mentions:
    """Finds the texts that may have one of `keywords`.

    A keyword is a part of the folded text, cut or not: the rule only separates what it finds, and puts spaces
    where it drops links and mentions. Of a phrase, the longest word is looked for.
    """

    def __init__(self, keywords: Iterable[str]) -> None:
        self._parts = [max(keyword.split(" "), key=len) for keyword in sorted(keywords)]
        self._ascii_parts = [part for part in self._parts if part.isascii()]

    def may_be_in(self, text: str | None) -> bool:
        """Return False only if no keyword is in `text`.

        >>> mentions = Mentions(["corona", "new york"])
        >>> [mentions.may_be_in(text) for text in ("#CORONA!", "Old York", "Yo", None)]
        [True, True, False, False]
        """
        if not text:
            return False
        folded, parts = folded_letters(text), self._ascii_parts if text.isascii() else self._parts
        return any(map(folded.__contains__, parts))
