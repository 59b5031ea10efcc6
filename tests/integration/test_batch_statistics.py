"""Laws of the step `statistics`: what is learned from a day, on a real archive and a real Postgres."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import psycopg2
import pytest
from pyspark.sql import SparkSession

from batch.run import Batch, Step
from core.settings import Settings
from detection.learn import KeywordRows, default_rows, fit_day
from detection.traffic_baseline import Traffic, day_traffic, learn_traffic
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import a_post
from tests.integration.three_days import DAYS, KEYWORDS, LATER, counts_of, learn, posts_of, statistics
from tests.tables import rows

LABELLED_ALERT = Path(__file__).parent / "labelled_alert.sql"


def test_rows_are_those_of_the_fit_on_counts_made_by_hand_day_after_day(batch, module_settings):
    learn(batch, *DAYS)
    fitted, traffic, age = default_rows(4), None, 0.0
    for day in DAYS:
        counts = np.array([counts_of(window) for window in range(96)]).T
        totals = np.array([3.0 if window == 1 else 2.0 for window in range(96)])
        day_totals = day_traffic(totals, traffic)
        fitted, traffic = (
            fit_day(counts, day_totals, fitted, age),
            learn_traffic(traffic, totals, day_totals.learned_days),
        )
        age = traffic.history_days
        assert_stored(module_settings, day, fitted, traffic)


def assert_stored(settings: Settings, day: date, fitted: KeywordRows, traffic: Traffic) -> None:
    stored = rows(
        settings,
        "SELECT keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen "
        f"FROM keyword_statistics WHERE as_of = '{day}' "
        "AND keyword = ANY (ARRAY['snow', 'winter', 'katze', 'любовь']) ORDER BY keyword COLLATE \"C\"",
    )
    assert [row[0] for row in stored] == KEYWORDS
    assert [row[6] for row in stored] == [day] * 4
    for k, (_, level, deviation, variance, dispersion, hourly_spread, _) in enumerate(stored):
        expected = [fitted.level[k], fitted.variance[k], fitted.dispersion[k], fitted.hourly_spread[k]]
        assert [level, variance, dispersion, hourly_spread] == pytest.approx(expected, rel=1e-5, abs=1e-6)
        assert deviation == (
            None if not fitted.has_profile[k] else pytest.approx(fitted.hour_deviation[k], rel=1e-4, abs=1e-5)
        )
    stored_traffic = rows(
        settings,
        f"SELECT expected_posts, history_days FROM traffic_statistics WHERE as_of = '{day}' ORDER BY hour",
    )
    assert [row[0] for row in stored_traffic] == pytest.approx(traffic.expected_posts, rel=1e-6)
    assert stored_traffic[0][1] == pytest.approx(traffic.history_days)


def test_an_edited_delivery_in_the_same_window_does_not_count(batch, module_settings):
    learn(batch, DAYS[0])
    keywords = {keyword for (keyword,) in rows(module_settings, "SELECT keyword FROM keyword_statistics")}
    assert {"снег", "edited", "refused"} & keywords == set()
    assert rows(module_settings, "SELECT counted_posts FROM batch_days WHERE status = 'fitted'") == [(193,)]


def test_a_day_run_again_gives_the_same_rows_and_names_the_later_days(batch, module_settings):
    learn(batch, *DAYS)
    before = statistics(module_settings)
    lines = learn(batch, DAYS[1])
    assert statistics(module_settings) == before
    assert lines[-1] == (
        "Later statistics still build on the previous ones of 2026-01-02. "
        "Run: groundswell batch 2026-01-03 --steps statistics"
    )


def test_a_day_without_posts_says_so_changes_nothing_and_lets_the_next_follow(batch, module_settings):
    learn(batch, *DAYS)
    before = statistics(module_settings)
    lines = learn(batch, date(2026, 1, 4))
    assert lines[0].startswith(
        "2026-01-04  statistics  no posts in the archive, nothing to learn; the next day can run"
    )
    assert statistics(module_settings) == before
    assert rows(module_settings, "SELECT status FROM batch_days WHERE day = '2026-01-04'") == [("empty",)]
    assert "no posts" in learn(batch, date(2026, 1, 5))[0]


def test_a_query_that_locks_the_statistics_fails_the_batch_and_loses_nothing(batch, module_settings):
    learn(batch, DAYS[0])
    before = statistics(module_settings)
    with transaction(module_settings) as reader:
        reader.execute("SELECT count(*) FROM keyword_statistics")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            learn(batch, DAYS[0])
    assert statistics(module_settings) == before
    learn(batch, DAYS[0])
    assert statistics(module_settings) == before


def test_a_label_takes_effect_when_its_day_is_fitted_again_and_until_then_the_batch_says_so(
    batch: Batch, module_settings: Settings
) -> None:
    learn(batch, *DAYS[:2])
    unlabelled = statistics(module_settings)
    with transaction(module_settings) as cursor:
        cursor.execute(LABELLED_ALERT.read_text())
    lines = learn(batch, DAYS[1])
    changed = {
        new[:2] for new, old in zip(statistics(module_settings), unlabelled, strict=True) if new != old
    }
    assert changed == {(DAYS[1], "snow")}
    assert not any("abelled" in line for line in lines)
    with transaction(module_settings) as cursor:
        cursor.execute("UPDATE alert_labels SET label = 'real', labelled_at = now()")
    assert any("2026-01-02" in line and "abelled" in line for line in learn(batch, DAYS[2]))
    with transaction(module_settings) as cursor:
        cursor.execute("DELETE FROM anomaly_alerts")


def test_with_a_budget_each_day_but_the_first_sets_a_threshold_from_the_alerts_of_replayed_days(
    batch: Batch, module_settings: Settings, spark_for: Callable[[Settings], SparkSession]
) -> None:
    lake = spark_for(module_settings)
    burst_day, nine_o_clock = date(2026, 1, 4), datetime(2026, 1, 4, 9, tzinfo=UTC).timestamp()
    burst = [
        a_post(
            time_stamp=nine_o_clock + n,
            itemInfos={"id": str(9000 + n), "text": "eclipse", "authorId": str(n)},
        )
        for n in range(40)
    ]
    archive_posts(lake, module_settings, [*posts_of(burst_day), *burst])
    budgeted = Batch(
        module_settings.model_copy(update={"alerts_per_day": 0.5}), session=lambda: lake, now=lambda: LATER
    )
    list(budgeted.run_days([*DAYS, burst_day], [Step.STATISTICS]))
    columns = "as_of, scope, threshold, replayed_days, replayed_per_day"
    found = rows(module_settings, f"SELECT {columns} FROM detection_thresholds ORDER BY as_of")
    assert [(as_of, scope, threshold, days) for as_of, scope, threshold, days, _ in found] == [
        (DAYS[1], "discovery", 4.25, 1),
        (DAYS[2], "discovery", 4.25, 2),
        (burst_day, "discovery", 4.25, 3),
    ]
    assert found[-1][4] == pytest.approx(1 / 3)
    candidates = rows(
        module_settings, "SELECT keyword, posts, expected, hourly_posts, authors > 25 FROM candidate_windows"
    )
    assert ("eclipse", 40, 0.0, 40, True) in candidates
    with transaction(module_settings) as cursor:
        cursor.execute("DELETE FROM candidate_windows")
        cursor.execute("DELETE FROM detection_thresholds")
