"""Laws of the posts of an alert as columns: how many authors and texts, which roles."""

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


@pytest.mark.parametrize("seed", range(10))
def test_an_alert_has_the_figures_and_roles_of_its_posts_one_by_one(seed: int) -> None:
    posts = some_posts(seed)
    top = max(posts, key=lambda post: (post["likes"], post["post_id"]))["post_id"]
    columns = as_columns(posts)
    assert len(columns) == len(posts)
    assert columns.post_ids == sorted({post["post_id"] for post in posts})
    assert columns.authors == len({post["author"] for post in posts} - {None})
    assert columns.texts == len({tuple(post["keywords"]) for post in posts})
    assert columns.in_roles(top) == roles_post_by_post(posts, top)


def test_an_alert_without_archived_posts_has_no_roles() -> None:
    columns = as_columns([])
    assert (len(columns), columns.authors, columns.texts, columns.in_roles(None)) == (0, 0, 0, [])
    assert columns.in_roles(1) == []
