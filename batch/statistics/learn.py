"""Step `statistics`: learn keyword_statistics and traffic_statistics as of a day, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame

from alerts.watchlist import watched_phrases
from batch.days import check_not_lost
from batch.statistics.beside import ratios_beside
from batch.statistics.counts import CountsOfDay, SparkCounts
from batch.statistics.fit import CANDIDATES, STATISTICS, STEP, DayFit
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.thresholds import set_thresholds
from batch.tables.copy import create_staging, create_staging_table
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from detection.clocks import clocks
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.labels import Label, LabelledAlert
from detection.seasonality import HOURS
from detection.traffic_baseline import Traffic, day_traffic, following_clocks, learn_traffic
from sql.connection import query, transaction

_STAGED = "staging.keyword_statistics"


@dataclass(frozen=True)
class Learned:
    """What the step learned from: posts per window summed over the day, and keywords with a row now."""

    posts: int
    keywords: int


def learn_day(records: DataFrame, *, settings: Settings, day: date, as_of: date | None) -> Learned | None:
    """Learn `records` of `day` on top of the statistics `as_of` an earlier day; None if the day has no posts.

    The records start with the lookback before the day. `as_of` is None on the first day of history.
    Existing statistics as of `day` are replaced, and those older than `statistics_keep_days` are dropped.
    """
    posts = records.transform(posts_in_windows, day=day, future_minutes=settings.future_minutes)
    with transaction(settings) as cursor:
        phrases = watched_phrases(cursor)
    counts = posts.transform(count_keywords_per_day, phrases=phrases).persist()
    try:
        return learn_counts(SparkCounts(counts, settings), settings=settings, day=day, as_of=as_of)
    finally:
        counts.unpersist()


def learn_counts(counts: CountsOfDay, *, settings: Settings, day: date, as_of: date | None) -> Learned | None:
    """Learn from the counts of `day`, as `learn_day` does from its records."""
    totals = counts.totals()
    today = totals[LOOKBACK_WINDOWS:]
    if not today.any():
        with transaction(settings) as cursor:
            mark_empty(cursor, [day])
        return None
    labelled = _labelled_alerts(settings, day)
    before = read_traffic(settings, as_of) if as_of else None
    changes = clocks(as_of, day)
    followed = following_clocks(before, today, changes) if before else None
    traffic = day_traffic(today, followed, clocks=changes)
    beside = ratios_beside(counts.dominant, totals, settings, traffic=before, as_of=as_of)
    with transaction(settings) as cursor:
        create_staging(cursor, STEP, [STATISTICS], logged=True)
        create_staging_table(cursor, CANDIDATES)
    copied = counts.fit(DayFit(day, traffic, before, totals, beside, settings, labelled), as_of)
    after = learn_traffic(followed, today, traffic.learned_days, clocks=changes)
    with transaction(settings) as cursor:
        _replace_keywords(cursor, day)
        _replace_traffic(cursor, day, after)
        _drop_old(cursor, settings.statistics_keep_days)
        _mark(cursor, day, status="fitted", posts=int(today.sum()), keywords=copied)
        set_thresholds(cursor, settings, day)  # counts marked days, so it comes after the mark
    return Learned(posts=int(today.sum()), keywords=copied)


def _labelled_alerts(settings: Settings, day: date) -> dict[str, LabelledAlert]:
    """Return the day's labelled alerts by keyword, which affect the fit of `day`."""
    with transaction(settings) as cursor:
        cursor.execute(query("labelled_alerts_of_day"), {"day": day})
        return {
            keyword: LabelledAlert(Label(label), tuple(windows), threshold_ratio)
            for keyword, label, windows, threshold_ratio in cursor.fetchall()
        }


def read_traffic(settings: Settings, as_of: date) -> Traffic:
    """Return the traffic learned up to the end of `as_of`, which must have its 24 rows."""
    with transaction(settings) as cursor:
        cursor.execute(query("traffic_as_of"), {"as_of": as_of})
        _, expected_posts, history_days, rules = zip(*cursor.fetchall(), strict=True)
    return Traffic(
        expected_posts=np.array(expected_posts, dtype=float),
        history_days=float(history_days[0]),
        same_rule=rules[0] == KEYWORD_RULE_VERSION,
    )


def learned_keywords(settings: Settings, as_of: date | None) -> int:
    """Return how many keywords have statistics as of a day; 0 for None."""
    with transaction(settings) as cursor:
        cursor.execute("SELECT coalesce(max(keywords), 0) FROM batch_days WHERE day = %s", (as_of,))
        (keywords,) = cursor.fetchone() or (0,)
        return int(keywords)


def forget_statistics(settings: Settings) -> None:
    """Delete all statistics, so that they can be learned again from the archive."""
    with transaction(settings) as cursor:
        cursor.execute(query("statistics_partitions"))
        for partition, _ in cursor.fetchall():
            cursor.execute(f"DROP TABLE {partition}")
        cursor.execute(query("forget_statistics"))


def mark_empty(cursor: Cursor, days: Sequence[date]) -> None:
    """Record in the ledger that `days` are over and had no posts; raises NotReadyError if one was learned."""
    check_not_lost(cursor, days)
    for day in days:
        _mark(cursor, day, status="empty", posts=0, keywords=0)


def _replace_keywords(cursor: Cursor, day: date) -> None:
    """Attach the staged table as the partition of `day`; its constraint spares Postgres another scan.

    Raises psycopg2.errors.LockNotAvailable if a query reads the statistics for more than 5 seconds: waiting
    longer would block the stream as well.
    """
    partition = f"keyword_statistics_{day:%Y%m%d}"
    cursor.execute(f"ALTER TABLE {_STAGED} ADD CONSTRAINT one_day CHECK (as_of = '{day.isoformat()}')")
    cursor.execute(f"ALTER TABLE {_STAGED} ADD CONSTRAINT {partition}_pkey PRIMARY KEY (as_of, keyword)")
    cursor.execute(f"ANALYZE {_STAGED}")
    # Readers wait from here to the commit.
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"DROP TABLE IF EXISTS {partition}")
    cursor.execute(f"ALTER TABLE {_STAGED} RENAME TO {partition}")
    cursor.execute(f"ALTER TABLE staging.{partition} SET SCHEMA public")
    cursor.execute(
        f"ALTER TABLE keyword_statistics ATTACH PARTITION {partition} FOR VALUES IN ('{day.isoformat()}')"
    )
    cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT one_day")


def _replace_traffic(cursor: Cursor, day: date, traffic: Traffic) -> None:
    cursor.execute(query("delete_traffic_statistics"), {"as_of": day})
    hours = [
        {
            "as_of": day,
            "hour": hour,
            "expected_posts": float(traffic.expected_posts[hour]),
            "history_days": traffic.history_days,
            "keyword_rule": KEYWORD_RULE_VERSION,
        }
        for hour in range(HOURS)
    ]
    cursor.executemany(query("insert_traffic_statistics"), hours)


def _drop_old(cursor: Cursor, keep_days: int) -> None:
    """Keep the newest `keep_days` fitted days."""
    cursor.execute(query("statistics_partitions"))
    for partition, as_of in cursor.fetchall()[:-keep_days]:
        cursor.execute(f"DROP TABLE {partition}")
        cursor.execute(query("delete_traffic_statistics"), {"as_of": as_of})


def _mark(cursor: Cursor, day: date, *, status: str, posts: int, keywords: int) -> None:
    cursor.execute(
        query("mark_day_counted"), {"day": day, "status": status, "posts": posts, "keywords": keywords}
    )
