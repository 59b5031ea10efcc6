"""Counts per window and keyword, from Kafka records: parse, guard event time, dedupe, keywords, windows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core.keywords import ALL_POSTS, keywords
from core.records import DETECTION_SCHEMA, IDENTITY_SCHEMA, parse_records
from core.windows import WINDOW
from detection.authors import DISTINCT_BITS
from detection.score import KEPT_POSTS

COLUMNS = (
    "window_start",
    "keyword",
    "posts",
    "authors_bitmap",
    "texts_bitmap",
    "first_post_at",
    "first_post_id",
    "latest_post_id",
    "top_post_id",
    "top_likes",
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Counts as decisions take them."""

    counts: pa.Table
    """Columns `live_counts.COLUMNS`, of keywords with three posts and more in a window."""
    posts_by_window: Mapping[datetime, int]
    """Distinct posts of all keywords by window start."""
    last_post_at: datetime | None
    """Newest event time among them; None where there are none."""


def collect_counts(counts: DataFrame) -> Counted:
    """The rows of `count_keywords_per_window` that could matter: totals of windows, and keywords with enough posts to be judged."""
    enough = (F.col("posts") >= KEPT_POSTS) | (F.col("keyword") == ALL_POSTS)
    rows = counts.where(F.col("window_start").isNotNull() & enough).select(*COLUMNS, "last_post_at").toArrow()
    of_keyword = pc.not_equal(rows["keyword"], ALL_POSTS)
    totals = rows.filter(pc.invert(of_keyword))
    return Counted(
        counts=rows.filter(of_keyword),
        posts_by_window=dict(
            zip(totals["window_start"].to_pylist(), totals["posts"].to_pylist(), strict=True)
        ),
        last_post_at=pc.max(totals["last_post_at"]).as_py(),
    )


def count_keywords_per_window(
    records: DataFrame, *, lateness_minutes: int, future_minutes: int, phrases: Sequence[str] = ()
) -> DataFrame:
    """Distinct posts by window and keyword, exact in any order of arrival.

    Grain out: one row a window and keyword, plus one a window with keyword `ALL_POSTS` that counts every post. Columns
    in: value, kafka_time. Columns out: window_start (timestamp), keyword, posts (bigint), authors_bitmap and
    texts_bitmap (bigint, one hashed bit of 64 an author or text), first_post_at and last_post_at (event time),
    first_post_id, latest_post_id, top_post_id and top_likes (bigint; -1 where likes are unknown). A post that comes twice
    in a window counts once; rejected records count nowhere; what comes later than `lateness_minutes` behind the newest
    event is dropped with its window. `phrases` are watched phrases, as `core.keywords.keywords` takes them.
    """
    window_minutes = int(WINDOW.total_seconds() // 60)
    posts = (
        records.transform(parse_records, schema=DETECTION_SCHEMA, future_minutes=future_minutes)
        .select(
            "post_id",
            "event_time",
            "post.itemInfos.text",
            "post.itemInfos.authorId",
            "post.itemInfos.diggCount",
        )
        .withWatermark("event_time", f"{lateness_minutes} minutes")
        # Spark takes one column with a watermark through its state: the window's. The moment goes on as a number.
        .withColumns(
            {
                "window": F.window("event_time", f"{window_minutes} minutes"),
                "event_micros": F.unix_micros("event_time"),
            }
        )
        .drop("event_time")
        .dropDuplicates(["post_id", "window"])
    )
    # explode_outer, and the test for null behind it: explode itself adds filters that compute the keywords three times.
    tagged = (
        posts.withColumns(
            {"keywords": keywords(F.col("text"), phrases), "likes": F.expr("try_cast(diggCount AS bigint)")}
        )
        .withColumns({"author_bit": hashed_bit(F.col("authorId")), "text_bit": hashed_bit(F.col("keywords"))})
        .select(
            "post_id",
            "event_micros",
            "window",
            "likes",
            "author_bit",
            "text_bit",
            F.explode_outer(F.concat(F.array(F.lit(ALL_POSTS)), "keywords")).alias("keyword"),
        )
    )
    return (
        tagged.groupBy("window", "keyword")
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
            F.col("window.start").alias("window_start"),
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
    """Of the deliveries of a post in a window the one that Kafka took first: value, kafka_time; one row a post and window."""
    return (
        records.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=future_minutes)
        .select(
            "post_id",
            F.floor(F.unix_seconds("event_time") / int(WINDOW.total_seconds())).alias("window"),
            F.struct("value", "kafka_time").alias("record"),
            F.struct("offset", "partition").alias("delivery"),
        )
        .groupBy("post_id", "window")
        .agg(F.min_by("record", "delivery").alias("record"))
        .select("record.*")
    )


def hashed_bit(column: Column) -> Column:
    """One of 64 bits as a bigint, for `bit_or`; 0 for null, whose hash would be 42 like that of one common author."""
    bit = F.pmod(F.xxhash64(column), F.lit(DISTINCT_BITS)).cast("int")
    return F.when(column.isNull(), F.lit(0).cast("long")).otherwise(
        F.call_function("shiftleft", F.lit(1).cast("long"), bit)
    )


def _top_order() -> Column:
    """Likes first, then bits of the id's hash, as one bigint: equal likes give the same post in any order of arrival."""
    bounded = F.greatest(
        F.least(F.coalesce("likes", F.lit(-1).cast("long")), F.lit(2**42)), F.lit(-1).cast("long")
    )
    return F.call_function("shiftleft", bounded, F.lit(20)) + F.pmod(F.xxhash64("post_id"), F.lit(2**20))
