"""Step `statistics`: what a day teaches, into keyword_statistics and traffic_statistics as of that day, in one transaction."""

from dataclasses import dataclass
from datetime import date

import numpy as np
from psycopg2.extensions import cursor as Cursor
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from batch.days import check_not_lost
from batch.statistics.fit import CANDIDATES, STATISTICS, STEP, DayFit
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.thresholds import set_thresholds
from batch.tables.copy import COPIED, create_staging, create_staging_table, total_copied
from core.keywords import ALL_POSTS
from core.settings import Settings
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.labels import Label, LabelledAlert
from detection.learn import HOURS, WINDOWS, Floats, Traffic, day_traffic, learn_traffic
from sql.connection import query, transaction

_STATISTICS = "keyword string, level float, hour_deviation array<float>, variance float, dispersion float, hourly_spread float, last_seen date"
_STAGED = "staging.keyword_statistics"


@dataclass(frozen=True)
class Learned:
    """What the step found: posts per window summed over the day, and keywords with a row afterwards."""

    posts: int
    keywords: int


def learn_day(records: DataFrame, *, settings: Settings, day: date, as_of: date | None) -> Learned | None:
    """Learn `records` of `day`, which begin with the lookback before, on top of the statistics `as_of` an earlier day.

    `as_of` is None on the first day of all. Gives None if there are no posts on the day.

    Replaces what stands as of `day`, if anything, and drops what is older than `statistics_keep_days`.
    """
    posts = records.transform(posts_in_windows, day=day, future_minutes=settings.future_minutes)
    phrases, labelled = read_user_input(settings, day)
    counts = posts.transform(count_keywords_per_day, phrases=phrases).persist()
    try:
        totals = total_posts(counts)
        today = totals[LOOKBACK_WINDOWS:]
        if not today.any():
            mark_empty(settings, day)
            return None
        before = read_traffic(settings, as_of) if as_of else None
        traffic = day_traffic(today, before)
        with transaction(settings) as cursor:
            create_staging(cursor, STEP, [STATISTICS], logged=True)
            create_staging_table(cursor, CANDIDATES)
        rows = counts.where(F.col("keyword") != ALL_POSTS).transform(
            with_rows_before, settings=settings, as_of=as_of
        )
        copied = total_copied(
            rows.mapInArrow(DayFit(day, traffic, before, totals, settings, labelled), COPIED)
        )
    finally:
        counts.unpersist()
    after = learn_traffic(before, today, traffic.learned_days)
    with transaction(settings) as cursor:
        _replace_keywords(cursor, day)
        _replace_traffic(cursor, day, after)
        _drop_old(cursor, settings.statistics_keep_days)
        _mark(cursor, day, status="fitted", posts=int(today.sum()), keywords=copied)
        set_thresholds(cursor, settings, day)  # which counts the days that are marked
    return Learned(posts=int(today.sum()), keywords=copied)


def read_user_input(settings: Settings, day: date) -> tuple[tuple[str, ...], dict[str, LabelledAlert]]:
    """What people told that matters to the fit of `day`: watched phrases, and the day's labelled alerts by keyword."""
    with transaction(settings) as cursor:
        cursor.execute(query("watched_phrases"))
        phrases = tuple(row[0] for row in cursor.fetchall())
        cursor.execute(query("labelled_alerts_of_day"), {"day": day})
        labelled = {
            keyword: LabelledAlert(Label(label), tuple(windows), threshold_ratio)
            for keyword, label, windows, threshold_ratio in cursor.fetchall()
        }
    return phrases, labelled


def read_traffic(settings: Settings, as_of: date) -> Traffic:
    """The traffic that was learned up to the end of `as_of`, which has its 24 rows."""
    with transaction(settings) as cursor:
        cursor.execute(query("traffic_as_of"), {"as_of": as_of})
        rows = cursor.fetchall()
    return Traffic(
        expected_posts=np.array([row[1] for row in rows], dtype=float), history_days=float(rows[0][2])
    )


