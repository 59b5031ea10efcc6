"""The law of imported lines: archive row and reason are what producer, Kafka and stream would have given."""

from datetime import UTC, date, datetime

import orjson
import pytest
from pydantic import SecretStr
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from archive.table import archive_rows
from batch.importing.clock import ImportClock
from batch.importing.lines import Row, Rows
from core.records import IDENTITY_SCHEMA, parse_records, rejection_reason
from core.settings import Settings
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from producer.sources import Input, Line
from tests.archived import RECORDS
from tests.factories import ABSENT, a_post

ARRIVAL = datetime(2026, 6, 1, 12, tzinfo=UTC)
ARRIVAL_MICROS = int(ARRIVAL.timestamp()) * 1_000_000
LATEST = ARRIVAL_MICROS / 1e6 + 300
SETTINGS = Settings(
    kafka_bootstrap_servers="k",
    postgres_host="p",
    postgres_password=SecretStr("unused"),
    s3_bucket="b",
)
START = b'{"itemInfos": {"id": "1"}, "time_stamp": 5, '


def stamped(text: str) -> bytes:
    """Return a post whose `time_stamp` is written like this."""
    return b'{"itemInfos": {"id": "6807325450981969158"}, "time_stamp": %s}' % text.encode()


def nested(depth: int) -> bytes:
    return START + b'"deep": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"


STAMPS = [
    "1584953968",
    "1584953968.0",
    "1584953968.00025",
    "1584953968.9999999",
    "1.584953968e9",
    "0",
    "-0.0",
    "-1",
    "1e400",
    "9e18",
    "1584953968000",
    f"{LATEST}",
    f"{LATEST + 0.001}",
    "null",
    "true",
    "[]",
    "{}",
    '""',
    '" 1584953968 "',
    '"1584953968.5"',
    '"1.5e9"',
    '"15.5d"',
    '"15f"',
    '"0x10"',
    '"NaN"',
    '"Infinity"',
    '"-Infinity"',
    '"tomorrow"',
    '".5"',
    '"5."',
    '"+5"',
    '"5 5"',
    '"٣"',
    '"1_000"',
    '"\\u0000 5"',
    "123456789012345678901234567890",
    "1" + "0" * 400,
    "-1" + "0" * 400,
    '"1795000000.0"',
    '"\\t7\\n"',
    '"\\u00a07"',
    "1584953968.123456789012345",
]
LINES = [
    *map(stamped, STAMPS),
    orjson.dumps(a_post()),
    orjson.dumps(a_post(time_stamp=ABSENT)),
    orjson.dumps(a_post(itemInfos={"id": 12345})),
    orjson.dumps(a_post(itemInfos={"id": "0"})),
    orjson.dumps(a_post(itemInfos={"id": "9223372036854775808"})),
    orjson.dumps(a_post(itemInfos={"id": ABSENT})),
    orjson.dumps(a_post(itemInfos={"createTime": "4000000000"})),
    orjson.dumps(a_post(itemInfos={"createTime": "x", "id": "5"})),
    b"",
    b"   ",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b"{",
    b"[]",
    b"null",
    b'"text"',
    b'{"itemInfos": []}',
    START + b'"x": 1} x',
    b'{"itemInfos": {"id": "1", "text": "\\ud800"}, "time_stamp": 5}',
    b'{"itemInfos": {"id": "1", "text": "\x00"}, "time_stamp": 5}',
    b'{"itemInfos": {"id": "1"}, "itemInfos": {"id": "2"}, "time_stamp": 5, "time_stamp": 6}',
    b'{"\\u0069temInfos": {"id": "1"}, "time_stamp": 5}',
    START + b'"x": NaN}',
    START + b'"x": 01}',
    START + b'"x": %s}' % (b"9" * 1000),
    START + b'"x": %s}' % (b"9" * 1001),
    START + b'"x": "%s"}' % (b"9" * 2000),
    START + b'"x": "\\"[%s"}' % (b"[{" * 2000),
    START + b'"%s": 1}' % (b"n" * 50_000),
    START + b'"%s" : 1}' % (b"n" * 50_001),
    b'{"x": 1.%s, "itemInfos": {"id": "1"}, "time_stamp": 5}' % (b"9" * 1001),
    b'{"itemInfos": {"id": "1"}, "%s": 1}' % (b"n" * 50_001),
    b'{"itemInfos": {"id": "1"}, "time_stamp": [], "%s": 1}' % (b"n" * 50_001),
    nested(20),
    nested(999),
    nested(1000),
    nested(1001),
    nested(1020),
    nested(30_000),
]


def as_imported(lines: list[Line], clock: ImportClock) -> list[tuple[Line, Row]]:
    rows = Rows(SETTINGS, clock)
    pairs = ((line, rows.row_from(line, file="a.ndjson", arrival_micros=ARRIVAL_MICROS)) for line in lines)
    return [(line, row) for line, row in pairs if row is not None]


def differences(spark: SparkSession, imported: list[tuple[Line, Row]]) -> list[object]:
    """Return the rows for which the stream's own transforms give another result."""
    records = spark.createDataFrame(
        [(row.value, row.key, row.topic, 0, number, ARRIVAL) for number, (_, row) in enumerate(imported)],
        RECORDS,
    )
    event_times = (
        archive_rows(records, settings=SETTINGS).select("offset", F.unix_micros("event_time")).collect()
    )
    parsed = parse_records(records, schema=IDENTITY_SCHEMA, future_minutes=SETTINGS.future_minutes)
    reasons = parsed.select("offset", rejection_reason(future_minutes=SETTINGS.future_minutes)).collect()
    streamed_micros, streamed_reason = dict(map(tuple, event_times)), dict(map(tuple, reasons))
    differing: list[object] = []
    for number, (line, row) in enumerate(imported):
        reason = streamed_reason[number] if row.topic == SETTINGS.posts_topic else row.reason
        # Java formats the number at the end of a reason differently.
        as_imported_row, as_streamed = (
            (micros, why and why.partition(": ")[0])
            for micros, why in ((row.event_micros, row.reason), (streamed_micros[number], reason))
        )
        if as_imported_row != as_streamed:
            differing.append((line.data[:120], as_imported_row, as_streamed))
    return differing


@pytest.mark.parametrize("clock", list(ImportClock))
def test_odd_lines_are_what_the_stream_would_make_of_them(spark, clock):
    lines = [Line(number, data, len(data), 0) for number, data in enumerate(LINES, start=1)]
    assert differences(spark, as_imported(lines, clock)) == []


def test_simulated_lines_with_all_their_defects_are_what_the_stream_would_make_of_them(spark, tmp_path):
    world = World(seed=3, start=date(2026, 3, 2), posts_per_day=3_000)
    simulate_days(world, range(0, 1), tmp_path, compress=False, report=lambda *_: None)
    lines = list(Input(str(tmp_path / "posts-2026-03-02.ndjson")).lines())
    imported = as_imported(lines, ImportClock.ORIGINAL)
    assert differences(spark, imported) == []
    assert {row.event_micros is None for _, row in imported} == {True, False}
