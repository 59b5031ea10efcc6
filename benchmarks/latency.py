"""`python -m benchmarks latency [--rate 1000] [--seconds 120]`: from sending a post to its alert row.

Both queries run. In a steady stream of posts with a long tail of words, never-seen words burst: 20 posts at
once, the last of which must raise the alert. Measured is the time from just before a burst is sent until its
row is committed (`created_at` of anomaly_alerts; both clocks are this machine's). With `--burst-seconds` the
posts of a burst are spread evenly over that time.
"""

import json
import random
import time
from datetime import datetime
from typing import Annotated

import numpy as np
import typer
from kafka import KafkaProducer

from benchmarks.stack import Command, benchmark_stack
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from sql.connection import transaction
from streaming.finish import wait_until_caught_up

TICK_SECONDS = 0.02
FIRST_NUMBER = 1_000
_BATCHES = """
SELECT query, count(*), avg(duration_ms), percentile_cont(0.99) WITHIN GROUP (ORDER BY duration_ms),
    max(lag_records)
FROM pipeline_metrics GROUP BY query ORDER BY query
"""
_KEYWORD_STATISTICS = """
INSERT INTO keyword_statistics
SELECT current_date - 1, 'w' || n, 2 * sqrt(1e7 / n), NULL, 1, 1, 1, current_date - 1
FROM generate_series(1, 200000) AS n
"""
_TRAFFIC_STATISTICS = """
INSERT INTO traffic_statistics SELECT current_date - 1, hour, 1e6, 7, %s FROM generate_series(0, 23) AS hour
"""


def main(
    rate: Annotated[int, typer.Option(help="posts per second")] = 1_000,
    seconds: Annotated[int, typer.Option(help="how long to measure after the warm-up")] = 120,
    warm_up_seconds: Annotated[int, typer.Option(help="how long to send before measuring")] = 60,
    bursts_a_second: Annotated[float, typer.Option(help="words that start to burst per second")] = 1.0,
    burst_posts: Annotated[int, typer.Option(help="posts per burst", min=1)] = 20,
    burst_seconds: Annotated[
        float, typer.Option(help="length of a burst; 0: all posts at once", min=0)
    ] = 0.0,
    seed: Annotated[int, typer.Option(help="seed of all randomness")] = 11,
) -> None:
    """Measure the time from post to alert row, and print percentiles, lag and memory."""
    with benchmark_stack() as (settings, folder):
        accept_background(settings)
        with Command(settings, ("streaming",), folder / "streaming.log") as streaming:
            _wait_for_start(settings)
            schedule = burst_schedule(
                random.Random(seed),
                round(seconds * bursts_a_second),
                posts=burst_posts,
                seconds=burst_seconds,
                first=warm_up_seconds,
                gap=1 / bursts_a_second,
            )
            sent_at = _send(settings, random.Random(seed), rate, schedule, at_least=warm_up_seconds + seconds)
            wait_until_caught_up(settings, patience_seconds=60)
            time.sleep(2)
        _print(settings, sent_at, rate, streaming.peak_bytes)


def accept_background(settings: Settings) -> None:
    """Store statistics that make the background normal, so that only the bursts alert."""
    with transaction(settings) as cursor:
        cursor.execute(_TRAFFIC_STATISTICS, (KEYWORD_RULE_VERSION,))
        cursor.execute("CREATE TABLE keyword_statistics_bench PARTITION OF keyword_statistics DEFAULT")
        cursor.execute(_KEYWORD_STATISTICS)
        cursor.execute("ANALYZE keyword_statistics")


def _wait_for_start(settings: Settings) -> None:
    first = a_post(1, time.time(), "hello")
    producer_of(settings).send(settings.posts_topic, key=b"1", value=first).get(timeout=30)
    wait_until_caught_up(settings, patience_seconds=120)


def producer_of(settings: Settings) -> KafkaProducer:
    """Return an idempotent producer whose batches wait 20 ms at most."""
    return KafkaProducer(
        **settings.kafka_python_arguments(),
        acks="all",
        enable_idempotence=True,
        linger_ms=20,
        batch_size=131_072,
        compression_type="lz4",
    )