def with_rows_before(
    counts: DataFrame, *, settings: Settings, as_of: date | None, how: str = "full_outer"
) -> DataFrame:
    """Today's counts full outer joined with the rows `as_of` an earlier day: what `fit_batch` takes; `left`: counted keywords alone."""
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
    """The rows of `keyword_statistics` as of a day, read in as many parts as there are shuffle partitions; none for None."""
    if as_of is None:
        return spark.createDataFrame([], _STATISTICS)
    parts = int(spark.conf.get("spark.sql.shuffle.partitions") or 1)
    return spark.read.jdbc(
        settings.postgres_jdbc_url,
        f"(SELECT keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen FROM keyword_statistics "
        f"WHERE as_of = '{as_of.isoformat()}') AS statistics",
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
    """Forget everything that was learned, to learn it again from the archive."""
    with transaction(settings) as cursor:
        cursor.execute(query("statistics_partitions"))
        for partition, _ in cursor.fetchall():
            cursor.execute(f"DROP TABLE {partition}")
        cursor.execute(query("forget_statistics"))


def total_posts(counts: DataFrame) -> Floats:
    """Posts of all keywords by window [3 + 96], from the lookback before."""
    totals = np.zeros(LOOKBACK_WINDOWS + WINDOWS)
    for _, windows, posts, _ in counts.where(F.col("keyword") == ALL_POSTS).collect():
        for window, count in zip(windows, posts, strict=True):
            if window is not None:
                totals[LOOKBACK_WINDOWS + window] = count
    return totals


def mark_empty(settings: Settings, day: date) -> None:
    """Note in the ledger that `day` is over and nothing was posted, so that the next day may follow."""
    with transaction(settings) as cursor:
        check_not_lost(cursor, day)
        _mark(cursor, day, status="empty", posts=0, keywords=0)


def _replace_keywords(cursor: Cursor, day: date) -> None:
    """Make the staged table the partition of `day`; the constraint spares Postgres reading it again.

    Raises psycopg2.errors.LockNotAvailable where somebody reads the statistics for longer than a moment: waiting for them
    would make the stream wait as well.
    """
    partition = f"keyword_statistics_{day:%Y%m%d}"
    cursor.execute(f"ALTER TABLE {_STAGED} ADD CONSTRAINT one_day CHECK (as_of = '{day.isoformat()}')")
    cursor.execute(f"ALTER TABLE {_STAGED} ADD CONSTRAINT {partition}_pkey PRIMARY KEY (as_of, keyword)")
    cursor.execute(f"ANALYZE {_STAGED}")
    # From here to the commit readers wait.
    cursor.execute("SET LOCAL lock_timeout = '5s'")
    cursor.execute(f"DROP TABLE IF EXISTS {partition}")
    cursor.execute(f"ALTER TABLE {_STAGED} RENAME TO {partition}")
    cursor.execute(f"ALTER TABLE staging.{partition} SET SCHEMA public")
    cursor.execute(
        f"ALTER TABLE keyword_statistics ATTACH PARTITION {partition} FOR VALUES IN ('{day.isoformat()}')"
    )
    cursor.execute(f"ALTER TABLE {partition} DROP CONSTRAINT one_day")


def _replace_traffic(cursor: Cursor, day: date, traffic: Traffic) -> None:
    cursor.execute("DELETE FROM traffic_statistics WHERE as_of = %s", (day,))
    cursor.executemany(
        "INSERT INTO traffic_statistics (as_of, hour, expected_posts, history_days) VALUES (%s, %s, %s, %s)",
        [(day, hour, float(traffic.expected_posts[hour]), traffic.history_days) for hour in range(HOURS)],
    )


def _drop_old(cursor: Cursor, keep_days: int) -> None:
    """Keep the newest `keep_days` fitted days."""
    cursor.execute(query("statistics_partitions"))
    for partition, as_of in cursor.fetchall()[:-keep_days]:
        cursor.execute(f"DROP TABLE {partition}")
        cursor.execute("DELETE FROM traffic_statistics WHERE as_of = %s", (as_of,))


def _mark(cursor: Cursor, day: date, *, status: str, posts: int, keywords: int) -> None:
    cursor.execute(
        query("mark_day_counted"), {"day": day, "status": status, "posts": posts, "keywords": keywords}
    )
