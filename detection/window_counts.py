"""Counts per window and keyword, from Kafka records, as Spark transforms.

The stream keeps its counts in memory (`detection.open_windows`) and needs `posts_to_count` of each batch;
past windows in the archive are counted by Spark alone (`count_keywords_per_window`).
"""

from collections.abc import Sequence

import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core.keyword_rule import ALL_POSTS
from core.keywords import keywords
from core.records import DETECTION_SCHEMA, IDENTITY_SCHEMA, parse_records
from core.windows import WINDOW
from detection.authors import DISTINCT_BITS
from detection.open_windows import Counted
from detection.plain_counts import COLUMNS, MOST_RANKED_LIKES, TIE_BITS
from detection.score import KEPT_POSTS

WINDOW_SECONDS = int(WINDOW.total_seconds())


def collect_counts(counts: DataFrame) -> Counted:
    """Collect the counts that decisions need: totals, and keywords with enough posts to be judged."""
    enough = (F.col("posts") >= KEPT_POSTS) | (F.col("keyword") == ALL_POSTS)
    rows = counts.where(F.col("window_start").isNotNull() & enough).select(*COLUMNS, "last_post_at").toArrow()
    is_keyword = pc.not_equal(rows["keyword"], ALL_POSTS)
    totals = rows.filter(pc.invert(is_keyword))
    return Counted(
        counts=rows.filter(is_keyword),
        posts_by_window=dict(
            zip(totals["window_start"].to_pylist(), totals["posts"].to_pylist(), strict=True)
        ),
        last_post_at=pc.max(totals["last_post_at"]).as_py(),
    )


def posts_to_count(records: DataFrame, *, future_minutes: int, phrases: Sequence[str] = ()) -> DataFrame:
    """Return the posts of Kafka records as `detection.open_windows.OpenWindows` counts them.

    Grain: one row per usable record, in their order. Columns in: value, kafka_time. Columns out: those of
    `detection.open_windows.POSTS`. `phrases` are watched phrases, as for `core.keywords.keywords`.
    """

    def read(found: Column) -> Column:
        return F.struct(
            found.alias("keywords"),
            hashed_bit(found).alias("text_bit"),
            F.transform(found, lambda keyword: F.xxhash64(keyword)).alias("hashes"),
        )

    return (
        records.transform(_parsed, future_minutes=future_minutes)
        .withColumns(
            {
                # Inside a function, so that Spark reads the keywords once.
                "text": F.element_at(F.transform(F.array(keywords(F.col("text"), phrases)), read), 1),
                "likes": known_likes(F.col("diggCount")),
            }
        )
        .where(F.col("post_id").isNotNull())
        .select(
            "post_id",
            F.expr(f"event_micros DIV {WINDOW_SECONDS * 1_000_000}").alias("window"),
            "event_micros",
            F.coalesce("likes", F.lit(-1).cast("long")).alias("likes"),
            _top_order().alias("top_order"),
            hashed_bit(F.col("authorId")).alias("author_bit"),
            "text.text_bit",
            "text.keywords",
            "text.hashes",
        )
    )


def _parsed(records: DataFrame, *, future_minutes: int) -> DataFrame:
    return records.transform(parse_records, schema=DETECTION_SCHEMA, future_minutes=future_minutes).select(
        "post_id",
        F.unix_micros("event_time").alias("event_micros"),
        "post.itemInfos.text",
        "post.itemInfos.authorId",
        "post.itemInfos.diggCount",
    )


def count_keywords_per_window(
    records: DataFrame, *, future_minutes: int, phrases: Sequence[str] = ()
) -> DataFrame:
    """Count distinct posts by window and keyword, exactly, in whatever order they arrive.

    Grain out: one row per window and keyword, plus one per window with keyword `ALL_POSTS` that counts every
    post. Columns in: value, kafka_time. Columns out: those of `aggregate_keywords`. A post delivered twice in
    a window counts once. Rejected records, which have no event time, count nowhere. `phrases` are watched
    phrases, as for `core.keywords.keywords`.
    """
    return (
        records.transform(distinct_posts, future_minutes=future_minutes)
        .transform(explode_keywords, phrases=phrases)
        .transform(aggregate_keywords)
    )


def distinct_posts(records: DataFrame, *, future_minutes: int) -> DataFrame:
    """Parse records and keep one delivery of each post in each window.

    Grain: one row per post and window; all rejected records together are one row. Columns in: value,
    kafka_time. Columns out: post_id (bigint), text, authorId and diggCount (string), event_micros (bigint,
    event time), window (timestamp of its start).
    """
    return (
        records.transform(_parsed, future_minutes=future_minutes)
        .withColumn(
            "window", F.window(F.timestamp_micros("event_micros"), f"{WINDOW_SECONDS // 60} minutes").start
        )
        .dropDuplicates(["post_id", "window"])
    )


