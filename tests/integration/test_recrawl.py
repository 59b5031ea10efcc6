"""Laws of posts that were collected more than once: the newest crawl is shown, however it came."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from archive.table import create_archive
from batch.importing.clock import ImportClock
from batch.importing.files import import_files
from core.catalog import RAW_POSTS
from core.settings import Settings
from producer.signals import Stop
from tests.archived import archive_posts
from tests.factories import a_post
from tests.integration.loading import MONDAY, NOON, TUESDAY, at, contents, load
from tests.tables import rows

CASES = Path(__file__).parents[3] / "shared" / "data" / "cases"
CRAWLED = date(2026, 11, 24)
LIKES = "SELECT like_count FROM posts"
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not in ../shared/data/cases")


def import_names(lake: SparkSession, settings: Settings, *names: Path) -> None:
    import_files(settings, list(map(str, names)), clock=ImportClock.ORIGINAL, processes=1, stop=Stop())
    lake.catalog.refreshTable(RAW_POSTS)


def a_crawl(folder: Path, name: str, *posts: dict[str, Any]) -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(post) + "\n" for post in posts))
    return path


@needs_cases
def test_an_import_that_was_collected_after_kafkas_record_is_shown(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    first = json.loads((CASES / "recrawl" / "first.ndjson").read_bytes())
    sent = {**first, "time_stamp": int(first["itemInfos"]["createTime"])}
    archive_posts(empty_lake, empty_world, [sent], kafka_time=datetime.now(UTC))
    import_names(empty_lake, empty_world, CASES / "recrawl" / "second.ndjson")
    load(empty_lake, empty_world, CRAWLED)
    assert rows(empty_world, LIKES) == rows(empty_world, "SELECT like_count FROM post_stats") == [(5000,)]


@needs_cases
def test_crawls_that_a_shell_lists_by_their_letters_are_taken_by_their_numbers(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    create_archive(empty_lake)
    import_names(empty_lake, empty_world, *sorted((CASES / "recrawl").glob("crawl-*.ndjson")))
    load(empty_lake, empty_world, CRAWLED)
    assert rows(empty_world, LIKES) == [(1100,)]


@needs_cases
def test_an_author_is_shown_and_followed_as_of_the_crawls(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    create_archive(empty_lake)
    began = datetime.now(UTC) - timedelta(seconds=1)
    import_names(empty_lake, empty_world, *sorted((CASES / "observed-at").glob("*.ndjson")))
    newer, older = date(2026, 10, 1), date(2026, 8, 1)
    load(empty_lake, empty_world, newer, older)
    authors = "SELECT unique_id, follower_count FROM authors"
    assert rows(empty_world, authors) == [("new_name", 1_000_000)]
    history = rows(
        empty_world, "SELECT post_day, follower_count, seen_at, day FROM author_stats ORDER BY seen_at"
    )
    assert [row[:2] for row in history] == [(newer, 400_000), (older, 1_000_000)]
    assert all(began < seen_at and day == seen_at.date() for _, _, seen_at, day in history)
    before = contents(empty_world, ("authors", "posts", "author_stats"))
    load(empty_lake, empty_world, older, newer)
    assert contents(empty_world, ("authors", "posts", "author_stats")) == before


def test_of_crawls_in_one_file_the_later_line_is_the_newer(
    empty_lake: SparkSession, empty_world: Settings, tmp_path: Path
) -> None:
    first = a_post(itemInfos={"id": "8", "createTime": int(NOON) + 60}, authorInfos={"uniqueId": "old_name"})
    second = a_post(itemInfos={"id": "9", "createTime": int(NOON)}, authorInfos={"uniqueId": "new_name"})
    create_archive(empty_lake)
    import_names(empty_lake, empty_world, a_crawl(tmp_path, "joined.ndjson", first, second))
    load(empty_lake, empty_world)
    assert rows(empty_world, "SELECT unique_id FROM authors") == [("new_name",)]


@pytest.mark.parametrize("member", ["collected_at", "scraped_at", "retrieved_on"])
def test_when_a_record_says_when_it_was_collected_that_counts(
    empty_lake: SparkSession, empty_world: Settings, member: str
) -> None:
    said = {
        1: (NOON + 7200, at(14)),
        2: ("2026-01-05T15:00:00Z", at(15)),
        3: (str(NOON + 3600.5), at(13) + timedelta(seconds=0.5)),
        4: ("yesterday", at(20)),  # no time, so that the arrival counts
        5: (NOON * 1000, at(20)),  # in milliseconds
        6: ("2026-01-05T21:00:00Z", at(20)),  # after its arrival
        7: (-5, at(20)),
    }
    posts = [
        {
            **a_post(time_stamp=NOON, itemInfos={"id": str(number)}, authorInfos={"userId": str(number)}),
            member: text,
        }
        for number, (text, _) in said.items()
    ]
    archive_posts(empty_lake, empty_world, posts, kafka_time=at(20))
    load(empty_lake, empty_world)
    expected = [(number, moment) for number, (_, moment) in said.items()]
    assert rows(empty_world, "SELECT post_id, collected_at FROM posts ORDER BY 1") == expected
    assert rows(empty_world, "SELECT author_id, seen_at FROM author_stats ORDER BY 1") == expected


def test_a_record_that_was_collected_earlier_and_arrives_later_replaces_nothing(
    empty_lake: SparkSession, empty_world: Settings
) -> None:
    new = {**a_post(time_stamp=NOON, itemInfos={"diggCount": 9}), "collected_at": NOON + 600}
    old = {**a_post(time_stamp=NOON + 86_400, itemInfos={"diggCount": 5}), "collected_at": NOON + 300}
    archive_posts(empty_lake, empty_world, [new], kafka_time=at(13))
    archive_posts(empty_lake, empty_world, [old], first_offset=1, kafka_time=at(13, day=6))
    for days in ((MONDAY, TUESDAY), (TUESDAY, MONDAY)):
        load(empty_lake, empty_world, *days)
        assert rows(empty_world, f"{LIKES} WHERE collected_at = '2026-01-05 12:10Z'") == [(9,)]
        assert rows(empty_world, "SELECT first_seen, last_seen FROM posts") == [(at(12), at(12))]
