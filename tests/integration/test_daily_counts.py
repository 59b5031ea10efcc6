"""The batch counts what the stream counts."""

from datetime import UTC, date, datetime
from typing import Any

import orjson
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from core.windows import window_number
from detection import window_counts as stream
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.open_windows import OpenWindows
from detection.score import KEPT_POSTS
from tests.archived import KAFKA_TIME, RECORDS
from tests.factories import a_post

DAY = date(2026, 1, 5)
MIDNIGHT = datetime(2026, 1, 5, tzinfo=UTC).timestamp()
TEXTS = [
    "snow",
    "Snow #Winter 🎉",
    "雪が降る",
    "don't @ana https://example.com/x",
    None,
    "",
    "snow snow\0katze",
    "любовь 2026",
]


def records() -> list[tuple[Any, ...]]:
    """Posts over the whole day, some delivered again in the same or another window, and rejected records."""
    posts = [
        a_post(time_stamp=MIDNIGHT + 700.5 * n, itemInfos={"id": str(n + 1), "text": TEXTS[n % len(TEXTS)]})
        for n in range(120)
    ]
    again = [{**post, "time_stamp": post["time_stamp"] + 0.25} for post in posts[::7]]
    elsewhere = [{**post, "time_stamp": MIDNIGHT + 86399.999} for post in posts[::11]]
    values = [
        orjson.dumps(post)
        for post in [*posts, *again, *elsewhere, a_post(time_stamp=None), a_post(time_stamp="x")]
    ]
    return [
        (value, None, "posts", 0, offset, KAFKA_TIME)
        for offset, value in enumerate([*values, b"no json", b""])
    ]


def test_batch_and_stream_count_the_same(spark: SparkSession):
    rows = spark.createDataFrame(records(), RECORDS)
    start = F.unix_seconds("window_start") - int(MIDNIGHT)
    streamed = {
        (keyword, second // 900): posts
        for keyword, second, posts in stream.count_keywords_per_window(rows, future_minutes=5)
        .where("window_start IS NOT NULL")
        .select("keyword", start, "posts")
        .collect()
    }
    kept = OpenWindows().add(stream.posts_to_count(rows, future_minutes=5).toArrow())
    in_memory = {
        (row["keyword"], window_number(row["window_start"]) - int(MIDNIGHT) // 900): row["posts"]
        for row in kept.counts.to_pylist()
    }
    assert in_memory == {at: posts for at, posts in streamed.items() if posts >= KEPT_POSTS and at[0]}
    totals = {
        window_number(start) - int(MIDNIGHT) // 900: posts for start, posts in kept.posts_by_window.items()
    }
    assert totals == {window: posts for (keyword, window), posts in streamed.items() if not keyword}
    by_keyword = (
        rows.transform(posts_in_windows, day=DAY, future_minutes=5)
        .transform(count_keywords_per_day)
        .collect()
    )
    batched = {
        (keyword, window): posts
        for keyword, windows, counts, _ in by_keyword
        for window, posts in zip(windows, counts, strict=True)
        if window is not None
    }
    assert batched == streamed
    assert batched[("", 95)] == 11
    assert batched[("snow", 0)] == 2
