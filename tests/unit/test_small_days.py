"""Laws of days that are counted together and fitted one by one, in memory."""

from datetime import date

import pyarrow as pa

from batch.statistics.counts import CollectedCounts, CollectedWindows, joined_rows
from core.keyword_rule import ALL_POSTS
from tests.factories import settings_without_servers

FIRST, SECOND = date(2026, 1, 5), date(2026, 1, 6)


def counts(rows: list[tuple[str, list[tuple[int | None, int, int]]]]) -> pa.Table:
    """Rows of `count_keywords_per_day`: a keyword, and (window, posts, authors) of each window."""
    columns = {
        "windows": [[window for window, _, _ in found] for _, found in rows],
        "posts": [[posts for _, posts, _ in found] for _, found in rows],
        "authors": [[authors for _, _, authors in found] for _, found in rows],
    }
    kinds = {"windows": pa.int32(), "posts": pa.int32(), "authors": pa.int64()}
    lists = {name: pa.array(values, pa.list_(kinds[name])) for name, values in columns.items()}
    return pa.table({"keyword": pa.array([keyword for keyword, _ in rows], pa.string()), **lists})


TOGETHER = counts(
    [
        (ALL_POSTS, [(None, 1, 0), (94, 2, 6), (96, 1, 1), (0, 1, 4)]),
        ("snow", [(96, 1, 1), (94, 2, 6)]),
        ("katze", [(92, 1, 4)]),
    ]
)


def test_a_day_of_several_has_its_own_windows_and_the_three_before_it():
    windows = CollectedWindows(TOGETHER, FIRST)
    assert windows.of_day(SECOND).to_pydict() == {
        "keyword": [ALL_POSTS, "snow"],
        "windows": [[-2, 0], [0, -2]],
        "posts": [[2, 1], [1, 2]],
        "authors": [[6, 1], [1, 6]],
    }
    assert windows.of_day(FIRST)["keyword"].to_pylist() == [ALL_POSTS, "snow", "katze"]
    assert windows.of_day(FIRST)["windows"].to_pylist() == [[94, 0], [94], [92]]
    assert windows.of_day(date(2026, 1, 8)).num_rows == 0


def test_days_without_any_record_have_no_counts():
    nothing = CollectedWindows(counts([]), FIRST).of_day(FIRST)
    assert nothing.num_rows == 0
    assert not CollectedCounts(nothing, settings_without_servers()).totals().any()


def test_totals_are_those_of_all_posts_and_a_dominant_keyword_has_a_share_of_one_window():
    busy = counts([(ALL_POSTS, [(0, 1000, 1)]), ("snow", [(0, 50, 1)]), ("katze", [(0, 49, 1), (1, 3, 1)])])
    collected = CollectedCounts(busy, settings_without_servers())
    totals = collected.totals()
    assert (totals.shape, totals[3], totals.sum()) == ((99,), 1000, 1000)
    assert collected.dominant(totals)["keyword"].to_pylist() == ["snow"]


def test_every_keyword_that_was_counted_or_is_known_is_fitted_once():
    before = pa.table(
        {
            "keyword": ["katze", "schnee"],
            "level": pa.array([1.5, 2.5], pa.float32()),
            "hour_deviation": pa.array([[0.5] * 24, None], pa.list_(pa.float32())),
            "variance": pa.array([1, 2], pa.float32()),
            "dispersion": pa.array([3, 4], pa.float32()),
            "hourly_spread": pa.array([5, 6], pa.float32()),
            "last_seen": pa.array([FIRST, FIRST], pa.date32()),
        }
    )
    joined = joined_rows(TOGETHER.slice(1), before)
    assert joined["keyword"].to_pylist() == ["snow", "katze", "schnee"]
    assert joined["windows"].to_pylist() == [[96, 94], [92], None]
    assert joined["level"].to_pylist() == [None, 1.5, 2.5]
    assert joined["hour_deviation"].to_pylist() == [None, [0.5] * 24, None]
    assert joined["last_seen"].to_pylist() == [None, FIRST, FIRST]
