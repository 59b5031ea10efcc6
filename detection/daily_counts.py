"""Counts per keyword and window of an archived day, as Spark transforms: the same numbers as the stream's."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core.keyword_rule import ALL_POSTS
from core.keywords import keywords
from core.records import DETECTION_SCHEMA, parse_records
from core.windows import WINDOW, day_start
from detection.window_counts import hashed_bit


def posts_in_windows(records: DataFrame, *, day: date, future_minutes: int) -> DataFrame:
    """Parse records and keep the first delivery of each post in each window.

    Grain: one row per post and window. Columns in: value, kafka_time, partition, offset. Columns out:
    post_id, window (int, 0 to 95 of `day`, negative before it), text, author_bit. Text and author are those
    of the delivery that Kafka took first, as in the stream; deliveries of a post share a Kafka partition,
    because the post id is the key. All rejected records together are one row of nulls: a filter here would
    reach into `from_json` and parse every record twice.
    """
    seconds = F.unix_seconds("event_time") - int(day_start(day).timestamp())
    usable = F.col("post_id").isNotNull()
    return (
        records.transform(parse_records, schema=DETECTION_SCHEMA, future_minutes=future_minutes)
        .select(
            "post_id",
            F.floor(seconds / int(WINDOW.total_seconds())).cast("int").alias("window"),
            F.struct(
                F.when(usable, F.col("post.itemInfos.text")).alias("text"),
                F.when(usable, hashed_bit(F.col("post.itemInfos.authorId"))).alias("author_bit"),
            ).alias("content"),
            "offset",
            "partition",
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("content", F.struct("offset", "partition")).alias("content"))
        .select("post_id", "window", "content.text", "content.author_bit")
    )


def count_keywords_per_day(posts: DataFrame, *, phrases: Sequence[str] = ()) -> DataFrame:
    """Count the distinct posts of every keyword in each window.

    Grain: one row per keyword, plus one with keyword `ALL_POSTS` that counts every post. Columns in: those of
    `posts_in_windows`. Columns out: keyword, windows (array of int), posts (array of int) and authors (array
    of bigint, bitmaps with one hashed bit of 64 per author), parallel arrays. Windows without a post are left
    out; a null among the windows counts the rejected records. `phrases` are watched phrases, as for
    `core.keywords.keywords`.

    `explode_outer`, because `explode` adds filters that compute the keywords three times.
    """
    every_keyword = F.concat(F.array(F.lit(ALL_POSTS)), keywords(F.col("text"), phrases))
    return (
        posts.select("window", "author_bit", every_keyword.alias("keywords"))
        .select("window", "author_bit", F.explode_outer("keywords").alias("keyword"))
        .groupBy("keyword", "window")
        .agg(F.count(F.lit(1)).cast("int").alias("posts"), F.bit_or("author_bit").alias("authors"))
        .groupBy("keyword")
        .agg(F.collect_list(F.struct("window", "posts", "authors")).alias("counts"))
        .select("keyword", F.col("counts.window").alias("windows"), "counts.posts", "counts.authors")
    )
