"""The watchlist as people write it: its entries settled into keywords, and the phrases that counting must look for."""

from collections.abc import Sequence

from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.keywords import keywords, phrase_tokens
from core.settings import Settings
from sql.connection import query, transaction

LONGEST_PHRASE = 4
"""Words that a watched phrase has at most."""


class WatchedPhrases:
    """The watched phrases of more than one word, for which counting must look in every text: as taken, and as they are now."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self._spark = spark
        self._settings = settings
        self._taken: tuple[str, ...] = ()

    def take(self) -> tuple[str, ...]:
        """The phrases as they are now, in order; new entries of the watchlist are settled first."""
        self._taken = self._now()
        return self._taken

    def changed(self) -> bool:
        """Whether they are others now than when they were taken."""
        return self._now() != self._taken

    def _now(self) -> tuple[str, ...]:
        with transaction(self._settings, application_name="groundswell watchlist") as cursor:
            normalize_watchlist(self._spark, cursor)
            cursor.execute(query("watched_phrases"))
            return tuple(row[0] for row in cursor.fetchall())


def normalize_watchlist(spark: SparkSession, cursor: Cursor) -> None:
    """Write new entries of the watchlist as the keyword rule does, or say what is wrong with them."""
    cursor.execute("SELECT phrase FROM watchlist WHERE keyword IS NULL AND problem IS NULL")
    phrases = [row[0] for row in cursor.fetchall()]
    if not phrases:
        return
    written = spark.createDataFrame([(phrase,) for phrase in phrases], "phrase string").select(
        "phrase", phrase_tokens(F.col("phrase")).alias("tokens"), keywords(F.col("phrase")).alias("keywords")
    )
    for phrase, tokens, single in written.collect():
        keyword, problem = _watched_keyword(tokens, single)
        cursor.execute(
            "UPDATE watchlist SET keyword = %s, problem = %s WHERE phrase = %s",
            (keyword, problem, phrase),
        )


def _watched_keyword(tokens: Sequence[str], single: Sequence[str]) -> tuple[str | None, str | None]:
    """The keyword for a phrase of these tokens, or what is wrong with it."""
    if not single:
        return (
            None,
            "it has no keyword: only numbers, single letters, links, mentions or words that are too common",
        )
    if len(tokens) > LONGEST_PHRASE:
        return None, f"it has {len(tokens)} words, and a phrase has at most {LONGEST_PHRASE}"
    return (" ".join(tokens) if len(tokens) > 1 else single[0]), None
