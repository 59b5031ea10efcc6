"""`python -m benchmarks.evidence scan|live`: what evidence costs, and how soon after an alert it is stored.

scan: Simulated posts are sent at once, so they fall into one or two windows, and are archived by the archive
query. Then evidence is gathered for some of their keywords as if each were an alert over all windows, each
time in a process of its own, as the stream does. The figures for 900,000 posts (15 minutes at 1,000 posts/s)
are extrapolated proportionally.

live: The streaming process runs with its defaults on a steady rate of posts; every few seconds 20 posts with
a new word arrive at once. Measures the time from the alert's row to that of its first evidence.
"""

import json
import random
import resource
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from multiprocessing import get_context
from typing import Annotated
from uuid import uuid4

import numpy as np
import typer
from kafka import KafkaProducer

from alerts.evidence.gather import AlertedWindows, gather_evidence
from archive.records import open_records
from benchmarks.stack import Command, benchmark_stack, run
from core.post_fields import read_post_fields
from core.settings import Settings
from core.text_keywords import text_keywords
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
    scans: Annotated[int, typer.Option(help="scans to measure")] = 3,
    processes: Annotated[int, typer.Option(help="processes that read: 1 as the stream, 2 as the batch")] = 1,
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
        windows = frozenset(began + index * WINDOW for index in range(2))
        chosen, scanned = _keywords(settings, windows, alerts)
        for _ in range(scans):
            with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
                line = process.submit(_scan, settings, windows, chosen, scanned, processes).result()
            print(line, flush=True)


def _keywords(settings: Settings, windows: frozenset[datetime], count: int) -> tuple[list[str], int]:
    """Return keywords that are in 50 to 5,000 posts of the windows, and the number of posts there."""
    posts: Counter[str] = Counter()
    scanned = 0
    with open_records(settings) as reader:
        for record in reader.read(AlertedWindows(uuid4(), "", windows).spans):
            posts.update(text_keywords(read_post_fields(record.value).text))
            scanned += 1
    fewest, most = ALERT_POSTS
    found = sorted(keyword for keyword, of_keyword in posts.items() if fewest <= of_keyword <= most)
    return found[:: max(len(found) // count, 1)][:count], scanned


def _scan(
    settings: Settings, windows: frozenset[datetime], keywords: list[str], scanned: int, processes: int
) -> str:
    alerts = [AlertedWindows(uuid4(), keyword, windows) for keyword in keywords]
    began = time.perf_counter()
    gathered = gather_evidence(settings, alerts, processes=processes)
    seconds = time.perf_counter() - began
    cpu_seconds, mebibytes = _used()
    alert_posts = sum(evidence.counted for evidence in gathered)
    scale = WINDOW_POSTS / scanned
    return (
        f"{scanned:,} posts scanned for {len(alerts)} alerts with {alert_posts:,} posts "
        f"in {seconds:.1f} s, {cpu_seconds:.1f} CPU s, start of Python included, {mebibytes:,.0f} MiB; "
        f"{WINDOW_POSTS:,} posts would take {scale * seconds:.0f} s, {scale * cpu_seconds:.0f} CPU s"
    )


def _used() -> tuple[float, float]:
    """Return the CPU seconds of this process and its children, and the most memory that one had."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return (
        sum(usage.ru_utime + usage.ru_stime for usage in usages),
        max(usage.ru_maxrss for usage in usages) / 1024,
    )


if __name__ == "__main__":
    app()
