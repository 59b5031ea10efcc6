"""Laws of the statistics step: what a day teaches, in which order, and what is refused, on a real archive and a real Postgres."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import numpy as np
import psycopg2
import pytest
from pyspark.sql import SparkSession

from batch.run import Batch, Step
from batch.statistics.learn import forget_statistics
from core.errors import NotReadyError
from core.settings import Settings
from detection.learn import KeywordRows, Traffic, day_traffic, default_rows, fit_day, learn_traffic
from sql.connection import transaction
from tests.archived import archive_posts
from tests.factories import a_post
from tests.tables import rows

DAYS = [date(2026, 1, 1), date(2026, 1, 2), date(2026, 1, 3)]
WORDS = ["snow", "#winter", "katze", "любовь"]
KEYWORDS = ["katze", "snow", "winter", "любовь"]
LATER = datetime(2026, 2, 1, tzinfo=UTC)


def statistics(settings: Settings) -> list[tuple[Any, ...]]:
    return rows(settings, 'SELECT * FROM keyword_statistics ORDER BY as_of, keyword COLLATE "C"') + rows(
        settings, "SELECT * FROM traffic_statistics ORDER BY as_of, hour"
    )


def post_at(day: date, seconds: float, post_id: int, text: str) -> dict[str, Any]:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()
    return a_post(time_stamp=midnight + seconds, itemInfos={"id": str(post_id), "text": text})


def posts_of(day: date) -> list[dict[str, Any]]:
    """Every window has 2 posts with the first word, and the others now and then; two deliveries come again, one edited."""
    number = 1000 * day.day
    places = [(window, place) for window in range(96) for place in (0, 1)]
    posts = [
        post_at(day, 900 * window + place, number + 2 * window + place, text_of(window, place))
        for window, place in places
    ]
    again = post_at(day, 5, number, "снег edited")
    elsewhere = post_at(day, 905, number, "snow again in another window")
    return [*posts, again, elsewhere, post_at(day, 7, 0, "snow refused")]


def text_of(window: int, place: int) -> str:
    return " ".join(
        word for place_of_word, word in enumerate(WORDS) if (window + place) % (place_of_word + 1) == 0
    )


def counts_of(window: int) -> list[float]:
    """Posts of KEYWORDS in the window: each word is in every second, third ... post; window 1 has one post of window 0 again."""
    times = {
        word.strip("#"): sum((window + place) % (n + 1) == 0 for place in (0, 1))
        for n, word in enumerate(WORDS)
    }
    times["snow"] += window == 1
    return [float(times[keyword]) for keyword in KEYWORDS]


@pytest.fixture(scope="module")
def batch(spark_for: Callable[[Settings], SparkSession], module_settings: Settings) -> Batch:
    """A batch over an archive of three days, which the archive query reports complete."""
    lake = spark_for(module_settings)
    archive_posts(lake, module_settings, [post for day in DAYS for post in posts_of(day)])
    report_archive(module_settings, lag=0)
    return Batch(module_settings, session=lambda: lake, now=lambda: LATER)


@pytest.fixture(autouse=True)
def _nothing_learned(module_settings: Settings, batch: Batch) -> None:
    forget_statistics(module_settings)
    report_archive(module_settings, lag=0)


def report_archive(settings: Settings, *, lag: int, observed_at: datetime = LATER) -> None:
    with transaction(settings) as cursor:
        cursor.execute("DELETE FROM pipeline_progress")
        cursor.execute(
            "INSERT INTO pipeline_progress VALUES ('archive', %s, 0, 500, 500, %s), ('archive', %s, 1, 500, %s, %s)",
            (settings.posts_topic, observed_at, settings.posts_topic, 500 + lag, observed_at),
        )


def learn(batch: Batch, *days: date) -> list[str]:
    return list(batch.run_days(days, [Step.STATISTICS]))


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
        f"SELECT keyword, level, hour_deviation, variance, dispersion, hourly_spread, last_seen FROM keyword_statistics "
        f"WHERE as_of = '{day}' AND keyword = ANY (ARRAY['snow', 'winter', 'katze', 'любовь']) ORDER BY keyword COLLATE \"C\"",
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
    assert (
        lines[-1]
        == "What was learned later stands on 2026-01-02 as it was before. Run: python -m batch 2026-01-03 --steps statistics"
    )


def test_a_day_out_of_order_is_refused_with_the_command_that_comes_first(batch, module_settings):
    with pytest.raises(
        NotReadyError, match=r"2026-01-02 has posts .* Run: python -m batch --from 2026-01-01 --to 2026-01-03"
    ):
        learn(batch, DAYS[2])
    learn(batch, DAYS[0])
    before = statistics(module_settings)
    with pytest.raises(
        NotReadyError,
        match=r"2026-01-02 is not learned yet.* Run: python -m batch --from 2026-01-02 --to 2026-01-03",
    ):
        learn(batch, DAYS[2])
    assert statistics(module_settings) == before


def test_a_day_before_the_first_is_refused(batch):
    learn(batch, DAYS[0])
    with pytest.raises(
        NotReadyError, match="The statistics begin with 2026-01-01, and 2025-12-31 lies before"
    ):
        learn(batch, date(2025, 12, 31))


def test_a_day_without_posts_says_so_changes_nothing_and_lets_the_next_follow(batch, module_settings):
    learn(batch, *DAYS)
    before = statistics(module_settings)
    lines = learn(batch, date(2026, 1, 4))
    assert lines[0].startswith(
        "2026-01-04  statistics  no posts in the archive, nothing to learn; the next day may follow"
    )
    assert statistics(module_settings) == before
    assert rows(module_settings, "SELECT status FROM batch_days WHERE day = '2026-01-04'") == [("empty",)]
    assert "no posts" in learn(batch, date(2026, 1, 5))[0]


def test_a_day_that_is_not_over_is_refused(batch, module_settings):
    early = Batch(
        module_settings, session=batch._session, now=lambda: datetime(2026, 1, 2, 0, 14, 59, tzinfo=UTC)
    )
    with pytest.raises(NotReadyError, match="2026-01-01 is complete at 2026-01-02 00:15 UTC at the earliest"):
        learn(early, DAYS[0])


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ({"lag": 3}, "3 records behind in 1 of 2 partitions"),
        (
            {"lag": 0, "observed_at": datetime(2026, 1, 2, 0, 10, tzinfo=UTC)},
            "reported last at 2026-01-02 00:10 UTC, before 2026-01-01",
        ),
    ],
)
def test_a_day_that_is_not_wholly_in_the_archive_is_refused(batch, module_settings, report, sentence):
    report_archive(module_settings, **report)
    with pytest.raises(NotReadyError, match=sentence):
        learn(batch, DAYS[0])


def test_without_a_report_of_the_archive_a_day_is_learned_only_when_it_is_said_to_be_complete(
    batch, module_settings
):
    with transaction(module_settings) as cursor:
        cursor.execute("DELETE FROM pipeline_progress")
    with pytest.raises(NotReadyError, match=r"has not reported how far it is.*--assume-complete"):
        learn(batch, DAYS[0])
    said = Batch(module_settings, session=batch._session, now=lambda: LATER, assume_complete=True)
    assert "193 posts" in learn(said, DAYS[0])[0]


def test_old_days_are_dropped_and_what_stood_on_them_is_refused_with_a_way_out(batch, module_settings):
    short = Batch(
        module_settings.model_copy(update={"statistics_keep_days": 2}),
        session=batch._session,
        now=lambda: LATER,
    )
    learn(short, *DAYS)
    assert rows(module_settings, "SELECT DISTINCT as_of FROM keyword_statistics ORDER BY 1") == [
        (DAYS[1],),
        (DAYS[2],),
    ]
    assert rows(module_settings, "SELECT as_of, count(*) FROM traffic_statistics GROUP BY 1 ORDER BY 1") == [
        (DAYS[1], 24),
        (DAYS[2], 24),
    ]
    with pytest.raises(
        NotReadyError,
        match=r"as of 2026-01-01, which are no longer kept.*--from 2026-01-01 --to 2026-01-03 --start-over",
    ):
        learn(short, DAYS[1])


def test_a_reader_who_holds_the_statistics_fails_the_batch_and_loses_nothing(batch, module_settings):
    learn(batch, DAYS[0])
    before = statistics(module_settings)
    with transaction(module_settings) as reader:
        reader.execute("SELECT count(*) FROM keyword_statistics")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            learn(batch, DAYS[0])
    assert statistics(module_settings) == before
    learn(batch, DAYS[0])
    assert statistics(module_settings) == before


def test_a_label_has_its_effect_when_its_day_is_fitted_again_and_until_then_the_batch_says_so(
    batch: Batch, module_settings: Settings
) -> None:
    learn(batch, *DAYS[:2])
    untold = statistics(module_settings)
    with transaction(module_settings) as cursor:
        cursor.execute(
            """
            INSERT INTO anomaly_alerts (
                alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, posts, expected, score, peak_score,
                threshold_ratio, severity, opened_by, distinct_authors, distinct_texts, rule_version, degraded
            ) VALUES (
                '00000000-0000-0000-0000-000000000001', 'snow', 'resolved', false, '2026-01-02 00:00+00', '2026-01-02 11:45+00',
                '2026-01-02 13:00+00', 96, 1, 7, 7, 1.2, 'notable', 'window', 90, 90, 'test', false
            )
            """
        )
        cursor.execute(
            """
            INSERT INTO alert_windows (
                alert_id, window_start, closed, posts, ratio, expected, scale, score, hourly_posts, hourly_expected, hourly_spread, hourly_score,
                threshold, threshold_ratio, authors_bitmap, hourly_authors_bitmap, texts_bitmap, first_post_at, first_post_id, latest_post_id,
                top_post_id, top_likes
            )
            SELECT '00000000-0000-0000-0000-000000000001', start, true, 2, 1, 1, 1, 7, 8, 4, 1, 7, 6, 1.2, 1, 1, 1, start, 1, 2, 1, 0
            FROM generate_series('2026-01-02 00:00+00'::timestamptz, '2026-01-02 11:45+00', '15 minutes') AS start
            """
        )
        cursor.execute(
            "INSERT INTO alert_labels (alert_id, label) VALUES ('00000000-0000-0000-0000-000000000001', 'new normal')"
        )
    told = learn(batch, DAYS[1])
    changed = {new[:2] for new, old in zip(statistics(module_settings), untold, strict=True) if new != old}
    assert changed == {(DAYS[1], "snow")}
    assert not any("abelled" in line for line in told)
    with transaction(module_settings) as cursor:
        cursor.execute("UPDATE alert_labels SET label = 'real', labelled_at = now()")
    assert any("2026-01-02" in line and "abelled" in line for line in learn(batch, DAYS[2]))
    with transaction(module_settings) as cursor:
        cursor.execute("DELETE FROM anomaly_alerts")


def test_with_a_budget_each_day_but_the_first_sets_a_threshold_from_what_the_days_would_have_alarmed(
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
