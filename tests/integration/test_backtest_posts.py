"""Laws of the backtest on posts: the live rule gives the alerts of the stream, and another the difference."""

import csv
import json
import random
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from math import sqrt
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.backtest.alerts import AlertSummary, live_alerts
from batch.backtest.difference import Change, pair_alerts
from batch.backtest.replay import PostsBacktest
from batch.backtest.rule import ReplayRule, live_rule, read_rule
from core.errors import NotReadyError
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from core.windows import WINDOW, window_number
from sql.connection import transaction
from tests.kafka_posts import REPOSITORY, drain_topics, environment, let_time_decide, send

DAYS = [date(2026, 3, 7), date(2026, 3, 8)]
MIDNIGHT = datetime(2026, 3, 8, tzinfo=UTC)
FIRST, WINDOWS = -10, 22
"""From the evening of the first day to the night of the second, numbered from the midnight between."""
VOCABULARY = (
    *("alpaca", "banjo", "cactus", "dolphin", "ember", "falcon"),
    *("garlic", "harbor", "indigo", "jungle", "kettle", "lantern"),
)
BURSTS = {
    "boomtown": {-6: 40, -5: 70, -4: 25},
    "overnight": {-2: 30, -1: 60, 0: 90, 1: 30, 2: 12, 3: 8},
    "phoenix": {-9: 25, -3: 30, 3: 120, 9: 30},
    "doubled": {-8: 15, -2: 120},
    "simmer": dict.fromkeys(range(-3, 8), 8),
    "launch": {-1: 40, 4: 60},
    "rings": {-7: 60, 5: 80},
    "pebble": {2: 12, 8: 15},
    "alpaca": {1: 120},
    "falcon": {-1: 160, 0: 170},
    "a slice of new york pizza": {-5: 11, 6: 11},
    "cola": {3: 150},
    "avalanche": {6: 700},
    "ember": {6: 200},
    "lively": {number: 4 + number % 5 for number in range(FIRST, FIRST + WINDOWS)},
}
"""Posts by text and window, in addition to the ordinary ones."""


def posts_of_window(number: int, rng: random.Random) -> list[dict[str, object]]:
    texts = [" ".join(rng.sample(VOCABULARY, 2)) for _ in range(90 if number != 7 else 15)]
    texts += [text for text, posts in BURSTS.items() for _ in range(posts.get(number, 0))]
    start = MIDNIGHT + number * WINDOW
    return [
        {
            "text": text,
            "at": start + rng.random() * WINDOW,
            "author": rng.randrange(3) if text == "rings" else rng.randrange(10_000),
        }
        for text in texts
    ]


def values_of_stream() -> list[bytes | None]:
    """Return posts in order of arrival: up to ten minutes late, with duplicates and rejected records.

    Every twelfth is delivered twice, every fortieth again in the next window.
    """
    rng = random.Random(12)
    arrivals: list[tuple[float, bytes | None]] = []
    for number in range(FIRST, FIRST + WINDOWS):
        for index, post in enumerate(posts_of_window(number, rng)):
            at = post["at"].timestamp()  # type: ignore[attr-defined]
            infos = {
                "id": str(7_100_000_000_000_000_000 + 1_000 * (number + 50) + index),
                "text": post["text"],
                "authorId": str(post["author"]),
            }
            arrived = at + rng.random() * 600
            value = json.dumps({"itemInfos": infos, "time_stamp": at}).encode()
            arrivals.append((arrived, value))
            if index % 12 == 0:
                arrivals.append((arrived + rng.random() * 60, value))
            if index % 40 == 0:
                again = json.dumps({"itemInfos": infos, "time_stamp": at + 900}).encode()
                arrivals.append((arrived + 900, again))
            if index % 50 == 0:
                arrivals.append((arrived, b"not json"))
    return [value for _, value in sorted(arrivals, key=lambda pair: pair[0])]


def learn(settings: Settings) -> None:
    """Store statistics as of the day before and, different, of the first day; a watchlist, and a calendar."""
    with transaction(settings) as cursor:
        for as_of, mean in ((date(2026, 3, 6), 15.0), (date(2026, 3, 7), 18.0)):
            name = f"keyword_statistics_{as_of:%Y%m%d}"
            cursor.execute(f"CREATE TABLE {name} PARTITION OF keyword_statistics FOR VALUES IN ('{as_of}')")
            level = 2 * sqrt(mean + 0.375)
            hours = [0.3 * ((hour % 5) - 2) for hour in range(24)]
            rows = [
                (
                    as_of,
                    word,
                    level,
                    hours if index % 2 else None,
                    0.1 * index,
                    1.0 + 0.05 * index,
                    1.3,
                    as_of,
                )
                for index, word in enumerate([*VOCABULARY, "cola"])
            ]
            rows.append((as_of, "lively", 2 * sqrt(2.0), None, 0.4, 1.2, 0.8, as_of))
            cursor.executemany("INSERT INTO keyword_statistics VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", rows)
            traffic = [
                (as_of, hour, 120.0 + mean + 3 * (hour % 4), 7, KEYWORD_RULE_VERSION) for hour in range(24)
            ]
            cursor.executemany("INSERT INTO traffic_statistics VALUES (%s, %s, %s, %s, %s)", traffic)
        cursor.execute(
            "INSERT INTO calendar VALUES ('launch', %s, %s, 'the launch')",
            (MIDNIGHT - WINDOW, MIDNIGHT + WINDOW),
        )
        cursor.execute("INSERT INTO watchlist (phrase) VALUES ('cola'), ('new york pizza')")


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """Five hours of posts around midnight, processed by the stream in several batches."""
    learn(module_settings)
    send(module_settings, values_of_stream())
    several = module_settings.model_copy(update={"max_offsets_per_trigger": 900})
    drain_topics(spark_for(several), several)
    let_time_decide(module_settings, MIDNIGHT + timedelta(days=1))
    return module_settings


