"""The watchlist as users write it: entries are normalized to keywords; counting searches for phrases."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.keywords import keywords, phrase_tokens
from core.settings import Settings
from sql.connection import query, transaction

LONGEST_PHRASE = 4
"""Most words that a watched phrase may have."""


class WatchedPhrases:
    """The watched phrases of more than one word, which counting searches for in every text."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
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
            normalize_watchlist(self._spark, cursor)
            cursor.execute(query("watched_phrases"))
            return tuple(row[0] for row in cursor.fetchall())


def normalize_watchlist(spark: SparkSession, cursor: Cursor) -> None:
    """Set the keyword of each new watchlist entry by the keyword rule, or the problem with the entry."""
    cursor.execute("SELECT phrase FROM watchlist WHERE keyword IS NULL AND problem IS NULL")
    phrases = [row[0] for row in cursor.fetchall()]
    if not phrases:
        return
    tokenized = spark.createDataFrame([(phrase,) for phrase in phrases], "phrase string").select(
        "phrase", phrase_tokens(F.col("phrase")).alias("tokens"), keywords(F.col("phrase")).alias("keywords")
    )
    for phrase, tokens, found in tokenized.collect():
        keyword, problem = _watched_keyword(tokens, found)
        cursor.execute(
            query("normalize_watchlist_entry"), {"phrase": phrase, "keyword": keyword, "problem": problem}
        )


def _watched_keyword(tokens: Sequence[str], found: Sequence[str]) -> tuple[str | None, str | None]:
    """Return the keyword for a phrase with these tokens and `found` keywords, or what is wrong with it."""
    if not found:
        return None, (
            "it has no keyword: only numbers, single letters, links, mentions or words that are too common"
        )
    if len(tokens) > LONGEST_PHRASE:
        return None, f"it has {len(tokens)} words, and a phrase has at most {LONGEST_PHRASE}"
    return (" ".join(tokens) if len(tokens) > 1 else found[0]), None
