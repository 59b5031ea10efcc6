"""Project archived records to rows of posts, authors, music, challenges, hashtags and keywords.

Foreign values arrive as text and are cast with try_cast: an unreadable value becomes null and affects
nothing else.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from core.collection import COLLECTION_TIMES
from core.keyword_rule import MAX_KEYWORD_CHARACTERS
from core.keywords import folded, hashtags, keywords
from core.records import COLLECTED_POST_SCHEMA, parse_records, shortened

TABLES = ("posts", "authors", "music", "challenges", "post_challenges")
COUNTS_OF_POSTS = ("diggCount", "shareCount", "commentCount", "playCount")
COUNTS_OF_AUTHORS = ("followingCount", "followerCount", "heartCount", "videoCount", "diggCount")
TYPE_OF_HASHTAGS = "1"
"""Type of hashtag entries in textExtra; 0 is a mention."""
MAX_LISTED = 100
"""Most challenges, and most hashtags of textExtra, that are taken from one record; as many as keywords."""
CLOCKS_DIFFER = "INTERVAL 5 MINUTES"
EARLIEST_COLLECTION_SECONDS = 1_388_534_400
"""Unix seconds of the year 2014."""
LATEST_CREATION_SECONDS = 4_102_444_800
"""Unix seconds of the year 2100: a createTime above it is in milliseconds or made up."""


def describe_entities(records: DataFrame, *, future_minutes: int) -> DataFrame:
    """Extract the posts, authors, sounds and challenges that each record describes.

    Grain: one row per record, in and out. Columns in: value, kafka_time, partition, offset. Columns out:
    post_id and event_time (null if the record is rejected), and a column per table with its future rows:
    posts, authors, music (struct; null if the record is rejected or the id is missing), challenges and
    post_hashtags (array of struct) and post_keywords (array of string), null or empty if there are none. A
    hashtag appears once for the caption and once for textExtra. negative_counts (int; null if the record is
    rejected) is how many of its counts are negative, because their source overflowed; they are null in the
    rows. first_seen and last_seen are both the event time of the record, collected_at is when it was
    collected. Nothing is filtered here, because a filter after `from_json` makes Spark parse every record
    several times. URLs of pictures and videos are left out: they expire.
    """
    parsed = records.transform(parse_records, schema=COLLECTED_POST_SCHEMA, future_minutes=future_minutes)
    return parsed.select(
        "post_id",
        "event_time",
        _row("post_id", _post()).alias("posts"),
        _row("post.authorInfos.userId", _author()).alias("authors"),
        _row("post.musicInfos.musicId", _sound()).alias("music"),
        F.when(F.col("post_id").isNotNull(), _challenges()).alias("challenges"),
        F.when(F.col("post_id").isNotNull(), _hashtags()).alias("post_hashtags"),
        F.when(F.col("post_id").isNotNull(), keywords(F.col("post.itemInfos.text"))).alias("post_keywords"),
        F.when(F.col("post_id").isNotNull(), _negative_counts()).alias("negative_counts"),
    )


def _post() -> Column:
    item, measures = F.col("post.itemInfos"), F.col("post.itemInfos.video.videoMeta")
    return F.struct(
        F.col("post_id"),
        item["text"].alias("text"),
        _creation_time(item["createTime"]).alias("created_at"),
        F.coalesce(_id(item["authorId"]), _id(F.col("post.authorInfos.userId"))).alias("author_id"),
        F.coalesce(_id(item["musicId"]), _id(F.col("post.musicInfos.musicId"))).alias("music_id"),
        _id(F.col("post.duetInfo")).alias("duet_of_post_id"),
        _count(item["diggCount"]).alias("like_count"),
        _count(item["shareCount"]).alias("share_count"),
        _count(item["commentCount"]).alias("comment_count"),
        _count(item["playCount"]).alias("play_count"),
        measures["duration"].try_cast("int").alias("duration_seconds"),
        measures["width"].try_cast("int").alias("width_pixels"),
        measures["height"].try_cast("int").alias("height_pixels"),
        item["isOriginal"].try_cast("boolean").alias("is_original"),
        item["isOfficial"].try_cast("boolean").alias("is_official"),
        item["isActivityItem"].try_cast("boolean").alias("is_activity_item"),
        *_delivery(),
    )


def _author() -> Column:
    author, stats = F.col("post.authorInfos"), F.col("post.authorStats")
    return F.struct(
        _id(author["userId"]).alias("author_id"),
        shortened(author["uniqueId"]).alias("unique_id"),
        shortened(author["nickName"]).alias("nickname"),
        author["signature"].alias("signature"),
        shortened(author["secUid"]).alias("sec_uid"),
        author["verified"].try_cast("boolean").alias("is_verified"),
        author["isSecret"].try_cast("boolean").alias("is_secret"),
        _count(stats["followingCount"]).alias("following_count"),
        _count(stats["followerCount"]).alias("follower_count"),
        _count(stats["heartCount"]).alias("heart_count"),
        _count(stats["videoCount"]).alias("video_count"),
        _count(stats["diggCount"]).alias("like_count"),
        *_delivery(),
    )


def _sound() -> Column:
    sound = F.col("post.musicInfos")
    # The values are true or "".
    is_original = F.when(sound["original"] == "", False).otherwise(sound["original"].try_cast("boolean"))
    return F.struct(
        _id(sound["musicId"]).alias("music_id"),
        shortened(sound["musicName"]).alias("name"),
        shortened(sound["authorName"]).alias("author_name"),
        is_original.alias("is_original"),
        F.get(sound["playUrl"], F.lit(0)).alias("play_url"),
        *_delivery(),
    )


def _challenges() -> Column:
    listed = F.slice("post.challengeInfoList", 1, MAX_LISTED)
    return F.filter(F.transform(listed, _challenge), lambda challenge: challenge["challenge_id"].isNotNull())


def _challenge(listed: Column) -> Column:
    return F.struct(
        _id(listed["challengeId"]).alias("challenge_id"),
        shortened(listed["challengeName"]).alias("name"),
        listed["text"].alias("description"),
        listed["splitTitle"].alias("split_title"),
        listed["isCommerce"].try_cast("boolean").alias("is_commerce"),
        *_delivery(),
    )


def _hashtags() -> Column:
    in_text = F.transform(
        hashtags(F.col("post.itemInfos.text")), lambda tag: _hashtag(tag, F.lit(None), in_text=True)
    )
    entries = F.slice(
        F.filter("post.textExtra", lambda entry: entry["Type"] == TYPE_OF_HASHTAGS), 1, MAX_LISTED
    )
    in_extra = F.transform(
        entries,
        lambda entry: _hashtag(_tag_name(entry["HashtagName"]), _id(entry["HashtagId"]), in_text=False),
    )
    return F.concat(in_text, F.coalesce(F.filter(in_extra, lambda tag: tag["hashtag"] != ""), F.array()))


def _hashtag(tag: Column, hashtag_id: Column, *, in_text: bool) -> Column:
    return F.struct(
        tag.alias("hashtag"),
        hashtag_id.cast("bigint").alias("hashtag_id"),
        F.lit(in_text).alias("in_text"),
        F.lit(not in_text).alias("in_text_extra"),
    )


def _tag_name(name: Column) -> Column:
    """Return a name from textExtra in the form of hashtags in captions; null stays null and may be empty."""
    return F.left(F.regexp_replace(folded(name), r"[\s\x00#]", ""), F.lit(MAX_KEYWORD_CHARACTERS))


def _delivery() -> list[Column]:
    """Return when the record was seen and collected, and its partition and offset in Kafka."""
    return [
        F.col("event_time").alias("first_seen"),
        F.col("event_time").alias("last_seen"),
        F.col("partition").alias("kafka_partition"),
        F.col("offset").alias("kafka_offset"),
        _collection_time().alias("collected_at"),
    ]


def _collection_time() -> Column:
    """Return when the record was collected, as it says itself (Unix seconds or ISO 8601), else its arrival.

    A time before TikTok, or after the arrival by more than two clocks may differ, is an error of the source.
    """
    said = [F.col(f"post.{name}") for name in COLLECTION_TIMES]
    times = [F.coalesce(_moment(text.try_cast("double")), text.try_cast("timestamp")) for text in said]
    collected = F.coalesce(*times)
    earliest = F.timestamp_seconds(F.lit(EARLIEST_COLLECTION_SECONDS))
    latest = F.col("kafka_time") + F.expr(CLOCKS_DIFFER)
    return F.when(collected.between(earliest, latest), collected).otherwise(F.col("kafka_time"))


def _moment(seconds: Column) -> Column:
    return F.when(
        F.abs(seconds) < LATEST_CREATION_SECONDS, F.timestamp_micros((seconds * 1e6).try_cast("bigint"))
    )


def _row(id_path: str, row: Column) -> Column:
    """Return `row`, or null if the record is rejected or has no usable id at `id_path`."""
    return F.when(F.col("post_id").isNotNull() & _id(F.col(id_path).cast("string")).isNotNull(), row)


def _id(text: Column) -> Column:
    """Return a positive 64-bit id as a bigint, null for anything else; "0" means none."""
    return F.when(text.rlike("^[0-9]{1,19}$"), F.nullif(text.try_cast("bigint"), F.lit(0)))


def _count(text: Column) -> Column:
    """Return a count as a bigint, null if it is negative."""
    return F.when(_integer(text) >= 0, _integer(text))


def _integer(text: Column) -> Column:
    """Return a number as a bigint; one written with a fraction or an exponent is truncated."""
    return F.coalesce(text.try_cast("bigint"), text.try_cast("double").try_cast("bigint"))


def _negative_counts() -> Column:
    """Return how many counts are negative: "-977433948" for likes beyond 32 bits, -1 for unknown plays."""
    item, stats = F.col("post.itemInfos"), F.col("post.authorStats")
    counts = [item[name] for name in COUNTS_OF_POSTS] + [stats[name] for name in COUNTS_OF_AUTHORS]
    return F.size(F.filter(F.array(*map(_integer, counts)), lambda count: count < 0))


def _creation_time(text: Column) -> Column:
    seconds = text.try_cast("double").try_cast("bigint")
    return F.when((seconds > 0) & (seconds < LATEST_CREATION_SECONDS), F.timestamp_seconds(seconds))