@pytest.fixture(scope="module")
def lake(world: Settings, spark_for: Callable[[Settings], SparkSession]) -> SparkSession:
    return spark_for(world)


def live(settings: Settings, first: date = DAYS[0], last: date = DAYS[1]) -> list[AlertSummary]:
    begin = datetime(first.year, first.month, first.day, tzinfo=UTC)
    end = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    with transaction(settings) as cursor:
        return live_alerts(cursor, begin, end)


def figures_of(alerts: list[AlertSummary]) -> list[tuple[object, ...]]:
    return [(alert.keyword, alert.opened, *alert.figures) for alert in alerts]


def test_the_live_rule_gives_exactly_the_alerts_of_the_stream(world: Settings, lake: SparkSession) -> None:
    alerts = live(world)
    expected = {"boomtown", "overnight", "phoenix", "doubled", "simmer", "launch", "pebble", "cola", "falcon"}
    assert expected | {"new york pizza"} <= {alert.keyword for alert in alerts}
    assert {"avalanche", "ember"} <= {alert.keyword for alert in alerts}, "beside the other, and at once"
    assert "rings" not in {alert.keyword for alert in alerts}
    with transaction(world) as cursor:
        cursor.execute("SELECT count(*) FROM detect_batches")
        assert cursor.fetchone()[0] >= 3  # type: ignore[index]
        cursor.execute(
            "SELECT keyword, opened_window, last_window, posts, peak_score::float8 FROM anomaly_alerts "
            "WHERE status <> 'withdrawn'"
        )
        stored = {
            (keyword, window_number(opened), window_number(last), *rest)
            for keyword, opened, last, *rest in cursor.fetchall()
        }
    assert set(figures_of(alerts)) == stored
    assert figures_of(PostsBacktest(lake, live_rule(world)).run(DAYS)) == figures_of(alerts)


def test_an_alert_of_the_evening_before_continues_when_the_replay_begins(
    world: Settings, lake: SparkSession
) -> None:
    replayed = PostsBacktest(lake, live_rule(world)).run(DAYS[1:])
    assert figures_of(replayed) == figures_of(live(world, first=DAYS[1]))
    assert "overnight" not in {alert.keyword for alert in replayed}


def changed(world: Settings, folder: Path, text: str) -> ReplayRule:
    path = folder / "rule.toml"
    path.write_text(text)
    return read_rule(world, path)


def test_a_higher_threshold_loses_alerts_or_opens_them_later_and_adds_none(
    world: Settings, lake: SparkSession, tmp_path: Path
) -> None:
    pairs = pair_alerts(live(world), PostsBacktest(lake, changed(world, tmp_path, "threshold = 9")).run(DAYS))
    changes = {pair.change for pair in pairs}
    assert Change.NEW not in changes and Change.EARLIER not in changes
    assert "pebble" in {pair.either.keyword for pair in pairs if pair.change == Change.GONE}


def test_a_budget_needs_the_days_before_or_else_keeps_the_threshold(
    world: Settings, lake: SparkSession, tmp_path: Path
) -> None:
    budgeted = PostsBacktest(lake, changed(world, tmp_path, "alerts_per_day = 1")).run(DAYS)
    first_day = [alert for alert in figures_of(budgeted) if alert[1] < window_number(MIDNIGHT)]  # type: ignore[operator]
    assert {alert[:2] for alert in first_day} == {
        (a.keyword, a.opened) for a in live(world) if a.opened < window_number(MIDNIGHT)
    }
    assert len(budgeted) < len(live(world))


def test_the_command_prints_precision_and_recall_by_labels_and_writes_a_row_per_alert(
    world: Settings, tmp_path: Path
) -> None:
    labels = {"boomtown": "real", "pebble": "real", "simmer": "spam"}
    with transaction(world) as cursor:
        for keyword, label in labels.items():
            cursor.execute(
                "INSERT INTO alert_labels (alert_id, label) "
                "SELECT alert_id, %s FROM anomaly_alerts WHERE keyword = %s ORDER BY opened_window LIMIT 1",
                (label, keyword),
            )
    out, rule = tmp_path / "alerts.csv", tmp_path / "rule.toml"
    rule.write_text("threshold = 8.5")
    days = f"--from {DAYS[0]} --to {DAYS[1]} --assume-complete".split()
    command = [sys.executable, "-m", "batch.backtest", *days, "--config", str(rule), "--out", str(out)]
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environment(world), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "with threshold = 8.5, compared with the alerts of the stream" in done.stdout
    assert (
        "precision 0.50 (1 of 2) of the labelled alerts that are found, live 0.67 (2 of 3); "
        "recall 0.50 (1 of 2)"
    ) in done.stdout
    written = list(csv.DictReader(StringIO(out.read_text())))
    assert [row["label"] for row in written if row["keyword"] == "boomtown"] == ["real"]
    assert len([row for row in written if row["live_opened_window"]]) == len(live(world))


def test_a_day_whose_statistics_are_gone_is_rejected(world: Settings, lake: SparkSession) -> None:
    with transaction(world) as cursor:
        cursor.execute(
            "INSERT INTO batch_days (day, status, fitted_at) VALUES ('2026-02-20', 'fitted', now()) "
            "ON CONFLICT DO NOTHING"
        )
    sentence = r"statistics by which 2026-02-25 was judged are no longer kept.* Begin with 2026-03-07"
    with pytest.raises(NotReadyError, match=sentence):
        PostsBacktest(lake, live_rule(world)).run([date(2026, 2, 25)])
