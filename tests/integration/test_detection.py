"""Detection on real servers: counts against an oracle that shares no code, alerts, rejected records."""

import json
import random
from collections import Counter, defaultdict
from contextlib import closing
from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest

from core.settings import Settings
from sql.connection import connect
from sql.rows import fetch_dicts, insert_rows
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import learn_nothing, rows

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
POISON = [
    b"not json",
    None,
    b"\xff\xfe",
    b'{"itemInfos": {"id": "abc"}, "time_stamp": 1772445600}',
    b'{"itemInfos": {"id": "7"}}',
    b'{"itemInfos": {"id": "8"}, "time_stamp": 9e18}',
    json.dumps({"itemInfos": {"id": "9"}, "time_stamp": 4102444800}).encode(),
    b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    b'{"itemInfos": {"id": "7\\u0000"}, "time_stamp": 1772445600}',
]


def a_value(post_id: int, at: datetime, text: str, *, author: int, likes: int = 0) -> bytes:
    infos = {"id": str(post_id), "text": text, "authorId": str(author), "diggCount": likes}
    return json.dumps({"itemInfos": infos, "time_stamp": at.timestamp()}).encode()


def posts_of_an_hour() -> list[tuple[int, datetime, str, int, int]]:
    """1,200 posts of two words each out of twelve, with three hashtags.

    `boomtown` is in 60 posts by 55 authors from 10:32, `buynow` in 60 posts by 3 authors from 10:46, and
    `simmer` in every 37th post, each by another author: 8 or 9 a window.
    """
    rng = random.Random(5)
    vocabulary = "alpaca banjo cactus dolphin ember falcon garlic harbor indigo jungle kettle lantern".split()
    posts = []
    for i in range(1_200):
        at = START + timedelta(seconds=3 * i)
        text = " ".join(rng.sample(vocabulary, 2))
        if 640 <= i < 700:
            text += " #BoomTown"
        if 920 <= i < 980:
            text += " #BuyNow"
        if i % 37 == 0:
            text += " #simmer"
        author = 640 + i % 55 if 640 <= i < 700 else i % 3 if 920 <= i < 980 else rng.randrange(100)
        posts.append((7_000_000_000_000_000_000 + i, at, text, author, rng.randrange(10_000)))
    return posts


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """An hour of posts, processed: shuffled a little, with duplicates, unstorable text and poison."""
    rng = random.Random(6)
    posts = posts_of_an_hour()
    values: list[bytes | None] = [
        a_value(post_id, at, text, author=author, likes=likes) for post_id, at, text, author, likes in posts
    ]
    values += [values[i] for i in range(100, 160)]
    values.append(a_value(posts[0][0], START + timedelta(minutes=50), "alpaca again", author=1))
    values.append(a_value(42, START + timedelta(minutes=1), "nul\u0000inside \ud800 banjo", author=2))
    values.extend(POISON)
    order = sorted(range(len(values)), key=lambda i: i % 1_200 + rng.random() * 60)
    learn_nothing(module_settings)
    send(module_settings, [values[i] for i in order])
    send(
        module_settings,
        [json.dumps({"file": "x.ndjson", "line": 3, "reason": "no JSON object"}).encode()],
        topic=module_settings.rejected_topic,
    )
    drain_topics(spark_for(module_settings), module_settings)
    let_time_decide(module_settings, START + timedelta(days=1))
    return module_settings


