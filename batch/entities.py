"""From a day's deliveries to rows of posts, authors, music, challenges and post_challenges, as Spark transforms.

An entity is described by several deliveries; its row is the newest one, by event time, then Kafka offset and partition.
Foreign values are cast with try_cast: what cannot be read is null and costs nothing else.
"""

from collections.abc import Callable

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

VERSION = ("event_time", "offset", "partition")
"""Columns that order the deliveries of an entity."""
LATEST_CREATION_SECONDS = 4_102_444_800
"""Unix seconds of the year 2100: a createTime above it is in milliseconds or made up."""


def posts(deliveries: DataFrame) -> DataFrame:
    """One row a post: the columns of table `posts`. Counts are null where unknown."""
    return deliveries.select(
        "post_id",
        *VERSION,
        _text("item.text", "text"),
        _creation_time("item.createTime").alias("created_at"),
        F.coalesce(_id("item.authorId"), _id("author.userId")).alias("author_id"),
        F.coalesce(_id("item.musicId"), _id("music.musicId")).alias("music_id"),
        _id("duet").alias("duet_of_post_id"),
        _count("item.diggCount", "like_count"),
        _count("item.shareCount", "share_count"),
        _count("item.commentCount", "comment_count"),
        _count("item.playCount", "play_count"),
        _measure("video_meta.duration", "duration_seconds"),
        _measure("video_meta.width", "width_pixels"),
        _measure("video_meta.height", "height_pixels"),
        _flag("item.isOriginal", "is_original"),
        _flag("item.isOfficial", "is_official"),
        _flag("item.isActivityItem", "is_activity_item"),
    ).transform(newest_per, key="post_id")


def authors(deliveries: DataFrame) -> DataFrame:
    """One row an author that a delivery describes (authorInfos.userId): the columns of table `authors`."""
    return (
        deliveries.select(
            _id("author.userId").alias("author_id"),
            *VERSION,
            _text("author.uniqueId", "unique_id"),
            _text("author.nickName", "nickname"),
            _text("author.signature", "signature"),
            _text("author.secUid", "sec_uid"),
            _flag("author.verified", "is_verified"),
            _flag("author.isSecret", "is_secret"),
            _count("author_stats.followingCount", "following_count"),
            _count("author_stats.followerCount", "follower_count"),
            _count("author_stats.heartCount", "heart_count"),
            _count("author_stats.videoCount", "video_count"),
            _count("author_stats.diggCount", "like_count"),
        )
        .where("author_id IS NOT NULL")
        .transform(newest_per, key="author_id")
    )


def music(deliveries: DataFrame) -> DataFrame:
    """One row a sound that a delivery describes (musicInfos.musicId): the columns of table `music`."""
    return (
        deliveries.select(
            _id("music.musicId").alias("music_id"),
            *VERSION,
            _text("music.musicName", "name"),
            _text("music.authorName", "author_name"),
            # TikTok writes true or "".
            F.when(F.col("music.original") == "", False).otherwise(_boolean("music.original")).alias("is_original"),
            _text("play_url", "play_url"),
        )
        .where("music_id IS NOT NULL")
        .transform(newest_per, key="music_id")
    )


def challenges(deliveries: DataFrame) -> DataFrame:
    """One row a challenge: the columns of table `challenges`. Of two in one delivery the later in its list counts."""
    return (
        _listed_challenges(deliveries)
        .select(
            "challenge_id",
            *VERSION,
            "position",
            _text("challenge.challengeName", "name"),
            _text("challenge.text", "description"),
            _text("challenge.splitTitle", "split_title"),
            _flag("challenge.isCommerce", "is_commerce"),
        )
        .transform(newest_per, key="challenge_id", version=(*VERSION, "position"))
    )


def post_challenges(deliveries: DataFrame) -> DataFrame:
    """One row a post and challenge: post_id, challenge_id, first_seen and last_seen (timestamp, event time)."""
    return (
        _listed_challenges(deliveries)
        .groupBy("post_id", "challenge_id")
        .agg(F.min("event_time").alias("first_seen"), F.max("event_time").alias("last_seen"))
    )


ENTITIES: dict[str, Callable[[DataFrame], DataFrame]] = {
    "posts": posts,
    "authors": authors,
    "music": music,
    "challenges": challenges,
    "post_challenges": post_challenges,
}
"""Table name to the transform that makes its rows."""


def newest_per(versions: DataFrame, *, key: str, version: tuple[str, ...] = VERSION) -> DataFrame:
    """The newest row of every `key`, in the order of `version`, whose first column is event_time.

    Columns out: key, the describing columns, first_seen and last_seen (timestamp, event time of the first delivery and
    of the one shown), kafka_partition and kafka_offset of the one shown.
    """
    described = [name for name in versions.columns if name not in (key, *version)]
    newest = versions.groupBy(key).agg(
        F.max_by(F.struct(*version, *described), F.struct(*version)).alias("newest"),
        F.min("event_time").alias("first_seen"),
    )
    return newest.select(
        key,
        *[F.col(f"newest.{name}") for name in described],
        "first_seen",
        F.col("newest.event_time").alias("last_seen"),
        F.col("newest.partition").alias("kafka_partition"),
        F.col("newest.offset").alias("kafka_offset"),
    )


def _listed_challenges(deliveries: DataFrame) -> DataFrame:
    """One row an entry of a challenge list that has an id: post_id, VERSION, position, challenge, challenge_id."""
    return (
        deliveries.select("post_id", *VERSION, F.posexplode("challenges").alias("position", "challenge"))
        .withColumn("challenge_id", _id("challenge.challengeId"))
        .where("challenge_id IS NOT NULL")
    )


def _text(path: str, name: str) -> Column:
    """Text without NUL characters, which Postgres refuses."""
    return F.replace(F.col(path), F.lit("\0"), F.lit("")).alias(name)


def _id(path: str) -> Column:
    """A positive 64-bit id, null where it is anything else: `"0"` stands for none."""
    return F.when(F.col(path).rlike("^[0-9]{1,19}$"), F.expr(f"nullif(try_cast({path} AS bigint), 0)"))


def _count(path: str, name: str) -> Column:
    """A count as a bigint; numbers written with a fraction or an exponent are cut to whole ones."""
    return F.expr(f"coalesce(try_cast({path} AS bigint), try_cast(try_cast({path} AS double) AS bigint))").alias(name)


def _measure(path: str, name: str) -> Column:
    return F.expr(f"try_cast({path} AS int)").alias(name)


def _flag(path: str, name: str) -> Column:
    return _boolean(path).alias(name)


def _boolean(path: str) -> Column:
    return F.expr(f"try_cast({path} AS boolean)")


def _creation_time(path: str) -> Column:
    seconds = F.expr(f"try_cast(try_cast({path} AS double) AS bigint)")
    return F.when((seconds > 0) & (seconds < LATEST_CREATION_SECONDS), F.timestamp_seconds(seconds))
