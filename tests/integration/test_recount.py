"""The recount without Spark gives, column by column, what Spark counts in the same archived records."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from alerts.explain.recount import Recount, recount
from archive.records import open_records, pieces
from archive.spans import Span
from archive.table import read_archive
from core.errors import BadInputError, NotReadyError
from core.keyword_rule import ALL_POSTS
from core.post_fields import PostFields, read_post_details
from core.records import DETECTION_SCHEMA, POST_SCHEMA, parse_records, shortened
from core.settings import Settings
from core.windows import WINDOW, window_number
from detection.dominant import DOMINANT_SHARE
from detection.open_windows import POSTS, OpenWindows
from detection.plain_counts import COLUMNS
from detection.score import KEPT_POSTS
from detection.window_counts import (
    count_keywords_per_window,
    first_deliveries,
    known_likes,
    posts_to_count,
)
from tests.archived import archive_posts

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)
WHOLE, PAST = (NOON, NOON + 4 * WINDOW), (NOON - 8 * WINDOW, NOON)
KEYWORDS = ["corona", "new york", "любовь", "コロ", "👍", "rock'n'roll", "absent"]
VALUES = """
    null true false 12 -0 1.0 1.50 1e5 1.0e-7 -12.5E+10 123456789012345678901234567890 1E400 -1e-400 0.001 ""
    "5" "+5" "-7" "5.7" "1e3" "00005" "\\t5" "5\\u0000" "\\u00a05" "99999999999999999999"
    "9223372036854775807"
    "\\ud800" "\\ud83d\\ude00" "\\udc00x\\ud800" [] {} [1,2.50,"a\\u00e9"] {"b":1,"b":[true,null,1e2]}
    "a\\/b" +INF -INF [+Infinity,-Infinity]