def explode_keywords(posts: DataFrame, *, phrases: Sequence[str] = ()) -> DataFrame:
    """Turn each post into one row per keyword, plus one with keyword `ALL_POSTS`.

    Grain: one row per post, window and keyword. Columns in: those of `distinct_posts`. Columns out: post_id,
    event_micros, window, likes (bigint, null if unknown), author_bit and text_bit (bigint, see `hashed_bit`),
    keyword.

    `explode_outer`, and the check for null in `collect_counts`, because `explode` adds filters that compute
    the keywords three times.
    """
    every_keyword = F.concat(F.array(F.lit(ALL_POSTS)), "keywords")
    return (
        posts.withColumns(
            {"keywords": keywords(F.col("text"), phrases), "likes": known_likes(F.col("diggCount"))}
        )
        .withColumns({"author_bit": hashed_bit(F.col("authorId")), "text_bit": hashed_bit(F.col("keywords"))})
        .select(
            "post_id",
            "event_micros",
            "window",
            "likes",
            "author_bit",
            "text_bit",
            F.explode_outer(every_keyword).alias("keyword"),
        )
    )


def known_likes(text: Column) -> Column:
    """Return likes as a bigint; null if they are no integer, or negative because their source overflowed."""
    return F.when(text.try_cast("bigint") >= 0, text.try_cast("bigint"))


def aggregate_keywords(tagged_posts: DataFrame) -> DataFrame:
    """Aggregate the posts of each keyword in each window.

    Grain: one row per window and keyword. Columns in: those of `explode_keywords`. Columns out: window_start
    (timestamp), keyword, posts (bigint), authors_bitmap and texts_bitmap (bigint, one hashed bit of 64 per
    author or text), first_post_at and last_post_at (timestamp, event time), first_post_id, latest_post_id and
    top_post_id (bigint), top_likes (bigint, -1 if unknown).
    """
    return (
        tagged_posts.groupBy("window", "keyword")
        .agg(
            F.count(F.lit(1)).alias("posts"),
            F.bit_or("author_bit").alias("authors_bitmap"),
            F.bit_or("text_bit").alias("texts_bitmap"),
            F.min("event_micros").alias("first_micros"),
            F.max("event_micros").alias("last_micros"),
            F.min("post_id").alias("first_post_id"),
            F.max("post_id").alias("latest_post_id"),
            F.max_by("post_id", _top_order()).alias("top_post_id"),
            F.coalesce(F.max("likes"), F.lit(-1)).alias("top_likes"),
        )
        .select(
            F.col("window").alias("window_start"),
            "keyword",
            "posts",
            "authors_bitmap",
            "texts_bitmap",
            F.timestamp_micros("first_micros").alias("first_post_at"),
            F.timestamp_micros("last_micros").alias("last_post_at"),
            "first_post_id",
            "latest_post_id",
            "top_post_id",
            "top_likes",
        )
    )


def first_deliveries(records: DataFrame, *, future_minutes: int) -> DataFrame:
    """Keep the delivery of each post in each window that Kafka took first.

    Grain: one row per post and window; all rejected records together are one row. Columns in: value,
    kafka_time, partition, offset. Columns out: value, kafka_time.
    """
    return (
        records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=future_minutes)
        .select(
            "post_id",
            F.floor(F.unix_seconds("event_time") / WINDOW_SECONDS).alias("window"),
            F.struct("value", "kafka_time").alias("record"),
            F.struct("offset", "partition").alias("delivery"),
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("record", "delivery").alias("record"))
        .select("record.*")
    )


def hashed_bit(column: Column) -> Column:
    """Return one of 64 bits as a bigint, for `bit_or`; 0 for null.

    Null hashes to 42, which would count it as one common author.
    """
    bit = F.pmod(F.xxhash64(column), F.lit(DISTINCT_BITS)).cast("int")
    return F.when(column.isNull(), F.lit(0).cast("long")).otherwise(
        F.call_function("shiftleft", F.lit(1).cast("long"), bit)
    )


def _top_order() -> Column:
    """Likes, then bits of the id's hash, as one bigint: a tie gives the same post in any order of arrival."""
    unknown_likes = F.lit(-1).cast("long")
    bounded = F.greatest(F.least(F.coalesce("likes", unknown_likes), F.lit(MOST_RANKED_LIKES)), unknown_likes)
    return F.call_function("shiftleft", bounded, F.lit(TIE_BITS)) + F.pmod(
        F.xxhash64("post_id"), F.lit(2**TIE_BITS)
    )
