"""`--fresh-detect` on a real Postgres: open alerts end as detection would end them; its clock is reset."""

from datetime import UTC, date, datetime, timedelta
from math import isnan
from pathlib import Path

import pytest

from alerts.live_counts import delete_closed
from alerts.past import NOTHING, Past, load_past
from alerts.traffic import save_traffic
from core.errors import BadInputError
from core.settings import Settings
from core.windows import WINDOW
from sql.connection import transaction
from streaming.checkpoints import restart_detection
from tests.tables import rows

OPEN_ALERTS = """
INSERT INTO anomaly_alerts (
    alert_id, keyword, status, provisional, opened_window, last_window, resolved_at, posts, expected,
    score, peak_score, threshold_ratio, severity, opened_by, distinct_authors, distinct_texts, rule_version,
    degraded, updated_at
)
SELECT gen_random_uuid(), keyword, status, provisional, '2026-01-06 12:00Z', '2026-01-06 12:15Z', resolved_at,
       60, 1, 7, 7, 1.2, 'notable', 'window', 50, 50, 'test', false, '2026-01-06 12:30Z'
FROM (VALUES
    ('early', 'open', true, NULL::timestamptz),
    ('snow', 'open', false, NULL),
    ('past', 'resolved', false, '2026-01-06 13:30Z')
) AS alerts (keyword, status, provisional, resolved_at)
"""


@pytest.fixture
def restarted(settings: Settings) -> Settings:
    """A world whose detection was restarted while one provisional and one confirmed alert were open."""
    with transaction(settings) as cursor:
        cursor.execute(OPEN_ALERTS)
        cursor.execute(
            "INSERT INTO detect_clock (max_event_time, closed_until, keyword_rule) "
            "VALUES ('2026-01-06 12:40Z', '2026-01-06 12:15Z', 'keywords-2')"
        )
        cursor.execute(
            "INSERT INTO pipeline_progress SELECT query, 'P', 0, 5, 5, now() "
            "FROM unnest(ARRAY['archive', 'detect']) AS query"
        )
    Path(settings.checkpoint_dir, "detect").mkdir(parents=True)
    restart_detection(settings)
    return settings


def posts_of(past: Past, keyword: str, start: datetime) -> float:
    return past.moved.get(keyword, NOTHING).posts + float(past.live_sums([keyword], [start])[0, 0, 0])


def squares_of(past: Past, keyword: str, start: datetime) -> float:
    return past.moved.get(keyword, NOTHING).squares + float(past.live_sums([keyword], [start])[0, 0, 1])


def test_a_confirmed_alert_is_resolved_at_the_end_of_its_quiet_windows(restarted: Settings) -> None:
    assert restarted.quiet_windows == 4
    found = rows(
        restarted, "SELECT status, provisional, resolved_at FROM anomaly_alerts WHERE keyword = 'snow'"
    )
    assert found == [("resolved", False, datetime(2026, 1, 6, 13, 30, tzinfo=UTC))]


def test_a_provisional_alert_is_withdrawn_at_the_end_of_the_window_that_opened_it(
    restarted: Settings,
) -> None:
    found = rows(
        restarted, "SELECT status, provisional, resolved_at FROM anomaly_alerts WHERE keyword = 'early'"
    )
    assert found == [("withdrawn", False, datetime(2026, 1, 6, 12, 15, tzinfo=UTC))]


def test_only_alerts_that_were_open_count_as_updated(restarted: Settings) -> None:
    updated = "SELECT keyword FROM anomaly_alerts WHERE updated_at > '2026-01-06 12:30Z' ORDER BY keyword"
    assert rows(restarted, updated) == [("early",), ("snow",)]


def test_the_clock_the_progress_and_the_checkpoint_of_detection_are_out_of_the_way(
    restarted: Settings,
) -> None:
    assert rows(restarted, "SELECT count(*) FROM detect_clock") == [(0,)]
    assert rows(restarted, "SELECT query FROM pipeline_progress") == [("archive",)]
    [aside] = Path(restarted.checkpoint_dir).iterdir()
    assert aside.name.startswith("detect-until-")


def test_windows_of_before_are_no_past_of_a_first_day_until_they_are_counted_again(
    settings: Settings,
) -> None:
    start, day = datetime(2026, 1, 6, 12, 0, tzinfo=UTC), date(2026, 1, 6)

    def past() -> Past:
        with transaction(settings) as cursor:
            return load_past(cursor, settings, day, ["snow"])

    with transaction(settings) as cursor:
        save_traffic(cursor, {start: 500, start + WINDOW: 400})
        cursor.execute("INSERT INTO past_counts VALUES (%s, 'snow', 90)", (day,))
    assert (past().since, posts_of(past(), "snow", start + 4 * WINDOW)) == (start, 90)
    restart_detection(settings)
    assert (past().since, posts_of(past(), "snow", start + 4 * WINDOW)) == (None, 0)
    assert rows(settings, "SELECT sum(posts) FROM traffic_windows") == [(900,)]
    with transaction(settings) as cursor:
        save_traffic(cursor, {start + WINDOW: 300})
    assert (past().since, past().total_posts(start + 4 * WINDOW)) == (start + WINDOW, 300)


def test_squared_posts_are_kept_with_the_past_and_unknown_where_an_older_version_began_it(
    settings: Settings,
) -> None:
    start, day = datetime(2026, 1, 6, 12, 0, tzinfo=UTC), date(2026, 1, 6)
    later = start + 12 * WINDOW
    with transaction(settings) as cursor:
        save_traffic(cursor, {start: 500, start + WINDOW: 400})
        cursor.execute("INSERT INTO past_counts (day, keyword, posts) VALUES (%s, 'snow', 90)", (day,))
        cursor.execute(
            """
            INSERT INTO live_counts
            SELECT keyword, window_start::timestamptz, posts, 0, 0, window_start::timestamptz, 1, 1, 1, 0
            FROM (VALUES
                ('snow', '2026-01-06 12:00Z', 9), ('ice', '2026-01-06 12:00Z', 3),
                ('ice', '2026-01-06 12:15Z', 4), ('ice', '2026-01-06 14:00Z', 5)
            ) AS counts (keyword, window_start, posts)
            """
        )
        for hours in (2, 3):
            delete_closed(cursor, start + timedelta(hours=hours), gap=2, into_past=True)
        past = load_past(cursor, settings, day, ["snow", "ice"])
    assert (posts_of(past, "snow", later), posts_of(past, "ice", later)) == (99, 12)
    assert (squares_of(past, "ice", later), past.total_squares(later)) == (9 + 16 + 25, 500**2 + 400**2)
    assert isnan(squares_of(past, "snow", later))


def test_a_checkpoint_that_is_not_on_a_local_disk_is_left_to_the_user(settings: Settings) -> None:
    remote = settings.model_copy(update={"checkpoint_dir": "hdfs://cluster/checkpoints"})
    with pytest.raises(BadInputError, match=r"hdfs://cluster/checkpoints.* without --fresh-detect"):
        restart_detection(remote)
