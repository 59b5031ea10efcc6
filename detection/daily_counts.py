"""From a day's records to counts per window, as Spark transforms: the same numbers as the stream's, from the archive."""

from collections.abc import Sequence
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from core.keywords import ALL_POSTS, keywords
from core.records import DETECTION_SCHEMA, parse_records
from core.windows import WINDOW, day_start
from detection.window_counts import hashed_bit


def posts_in_windows(records: DataFrame, *, day: date, future_minutes: int) -> DataFrame:
    """One row a post and window in which it was delivered: post_id, window (int, 0 to 95 of `day`, less before it), text, author_bit.

    Columns in: value, kafka_time, partition, offset. Of several deliveries in one window the first that Kafka took gives
    text and author, as in the stream; they share a Kafka partition, because the post id is the key. All rejected records
    together are one row of nulls: a filter here would reach into `from_json` and parse every record twice.
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
            ).alias("said"),
            "offset",
            "partition",
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("said", F.struct("offset", "partition")).alias("said"))
        .select("post_id", "window", "said.text", "said.author_bit")
    )


def count_keywords_per_day(posts: DataFrame, *, phrases: Sequence[str] = ()) -> DataFrame:
    """Distinct posts of every keyword: keyword, windows (array of int), posts and authors (arrays parallel to it).

    In: what `posts_in_windows` gives. Out: one row a keyword, and one with keyword `ALL_POSTS` that counts every post;
    `authors` are bitmaps (bigint) with one hashed bit of 64 an author. Windows without a post are left out; a null among the
    windows counts the rejected records. `explode_outer`, because `explode` adds filters that compute the keywords three
    times. `phrases` are watched phrases, as `core.keywords.keywords` takes them.
    """
    every = F.concat(F.array(F.lit(ALL_POSTS)), keywords(F.col("text"), phrases))
    return (
        posts.select("window", "author_bit", every.alias("keywords"))
        .select("window", "author_bit", F.explode_outer("keywords").alias("keyword"))
        .groupBy("keyword", "window")
        .agg(F.count(F.lit(1)).cast("int").alias("posts"), F.bit_or("author_bit").alias("authors"))
        .groupBy("keyword")
        .agg(F.collect_list(F.struct("window", "posts", "authors")).alias("counts"))
        .select("keyword", F.col("counts.window").alias("windows"), "counts.posts", "counts.authors")
    )