def test_every_window_holds_its_distinct_posts(world: Settings) -> None:
    expected = Counter(
        START + timedelta(minutes=15 * ((at - START) // timedelta(minutes=15)))
        for _, at, *_ in posts_of_an_hour()
    )
    expected[START + timedelta(minutes=45)] += 1
    expected[START] += 1
    assert dict(rows(world, "SELECT window_start, posts FROM traffic_windows")) == dict(expected)


def test_the_burst_is_one_confirmed_alert_with_its_posts_and_authors(world: Settings) -> None:
    found = rows(
        world,
        "SELECT status, provisional, opened_window, posts, expected, first_post_id, latest_post_id, "
        "round(distinct_authors) > 40, severity FROM anomaly_alerts WHERE keyword = 'boomtown'",
    )
    first = 7_000_000_000_000_000_640
    assert found == [
        ("resolved", False, START + timedelta(minutes=30), 60, 0.0, first, first + 59, True, "strong")
    ]


def test_the_most_liked_post_is_the_top_post(world: Settings) -> None:
    burst = [post for post in posts_of_an_hour() if "#BoomTown" in post[2]]
    assert rows(world, "SELECT top_post_id FROM anomaly_alerts WHERE keyword = 'boomtown'") == [
        (max(burst, key=lambda post: post[4])[0],)
    ]


def test_sixty_posts_by_three_authors_raise_no_alert_and_are_a_row_with_the_reason(world: Settings) -> None:
    assert rows(world, "SELECT count(*) FROM anomaly_alerts WHERE keyword = 'buynow'") == [(0,)]
    found = rows(
        world,
        "SELECT window_start, reason, posts, distinct_authors < 4 FROM suppressed_windows "
        "WHERE keyword = 'buynow'",
    )
    assert found == [(START + timedelta(minutes=45), "few authors", 60, True)]


def test_windows_of_every_alert_hold_the_distinct_posts_of_its_keyword(world: Settings) -> None:
    expected: dict[tuple[str, datetime], set[int]] = defaultdict(set)
    deliveries = [(post_id, at, text) for post_id, at, text, *_ in posts_of_an_hour()]
    for post_id, at, text in [
        *deliveries,
        (deliveries[0][0], START + timedelta(minutes=50), "alpaca"),
        (42, START, "banjo"),
    ]:
        for word in text.lower().replace("#", "").split():
            expected[word, START + timedelta(minutes=15 * ((at - START) // timedelta(minutes=15)))].add(
                post_id
            )
    found = rows(
        world,
        "SELECT keyword, window_start, w.posts FROM alert_windows w JOIN anomaly_alerts USING (alert_id) "
        "WHERE status <> 'withdrawn'",
    )
    assert len({keyword for keyword, *_ in found}) == 14
    assert [
        (keyword, start, posts) for keyword, start, posts in found if posts != len(expected[keyword, start])
    ] == []


def test_a_slow_climb_opens_an_alert_by_its_hourly_window_only(world: Settings) -> None:
    (alert,) = rows(
        world,
        "SELECT alert_id, opened_window, opened_by, peak_score FROM anomaly_alerts WHERE keyword = 'simmer'",
    )
    assert alert[1:3] == (START + timedelta(minutes=30), "hour")
    assert alert[3] < 6.0
    windows = rows(
        world,
        "SELECT hourly_posts, hourly_score, threshold FROM alert_windows "
        f"WHERE alert_id = '{alert[0]}' ORDER BY window_start",
    )
    assert windows[0][0] == sum(1 for i in range(900) if i % 37 == 0)
    assert windows[0][1] == pytest.approx(2 * sqrt(windows[0][0] + 0.375) - 2 * sqrt(0.375), rel=1e-6)


def test_the_origin_of_an_alert_is_given_where_it_is_known(world: Settings) -> None:
    found = rows(
        world, "SELECT origin FROM anomaly_alerts WHERE keyword IN ('boomtown', 'simmer') ORDER BY keyword"
    )
    assert found == [("organic",), (None,)]


def test_nothing_is_left_open_once_time_has_passed(world: Settings) -> None:
    assert rows(world, "SELECT count(*) FROM anomaly_alerts WHERE status = 'open' OR provisional") == [(0,)]
    # What remains is the hour that the hourly window of a next window needs.
    assert rows(
        world,
        "SELECT count(*) FROM live_counts, detect_clock "
        "WHERE window_start < closed_until - interval '45 minutes'",
    ) == [(0,)]


def test_every_rejected_record_is_a_row_with_offset_and_reason(world: Settings) -> None:
    reasons = Counter(
        reason.split(":")[0] for (reason,) in rows(world, "SELECT reason FROM rejected_records")
    )
    assert reasons == {
        "the value is not a JSON object": 3,
        "the record has no value": 1,
        "itemInfos.id is not a positive 64-bit integer": 2,
        "time_stamp is missing": 1,
        "time_stamp is more than 5 minutes after Kafka's time": 2,
        "not sent by the producer": 1,
    }


def test_the_archive_holds_every_record_once(world: Settings, spark_for) -> None:
    found = spark_for(world).sql(
        "SELECT count(*) AS records, count(DISTINCT topic, partition, offset) AS offsets, "
        "count(event_time) AS usable FROM lake.tiktok.raw_posts"
    )
    assert found.collect()[0].asDict() == {"records": 1_272, "offsets": 1_272, "usable": 1_262}


def test_a_second_run_over_the_same_topic_changes_nothing(world: Settings, spark_for) -> None:
    snapshot = "SELECT keyword, status, posts, peak_score FROM anomaly_alerts ORDER BY keyword, opened_window"
    before = rows(world, snapshot), rows(world, "SELECT count(*) FROM rejected_records")
    drain_topics(spark_for(world), world)
    assert (rows(world, snapshot), rows(world, "SELECT count(*) FROM rejected_records")) == before


@pytest.mark.parametrize(
    ("statement", "table"),
    [
        ("upsert_alert_windows", "alert_windows"),
        ("upsert_alerts", "anomaly_alerts"),
        ("insert_suppressed_windows", "suppressed_windows"),
    ],
)
def test_rows_that_are_copied_are_those_that_a_statement_with_values_inserts(
    world: Settings, monkeypatch: pytest.MonkeyPatch, statement: str, table: str
) -> None:
    inserted = {}
    for least in (1, 10**9):
        monkeypatch.setattr("sql.rows.COPIED_ROWS", least)
        with closing(connect(world)) as connection, connection.cursor() as cursor:
            cursor.execute(f"SELECT * FROM {table}")
            before = fetch_dicts(cursor)
            cursor.execute(f"DELETE FROM {table}")
            insert_rows(cursor, statement, before)
            columns = ", ".join(sorted(before[0].keys() - {"created_at", "updated_at"}))
            cursor.execute(f"SELECT {columns} FROM {table} ORDER BY {columns}")
            inserted[least] = cursor.fetchall()
    assert inserted[1]
    assert inserted[1] == inserted[10**9]
