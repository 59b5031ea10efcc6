"""The counts of a keyword in a window in plain Python, from its posts: as `window_counts` counts on Spark."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import xxhash

from detection.authors import DISTINCT_BITS

COLUMNS = (
    "window_start",
    "keyword",
    "posts",
    "authors_bitmap",
    "texts_bitmap",
    "first_post_at",
    "first_post_id",
    "latest_post_id",
    "top_post_id",
    "top_likes",
)
"""Columns of a keyword's counts in a window."""
SPARK_SEED = 42
MOST_RANKED_LIKES = 2**42
TIE_BITS = 20
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PostInWindow(NamedTuple):
    """A post as it counts: event time in Unix microseconds, likes None if unknown, all of its keywords."""

    post_id: int
    event_micros: int
    author_id: str | None
    likes: int | None
    keywords: Sequence[str]


def counts_of_posts(posts: Collection[PostInWindow]) -> dict[str, Any]:
    """Return `COLUMNS` but for window_start and keyword of one or more distinct posts.

    >>> counts = counts_of_posts([PostInWindow(7, 10**6, "ann", None, ["a", "b"])])
    >>> counts["posts"], counts["top_post_id"], counts["top_likes"], counts["first_post_at"].second
    (1, 7, -1, 1)
    """
    ids = [post.post_id for post in posts]
    top = max(posts, key=top_order)
    return {
        "posts": len(posts),
        "authors_bitmap": _bitmap([hashed_bit(post.author_id) for post in posts]),
        "texts_bitmap": _bitmap([hashed_text_bit(post.keywords) for post in posts]),
        "first_post_at": _EPOCH + timedelta(microseconds=min(post.event_micros for post in posts)),
        "first_post_id": min(ids),
        "latest_post_id": max(ids),
        "top_post_id": top.post_id,
        "top_likes": max((post.likes for post in posts if post.likes is not None), default=-1),
    }


def hashed_bit(text: str | None) -> int:
    """Return the number of one of 64 bits, -1 for None; Spark's `xxhash64` of a string.

    >>> hashed_bit("5831967") in range(64), hashed_bit(None)
    (True, -1)
    """
    return -1 if text is None else xxhash.xxh64_intdigest(text.encode(), SPARK_SEED) % DISTINCT_BITS


def hashed_text_bit(keywords: Sequence[str]) -> int:
    """Return the number of one of 64 bits for a post's keywords; Spark's `xxhash64` of an array.

    Each element is hashed with the hash of those before it as seed.
    """
    value = SPARK_SEED
    for keyword in keywords:
        value = xxhash.xxh64_intdigest(keyword.encode(), value)
    return value % DISTINCT_BITS


def _bitmap(bits: Collection[int]) -> int:
    """Return the numbered bits as a signed 64-bit integer, as Postgres and Spark have it.

    >>> _bitmap([0, 3, -1]), _bitmap([63])
    (9, -9223372036854775808)
    """
    union = 0
    for bit in set(bits) - {-1}:
        union |= 1 << bit
    return union - (1 << DISTINCT_BITS) if union >> (DISTINCT_BITS - 1) else union


def top_order(post: PostInWindow) -> int:
    """Return likes, then bits of the id's hash, as one number: as `window_counts` orders them."""
    likes = max(min(-1 if post.likes is None else post.likes, MOST_RANKED_LIKES), -1)
    tie = xxhash.xxh64_intdigest(post.post_id.to_bytes(8, "little"), SPARK_SEED) % 2**TIE_BITS
    return (likes << TIE_BITS) + int(tie)
