"""Laws of days that come in any order: the run ends well, and what it cannot count any more it says once."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pyspark.sql import SparkSession

from batch.audit import audit
from batch.days import days_from
from batch.run import Step
from batch.statistics.learn import forget_statistics
from batch.tables.load import MERGED
from core.settings import Settings
from sql.connection import transaction
from tests.archived import archive_posts, run_batch
from tests.factories import a_post
from tests.integration.loading import contents
from tests.tables import rows

OLD, NEW = date(2017, 5, 1), date(2020, 3, 1)
TABLES = (Step.LOAD, Step.TRENDS)
LEARN = (Step.STATISTICS,)
ALL = (*TABLES, *LEARN)
CHECKED = (*ALL, Step.CHECKS)
GROWTH = "SELECT day, key, posts, posts_day_ago, posts_week_ago FROM daily_trends WHERE kind = 'keyword'"


def after(day: date, days: int) -> date:
    return day + timedelta(days=days)


def posts_of(day: date, number: int = 4) -> list[dict[str, Any]]:
    """Posts with one word each, five minutes apart; their ids do not depend on `number`."""
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC).timestamp()
    return [
        a_post(
            time_stamp=noon + 300 * place,
            itemInfos={"id": str(1000 * day.toordinal() + place + 1), "text": "snow"},
            textExtra=[],
        )
        for place in range(number)
    ]


class Lake:
    """An archive that posts are added to, and the batch on it."""

    def __init__(self, spark: SparkSession, settings: Settings) -> None:
        self.spark, self.settings = spark, settings
        self._offset = 0

    def add(self, *days: date, number: int = 4) -> None:
        posts = [post for day in days for post in posts_of(day, number)]
        archive_posts(self.spark, self.settings, posts, first_offset=self._offset)
        self._offset += len(posts)

    def run(self, days: Sequence[date], steps: Sequence[Step], *, start_over: bool = False) -> list[str]:
        return run_batch(self.spark, self.settings, days, steps, start_over=start_over)

    def remarks(self, days: Sequence[date], steps: Sequence[Step]) -> list[str]:
        """Run, and return the lines that are not about one step of one day."""
        return [line for line in self.run(days, steps) if not line.startswith("20")]

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return rows(self.settings, sql)

    def statistics(self) -> list[tuple[Any, ...]]:
        keywords = self.rows("SELECT * FROM keyword_statistics ORDER BY as_of, keyword")
        return keywords + self.rows("SELECT * FROM traffic_statistics ORDER BY as_of, hour")


@pytest.fixture
def lake(empty_lake: SparkSession, empty_world: Settings) -> Lake:
    forget_statistics(empty_world)
    with transaction(empty_world) as cursor:
        cursor.execute("TRUNCATE daily_trends, quality_checks")
    return Lake(empty_lake, empty_world)


def test_days_of_two_ages_give_the_same_tables_in_either_order_and_a_clean_audit(lake: Lake) -> None:
    old, new = days_from(OLD, after(OLD, 7)), days_from(NEW, after(NEW, 7))
    posted = [days[place] for days in (old, new) for place in (0, 6, 7)]
    lake.add(*posted)
    found = []
    for ages in ([new, old], [old, new]):
        with transaction(lake.settings) as cursor:
            cursor.execute(f"TRUNCATE {', '.join(MERGED)}, daily_trends, batch_days")
        assert [lake.remarks(days, TABLES) for days in ages] == [[], []]
        found.append(contents(lake.settings, (*MERGED, "daily_trends")))
        assert list(audit(lake.spark, lake.settings, OLD, new[-1]).problems()) == []
    assert found[0] == found[1]
    assert len(found[0]["posts"]) == 4 * len(posted)
    grown = lake.rows(f"{GROWTH} AND key = 'snow' AND posts_week_ago IS NOT NULL ORDER BY day")
    assert grown == [(old[-1], "snow", 4, 4, 4), (new[-1], "snow", 4, 4, 4)]


def test_days_before_the_first_that_was_learned_leave_its_statistics_and_are_said_in_one_line(
    lake: Lake,
) -> None:
    old, new = days_from(OLD, after(OLD, 2)), days_from(NEW, after(NEW, 1))
    lake.add(*new)
    lake.run(new, ALL)
    before = lake.statistics()
    lake.add(*old)
    assert lake.remarks(old, CHECKED) == [
        f"Not learned: {old[0]} to {old[-1]}. {old[0]} is before {new[0]}, with which the statistics start. "
        f"To include it, learn everything again: groundswell batch --from {old[0]} --to {new[-1]} "
        "--start-over --steps statistics"
    ]
    assert lake.statistics() == before
    assert lake.rows("SELECT count(*) FROM posts") == [(20,)]

    lines = lake.run(days_from(old[0], new[-1]), LEARN, start_over=True)
    assert len(lines) == len(old) + len(new) + 1, lines
    assert lake.rows("SELECT day FROM batch_days WHERE status = 'fitted' ORDER BY day") == [
        (day,) for day in (*old, *new)
    ]
    assert lake.statistics() != before


def test_a_late_day_in_the_middle_is_learned_and_the_days_that_build_on_others_are_named(lake: Lake) -> None:
    first, middle, last = days_from(NEW, after(NEW, 2))
    lake.add(first, last)
    lake.run([first], ALL)
    assert lake.remarks([last], ALL) == []
    lake.add(middle)
    assert lake.remarks([middle], ALL) == [
        f"Growth on {last} compares with outdated counts. Run: groundswell batch {last} --steps trends",
        f"Later statistics still build on the previous ones of {middle}. "
        f"Run: groundswell batch {last} --steps statistics",
    ]
    lake.run([last], ALL)
    late = lake.statistics(), lake.rows("SELECT * FROM daily_trends ORDER BY day, kind, rank")
    lake.run([first, middle, last], ALL, start_over=True)
    assert (lake.statistics(), lake.rows("SELECT * FROM daily_trends ORDER BY day, kind, rank")) == late


def test_a_late_day_whose_predecessors_statistics_are_gone_is_loaded_and_not_learned(lake: Lake) -> None:
    days = days_from(NEW, after(NEW, 3))
    lake.settings = lake.settings.model_copy(update={"statistics_keep_days": 2})
    lake.add(days[0], *days[2:])
    lake.run(days, ALL)
    before = lake.statistics()
    lake.add(days[1])
    assert [line for line in lake.remarks([days[1]], ALL) if "earned" in line] == [
        f"Not learned: {days[1]}. {days[1]} builds on the statistics as of {days[0]}, which are no longer "
        "kept (GROUNDSWELL_STATISTICS_KEEP_DAYS). To learn everything again, "
        f"run: groundswell batch --from {days[0]} --to {days[3]} --start-over --steps statistics"
    ]
    assert lake.statistics() == before
    assert lake.rows("SELECT count(*) FROM posts") == [(16,)]


def test_a_year_without_posts_is_one_line_and_its_days_are_done(lake: Lake) -> None:
    days = days_from(NEW, after(NEW, 366))
    lake.add(days[0], days[-1])
    lines = lake.run(days, CHECKED)
    assert len(lines) == 2 * len(CHECKED) + 1, lines
    assert f"{days[1]} to {days[-2]}  no posts in the archive" in lines
    assert lake.rows(
        "SELECT status, loaded_posts, trends > 0, count(*) FROM batch_days GROUP BY 1, 2, 3 ORDER BY 4, 1"
    ) == [("fitted", 4, True, 2), ("empty", 0, False, 365)]
    # The day after is learned on top of the last without walking through the year.
    assert lake.remarks([after(days[-1], 1)], LEARN) == []


def test_a_file_delivered_twice_changes_nothing(lake: Lake) -> None:
    days = days_from(OLD, after(OLD, 1))
    lake.add(*days)
    lake.run(days, ALL)
    before = contents(lake.settings, ("daily_trends", "post_keywords")), lake.statistics()
    lake.add(*days)
    assert [line for line in lake.remarks(days, ALL) if "earned" in line] == []
    assert (contents(lake.settings, ("daily_trends", "post_keywords")), lake.statistics()) == before
    assert list(audit(lake.spark, lake.settings, *days).problems()) == []


def test_growth_over_a_day_that_is_no_longer_kept_is_unknown_until_it_is_loaded_again(lake: Lake) -> None:
    eve, day = OLD, after(OLD, 1)
    lake.add(eve, day, NEW)
    lake.run([eve], TABLES)
    lake.run([NEW], TABLES)
    assert lake.remarks([day], TABLES) == [
        f"Growth on {day} over days that are no longer kept is as it was, or unknown. "
        f"To count it, run: groundswell batch --from {eve} --to {day} --steps load,trends"
    ]
    assert (day, "snow", 4, None, None) in lake.rows(GROWTH)
    assert lake.remarks([eve, day], TABLES) == []
    assert (day, "snow", 4, 4, None) in lake.rows(GROWTH)


def test_growth_that_was_counted_stays_when_the_day_is_counted_again_without_the_one_before(
    lake: Lake,
) -> None:
    eve, day = OLD, after(OLD, 1)
    lake.add(eve, day, NEW)
    lake.run([eve, day], TABLES)
    lake.run([NEW], TABLES)
    lake.add(day, number=6)
    lake.run([day], TABLES)
    assert (day, "snow", 6, 4, None) in lake.rows(GROWTH)


def test_trends_of_days_that_are_no_longer_kept_are_unchanged_and_said_in_one_line(lake: Lake) -> None:
    days = days_from(OLD, after(OLD, 1))
    lake.add(*days, NEW)
    lake.run(days, TABLES)
    lake.run([NEW], TABLES)
    before = contents(lake.settings, ("daily_trends",))
    assert lake.remarks(days, (Step.TRENDS,)) == [
        f"Trends of {days[0]} to {days[1]} are unchanged, because the keywords and counts of their posts are "
        f"no longer kept. To count them, run: groundswell batch --from {after(days[0], -7)} --to {days[1]} "
        "--steps load,trends"
    ]
    assert contents(lake.settings, ("daily_trends",)) == before
