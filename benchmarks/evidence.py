"""`python -m benchmarks.evidence scan|live`: what evidence costs, and how soon after an alert it is stored.

scan: Simulated posts are sent at once, so they fall into one or two windows, and are archived by the archive
query. Then evidence is gathered for some of their keywords as if each were an alert over all windows. CPU is
that of this process and its JVM. The first scan includes Java's start-up; the figures for 900,000 posts (15
minutes at 1,000 posts/s) are extrapolated proportionally from the later ones.

live: The streaming process runs with its defaults on a steady rate of posts; every few seconds 20 posts with
a new word arrive at once. Measures the time from the alert's row to that of its first evidence.
"""

import json
import random
import time
from datetime import UTC, datetime
from typing import Annotated
from uuid import uuid4

import numpy as np
import psutil
import typer
from kafka import KafkaProducer
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from alerts.evidence.gather import AlertedWindows, gather_evidence
from archive.session import start_session
from archive.table import read_archive
from benchmarks.stack import Command, benchmark_stack, run
from core.keywords import keywords
from core.records import DETECTION_SCHEMA, parse_records
from core.settings import Settings
from core.windows import WINDOW, window_number, window_start
from sql.connection import transaction
from streaming.finish import wait_until_caught_up

WINDOW_POSTS = 900_000
ALERT_POSTS = (50, 5_000)
_WAITED = """
SELECT extract(epoch FROM computed_at - created_at)::float8, runs
FROM anomaly_alerts AS alerts
LEFT JOIN evidence_runs AS runs USING (alert_id)
WHERE keyword LIKE 'burst%' AND keyword <> 'burst'
"""


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command("live")
def live(
    rate: Annotated[int, typer.Option(help="posts per second")] = 200,
    seconds: Annotated[int, typer.Option(help="how long to send")] = 90,
    burst_every_seconds: Annotated[float, typer.Option(help="seconds between bursts")] = 4,
) -> None:
    """Measure the delay from alert to evidence and print its percentiles."""
    with benchmark_stack() as (settings, folder), Command(settings, ("streaming",), folder / "streaming.log"):
        producer = KafkaProducer(**settings.kafka_python_arguments(), linger_ms=20, compression_type="lz4")
        producer.send(settings.posts_topic, key=b"1", value=_a_post(1, "hello")).get(timeout=30)
        wait_until_caught_up(settings, patience_seconds=180)
        began, number, bursts = time.time(), 1, 0
        while (elapsed := time.time() - began) < seconds:
            texts = [
                f"w{random.paretovariate(0.8):.0f} x{random.randrange(10**9)}"
                for _ in range(int(elapsed * rate) + bursts * 20 - number)
            ]
            if elapsed >= bursts * burst_every_seconds:
                bursts += 1
                texts += [f"burst{bursts} of x{random.randrange(10**9)}" for _ in range(20)]
            for text in texts:
                number += 1
                producer.send(settings.posts_topic, key=str(number).encode(), value=_a_post(number, text))
            time.sleep(0.02)
        producer.flush()
        time.sleep(2 * settings.archive_trigger_seconds)
        with transaction(settings) as cursor:
            cursor.execute(_WAITED)
            rows = cursor.fetchall()
    first = [waited for waited, runs in rows if runs == 1]
    p50, p90 = np.percentile(first, [50, 90])
    with_evidence = sum(waited is not None for waited, _ in rows)
    print(
        f"{len(rows)} bursts alerted at {rate} posts/s; {with_evidence} have evidence, "
        f"{len(first)} of them gathered once"
    )
    print(f"alert row to evidence: p50 {p50:.1f} s, p90 {p90:.1f} s, max {max(first):.1f} s")


def _a_post(number: int, text: str) -> bytes:
    at = time.time()
    infos = {
        "id": str((int(at) << 32) + number),
        "text": text,
        "authorId": str(number % 5_000),
        "diggCount": number % 100,
        "covers": ["f" * 2_000],
    }
    return json.dumps({"itemInfos": infos, "time_stamp": at}).encode()


@app.command("scan")
def scan(
    posts: Annotated[int, typer.Option(help="posts to scan")] = 100_000,
    alerts: Annotated[int, typer.Option(help="alerts per scan")] = 10,
    scans: Annotated[int, typer.Option(help="scans to measure after the first")] = 3,
) -> None:
    """Measure the cost of scans and print one line per scan."""
    today = datetime.now(UTC).date()
    with benchmark_stack() as (settings, folder):
        log = folder / "commands.log"
        options = f"--start {today.isoformat()} --posts-per-day {posts} --seed 1"
        run(settings, log, "producer", "simulate", *options.split(), "--out", str(folder / "posts"))
        files = [str(path) for path in sorted((folder / "posts").glob("posts-*"))]
        began = window_start(window_number(datetime.now(UTC)))
        run(settings, log, "producer", "send", *files, "--clock", "now", "--no-resume")
        run(settings, log, "streaming", "--only", "archive", "--once")
        spark = start_session(
            settings,
            "benchmark of evidence",
            **{"spark.sql.adaptive.enabled": "false", "spark.sql.shuffle.partitions": "2"},
        )
        windows = frozenset(began + index * WINDOW for index in range(2))
        chosen = [
            AlertedWindows(uuid4(), keyword, windows)
            for keyword in _keywords(spark, settings, windows, alerts)
        ]
        scanned = read_archive(spark, settings, chosen[0].spans).count()
        for number in range(scans + 1):
            _scan(spark, settings, chosen, scanned, "first" if number == 0 else "later")
        spark.stop()


def _keywords(spark: SparkSession, settings: Settings, windows: frozenset[datetime], count: int) -> list[str]:
    """Return keywords that are in 50 to 5,000 posts of the windows."""
    spans = AlertedWindows(uuid4(), "", windows).spans
    posts = read_archive(spark, settings, spans).transform(
        parse_records, schema=DETECTION_SCHEMA, future_minutes=settings.future_minutes
    )
    by_keyword = (
        posts.select(F.explode(keywords(F.col("post.itemInfos.text"))).alias("keyword"))
        .groupBy("keyword")
        .count()
    )
    rows = by_keyword.where(F.col("count").between(*ALERT_POSTS)).orderBy("keyword").collect()
    return [row.keyword for row in rows[:: max(len(rows) // count, 1)][:count]]


def _scan(
    spark: SparkSession, settings: Settings, alerts: list[AlertedWindows], scanned: int, name: str
) -> None:
    cpu, began = _cpu_seconds(), time.perf_counter()
    records = read_archive(spark, settings, [span for alert in alerts for span in alert.spans])
    gathered = gather_evidence(records, alerts, future_minutes=settings.future_minutes)
    seconds, cpu_seconds = time.perf_counter() - began, _cpu_seconds() - cpu
    alert_posts = sum(evidence.counted for evidence in gathered)
    line = (
        f"{name}: {scanned:,} posts scanned for {len(alerts)} alerts with {alert_posts:,} posts "
        f"in {seconds:.1f} s, {cpu_seconds:.1f} CPU s"
    )
    if name == "later":
        scale = WINDOW_POSTS / scanned
        line += (
            f"; {WINDOW_POSTS:,} posts would take {scale * seconds:.0f} s, {scale * cpu_seconds:.0f} CPU s"
        )
    print(line, flush=True)


def _cpu_seconds() -> float:
    me = psutil.Process()
    return sum(sum(process.cpu_times()[:2]) for process in [me, *me.children(recursive=True)])


if __name__ == "__main__":
    app()
