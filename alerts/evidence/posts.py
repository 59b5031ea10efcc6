"""The posts that evidence is made from: the alerts' own, and a sample of the same windows for comparison."""

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core.function_words import is_counted_only_if_watched
from core.keywords import folded, hashtags, keywords
from core.records import EVIDENCE_SCHEMA, parse_records, shortened
from core.windows import WINDOW
from detection.window_counts import known_likes

SAMPLED_POSTS = 20_000
"""Approximate size of the sample of a window's posts; a window with no more posts is taken whole."""
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
    """Count the archived `records` by window number (`core.windows.window_number`); reads one column."""
    counted = records.groupBy(_window("event_time").alias("window")).count()
    return {row["window"]: row["count"] for row in counted.collect()}


def posts_with_terms(
    records: DataFrame, *, alerted: Sequence[str], by_window: Mapping[int, int], future_minutes: int
) -> DataFrame:
    """Return the posts with a keyword in `alerted` and a sample of all posts.

    Like the stream, it takes the first delivery of a post. `by_window` is the result of `count_by_window`.
    The sample depends on the post ids alone, so it is reproducible. Extracting keywords is the most expensive
    part, so it is done for no other post.

    Grain: one row per post and window in which it was delivered. Columns in: value, kafka_time, partition,
    offset. Columns out: post_id, window (bigint, `core.windows.window_number`), event_micros, text, likes
    (null: unknown), author_id, author_name, music_id, music_name (text, null: unknown), keywords, hashtags
    (keywords that are hashtags), tags (keywords in `alerted`), sampled (whether the post is in the sample).
    """
    item, author, music = F.col("post.itemInfos"), F.col("post.authorInfos"), F.col("post.musicInfos")
    post = F.struct(
        F.unix_micros("event_time").alias("event_micros"),
        item["text"].alias("text"),
        known_likes(item["diggCount"]).alias("likes"),
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
            # Only the first delivery counts, even if it is unusable and a later one is not.
            F.when(F.col("sampled") | _may_hold(item["text"], alerted), post).alias("post"),
            F.struct("offset", "partition").alias("delivery"),
        )
    )
    first = delivered.groupBy("post_id", "window").agg(F.min_by("post", "delivery").alias("post"))
    posts = first.where(F.col("post").isNotNull()).select("post_id", "window", "post.*")
    phrases = [keyword for keyword in alerted if is_counted_only_if_watched(keyword)]
    return posts.select(
        *POST_COLUMNS,
        "sampled",
        keywords(F.col("text"), phrases).alias("keywords"),
        hashtags(F.col("text")).alias("hashtags"),
    ).select(
        *POST_COLUMNS,
        "sampled",
        "keywords",
        F.array_intersect("keywords", F.coalesce("hashtags", F.array().cast("array<string>"))).alias(
            "hashtags"
        ),
        F.array_intersect("keywords", F.array(*map(F.lit, alerted)).cast("array<string>")).alias("tags"),
    )


def _window(event_time: str) -> Column:
    return F.floor(F.unix_micros(event_time) / int(WINDOW.total_seconds() * 1e6))


def _is_sampled(by_window: Mapping[int, int]) -> Column:
    """Return whether a post is among the `SAMPLED_POSTS` of its window, by a hash of its id."""
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
    """Return whether `text` may have a keyword in `alerted`.

    Every keyword, and every word of a phrase, is a substring of the folded text.
    """
    parts = F.array(
        *(F.lit(part) for part in sorted({keyword.partition(" ")[0] for keyword in alerted}))
    ).cast("array<string>")
    # Wrapped in an array, the text is folded once. The parts are one literal, so that Spark compiles the same
    # code for any number of them.
    return F.coalesce(
        F.exists(
            F.array(folded(text)),
            lambda folded_text: F.exists(parts, lambda part: F.contains(folded_text, part)),
        ),
        F.lit(False),
    )
