"""The watchlist as users write it: entries are normalized to keywords; counting searches for phrases."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor

from core.function_words import is_searched_for
from core.settings import Settings
from core.text_keywords import text_keywords, text_tokens
from sql.connection import query, transaction

LONGEST_PHRASE = 4
"""Most words that a watched phrase may have."""


class WatchedPhrases:
    """The watched phrases and function words, which counting searches for in every text."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._taken: tuple[str, ...] = ()

    def take(self) -> tuple[str, ...]:
        """Return and remember the current phrases, in order; new watchlist entries are normalized first."""
        self._taken = self._now()
        return self._taken

    def changed(self) -> bool:
        """Return whether the phrases differ from those last taken."""
        return self._now() != self._taken

    def _now(self) -> tuple[str, ...]:
        with transaction(self._settings, application_name="groundswell watchlist") as cursor:
            normalize_watchlist(cursor)
            return watched_phrases(cursor)


def watched_phrases(cursor: Cursor) -> tuple[str, ...]:
    """Return, in order, the watched keywords that counting has to search for: phrases and function words."""
    cursor.execute(query("watched_keywords"))
    return tuple(keyword for (keyword,) in cursor.fetchall() if is_searched_for(keyword))


def normalize_watchlist(cursor: Cursor) -> None:
    """Set the keyword of each new watchlist entry by the keyword rule, or the problem with the entry."""
    cursor.execute("SELECT phrase FROM watchlist WHERE keyword IS NULL AND problem IS NULL")
    phrases = [row[0] for row in cursor.fetchall()]
    for phrase in phrases:
        keyword, problem = watched_keyword(text_tokens(phrase), text_keywords(phrase))
        cursor.execute(
            query("normalize_watchlist_entry"), {"phrase": phrase, "keyword": keyword, "problem": problem}
        )


def watched_keyword(tokens: Sequence[str], found: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the keyword for a phrase with these tokens and `found` keywords, or what is wrong with it."""
    if not tokens:
        return None, "it has no keyword: only numbers, single letters, links or mentions"
    if len(tokens) > LONGEST_PHRASE:
        return None, f"it has {len(tokens)} words, and a phrase has at most {LONGEST_PHRASE}"
    return (" ".join(tokens) if len(tokens) > 1 else (found or tokens)[0]), None
