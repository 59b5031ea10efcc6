"""The posts that evidence is made of: those of the alerts, and a sample of all posts of the same windows to compare them with."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core.keywords import HASHTAG, folded, keywords
from core.records import EVIDENCE_SCHEMA, parse_records, shortened
from core.windows import WINDOW

SAMPLED_POSTS = 20_000
"""Posts of a window, about, that stand for all its posts; a window with no more is taken whole."""
POST_COLUMNS = (
    "post_id",
    "window",
    "event_micros",
    "text",
    "likes",
    "author_id",
    "author_name",
    "music_id",
    "music_name",
)
_HASHES = 2**31


def count_by_window(records: DataFrame) -> dict[int, int]:
    """How many of the archived `records` fall into each window, by `core.windows.window_number`; reads one column."""
    counted = records.groupBy(_window("event_time").alias("window")).count()
    return {row["window"]: row["count"] for row in counted.collect()}


def posts_with_terms(
    records: DataFrame, *, alerted: Sequence[str], by_window: Mapping[int, int], future_minutes: int
) -> DataFrame:
    """The posts that have a keyword in `alerted`, and a sample of all; as the stream counts them, of several deliveries the first.

    `by_window` is what `count_by_window` says. The sample follows from the posts' ids alone: whoever makes it again has the
    same. Keywords cost most, so they are looked for in no other post.

    Grain: one row a post and window in which it was delivered. Columns in: value, kafka_time, partition, offset. Columns
    out: post_id, window (bigint, `core.windows.window_number`), event_micros, text, likes (null: unknown), author_id,
    author_name, music_id, music_name (text, null: unknown), keywords, hashtags (those of them that are hashtags), tags
    (those of them that are in `alerted`), sampled (whether the post is of the sample).
    """
    item, author, music = F.col("post.itemInfos"), F.col("post.authorInfos"), F.col("post.musicInfos")
    post = F.struct(
        F.unix_micros("event_time").alias("event_micros"),
        item["text"].alias("text"),
        item["diggCount"].try_cast("bigint").alias("likes"),
        shortened(F.coalesce(item["authorId"], author["userId"])).alias("author_id"),
        shortened(author["uniqueId"]).alias("author_name"),
        shortened(F.nullif(F.coalesce(item["musicId"], music["musicId"]), F.lit("0"))).alias("music_id"),
        shortened(music["musicName"]).alias("music_name"),
        F.col("sampled"),
    )
    delivered = (
        records.transform(parse_records, schema=EVIDENCE_SCHEMA, future_minutes=future_minutes)
        .withColumn("window", _window("event_time"))
        .withColumn("sampled", _is_sampled(by_window))
        .select(
            "post_id",
            "window",
            # The first delivery decides, also where it is of no use and a later one would be.
            F.when(F.col("sampled") | _may_hold(item["text"], alerted), post).alias("post"),
            F.struct("offset", "partition").alias("delivery"),
        )
    )
    first = delivered.groupBy("post_id", "window").agg(F.min_by("post", "delivery").alias("post"))
    posts = first.where(F.col("post").isNotNull()).select("post_id", "window", "post.*")
    hashtags = F.array_join(F.regexp_extract_all(F.coalesce("text", F.lit("")), F.lit(HASHTAG), 0), " ")
    phrases = [keyword for keyword in alerted if " " in keyword]
    return posts.select(
        *POST_COLUMNS,
        "sampled",
        keywords(F.col("text"), phrases).alias("keywords"),
        keywords(hashtags).alias("hashtags"),
    ).select(
        "*", F.array_intersect("keywords", F.array(*map(F.lit, alerted)).cast("array<string>")).alias("tags")
    )


def _window(event_time: str) -> Column:
    return F.floor(F.unix_micros(event_time) / int(WINDOW.total_seconds() * 1e6))


def _is_sampled(by_window: Mapping[int, int]) -> Column:
    """Whether a post is one of the `SAMPLED_POSTS` of its window, by a hash of its id."""
    limits = {
        window: _HASHES * SAMPLED_POSTS // posts
        for window, posts in by_window.items()
        if posts > SAMPLED_POSTS
    }
    if not limits:
        return F.lit(True)
    limit = F.create_map(*(F.lit(value) for pair in limits.items() for value in pair))[F.col("window")]
    return F.coalesce(F.pmod(F.xxhash64("post_id"), F.lit(_HASHES)) < limit, F.lit(True))


def _may_hold(text: Column, alerted: Sequence[str]) -> Column:
    """Whether a keyword in `alerted` can be in `text`: every keyword, and every word of a phrase, is a part of the folded text."""
    parts = F.array(
        *(F.lit(part) for part in sorted({keyword.partition(" ")[0] for keyword in alerted}))
    ).cast("array<string>")
    # In a list of its own the text is folded once. The parts are one literal, so that Spark compiles the same code for any number.
    return F.coalesce(
        F.exists(F.array(folded(text)), lambda told: F.exists(parts, lambda part: F.contains(told, part))),
        F.lit(False),
    )
