"""Laws of the posts of alerts as columns: whose they are, how many authors and texts, which roles."""

import random
from collections import Counter
from math import sqrt
from typing import Any

import pyarrow as pa
import pytest

from alerts.evidence.alerted import POSTS_PER_ROLE, AlertedPosts

Post = dict[str, Any]
COLUMNS = {
    "post_id": pa.int64(),
    "window": pa.int64(),
    "event_micros": pa.int64(),
    "likes": pa.int64(),
    "author": pa.int64(),
    "text": pa.int64(),
    "keywords": pa.list_(pa.int64()),
    "alerted": pa.list_(pa.int64()),
}


def some_posts(seed: int) -> list[Post]:
    """Deliveries of 250 posts in three windows, with ties in time and likes, some without keywords."""
    rng = random.Random(seed)
    posts: list[Post] = []
    for _ in range(400):
        window = rng.randrange(3)
        keywords = rng.sample(range(40), rng.randrange(6))
        posts.append(
            {
                "post_id": rng.randrange(1, 250),
                "window": window,
                "event_micros": 900 * window + rng.randrange(60),
                "likes": rng.randrange(-1, 9),
                "author": rng.choice([None, *range(90)]),
                "text": hash(tuple(keywords)),
                "keywords": keywords,
                "alerted": rng.sample(range(3), rng.randrange(1, 4)),
            }
        )
    return list({(post["post_id"], post["window"]): post for post in posts}.values())


def as_columns(posts: list[Post]) -> AlertedPosts:
    return AlertedPosts(pa.Table.from_pylist(posts, pa.schema(COLUMNS)))


def roles_post_by_post(posts: list[Post], top_post_id: int) -> list[tuple[str, int, tuple[int, int]]]:
    first: dict[int, Post] = {}
    for post in sorted(posts, key=lambda post: post["event_micros"]):
        first.setdefault(post["post_id"], post)
    frequency = Counter(keyword for post in first.values() for keyword in post["keywords"])

    def nearness(post: Post) -> float:
        return sum(frequency[keyword] for keyword in post["keywords"]) / sqrt(len(post["keywords"]) or 1)

    orders = {
        "most liked": lambda post: (-post["likes"], post["post_id"] != top_post_id, post["post_id"]),
        "typical": lambda post: (-nearness(post), post["post_id"]),
        "first": lambda post: (post["event_micros"], post["post_id"]),
        "latest": lambda post: (-post["event_micros"], -post["post_id"]),
    }
    return [
        (role, rank, (post["post_id"], post["window"]))
        for role, order in orders.items()
        for rank, post in enumerate(sorted(first.values(), key=order)[:POSTS_PER_ROLE], start=1)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("windows", [{0}, {1, 2}, {0, 1, 2}])
def test_an_alert_has_the_figures_and_roles_of_its_posts_one_by_one(seed: int, windows: set[int]) -> None:
    posts = some_posts(seed)
    for index in range(3):
        own = [post for post in posts if index in post["alerted"] and post["window"] in windows]
        top = max(own, key=lambda post: (post["likes"], post["post_id"]))["post_id"]
        columns = as_columns(posts).of_alert(index, windows)
        assert len(columns) == len(own)
        assert columns.post_ids == sorted({post["post_id"] for post in own})
        assert columns.authors == len({post["author"] for post in own} - {None})
        assert columns.texts == len({tuple(post["keywords"]) for post in own})
        assert columns.in_roles(top) == roles_post_by_post(own, top)


def test_an_alert_without_archived_posts_has_no_roles() -> None:
    columns = as_columns(some_posts(1)).of_alert(0, {9})
    assert (len(columns), columns.authors, columns.texts, columns.in_roles(None)) == (0, 0, 0, [])
    assert as_columns([]).of_alert(0, {0}).in_roles(1) == []
