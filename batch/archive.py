"""The archive as batch reads it: one day of usable posts out of `lake.tiktok.raw_posts`, flat enough to keep in memory."""

from datetime import UTC, date, datetime, timedelta

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from core.records import POST_SCHEMA, parse_records
from core.settings import Settings
from core.spark import RAW_POSTS

_KEPT_FIELDS = {
    "item": [
        "text", "createTime", "authorId", "musicId", "diggCount", "shareCount", "playCount", "commentCount",
        "isOriginal", "isOfficial", "isActivityItem",
    ],
    "author": ["secUid", "userId", "uniqueId", "nickName", "signature", "verified", "isSecret"],
    "music": ["musicId", "musicName", "authorName", "original"],
}  # fmt: skip
_OBJECTS = {"item": "itemInfos", "author": "authorInfos", "music": "musicInfos"}


def day_start(day: date) -> datetime:
    """Midnight in UTC with which `day` begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def read_archived_day(spark: SparkSession, settings: Settings, day: date) -> DataFrame:
    """The archived records of the posts' topic with an event time in `day`, one row a record, as they were delivered.

    Reads one partition of the archive. A record may stand there twice after a repair of the archive: what batch makes
    of records does not change when one comes twice.
    """
    return spark.table(RAW_POSTS).where(
        (F.col("event_time") >= F.lit(day_start(day)))
        & (F.col("event_time") < F.lit(day_start(day + timedelta(days=1))))
        & (F.col("topic") == settings.posts_topic)
    )


def has_posts(spark: SparkSession, settings: Settings, day: date) -> bool:
    """Whether the archive holds a post of `day`."""
    return bool(read_archived_day(spark, settings, day).select("offset").head(1))


def deliveries(records: DataFrame, *, future_minutes: int) -> DataFrame:
    """Usable posts, one row a delivery.

    Columns in: value, kafka_time, partition, offset. Columns out: partition (int), offset (bigint), event_time
    (timestamp), post_id (bigint), item, author, music, video_meta, author_stats (structs of text), play_url (first of
    the music's), challenges (array of struct of text), duet (text). Foreign values are still text as delivered, null
    where absent; refused records are dropped. Addresses of pictures and videos are left out: they expire.
    """
    parsed = records.transform(parse_records, schema=POST_SCHEMA, future_minutes=future_minutes)
    structs = [
        F.when(F.col(f"post.{source}").isNotNull(), F.struct(*[f"post.{source}.{field}" for field in _KEPT_FIELDS[name]])).alias(name)
        for name, source in _OBJECTS.items()
    ]
    flat = parsed.select(
        "partition",
        "offset",
        "event_time",
        "post_id",
        *structs,
        F.col("post.itemInfos.video.videoMeta").alias("video_meta"),
        F.col("post.authorStats").alias("author_stats"),
        F.get("post.musicInfos.playUrl", F.lit(0)).alias("play_url"),
        F.col("post.challengeInfoList").alias("challenges"),
        F.col("post.duetInfo").alias("duet"),
    )
    # `coalesce` around the id keeps the filter behind from_json: pushed into it, every post would be parsed several times.
    return flat.where(F.coalesce("post_id", F.lit(-1)) > 0)
