"""Which records are usable and why others are rejected, by the parser of archive, detection and batch."""

import json
from datetime import UTC, datetime

import pytest
from pyspark.sql import SparkSession

from core.records import DETECTION_SCHEMA, IDENTITY_SCHEMA, POST_SCHEMA, parse_records, rejection_reason
from tests.factories import a_post

KAFKA_TIME = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)
SECONDS = KAFKA_TIME.timestamp()


def a_record(time_stamp: object = SECONDS, post_id: object = "6807325450981969158") -> bytes:
    return json.dumps({"itemInfos": {"id": post_id, "text": "x"}, "time_stamp": time_stamp}).encode()


REJECTED = {
    "no value": (None, "the record has no value"),
    "no JSON": (b"not json", "the value is not a JSON object"),
    "no object": (b"[1, 2]", "the value is not a JSON object"),
    "no UTF-8": (b"\xff\xfe{}", "the value is not a JSON object"),
    "cut": (a_record()[:-20], "the value is not a JSON object"),
    "deep": (b'{"a":' * 2_000 + b"1" + b"}" * 2_000, "the value is not a JSON object"),
    "no id": (b'{"itemInfos": {}, "time_stamp": 1}', "itemInfos.id is missing"),
    "wrong type of itemInfos": (b'{"itemInfos": "text", "time_stamp": 1}', "itemInfos.id is missing"),
    "id of letters": (a_record(post_id="abc"), "itemInfos.id is not a positive 64-bit integer: abc"),
    "id too large": (
        a_record(post_id="9999999999999999999"),
        "itemInfos.id is not a positive 64-bit integer: 9999999999999999999",
    ),
    "id zero": (a_record(post_id="0"), "itemInfos.id is not a positive 64-bit integer: 0"),
    "no time": (b'{"itemInfos": {"id": "5"}}', "time_stamp is missing"),
    "time of letters": (a_record("soon"), "time_stamp is not a number of Unix seconds: soon"),
    "time NaN": (a_record("NaN"), "time_stamp is not a number of Unix seconds: NaN"),
    "time before 1970": (a_record(-1.0), "time_stamp is before 1970: -1.0"),
    "six minutes ahead": (
        a_record(SECONDS + 360),
        "time_stamp is more than 5 minutes after Kafka's time: ",
    ),
    "milliseconds": (a_record(SECONDS * 1000), "time_stamp is more than 5 minutes after Kafka's time: "),
    "overflow": (a_record(9e18), "time_stamp is more than 5 minutes after Kafka's time: "),
}
USABLE = {
    "whole": json.dumps({**a_post(), "time_stamp": SECONDS}).encode(),
    "id as a number": a_record(post_id=6807325450981969158),
    "time as text": a_record("1780315200.25"),
    "four minutes ahead": a_record(SECONDS + 240),
    "wrong types elsewhere": (
        b'{"itemInfos": {"id": "5", "text": ["a"], "diggCount": {"x": 1}}, '
        b'"challengeInfoList": "?", "time_stamp": 1780315200}'
    ),
    "lone surrogate and NUL in the text": (
        b'{"itemInfos": {"id": "5", "text": "a\\ud800b\\u0000c"}, "time_stamp": 1780315200}'
    ),
}


@pytest.fixture(scope="module", params=["identity", "detection", "post"])
def verdicts(
    spark: SparkSession, request: pytest.FixtureRequest
) -> dict[str, tuple[int | None, datetime | None, str | None]]:
    schema = {"identity": IDENTITY_SCHEMA, "detection": DETECTION_SCHEMA, "post": POST_SCHEMA}[request.param]
    values = {**{name: value for name, (value, _) in REJECTED.items()}, **USABLE}
    rows = spark.createDataFrame(
        [(name, value, KAFKA_TIME) for name, value in values.items()],
        "name string, value binary, kafka_time timestamp",
    )
    parsed = rows.transform(parse_records, schema=schema, future_minutes=5)
    return {
        row.name: (row.post_id, row.event_time, row.reason)
        for row in parsed.select(
            "name", "post_id", "event_time", rejection_reason(future_minutes=5).alias("reason")
        ).collect()
    }


@pytest.mark.parametrize("name", REJECTED)
def test_an_unusable_record_is_rejected_with_its_reason(
    verdicts: dict[str, tuple[object, object, str | None]], name: str
) -> None:
    post_id, event_time, reason = verdicts[name]
    assert (post_id, event_time) == (None, None)
    assert reason is not None and reason.startswith(REJECTED[name][1])


@pytest.mark.parametrize("name", USABLE)
def test_a_usable_record_is_not_rejected(
    verdicts: dict[str, tuple[object, object, str | None]], name: str
) -> None:
    post_id, event_time, reason = verdicts[name]
    assert post_id is not None and event_time is not None and reason is None


def test_a_19_digit_id_and_fractions_of_a_second_stay_exact(spark: SparkSession) -> None:
    rows = spark.createDataFrame(
        [(a_record(1584953968.123456, "6807325450981969158"), KAFKA_TIME)],
        "value binary, kafka_time timestamp",
    )
    row = (
        rows.transform(parse_records, schema=IDENTITY_SCHEMA, future_minutes=5)
        .selectExpr("post_id", "unix_micros(event_time) AS micros")
        .first()
    )
    assert row is not None and (row.post_id, row.micros) == (6807325450981969158, 1584953968123456)