def burst_schedule(
    rng: random.Random, bursts: int, *, posts: int, seconds: float, first: float, gap: float
) -> list[tuple[float, str]]:
    """Return (second, word) of every post of the bursts, in order; burst n begins at `first` + n*`gap`.

    >>> burst_schedule(random.Random(1), 2, posts=1, seconds=0.0, first=60, gap=5)
    [(60.0, 'burst0'), (65.0, 'burst1')]
    """
    return sorted(
        (first + burst * gap + seconds * rng.random(), f"burst{burst}")
        for burst in range(bursts)
        for _ in range(posts)
    )


def _send(
    settings: Settings, rng: random.Random, rate: int, schedule: list[tuple[float, str]], *, at_least: float
) -> dict[str, float]:
    """Send background and bursts on schedule; return when the first post of each word was sent, by word."""
    producer = producer_of(settings)
    seconds = max(at_least, schedule[-1][0] if schedule else 0.0)
    sent_at: dict[str, float] = {}

    def send(number: int, text: str) -> None:
        value = a_post(number, time.time(), text)
        producer.send(settings.posts_topic, key=str(number).encode(), value=value)

    began = time.time()
    sent, burst_sent = 0, 0
    while (elapsed := time.time() - began) < seconds or burst_sent < len(schedule):
        while sent < elapsed * rate:
            sent += 1
            send(FIRST_NUMBER + sent + burst_sent, background_text(rng))
        while burst_sent < len(schedule) and schedule[burst_sent][0] <= elapsed:
            word = schedule[burst_sent][1]
            sent_at.setdefault(word, time.time())
            burst_sent += 1
            send(FIRST_NUMBER + sent + burst_sent, word)
        time.sleep(TICK_SECONDS)
    producer.flush()
    print(f"{sent / seconds:,.0f} background posts per second sent")
    return sent_at


def background_text(rng: random.Random) -> str:
    """Return 14 words of a long tail: 11 from the vocabulary of the statistics, 3 that are nearly all new."""
    words = (min(int(rng.paretovariate(0.8)), 200_000) for _ in range(11))
    return " ".join([*(f"w{word}" for word in words), *(f"x{rng.randrange(10**9)}" for _ in range(3))])


_FILLER = "f" * 2_000


def a_post(number: int, at: float, text: str) -> bytes:
    """Return a record of some 2 KB; its id follows from `number` and `at`, the Unix time it is sent."""
    post_id = (int(at) << 32) + number
    infos = {
        "id": str(post_id),
        "text": text,
        "authorId": str(number % 5_000),
        "diggCount": number % 100,
        "covers": [_FILLER],
    }
    return json.dumps({"itemInfos": infos, "time_stamp": at}).encode()


def _print(settings: Settings, sent_at: dict[str, float], rate: int, peak_bytes: int) -> None:
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT keyword, min(created_at) FROM anomaly_alerts WHERE keyword LIKE 'burst%' GROUP BY keyword"
        )
        created: dict[str, datetime] = dict(cursor.fetchall())
        cursor.execute("SELECT count(*) FROM anomaly_alerts WHERE keyword NOT LIKE 'burst%'")
        (others,) = cursor.fetchone() or (0,)
        cursor.execute(_BATCHES)
        batches = cursor.fetchall()
    seconds = [created[word].timestamp() - began for word, began in sent_at.items() if word in created]
    p50, p90, p99 = np.percentile(seconds, [50, 90, 99])
    print(f"{len(seconds)} of {len(sent_at)} bursts alerted at {rate} posts/s; {others} other alerts")
    percentiles = f"p50 {p50:.2f} s, p90 {p90:.2f} s, p99 {p99:.2f} s"
    print(f"first post to alert row: {percentiles}, max {max(seconds):.2f} s")
    for query, count, mean, p99_ms, lag in batches:
        print(f"{query}: {count} batches, mean {mean:.0f} ms, p99 {p99_ms:.0f} ms, max lag {lag} records")
    print(f"streaming process, Python and JVM together: peak {peak_bytes / 2**20:,.0f} MiB")


if __name__ == "__main__":
    typer.run(main)
