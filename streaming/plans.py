"""Plans: what people told detection, as it stands in Postgres: watched keywords, the calendar, thresholds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import numpy as np
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.judge import Flags
from core.keywords import keywords, phrase_tokens
from core.settings import Settings
from core.windows import WINDOW
from sql.connection import query, transaction

WATCHED_THRESHOLD = 4.5
"""Threshold of a watched word that has none of its own, without a budget."""
LONGEST_PHRASE = 4
"""Words that a watched phrase has at most."""


@dataclass(frozen=True, slots=True)
class Plans:
    """What was told, as of the transaction that loaded it."""

    watched: Mapping[str, float | None]
    """Own threshold by watched keyword; None: the one of all watched words."""
    silence: frozenset[str]
    """Watched keywords whose silence is an alarm."""
    calendar: Mapping[str, Sequence[tuple[datetime, datetime]]]
    """Planned times, from and until, by keyword."""

    def planned(self, keywords: Sequence[str], starts: Sequence[datetime], *, windows: int) -> Flags:
        """Whether the time of the `windows` windows that end with each of `starts` touches a planned time of its keyword."""
        back = (windows - 1) * WINDOW
        return np.array(
            [
                any(begin < start + WINDOW and start - back < end for begin, end in self.calendar.get(keyword, ()))
                for keyword, start in zip(keywords, starts, strict=True)
            ],
            dtype=bool,
        )


def load_plans(cursor: Cursor) -> Plans:
    """The plans as they stand now."""
    cursor.execute("SELECT keyword, threshold, silence FROM watchlist WHERE keyword IS NOT NULL")
    watched = cursor.fetchall()
    cursor.execute("SELECT keyword, starts_at, ends_at FROM calendar ORDER BY keyword, starts_at")
    calendar: dict[str, list[tuple[datetime, datetime]]] = {}
    for keyword, starts_at, ends_at in cursor.fetchall():
        calendar.setdefault(keyword, []).append((starts_at, ends_at))
    return Plans(
        watched={keyword: threshold for keyword, threshold, _ in watched},
        silence=frozenset(keyword for keyword, _, silence in watched if silence),
        calendar=calendar,
    )


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The thresholds of one day."""

    discovery: float
    watched: float

    def of(self, keyword: str, plans: Plans) -> float:
        """Score from which a window of `keyword` alarms."""
        if keyword not in plans.watched:
            return self.discovery
        own = plans.watched[keyword]
        return self.watched if own is None else own


def load_thresholds(cursor: Cursor, settings: Settings, day: date) -> Thresholds:
    """What windows of `day` are judged by: the thresholds for a budget, where there is one and days were replayed for it."""
    cursor.execute(query("thresholds_before_day"), {"day": day})
    budgeted = dict(cursor.fetchall())
    return Thresholds(
        discovery=budgeted.get("discovery", settings.threshold) if settings.alerts_per_day else settings.threshold,
        watched=budgeted.get("watched", WATCHED_THRESHOLD) if settings.watched_alerts_per_day else WATCHED_THRESHOLD,
    )


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
            settle_watchlist(self._spark, cursor)
            cursor.execute(query("watched_phrases"))
            return tuple(row[0] for row in cursor.fetchall())


def settle_watchlist(spark: SparkSession, cursor: Cursor) -> None:
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
        return None, "it has no keyword: only numbers, single letters, links, mentions or words that are too common"
    if len(tokens) > LONGEST_PHRASE:
        return None, f"it has {len(tokens)} words, and a phrase has at most {LONGEST_PHRASE}"
    return (" ".join(tokens) if len(tokens) > 1 else single[0]), None