""".split()
BROKEN = [
    bytes.fromhex(data)
    for data in """
    ff c3 e282 f09f98 eda080 edbd80 eda0bdedb880 c080 f4908080 e228a1 e08080 e180e2f09192f1bf41 efbfbe
    """.split()
]
LENIENT = [
    ' \n{"itemInfos": {"id": "ID", "text": "corona a"}, "time_stamp": AT} x',
    '{"itemInfos": {"id": "ID", "text": "corona a"}, "time_stamp": AT}{"itemInfos": {"id": "2"}}',
    "{'itemInfos': {'id': 'ID', 'text': 'corona \"a\" rock\\'n\\'roll'}, 'time_stamp': AT, 'x': NaN}",
    '{"itemInfos": {"id": "ID", "text": NaN}, "time_stamp": AT}',
    '{"itemInfos": {"id": "ID", "text": "corona"}, "itemInfos": [], "time_stamp": AT}',
    '{"itemInfos": {"id": "1", "text": "corona"}, "itemInfos": {"id": "ID"}, "time_stamp": AT}',
    '{"itemInfos": {"id": "ID", "text": "b", "te\\u0078t": "corona", "TEXT": "c"}, "time_stamp": AT}',
    '{"itemInfos": {"id": "ID", "text": "corona", "text": null}, "time_stamp": AT}',
    '{"deep": DEEP, "itemInfos": {"id": "ID", "text": "corona deep"}, "time_stamp": AT}',
    '{"itemInfos": {"id": "ID", "text": 1, "text": "corona LONG"}, "time_stamp": AT}',
]


def odd_records(at: datetime) -> Iterator[bytes]:
    """Yield records whose fields are of every type, and records that are barely JSON."""
    stamp = str(int(at.timestamp()))
    for number, value in enumerate(VALUES):
        for place, name in enumerate(("text", "authorId", "diggCount")):
            infos = {"id": str(10**6 + 3 * number + place), "text": "corona любовь", "authorId": "5"}
            record = json.dumps({"itemInfos": {**infos, name: "HERE"}, "time_stamp": int(stamp)})
            yield record.replace('"HERE"', value).encode()
    for number, broken in enumerate(BROKEN):
        infos = {"id": str(2 * 10**6 + number), "text": "coronaX👍"}
        record = json.dumps({"itemInfos": infos, "time_stamp": int(stamp)}, ensure_ascii=False)
        yield record.encode().replace(b"X", broken)
    for number, text in enumerate(LENIENT):
        record = text.replace("AT", stamp).replace("ID", str(3 * 10**6 + number))
        yield record.replace("DEEP", "[" * 998 + "]" * 998).replace("LONG", "x" * 70).encode()


def ordinary_records(rng: random.Random) -> Iterator[bytes]:
    """Yield posts of three hours, many of them delivered again with another text, author, likes or window."""
    words = ["corona", "New York", "Любовь", "コロナ", "👍🏽", "rock’n’roll", "the", "#fyp", "lockdown"]
    for number in range(3_000):
        at = PAST[0] + rng.random() * (WHOLE[1] - PAST[0])
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            infos = {
                "id": str(rng.choice([number + 1, number // 3 + 1])),
                "text": " ".join(
                    [*rng.choices(words, k=rng.randint(0, 4)), rng.choice(["lockdown", f"w{number}"])]
                ),
                "authorId": rng.choice([None, "", str(rng.randrange(40))]),
                "diggCount": rng.choice([None, rng.randrange(4), 2**50, -5]),
            }
            moment = at + rng.choice([0, 0, 1]) * WINDOW
            yield json.dumps({"itemInfos": infos, "time_stamp": moment.timestamp()}).encode()


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for: Callable[[Settings], SparkSession]) -> Settings:
    """An archive of odd and of ordinary records, in two partitions with the same offsets."""
    rng = random.Random(7)
    archive = spark_for(module_settings)
    archive_posts(archive, module_settings, [*ordinary_records(rng), *odd_records(NOON + WINDOW)])
    again = [*ordinary_records(rng), *odd_records(NOON - WINDOW)]
    archive_posts(archive, module_settings, again, partition=1)
    archive_posts(archive, module_settings, again[:500], partition=1)
    return module_settings


def detailed_records() -> Iterator[bytes]:
    """Yield records whose author and music have values of every type, or are no objects."""
    for value in VALUES:
        for name in ("authorId", "musicId", "diggCount", "text"):
            yield f'{{"itemInfos": {{"id": "5", "{name}": {value}}}, "time_stamp": 5}}'.encode()
        for part, name in (
            ("authorInfos", "userId"),
            ("authorInfos", "uniqueId"),
            ("musicInfos", "musicId"),
            ("musicInfos", "musicName"),
        ):
            of_part = f'"{part}": {{"{name}": {value}}}'
            yield f'{{"itemInfos": {{"id": "5", "text": "a"}}, {of_part}, "time_stamp": 5}}'.encode()
            again = f'"{part}": {value}'
            yield f'{{"itemInfos": {{"id": "5"}}, {of_part}, {again}, "time_stamp": 5}}'.encode()
            yield f"{{'itemInfos': {{'id': '5'}}, {of_part}, 'x': NaN, {again}, 'time_stamp': 5}}".encode()


def test_what_is_shown_of_a_post_is_what_spark_reads(spark: SparkSession) -> None:
    records = [*detailed_records(), *odd_records(NOON)]
    rows = spark.createDataFrame(
        [(bytearray(record), NOON) for record in records], "value binary, kafka_time timestamp"
    )
    item, author, music = (F.col(f"post.{part}Infos") for part in ("item", "author", "music"))
    shown = (
        rows.transform(parse_records, schema=POST_SCHEMA, future_minutes=5)
        .select(
            "value",
            item["text"],
            known_likes(item["diggCount"]),
            shortened(F.coalesce(item["authorId"], author["userId"])),
            shortened(author["uniqueId"]),
            shortened(F.nullif(F.coalesce(item["musicId"], music["musicId"]), F.lit("0"))),
            shortened(music["musicName"]),
        )
        .collect()
    )
    assert [
        (bytes(value), tuple(rest), tuple(ours))
        for value, *rest in shown
        if (ours := read_post_details(bytes(value))) != tuple(rest)
    ] == []


def recount_by_spark(
    spark: SparkSession, settings: Settings, spans: list[Span]
) -> dict[tuple[str, int], Any]:
    records = read_archive(spark, settings, spans).transform(
        first_deliveries, future_minutes=settings.future_minutes
    )
    counted = count_keywords_per_window(records, future_minutes=settings.future_minutes, phrases=["new york"])
    rows = counted.select(*COLUMNS).toArrow().to_pylist()
    return {(row["keyword"], window_number(row["window_start"])): row for row in rows}


def test_every_column_is_what_spark_counts(
    world: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    by_spark = recount_by_spark(spark_for(world), world, [PAST, WHOLE])
    totals = {number: row["posts"] for (keyword, number), row in by_spark.items() if keyword == ALL_POSTS}
    first = window_number(NOON)
    expected = {
        (keyword, number): row
        for (keyword, number), row in by_spark.items()
        if keyword in KEYWORDS
        or (keyword and number >= first and row["posts"] >= DOMINANT_SHARE * totals[number])
    }
    found = recount(world, KEYWORDS, [WHOLE], past_spans=[PAST])
    assert found.total_posts == totals
    assert found.counts.keys() == expected.keys()
    assert {at: row for at, row in found.counts.items() if row != expected[at]} == {}
    assert {keyword for keyword, _ in expected} >= {*KEYWORDS, "lockdown"} - {"absent"}


def test_every_column_is_what_the_stream_counts(
    world: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    spark = spark_for(world)
    by_spark = recount_by_spark(spark, world, [WHOLE])
    records = read_archive(spark, world, [WHOLE]).transform(
        first_deliveries, future_minutes=world.future_minutes
    )
    posts = records.transform(
        posts_to_count, future_minutes=world.future_minutes, phrases=["new york"]
    ).toArrow()
    rows = OpenWindows().add(posts).counts.to_pylist()
    assert {(row["keyword"], window_number(row["window_start"])): row for row in rows} == {
        (keyword, number): row
        for (keyword, number), row in by_spark.items()
        if keyword and row["posts"] >= KEPT_POSTS
    }
    assert posts.schema.names == POSTS.names


def test_the_odd_records_are_all_accepted_by_spark(
    world: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    records = [(value, NOON) for value in odd_records(NOON)]
    frame = spark_for(world).createDataFrame(records, "value binary, kafka_time timestamp")
    parsed = parse_records(frame, schema=DETECTION_SCHEMA, future_minutes=5)
    assert parsed.where(F.col("event_time").isNull()).collect() == []


def test_without_archive_or_s3_the_error_says_what_to_do(world: Settings, settings: Settings) -> None:
    with pytest.raises(NotReadyError, match="There is no archive yet"):
        recount(settings, ["corona"], [WHOLE])
    away = world.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"})
    with pytest.raises(NotReadyError, match=r"S3 does not answer at http://127\.0\.0\.1:9"):
        recount(away, ["corona"], [WHOLE])
    wrong_key = world.model_copy(update={"s3_secret_access_key": SecretStr("wrong")})
    with pytest.raises(NotReadyError, match="refuses bucket"):
        recount(wrong_key, ["corona"], [WHOLE])


def test_pieces_counted_by_several_processes_give_the_same(
    world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = recount(world, KEYWORDS, [WHOLE], past_spans=[PAST])
    monkeypatch.setattr("alerts.explain.recount.PIECE_RECORDS", 2_000)
    with open_records(world) as reader:
        assert len(pieces(reader.count([WHOLE, PAST]), most=2_000)) > 2
    assert recount(world, KEYWORDS, [WHOLE], past_spans=[PAST]) == whole


def test_a_record_that_cannot_be_read_is_reported_with_its_place(
    world: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreadable(value: bytes) -> PostFields:
        raise BadInputError(f"an archived record cannot be read: {value[:9]!r}")

    monkeypatch.setattr("alerts.explain.recount.read_post_fields", unreadable)
    with pytest.raises(NotReadyError, match=r"The record at offset [0-9,]+ of partition [01] cannot be read"):
        recount(world, ["corona"], [WHOLE])


def test_no_spans_count_nothing(world: Settings) -> None:
    assert recount(world, ["corona"], []) == Recount({}, {})
    assert recount(world, ["corona"], [(NOON + timedelta(days=9), NOON + timedelta(days=10))]) == Recount(
        {}, {}
    )
