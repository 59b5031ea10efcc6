"""Laws of the order of learning: a day is refused until earlier days and the archive are ready."""

from datetime import UTC, date, datetime

import pytest

from batch.run import Batch
from core.errors import NotReadyError
from sql.connection import transaction
from tests.integration.three_days import DAYS, LATER, learn, report_archive, statistics
from tests.tables import rows


def test_a_day_out_of_order_is_refused_with_the_command_that_comes_first(batch, module_settings):
    with pytest.raises(
        NotReadyError,
        match=r"2026-01-02 has posts .* Run: groundswell batch --from 2026-01-01 --to 2026-01-03",
    ):
        learn(batch, DAYS[2])
    learn(batch, DAYS[0])
    before = statistics(module_settings)
    with pytest.raises(
        NotReadyError,
        match=r"2026-01-02 has not been learned yet.* batch --from 2026-01-02 --to 2026-01-03",
    ):
        learn(batch, DAYS[2])
    assert statistics(module_settings) == before


def test_a_day_without_posts_before_the_first_needs_no_word(batch, module_settings):
    learn(batch, DAYS[0])
    before = statistics(module_settings)
    assert learn(batch, date(2025, 12, 31)) == []
    assert statistics(module_settings) == before


def test_a_day_that_is_not_over_is_refused(batch, module_settings):
    early = Batch(
        module_settings, session=batch._session, now=lambda: datetime(2026, 1, 2, 0, 14, 59, tzinfo=UTC)
    )
    with pytest.raises(NotReadyError, match="2026-01-01 is not complete before 2026-01-02 00:15 UTC"):
        learn(early, DAYS[0])


@pytest.mark.parametrize(
    ("report", "sentence"),
    [
        ({"lag": 3}, "3 records behind in 1 of 2 partitions"),
        (
            {"lag": 0, "observed_at": datetime(2026, 1, 2, 0, 10, tzinfo=UTC)},
            "last reported at 2026-01-02 00:10 UTC, before 2026-01-01",
        ),
    ],
)
def test_a_day_that_is_not_wholly_in_the_archive_is_refused(batch, module_settings, report, sentence):
    report_archive(module_settings, **report)
    with pytest.raises(NotReadyError, match=sentence):
        learn(batch, DAYS[0])


def test_without_a_report_of_the_archive_a_day_is_learned_only_if_assumed_complete(batch, module_settings):
    with transaction(module_settings) as cursor:
        cursor.execute("DELETE FROM pipeline_progress")
    with pytest.raises(NotReadyError, match=r"has not reported any progress.*--assume-complete"):
        learn(batch, DAYS[0])
    assuming = Batch(module_settings, session=batch._session, now=lambda: LATER, assume_complete=True)
    assert "193 posts" in learn(assuming, DAYS[0])[0]


def test_old_days_are_dropped_and_days_that_need_them_are_left_out_with_a_way_out(batch, module_settings):
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
    before = statistics(module_settings)
    [line] = learn(short, DAYS[1])
    assert line.startswith("Not learned: 2026-01-02. 2026-01-02 builds on the statistics as of 2026-01-01")
    assert line.endswith("--from 2026-01-01 --to 2026-01-03 --start-over --steps statistics")
    assert statistics(module_settings) == before
