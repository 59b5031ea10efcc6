"""Step `statistics`: learn keyword_statistics and traffic_statistics as of a day, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from alerts.watchlist import watched_phrases
from batch.days import check_not_lost
from batch.statistics.beside import ratios_beside
from batch.statistics.fit import CANDIDATES, STATISTICS, STEP, DayFit
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.thresholds import set_thresholds
from batch.tables.copy import COPIED, create_staging, create_staging_table, total_copied
from core.keyword_rule import ALL_POSTS, KEYWORD_RULE_VERSION
from core.settings import Settings
from detection.arrays import Floats
from detection.clocks import clocks
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.labels import Label, LabelledAlert
from detection.seasonality import HOURS, WINDOWS
from detection.traffic_baseline import Traffic, day_traffic, following_clocks, learn_traffic
from sql.connection import query, transaction

_STATISTICS = (
    "keyword string, level float, hour_deviation array<float>, variance float, dispersion float, "
    "hourly_spread float, last_seen date"
)
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
    phrases, labelled = read_user_input(settings, day)
    counts = posts.transform(count_keywords_per_day, phrases=phrases).persist()
    try:
        totals = total_posts(counts)
        today = totals[LOOKBACK_WINDOWS:]
        if not today.any():
            with transaction(settings) as cursor:
                mark_empty(cursor, [day])
            return None
        before = read_traffic(settings, as_of) if as_of else None
        changes = clocks(as_of, day)
        followed = following_clocks(before, today, changes) if before else None
        traffic = day_traffic(today, followed, clocks=changes)
        beside = ratios_beside(counts, totals, settings, traffic=before, as_of=as_of)
        with transaction(settings) as cursor:
            create_staging(cursor, STEP, [STATISTICS], logged=True)
            create_staging_table(cursor, CANDIDATES)
        rows = counts.where(F.col("keyword") != ALL_POSTS).transform(
            with_rows_before, settings=settings, as_of=as_of
        )
        fit = DayFit(day, traffic, before, totals, beside, settings, labelled)
        copied = total_copied(rows.mapInArrow(fit, COPIED))
    finally:
        counts.unpersist()
    after = learn_traffic(followed, today, traffic.learned_days, clocks=changes)
    with transaction(settings) as cursor:
        _replace_keywords(cursor, day)
        _replace_traffic(cursor, day, after)
        _drop_old(cursor, settings.statistics_keep_days)
        _mark(cursor, day, status="fitted", posts=int(today.sum()), keywords=copied)
        set_thresholds(cursor, settings, day)  # counts marked days, so it comes after the mark
    return Learned(posts=int(today.sum()), keywords=copied)


def read_user_input(settings: Settings, day: date) -> tuple[tuple[str, ...], dict[str, LabelledAlert]]:
    """Return the watched phrases and the day's labelled alerts by keyword, which affect the fit of `day`."""
    with transaction(settings) as cursor:
        phrases = watched_phrases(cursor)
        cursor.execute(query("labelled_alerts_of_day"), {"day": day})
        labelled = {
            keyword: LabelledAlert(Label(label), tuple(windows), threshold_ratio)
            for keyword, label, windows, threshold_ratio in cursor.fetchall()
        }
    return phrases, labelled


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


def with_rows_before(
    counts: DataFrame, *, settings: Settings, as_of: date | None, how: str = "full_outer"
) -> DataFrame:
    """Join today's counts with the rows `as_of` an earlier day, as `fit_batch` needs them.

    `how` is a full outer join, or `left` for counted keywords only.
    """
    before = read_rows(counts.sparkSession, settings, as_of)
    return counts.join(before, "keyword", how).select(
        "keyword",
        "windows",
        "posts",
        "authors",
        "level",
        "hour_deviation",
        "variance",
        "dispersion",
        "hourly_spread",
        "last_seen",
    )


def read_rows(spark: SparkSession, settings: Settings, as_of: date | None) -> DataFrame:
    """Read `keyword_statistics` as of a day, one part per shuffle partition; no rows for None."""
    if as_of is None:
        return spark.createDataFrame([], _STATISTICS)
    parts = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    return spark.read.jdbc(
        settings.postgres_jdbc_url,
        "(SELECT keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen "
        f"FROM keyword_statistics WHERE as_of = '{as_of.isoformat()}') AS statistics",
        predicates=[
            f"mod(hashtext(keyword)::bigint + 2147483648, {parts}) = {part}" for part in range(parts)
        ],
        properties={
            "user": settings.postgres_user,
            "password": settings.postgres_password.get_secret_value(),
            "driver": "org.postgresql.Driver",
            "fetchsize": "10000",
        },
    )


def forget_statistics(settings: Settings) -> None:
    """Delete all statistics, so that they can be learned again from the archive."""
    with transaction(settings) as cursor:
        cursor.execute(query("statistics_partitions"))
        for partition, _ in cursor.fetchall():
            cursor.execute(f"DROP TABLE {partition}")
        cursor.execute(query("forget_statistics"))


def total_posts(counts: DataFrame, lookback: int = LOOKBACK_WINDOWS) -> Floats:
    """Return the posts of all keywords by window [B + 96], starting with the `lookback` of B windows."""
    totals = np.zeros(lookback + WINDOWS)
    for _, windows, posts, _ in counts.where(F.col("keyword") == ALL_POSTS).collect():
        for window, count in zip(windows, posts, strict=True):
            if window is not None:
                totals[lookback + window] = count
    return totals


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
