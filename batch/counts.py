"""From a day's deliveries to counts per window, as Spark transforms: the same numbers as the stream's, from the archive."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from batch.archive import day_start
from core.keywords import keywords
from core.windows import WINDOW


def posts_per_window(deliveries: DataFrame, *, day: date) -> DataFrame:
    """One row a post and window in which it was delivered: post_id, window (int, 0 to 95 of `day`), text.

    Of several deliveries in one window the first that Kafka took gives the text, as in the stream; they share a Kafka
    partition, because the post id is the key.
    """
    seconds = F.unix_seconds("event_time") - int(day_start(day).timestamp())
    return (
        deliveries.select(
            "post_id", (seconds / int(WINDOW.total_seconds())).cast("int").alias("window"), "item.text", "offset", "partition"
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("text", F.struct("offset", "partition")).alias("text"))
    )


def count_posts_per_window(posts: DataFrame) -> DataFrame:
    """Posts of all keywords: window (int), posts (bigint); windows without posts have no row. In: what `posts_per_window` gives."""
    return posts.groupBy("window").agg(F.count(F.lit(1)).alias("posts"))


def count_keywords_per_window(posts: DataFrame) -> DataFrame:
    """Distinct posts of every keyword: keyword, windows (array of int), posts (array of int, parallel to it).

    In: what `posts_per_window` gives. Windows without the keyword are left out. `explode_outer` and a test for null
    behind it, because `explode` adds filters that compute the keywords three times.
    """
    tagged = posts.select("window", F.explode_outer(keywords(F.col("text"))).alias("keyword"))
    return (
        tagged.groupBy("keyword", "window")
        .agg(F.count(F.lit(1)).cast("int").alias("posts"))
        .where("keyword IS NOT NULL")
        .groupBy("keyword")
        .agg(F.collect_list(F.struct("window", "posts")).alias("counts"))
        .select("keyword", F.col("counts.window").alias("windows"), F.col("counts.posts").alias("posts"))
    )
