"""The record contract: the schema of a TikTok post on Kafka, and the one rule for which records are usable.

Archive, detection and batch all parse through `parse_records`, so they reject the same records.
"""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StringType, StructField, StructType

from core.collection import COLLECTION_TIMES
from core.post_fields import MAX_NAME_CHARACTERS

CORRUPT = "_corrupt_record"

# All foreign scalars are declared as strings: a number in place of a string, or the reverse, then costs at
# most one field and never the record, and 19-digit ids keep all their digits.
_TEXT = StringType()
_TEXTS = ArrayType(StringType())


def _struct(**fields: DataType) -> StructType:
    return StructType([StructField(name, data_type) for name, data_type in fields.items()])


def _texts(*names: str) -> dict[str, DataType]:
    return dict.fromkeys(names, _TEXT)


POST_SCHEMA = _struct(
    itemInfos=_struct(
        **_texts("id", "text", "createTime", "authorId", "musicId"),
        covers=_TEXTS,
        coversOrigin=_TEXTS,
        coversDynamic=_TEXTS,
        video=_struct(urls=_TEXTS, videoMeta=_struct(**_texts("width", "height", "ratio", "duration"))),
        **_texts(
            "diggCount",
            "shareCount",
            "playCount",
            "commentCount",
            "isOriginal",
            "isOfficial",
            "isActivityItem",
        ),
    ),
    authorInfos=_struct(
        **_texts("secUid", "userId", "uniqueId", "nickName", "signature", "verified", "isSecret")
    ),
    # In real posts original is true or "": both survive as text.
    musicInfos=_struct(
        **_texts("musicId", "musicName", "authorName", "original"),
        playUrl=_TEXTS,
        covers=_TEXTS,
        coversMedium=_TEXTS,
        coversLarger=_TEXTS,
    ),
    challengeInfoList=ArrayType(
        _struct(**_texts("challengeId", "challengeName", "text", "splitTitle", "isCommerce"))
    ),
    duetInfo=_TEXT,
    textExtra=ArrayType(
        _struct(
            **_texts("AwemeId", "Start", "End", "HashtagName", "HashtagId", "Type", "UserId", "IsCommerce")
        )
    ),
    authorStats=_struct(**_texts("followingCount", "followerCount", "heartCount", "videoCount", "diggCount")),
    time_stamp=_TEXT,
)
"""Every field of a post, as a Spark schema; scalars are text until a step casts them with try_cast."""

COLLECTED_POST_SCHEMA = StructType([*POST_SCHEMA.fields, *_struct(**_texts(*COLLECTION_TIMES)).fields])
"""The fields of a post, and those in which a source may say when it was collected."""

DETECTION_SCHEMA = _struct(
    itemInfos=_struct(**_texts("id", "text", "authorId", "diggCount")), time_stamp=_TEXT
)
"""The fields that detection needs."""

IDENTITY_SCHEMA = _struct(itemInfos=_struct(id=_TEXT), time_stamp=_TEXT)
"""The fields that decide whether a record is usable."""

EARLIEST_EVENT_SECONDS = 0.0
"""Earliest plausible event time in Unix seconds: 1970."""

# Reasons for a rejection, as rejected_records shows them.
NOT_SENT = "not sent by the producer"
NOT_AN_OBJECT = "the value is not a JSON object"
NO_TIME = "time_stamp is missing"
NO_SECONDS = "time_stamp is not a number of Unix seconds: "
BEFORE_1970 = "time_stamp is before 1970: "
AHEAD = "time_stamp is more than {minutes} minutes after Kafka's time: "


def parse_records(records: DataFrame, *, schema: StructType, future_minutes: int) -> DataFrame:
    """Parse Kafka records and separate the usable ones from the rejected.

    Grain: one row per record, in and out. Columns in: `value` (binary), `kafka_time` (timestamp). Columns
    added: `post` (struct of `schema`), `post_id` (bigint) and `event_time` (timestamp, from `time_stamp`:
    Unix seconds as a double). A record is rejected if it is not a JSON object, if its id is not a positive
    64-bit integer, or if its `time_stamp` is not a number, is before 1970 or is more than `future_minutes`
    after Kafka's time. `post_id` and `event_time` are then both null, and `rejection_reason` gives the
    reason. No row is dropped here, because a filter directly after `from_json` makes Spark parse every record
    several times.
    """
    parsed = records.withColumn(
        "post",
        F.from_json(
            F.col("value").cast("string"),
            StructType([*schema.fields, StructField(CORRUPT, _TEXT)]),
            {"columnNameOfCorruptRecord": CORRUPT},
        ),
    )
    usable = _post_id().isNotNull() & _event_time(future_minutes).isNotNull()
    return parsed.withColumns(
        {
            "post_id": F.when(usable, _post_id()),
            "event_time": F.when(usable, _event_time(future_minutes)),
        }
    )


def rejection_reason(*, future_minutes: int) -> Column:
    """Return why `parse_records` rejected a record, as readable text; null for a usable one."""
    id_text = F.col("post.itemInfos.id")
    seconds = F.col("post.time_stamp")
    return (
        F.when(F.col("post_id").isNotNull(), None)
        .when(F.col("value").isNull(), "the record has no value")
        .when(
            F.col("post").isNull()
            | (F.col(f"post.{CORRUPT}").isNotNull() & id_text.isNull() & seconds.isNull()),
            NOT_AN_OBJECT,
        )
        .when(id_text.isNull(), "itemInfos.id is missing")
        .when(
            _post_id().isNull(),
            F.concat(F.lit("itemInfos.id is not a positive 64-bit integer: "), F.left(id_text, F.lit(80))),
        )
        .when(seconds.isNull(), NO_TIME)
        .when(_seconds().isNull(), F.concat(F.lit(NO_SECONDS), F.left(seconds, F.lit(80))))
        .when(_seconds() < EARLIEST_EVENT_SECONDS, F.concat(F.lit(BEFORE_1970), F.left(seconds, F.lit(80))))
        .otherwise(F.concat(F.lit(AHEAD.format(minutes=future_minutes)), F.left(seconds, F.lit(80))))
    )


def _post_id() -> Column:
    """Return the id as a bigint; null unless it has 1 to 19 digits, is greater than zero and below 2^63."""
    id_text = F.col("post.itemInfos.id")
    return F.when(id_text.rlike("^[0-9]{1,19}$"), F.expr("nullif(try_cast(post.itemInfos.id AS bigint), 0)"))


def _seconds() -> Column:
    """Return `time_stamp` as finite Unix seconds; null if it is not a number."""
    seconds = F.expr("try_cast(post.time_stamp AS double)")
    return F.when(~F.isnan(seconds) & (F.abs(seconds) < F.lit(float("inf"))), seconds)


def _event_time(future_minutes: int) -> Column:
    latest = F.unix_micros("kafka_time") / 1e6 + 60.0 * future_minutes
    # Bounds are checked before the cast, so that a far future can neither overflow nor move the watermark.
    return F.when(
        (_seconds() >= EARLIEST_EVENT_SECONDS) & (_seconds() <= latest),
        F.timestamp_micros((_seconds() * 1e6).cast("long")),
    )


def shortened(name: Column) -> Column:
    """Return a name or foreign id as the tables keep it; the archive has the full text."""
    return F.left(name, F.lit(MAX_NAME_CHARACTERS))
