"""The streaming process killed in mid-run: archive and alerts come out as without the kill."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from core.settings import Settings
from sql.connection import transaction
from streaming.decide import wait_until_caught_up
from streaming.decision import apply_time, lock_detection
from tests.conftest import own_world
from tests.integration.test_detection import a_value
from tests.kafka_posts import drain_topics, send, start_streaming

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
HOURS = 4
POSTS = 6_000
SEED = 20260302
ALERTS = """
SELECT keyword, status, opened_window, last_window, resolved_at, posts, expected, peak_score, distinct_authors, first_post_id,
       latest_post_id, top_post_id
FROM anomaly_alerts WHERE status <> 'withdrawn' ORDER BY keyword, opened_window
"""


def values() -> list[bytes]:
    """Four hours of posts in order of time: some 40 words, four bursts, every tenth post delivered twice."""
    rng = random.Random(SEED)
    posts = []
    for i in range(POSTS):
        at = START + timedelta(seconds=HOURS * 3600 * i / POSTS)
        words = [f"word{min(int(rng.paretovariate(0.7)), 500)}x" for _ in range(5)]
        if rng.random() < 0.4 and i // 300 in (3, 8, 13, 18):
            words.append(f"burst{i // 300}")
        posts.append(a_value((int(at.timestamp()) << 32) + i, at, " ".join(words), author=rng.randrange(900), likes=rng.randrange(100)))
        if i % 10 == 0:
            posts.append(posts[-1])
    return posts


def decide_everything(settings: Settings) -> list[tuple]:
    with transaction(settings) as cursor:
        lock_detection(cursor)
        apply_time(cursor, settings, now=START + timedelta(days=2))
        cursor.execute(ALERTS)
        return cursor.fetchall()


def kill_group(process: "subprocess.Popen[bytes]") -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.fixture(scope="module")
def undisturbed(stack: Settings, spark_for, tmp_path_factory: pytest.TempPathFactory) -> list[tuple]:
    """The alerts of one run over all posts without a fault."""
    folder = tmp_path_factory.mktemp("undisturbed")
    with own_world(stack, folder) as settings:
        send(settings, values())
        drain_topics(spark_for(settings), settings.model_copy(update={"max_offsets_per_trigger": 1_000}), "detect")
        return decide_everything(settings)


def test_three_kills_lose_and_double_nothing_and_a_second_process_is_refused(
    settings: Settings, undisturbed: list[tuple], tmp_path: Path, spark_for
) -> None:
    print(f"seed {SEED}")
    rng = random.Random(SEED)
    log = tmp_path / "streaming.log"
    small = {"GROUNDSWELL_MAX_OFFSETS_PER_TRIGGER": "400", "GROUNDSWELL_ARCHIVE_TRIGGER_SECONDS": "1"}
    posts, places = values(), [0, 2_000, 4_000, 6_600]
    for begin, end in pairwise(places):
        process = start_streaming(settings, log, **small)
        try:
            send(settings, posts[begin:end])
            wait_for_a_batch(settings)
            time.sleep(rng.uniform(0.0, 2.5))
        finally:
            kill_group(process)
    process = start_streaming(settings, log, **small)
    try:
        wait_until_caught_up(settings, patience_seconds=300)
        check_that_a_second_process_is_refused(settings, tmp_path / "second.log")
        process.terminate()
        assert process.wait(timeout=60) == 0
    finally:
        if process.poll() is None:
            kill_group(process)
    drain_topics(spark_for(settings), settings, "archive")

    assert decide_everything(settings) == undisturbed
    assert len(undisturbed) >= 4
    rows = spark_for(settings).table("lake.tiktok.raw_posts").select("partition", "offset").collect()
    assert Counter(rows) == Counter({(partition, offset): 1 for partition in (0, 1) for offset in range(len(posts) // 2)})
    with transaction(settings) as cursor:
        cursor.execute("SELECT sum(posts) FROM traffic_windows")
        assert cursor.fetchone() == (POSTS,)


def wait_for_a_batch(settings: Settings) -> None:
    """Wait until this process has committed a batch of its own."""
    deadline = time.monotonic() + 240
    committed = -1
    while time.monotonic() < deadline:
        with transaction(settings) as cursor:
            cursor.execute("SELECT count(*) FROM detect_batches")
            (count,) = cursor.fetchone() or (0,)
        if committed >= 0 and count > committed:
            return
        committed = count if committed < 0 else committed
        time.sleep(0.2)
    raise AssertionError("the streaming process did no batch within four minutes")


def check_that_a_second_process_is_refused(settings: Settings, log: Path) -> None:
    """While one process runs, another on the same checkpoints ends with one sentence."""
    second = start_streaming(settings, log)
    assert second.wait(timeout=60) == 1
    assert "Another streaming process uses the checkpoints" in log.read_text()
