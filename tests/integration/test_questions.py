"""Laws of what analysts rely on: example questions are answered right, tables and columns are commented."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.settings import Settings
from sql.connection import transaction

QUESTIONS = Path(__file__).parents[2] / "docs" / "questions.md"
WORLD = Path(__file__).parent / "questions_world.sql"
LINK = "https://www.tiktok.com/@{}/video/{}"


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=UTC)


def d(text: str) -> Decimal:
    return Decimal(text)


ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    "What is unusual right now?": [("snow", "strong", 60, d("4.0"), 2, at(6, 10), LINK.format("ana", 101))],
    "What were the largest alerts of the last week?": [
        ("cats", "extreme", at(5, 12), 200, d("20.0"), d("26.0")),
        ("snow", "strong", at(6, 10), 60, d("4.0"), d("14.2")),
    ],
    "How did an alert unfold?": [
        (at(6, 10), 20, d("3.9"), d("1.30"), d("5.8")),
        (at(6, 10, 15), 40, d("0.6"), d("0.20"), d("14.2")),
    ],
    "Was it many people, or a few who post a lot?": [
        ("snow", at(6, 10), 60, 2, False, d("30.0")),
        ("cats", at(5, 12), 200, 160, False, d("1.3")),
        ("old", datetime(2025, 12, 24, 20, tzinfo=UTC), 90, 80, False, d("1.1")),
    ],
    "How long do alerts last?": [("extreme", 2, timedelta(minutes=15))],
    "How often is an early alert withdrawn?": [
        (date(2025, 12, 24), 1, 0),
        (date(2026, 1, 5), 2, 1),
        (date(2026, 1, 6), 1, 0),
    ],
    "Which posts carry a keyword?": [(101, 100, LINK.format("ana", 101)), (102, 50, LINK.format("ben", 102))],
    "How frequent is a keyword usually?": [
        ("cats", d("4.00"), date(2026, 1, 4)),
        ("snow", d("3.00"), date(2026, 1, 5)),
    ],
    "At which hours is a keyword posted?": [(18, d("6.3")), (0, d("4.0")), (1, d("4.0"))],
    "Which keywords have become more frequent?": [("snow", d("1.00"), d("3.00"))],
    # expected 3, scale sqrt((0.75 + 0.25)*4) = 2: ((2*sqrt(3.375) + 12)/2)^2 - 0.375 = 61.05
    "How many posts in a quarter of an hour would open an alert?": [("snow", 62)],
    "Are as many posts coming in as usual?": [
        (at(6, 10, 15), 40, 200.0, d("0.20")),
        (at(6, 10), 260, 200.0, d("1.30")),
        (at(6, 9, 45), 110, 100.0, d("1.10")),
    ],
    "Which authors were liked most?": [("cho", 2, 440, 50), ("ana", 2, 100, 1000), ("ben", 2, 60, None)],
    "Which sounds are spreading?": [("original sound - ben", 2, 2), ("Song A", 1, 1)],
    "Which challenges have the most posts, and are they advertisements?": [
        ("winter", False, 2, 1000),
        ("ad", True, 1, 10),
    ],
    "How many likes does a play earn?": [(6, 5, d("0.275"))],
    "Which posts are answered with duets?": [(101, 2, "first snow #winter")],
    "Which challenges are trending?": [
        ("ad", 4, 0, d("0.40"), None, True),
        ("winter", 5, 10, d("-0.25"), d("0.50"), False),
    ],
    "Which musicians are trending?": [
        ("ben", 2, d("30"), d("10"), d("1.00")),
        ("Band", 1, d("3"), d("3"), d("0.00")),
    ],
    "Who started a hashtag?": [("winter", at(5, 10, 1), "ana", LINK.format("ana", 101))],
    "How does an author grow?": [(date(2026, 1, 6), 1000, 100), (date(2026, 1, 5), 900, None)],
    "How did the counts of a post develop?": [(at(5, 10, 1), 500, 60, None), (at(6, 10, 2), 1000, 100, 40)],
    "What is the best hour to post?": [(10, 2, 550.0), (9, 3, 10.0)],
    "Which words rise together?": [("snow", "winter", 1, d("0.50")), ("ad", "cats", 1, d("0.33"))],
    "What do the posts of an alert have in common?": [
        ("music", "Song A", 2, d("1.00")),
        ("keyword", "winter", 1, d("0.50")),
    ],
    "What could not be used, and why?": [
        ("time_stamp is missing", 2, "tiktok.posts/1/3"),
        ("the value is not a JSON object", 1, "tiktok.posts/0/9"),
    ],
    "Which days has the batch done?": [
        (date(2026, 1, 6), 3, None, None, None),
        (date(2026, 1, 5), 3, "fitted", 3, 2),
    ],
}


def questions() -> dict[str, str]:
    """The query under each heading of the page."""
    return dict(
        re.findall(r"^## (.+?)\n.*?```sql\n(.*?)```", QUESTIONS.read_text(), re.DOTALL | re.MULTILINE)
    )


@pytest.fixture(scope="module")
def world(module_settings: Settings) -> Settings:
    with transaction(module_settings) as cursor:
        cursor.execute(WORLD.read_text())
    return module_settings


def test_every_question_of_the_page_has_a_checked_answer():
    assert list(questions()) == list(ANSWERS)
    assert QUESTIONS.read_text().count("\n## ") == len(ANSWERS)


@pytest.mark.parametrize("question", ANSWERS)
def test_the_answer_is_right(world, question):
    with transaction(world) as cursor:
        cursor.execute(questions()[question])
        assert cursor.fetchall() == ANSWERS[question]


def test_every_table_view_and_column_says_what_it_means(world):
    uncommented = """
        SELECT relation.relname, attribute.attname
        FROM pg_class AS relation
        JOIN pg_namespace AS namespace ON namespace.oid = relation.relnamespace
        JOIN pg_attribute AS attribute
          ON attribute.attrelid = relation.oid AND attribute.attnum > 0 AND NOT attribute.attisdropped
        WHERE namespace.nspname = 'public' AND relation.relkind IN ('r', 'p', 'v')
          AND NOT relation.relispartition AND relation.relname !~ '^_?yoyo'
          AND (col_description(relation.oid, attribute.attnum) IS NULL
               OR obj_description(relation.oid, 'pg_class') IS NULL)
        ORDER BY 1, 2
    """
    with transaction(world) as cursor:
        cursor.execute(uncommented)
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'")
        (tables,) = cursor.fetchone() or (0,)
        assert tables > 15
