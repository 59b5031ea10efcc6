"""The rows of `keyword_statistics` as of an earlier day, joined with a day's counts in Spark."""

from datetime import date

from pyspark.sql import DataFrame, SparkSession

from core.settings import Settings

_STATISTICS = (
    "keyword string, level float, hour_deviation array<float>, variance float, dispersion float, "
    "hourly_spread float, last_seen date"
)
STATISTICS_COLUMNS = ("level", "hour_deviation", "variance", "dispersion", "hourly_spread", "last_seen")


def with_rows_before(
    counts: DataFrame, *, settings: Settings, as_of: date | None, how: str = "full_outer"
) -> DataFrame:
    """Join today's counts with the rows `as_of` an earlier day, as `fit_batch` needs them.

    `how` is a full outer join, or `left` for counted keywords only.
    """
    before = read_rows(counts.sparkSession, settings, as_of)
    return counts.join(before, "keyword", how).select(
        "keyword", "windows", "posts", "authors", *STATISTICS_COLUMNS
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
