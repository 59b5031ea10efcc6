"""Records of every wrong type, depth and encoding, drawn by hypothesis, through the real stream and tables.

POISON=100000 SEED=7 draws more and different ones; that many take an hour.
"""

import json
import os
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as of_hypothesis
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import ArrayType, DataType, StructType

from batch.importing.clock import ImportClock
from batch.run import Step
from core.catalog import RAW_POSTS
from core.records import POST_SCHEMA
from core.settings import Settings
from producer.sources import Line
from tests.archived import TABLE_STEPS, run_batch
from tests.integration.test_import_lines import as_imported, differences
from tests.kafka_posts import drain_topics, send
from tests.tables import rows

RECORDS = int(os.environ.get("POISON") or 600)
SEED = int(os.environ.get("SEED") or 20260305)
DAY = date(2026, 3, 5)
NOON = datetime(2026, 3, 5, 12, tzinfo=UTC).timestamp()
MOST_BYTES = 9_000_000
"""Size of all records of one world together; the topic accepts records of up to 10 MB."""

odd_text = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "",
            " ",
            "0",
            "-1",
            "1e400",
            "NaN",
            "true",
            "null",
            "\0",
            "a\0b",
            "\u202egnorw",
            "\u2066\u2069",
            "\\N",
            "\\.",
            "#",
            "##",
            "#a#b",
            "@x",
            "https://",
            "'; DROP TABLE posts; --",
            "%s",
            "{}",
            "[]",
            "\r\n\t",
            "\u2028",
            "\ufeff",
            "e\u0301" * 70,
            "\U0001f1e9\U0001f1ea",
            "x" * 70_000,
            "\u4e2d" * 3_000,
            "#" + "\u0e01" * 900,
            " ".join(f"#tag{n}" for n in range(400)),
        ]
    ),
)
odd_number = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0, -1, 2**31, 2**63, 2**64, 10**400, -(2**63), 1e308, -0.0, 1584953968.25]),
)
anything = st.recursive(
    st.none() | st.booleans() | odd_number | odd_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(odd_text, inner, max_size=4),
    max_leaves=8,
)


def value_of(kind: DataType) -> st.SearchStrategy[Any]:
    """Draw something in the shape of the record contract, with some parts of another type or left out."""
    if isinstance(kind, StructType):
        fields = {field.name: value_of(field.dataType) for field in kind.fields}
        shaped = st.one_of(st.fixed_dictionaries({}, optional=fields), st.fixed_dictionaries(fields))
        return st.integers(0, 9).flatmap(lambda one: anything if one == 5 else shaped)
    if isinstance(kind, ArrayType):
        return st.one_of(st.lists(value_of(kind.elementType), max_size=3), anything)
    return st.one_of(st.integers(0, 2**40).map(str), odd_text, anything)


good_identity = st.one_of(
    st.integers(1, 2**63 - 1).map(str), st.integers(1, 300).map(str), st.integers(1, 300)
)
identity = st.integers(0, 9).flatmap(lambda one: anything if one == 5 else good_identity)
moment = st.integers(0, 9).flatmap(lambda one: anything if one == 5 else st.floats(NOON, NOON + 600))


@st.composite
def records(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """Draw the bytes of a record: a post, mostly with a good id and time, or something that is not a post."""
    record = draw(value_of(POST_SCHEMA))
    if isinstance(record, dict) and draw(st.integers(0, 9)) != 5:
        infos = record.get("itemInfos")
        record["itemInfos"] = {**(infos if isinstance(infos, dict) else {}), "id": draw(identity)}
        record["time_stamp"] = draw(moment)
    if draw(st.integers(0, 39)) == 7:
        record = (
            {"half": "\ud800", "not a number": float("nan"), "post": record}
            if draw(st.booleans())
            else [record, "\udfff"]
        )
    ascii_only = draw(st.booleans())
    try:
        value = json.dumps(record, ensure_ascii=ascii_only).encode("utf-8", errors="surrogatepass")
    except ValueError:  # an integer with more digits than Python converts
        value = b"1" * 5_000
    damage = draw(st.integers(0, 59))
    if damage == 20:
        value = value[: draw(st.integers(0, len(value)))]
    elif damage == 30:
        value = draw(st.binary(max_size=60)) + value
    elif damage == 40:
        depth = draw(st.sampled_from([10, 900, 1_100, 20_000]))
        value = value[:-1] + b', "deep": ' + b"[" * depth + b"]" * depth + b"}"
    return value


def drawn(count: int) -> list[bytes]:
    """Draw `count` records; the same for the same SEED and code, whose constants hypothesis uses too."""
    values: list[bytes] = []

    @seed(SEED)
    @of_hypothesis(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(records())
    def draw(value: bytes) -> None:
        values.append(value)

    draw()
    return [value for value in values if len(value) < MOST_BYTES]


@pytest.fixture(scope="module")
def poison() -> list[bytes]:
    print(f"POISON={RECORDS} SEED={SEED}")
    values = drawn(RECORDS)
    assert len(values) > RECORDS // 2
    return values


def test_an_import_treats_each_record_as_the_stream_does(poison: list[bytes], spark: SparkSession) -> None:
    lines = [
        Line(number, data.replace(b"\n", b" "), len(data), 0) for number, data in enumerate(poison, start=1)
    ]
    assert differences(spark, as_imported(lines, ImportClock.KEPT)) == []


def test_each_is_archived_and_either_counted_or_rejected_with_its_reason(
    poison: list[bytes], module_settings: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    lake = spark_for(module_settings)
    assert send(module_settings, poison) == len(poison)
    drain_topics(lake, module_settings)
    run_batch(lake, module_settings, [DAY], (*TABLE_STEPS, Step.CHECKS))

    archived = lake.table(RAW_POSTS).agg(F.count("*"), F.count("event_time")).first()
    assert archived is not None
    total, usable = archived
    assert total == len(poison)
    assert rows(module_settings, "SELECT count(*), count(nullif(reason, '')) FROM rejected_records") == [
        (total - usable, total - usable)
    ]
    assert 0.2 * total < usable < total
    parsed = lake.table(RAW_POSTS).where("event_time >= '2026-03-05' AND event_time < '2026-03-06'")
    ids = F.get_json_object(F.col("value").cast("string"), "$.itemInfos.id").cast("bigint")
    [(distinct,)] = parsed.agg(F.countDistinct(ids)).collect()
    assert (
        rows(
            module_settings,
            "SELECT count(*) FROM posts WHERE last_seen >= '2026-03-05' AND last_seen < '2026-03-06'",
        )[0][0]
        == distinct
    )
    windows = F.window("event_time", "15 minutes")
    [(counted,)] = (
        parsed.where(F.col("event_time").between("2026-03-05 12:00", "2026-03-05 12:15"))
        .agg(F.countDistinct(ids, windows))
        .collect()
    )
    [(streamed,)] = rows(
        module_settings,
        "SELECT sum(posts)::int FROM traffic_windows WHERE window_start = '2026-03-05 12:00Z'",
    )
    assert streamed == counted
