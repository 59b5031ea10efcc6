"""Laws of the first day on real servers: stream, backtests and `explain` agree without statistics."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from alerts.explain.explanation import explain
from alerts.explain.load import find_alerts
from alerts.step import FAR
from batch.backtest.command import backtest_counts
from batch.backtest.replay import PostsBacktest
from batch.backtest.rule import live_rule
from core.settings import Settings
from core.windows import WINDOW, window_number, window_start
from deploy.local.layout import layout_for
from detection.lifecycle import LifecycleRule
from detection.score import rule_for
from detection.seasonality import QUARTER_HOURS
from sql.figures import read_figures
from tests.bursts_world import WORDS, usual_posts, values
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import rows

BEGIN = datetime(2026, 1, 6, 20, tzinfo=UTC)
DAYS = [date(2026, 1, 6), date(2026, 1, 7)]
LEARNING = timedelta(minutes=45)


def bursts(rng: random.Random) -> Iterator[tuple[datetime, str]]:
    """Bursts of eighty words: 90 posts in 10 minutes or a climb of 150 in 90; three begin while learning."""
    for number, word in enumerate([*WORDS[5:], "newcomer", "latecomer"]):
        begin = BEGIN + (1 if number % 25 == 0 else 3 + number % 22) * WINDOW
        posts, minutes = (150, 90) if number % 9 == 0 else (90, 10)
        for _ in range(posts):
            yield begin + rng.random() * timedelta(minutes=minutes), f"{word} burst{rng.randrange(900)}"


def the_posts() -> list[tuple[datetime, str]]:
    rng = random.Random(4)
    return [*usual_posts(rng, BEGIN, 30), *bursts(rng)]


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """Seven hours of posts around midnight in several batches, without any statistics."""
    settings = module_settings.model_copy(
        update={"max_offsets_per_trigger": 1_500, "spark_jars_dir": str(layout_for().jars / "spark")}
    )
    send(settings, values(random.Random(5), the_posts(), 10**9))
    drain_topics(spark_for(settings), settings)
    let_time_decide(settings, FAR)
    return settings


def alerts_of(settings: Settings) -> list[tuple[str, int, int]]:
    found = rows(
        settings,
        "SELECT keyword, opened_window, last_window FROM anomaly_alerts WHERE status <> 'withdrawn' "
        "ORDER BY opened_window, keyword",
    )
    return [(keyword, window_number(opened), window_number(last)) for keyword, opened, last in found]


def test_bursts_alert_after_45_minutes_and_usual_words_do_not(world: Settings) -> None:
    alerts = alerts_of(world)
    assert len(alerts) >= 50
    assert min(opened for _, opened, _ in alerts) >= window_number(BEGIN + LEARNING)
    assert not {"word0", "word1", "word2", "usual"} & {keyword for keyword, _, _ in alerts}


def test_alerts_say_that_they_come_from_a_first_day(world: Settings) -> None:
    assert rows(world, "SELECT DISTINCT judged_by FROM anomaly_alerts") == [("first day",)]
    assert rows(world, "SELECT judged_by, as_of, since, learned_minutes FROM detection_baseline") == [
        ("first day", None, BEGIN, 45)
    ]
    assert read_figures(world)["learned_minutes"] == {("first day",): 45.0}


def test_every_figure_of_fifty_alerts_follows_from_the_archive(world: Settings) -> None:
    explanations = list(explain(world, find_alerts(world, [], every=True)))
    assert len(explanations) >= 50
    assert [explanation.problem for explanation in explanations if explanation.problem] == []
    assert [
        (e.stored.keyword, str(difference))
        for e in explanations
        if e.comparison is not None
        for difference in e.comparison.differences
    ] == []
    assert {window["past_since"] for e in explanations for window in e.stored.windows} == {BEGIN}


def test_a_backtest_on_posts_gives_the_alerts_of_the_stream(world: Settings, spark_for) -> None:
    replayed = PostsBacktest(spark_for(world), live_rule(world)).run(DAYS)
    assert [(alert.keyword, alert.opened, alert.last) for alert in replayed] == alerts_of(world)


def test_a_backtest_on_counts_gives_the_alerts_of_the_stream(world: Settings, tmp_path: Path) -> None:
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    totals: Counter[int] = Counter()
    for at, text in the_posts():
        totals[window_number(at)] += 1
        counts[window_number(at)].update(set(text.split()))
    lines = [
        f"{window_start(number):%Y-%m-%dT%H:%M:%SZ},{word},{posts},{totals[number]}"
        for number, by_word in counts.items()
        for word, posts in by_word.items()
    ]
    file, alerts = tmp_path / "counts.csv", tmp_path / "alerts.csv"
    file.write_text("\n".join(["window_start,keyword,posts,total_posts", *lines]) + "\n")
    backtest_counts(
        file, tmp_path / "scores.csv", alerts, QUARTER_HOURS, rule_for(world.threshold, 10), LifecycleRule()
    )
    with alerts.open(newline="") as written:
        found = [row[:3] for row in csv.reader(written)][1:]
    assert sorted(
        (keyword, *(window_number(datetime.fromisoformat(at)) for at in (opened, last)))
        for keyword, opened, last in found
    ) == sorted(alerts_of(world))
