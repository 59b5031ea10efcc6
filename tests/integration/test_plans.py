"""What users configure, on real servers: watched keywords, drops, the calendar; degraded windows.

The day is one on which clocks go forward, so habits may come an hour earlier.
"""

import json
import random
from datetime import UTC, date, datetime, timedelta
from math import sqrt

import pytest

from alerts.plans import load_thresholds
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from sql.connection import transaction
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import rows

START = datetime(2026, 3, 8, 10, 0, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
USUAL_POSTS = 120
ELEVENSES_POSTS = 40
"""Posts a window with `elevenses` from 10 to 11, as before from 11 to 12; `tenses` had them from 10 to 11."""
COLA_POSTS = (20, 0, 1, 20, 0)
"""Posts with `cola` in each window; 20 are expected. In the last window ingest is down."""
WORDS = "alpaca banjo cactus dolphin ember falcon garlic harbor indigo jungle kettle lantern".split()


def texts_of_window(number: int, rng: random.Random) -> list[str]:
    """The texts of one window: the usual ones, and those that make it unusual."""
    texts = [" ".join(rng.sample(WORDS, 2)) for _ in range(USUAL_POSTS if number < 4 else 10)]
    texts += ["cola"] * COLA_POSTS[number] + ["elevenses"] * (ELEVENSES_POSTS if number < 4 else 0)
    if number == 1:
        texts += ["#launch"] * 40 + ["a slice of New York pizza, please"] * 10 + ["york pizza new"] * 3
    if number == 4:
        texts += ["backlog"] * 15
    return texts


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """An hour and a quarter of posts, judged by statistics, a watchlist and a calendar."""
    with transaction(module_settings) as cursor:
        levels = [(word, 2 * sqrt(20 + 0.375)) for word in (*WORDS, "cola")]
        cursor.execute(
            "CREATE TABLE keyword_statistics_20260307 "
            "PARTITION OF keyword_statistics FOR VALUES IN ('2026-03-07')"
        )
        cursor.executemany(
            "INSERT INTO keyword_statistics VALUES ('2026-03-07', %s, %s, NULL, 0, 1, 1, '2026-03-07')",
            levels,
        )
        habits = [("elevenses", 11), ("tenses", 10)]
        cursor.executemany(
            "INSERT INTO keyword_statistics VALUES ('2026-03-07', %s, 3, %s, 0, 1, 1, '2026-03-07')",
            [
                (word, [2 * sqrt(40 + 0.375) - 3 if hour == at else 0.0 for hour in range(24)])
                for word, at in habits
            ],
        )
        cursor.executemany(
            "INSERT INTO traffic_statistics VALUES ('2026-03-07', %s, %s, 7, %s)",
            [(hour, 180.0, KEYWORD_RULE_VERSION) for hour in range(24)],
        )
        cursor.execute(
            "INSERT INTO calendar VALUES ('launch', %s, %s, 'the launch')",
            (START, START + timedelta(hours=1)),
        )
        cursor.execute(
            "INSERT INTO watchlist (phrase, drops) VALUES "
            "('Cola', true), ('tenses', true), ('New  York PIZZA', false)"
        )
        cursor.execute("INSERT INTO detection_thresholds VALUES ('2026-03-01', 'discovery', 5, 7.5, 7, 4.1)")
        cursor.execute(
            "INSERT INTO watchlist (phrase) VALUES ('#1 @the'), ('five words make a phrase too long')"
        )
    rng = random.Random(8)
    values: list[bytes | None] = []
    for number in range(5):
        for text in texts_of_window(number, rng):
            at = START + number * WINDOW + rng.random() * WINDOW
            infos = {
                "id": str(7_100_000_000_000_000_000 + len(values)),
                "text": text,
                "authorId": str(len(values)),
                "diggCount": 1,
            }
            values.append(json.dumps({"itemInfos": infos, "time_stamp": at.timestamp()}).encode())
    send(module_settings, values)
    drain_topics(spark_for(module_settings), module_settings)
    let_time_decide(module_settings, START + timedelta(days=1))
    return module_settings


def test_a_watched_phrase_counts_where_its_words_are_adjacent_and_alerts_at_its_own_threshold(
    world: Settings,
) -> None:
    found = rows(
        world, "SELECT opened_window, posts, peak_score FROM anomaly_alerts WHERE keyword = 'new york pizza'"
    )
    assert [(start, posts) for start, posts, _ in found] == [(START + WINDOW, 10)]
    assert 4.5 < found[0][2] < 6.0
    assert rows(
        world,
        "SELECT DISTINCT threshold FROM alert_windows JOIN anomaly_alerts USING (alert_id) "
        "WHERE keyword = 'new york pizza'",
    ) == [(4.5,)]


def test_an_entry_that_cannot_be_watched_has_its_problem_set(world: Settings) -> None:
    found = dict(rows(world, "SELECT phrase, problem FROM watchlist WHERE keyword IS NULL"))
    assert found == {
        "#1 @the": "it has no keyword: only numbers, single letters, links or mentions",
        "five words make a phrase too long": "it has 6 words, and a phrase has at most 4",
    }


def test_what_the_calendar_plans_opens_no_alert_and_is_a_row_with_the_reason(world: Settings) -> None:
    assert rows(world, "SELECT count(*) FROM anomaly_alerts WHERE keyword = 'launch'") == [(0,)]
    found = rows(
        world,
        "SELECT reason, posts, window_start FROM suppressed_windows WHERE keyword = 'launch' AND posts > 0",
    )
    assert ("calendar", 40, START + WINDOW) in found
    assert {reason for reason, *_ in found} == {"calendar"}


def test_a_watched_keyword_that_drops_is_one_row_until_it_recovers(world: Settings) -> None:
    found = rows(
        world, "SELECT keyword, opened_window, last_window, resolved_at, posts, lowest_score FROM drop_alerts"
    )
    (drop,) = found
    assert drop[:4] == ("cola", START + WINDOW, START + 2 * WINDOW, START + 3 * WINDOW)
    assert drop[4] == 2 + 2
    assert drop[5] < -4.5


def test_a_habit_that_moves_with_the_clocks_neither_alerts_nor_drops(world: Settings) -> None:
    assert rows(world, "SELECT count(*) FROM anomaly_alerts WHERE keyword = 'elevenses'") == [(0,)]
    suppressed = "SELECT window_start, reason FROM suppressed_windows WHERE keyword = 'elevenses' ORDER BY 1"
    assert rows(world, suppressed) == [(START + number * WINDOW, "clock change") for number in range(4)]
    assert rows(world, "SELECT count(*) FROM drop_alerts WHERE keyword = 'tenses'") == [(0,)]


def test_a_window_with_ingest_down_is_degraded_makes_no_drop_and_marks_its_alerts(
    world: Settings,
) -> None:
    found = dict(rows(world, "SELECT window_start, degraded FROM traffic_windows"))
    assert found == {START + number * WINDOW: number == 4 for number in range(5)}
    assert rows(world, "SELECT degraded FROM anomaly_alerts WHERE keyword = 'backlog'") == [(True,)]
    assert rows(world, "SELECT degraded FROM anomaly_alerts WHERE keyword = 'new york pizza'") == [(False,)]


def test_a_day_is_judged_by_the_threshold_of_the_newest_budget_before_it_where_a_budget_is_set(
    world: Settings,
) -> None:
    budgeted = world.model_copy(update={"alerts_per_day": 5.0})
    with transaction(world) as cursor:
        thresholds = [
            load_thresholds(cursor, settings, day).discovery
            for settings in (world, budgeted)
            for day in (START.date(), date(2026, 3, 1))
        ]
    assert thresholds == [6.0, 6.0, 7.5, 6.0]
