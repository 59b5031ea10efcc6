"""Laws of a new keyword rule: what an older one did not count makes no flood, and bursts are found."""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from math import sqrt

import pytest

from batch.run import Step
from core.keyword_rule import KEYWORD_RULE_VERSION
from core.settings import Settings
from core.windows import WINDOW, day_start
from sql.connection import transaction
from tests.archived import run_batch
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import rows

LEARNED, UPGRADED, NEXT = date(2026, 3, 2), date(2026, 3, 3), date(2026, 3, 4)
VOCABULARY = ("alpaca", "banjo", "cactus", "dolphin", "ember", "falcon")
UNCOUNTED = {"war": 12, "bank": 10, "indonesia": 9, "#meme": 8, "#not": 8}
"""Posts a window, on an ordinary day, of words that the older rule did not count."""
TOTAL = 60 * len(VOCABULARY) + sum(UNCOUNTED.values())
BURSTS = {
    UPGRADED: {"banjo": 200, "war": 150, "quake": 60, "was": 60},
    NEXT: {
        "alpaca": 200,
        "bank": 120,
        "storm": 60,
        "indonesia": 120,
        "#meme": 120,
        "#not": 120,
        "was": 60,
    },
}
"""Posts of bursts, one window after the other; `was`, a function word, is watched from the second day on."""


def posts_of(day: date, rng: random.Random) -> Iterator[tuple[datetime, str]]:
    """Times and texts of four hours from 12:00; bursts begin at 14:00."""
    begin = day_start(day) + timedelta(hours=12)
    for number in range(16):
        texts = [word for word in VOCABULARY for _ in range(60)]
        texts += [word for word, posts in UNCOUNTED.items() for _ in range(posts)]
        for word, posts in list(BURSTS[day].items())[number - 8 : number - 7] if number >= 8 else ():
            texts += [word] * posts
        yield from ((begin + (number + rng.random()) * WINDOW, text) for text in texts)


def values_of(day: date) -> list[bytes]:
    rng = random.Random(day.toordinal())
    return [
        json.dumps(
            {
                "itemInfos": {
                    "id": str(10**6 * day.toordinal() + number),
                    "text": f"{text} seen",
                    "authorId": str(rng.randrange(9_000)),
                },
                "time_stamp": at.timestamp(),
            }
        ).encode()
        for number, (at, text) in enumerate(sorted(posts_of(day, rng)))
    ]


def learn_by_older_rule(settings: Settings) -> None:
    """Store statistics and a clock as a version with an older rule leaves them."""
    with transaction(settings) as cursor:
        cursor.execute(
            "CREATE TABLE keyword_statistics_20260302 "
            f"PARTITION OF keyword_statistics FOR VALUES IN ('{LEARNED}')"
        )
        cursor.executemany(
            "INSERT INTO keyword_statistics VALUES (%s, %s, %s, NULL, 0.1, 1, 1, %s)",
            [(LEARNED, word, 2 * sqrt(60.375), LEARNED) for word in VOCABULARY]
            + [(LEARNED, "seen", 2 * sqrt(TOTAL + 0.375), LEARNED)],
        )
        cursor.execute(
            "INSERT INTO traffic_statistics "
            "SELECT %s, hour, %s, 14, 'keywords-0' FROM generate_series(0, 23) AS hour",
            (LEARNED, TOTAL),
        )
        cursor.execute(
            "INSERT INTO batch_days (day, loaded_at, status, fitted_at) VALUES (%s, now(), 'fitted', now())",
            (LEARNED,),
        )
        cursor.execute(
            "INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule) "
            "VALUES ('2026-03-02 20:00Z', '2026-03-02 19:45Z', 'keywords-0')"
        )


@pytest.fixture(scope="module")
def upgraded(module_settings: Settings, spark_for) -> Settings:
    """Two days that a new rule counted, after statistics of an older one; the first was learned."""
    learn_by_older_rule(module_settings)
    spark = spark_for(module_settings)
    for day in (UPGRADED, NEXT):
        send(module_settings, values_of(day))
        drain_topics(spark, module_settings)
        let_time_decide(module_settings, day_start(day) + timedelta(days=1))
        if day == UPGRADED:
            run_batch(spark, module_settings, [day], [Step.STATISTICS])
            with transaction(module_settings) as cursor:
                cursor.execute("INSERT INTO watchlist (phrase) VALUES ('was')")
    return module_settings


def alerted(settings: Settings, day: date) -> list[tuple[str, bool]]:
    """Return the keywords that alerted on a day, and whether by a first day's rule."""
    found = rows(
        settings,
        "SELECT keyword, statistics_as_of IS NULL FROM anomaly_alerts "
        "WHERE status <> 'withdrawn' AND opened_window::date = %s ORDER BY keyword",
        day,
    )
    return [(keyword, by_past) for keyword, by_past in found]


def test_words_that_the_older_rule_did_not_count_are_judged_by_the_windows_before(upgraded: Settings) -> None:
    assert alerted(upgraded, UPGRADED) == [("banjo", False), ("quake", True), ("war", True)]


def test_the_first_day_that_the_new_rule_learns_makes_them_usual(upgraded: Settings) -> None:
    burst = ["alpaca", "bank", "indonesia", "meme", "not", "storm", "was"]
    assert alerted(upgraded, NEXT) == [(keyword, False) for keyword in burst]
    learned = rows(upgraded, "SELECT DISTINCT as_of, keyword_rule FROM traffic_statistics ORDER BY as_of")
    assert learned == [(LEARNED, "keywords-0"), (UPGRADED, KEYWORD_RULE_VERSION)]


def test_candidates_for_a_budget_are_words_that_the_older_rule_learned(upgraded: Settings) -> None:
    assert rows(upgraded, "SELECT DISTINCT keyword FROM candidate_windows WHERE day = %s", UPGRADED) == [
        ("banjo",)
    ]
