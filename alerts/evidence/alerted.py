"""The posts of alerts as columns of numbers: how many authors and texts they have, and which have a role.

Keywords, authors and texts are 64-bit hashes, so that the driver holds a post of ten keywords in about 130
bytes and no text at all. That any two of a million have the same hash has a chance of 3 in 100 million.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from detection.arrays import Floats, Integers

ROLES = ("most liked", "typical", "first", "latest")
POSTS_PER_ROLE = 3

Role = tuple[str, int, tuple[int, int]]
"""Role, rank from 1, and which post: its id and the number of its window."""


@dataclass(frozen=True, slots=True)
class AlertedPosts:
    """Posts of alerts, one row per post and window in which it was delivered."""

    table: pa.Table
    """Columns: post_id, window (number), event_micros, likes (-1: unknown), author (hash; null: unknown),
    text (hash of the keywords in their order), keywords (list of hashes), alerted (list of indices)."""

    def of_alert(self, index: int, windows: Iterable[int]) -> "AlertedPosts":
        """Return the posts that have the alerted keyword number `index` and are in `windows`."""
        tags = self.table["alerted"].combine_chunks()
        tagged = pc.list_parent_indices(tags).filter(pc.equal(pc.list_flatten(tags), index))
        posts = self.table.take(tagged)
        return AlertedPosts(posts.filter(pc.is_in(posts["window"], pa.array(sorted(windows), pa.int64()))))

    def __len__(self) -> int:
        return int(self.table.num_rows)

    @property
    def post_ids(self) -> list[int]:
        """Distinct ids of the posts."""
        ids: list[int] = np.unique(self._column("post_id")).tolist()
        return ids

    @property
    def authors(self) -> int:
        """Number of distinct authors, without unknown ones."""
        return int(pc.count_distinct(self.table["author"], mode="only_valid").as_py())

    @property
    def texts(self) -> int:
        """Number of distinct texts: posts with the same keywords in the same order have the same text."""
        return int(pc.count_distinct(self.table["text"]).as_py())

    def in_roles(self, top_post_id: int | None) -> list[Role]:
        """Return up to three posts per role, each in the window of its first delivery, best first.

        `top_post_id` breaks ties between posts with equally many likes.
        """
        posts = self._first_deliveries()
        ids, micros, likes = (posts._column(name) for name in ("post_id", "event_micros", "likes"))
        keywords = posts.table["keywords"].combine_chunks()
        orders = {
            "most liked": (-likes, ids != (top_post_id or 0), ids),
            "typical": (-nearness(keywords.flatten(), keywords.value_lengths()), ids),
            "first": (micros, ids),
            "latest": (-micros, -ids),
        }
        windows = posts._column("window")
        return [
            (role, rank, (int(ids[row]), int(windows[row])))
            for role in ROLES
            for rank, row in enumerate(np.lexsort(orders[role][::-1])[:POSTS_PER_ROLE], start=1)
        ]

    def _first_deliveries(self) -> "AlertedPosts":
        ids = self._column("post_id")
        by_time = np.lexsort((ids, self._column("event_micros")))
        _, first = np.unique(ids[by_time], return_index=True)
        return AlertedPosts(self.table.take(by_time[first]))

    def _column(self, name: str) -> Integers:
        column: Integers = self.table[name].to_numpy()
        return column


def collect_alerted(posts: DataFrame, alerted: Sequence[str]) -> AlertedPosts:
    """Collect the posts with a keyword in `alerted` from `alerts.evidence.posts.posts_with_terms`."""
    keywords = F.array(*map(F.lit, alerted)).cast("array<string>")
    rows = posts.where(F.size("tags") > 0).select(
        "post_id",
        "window",
        "event_micros",
        F.coalesce("likes", F.lit(-1)).alias("likes"),
        F.when(F.col("author_id").isNotNull(), F.xxhash64("author_id")).alias("author"),
        F.xxhash64("keywords").alias("text"),
        F.transform("keywords", lambda keyword: F.xxhash64(keyword)).alias("keywords"),
        F.transform("tags", lambda tag: F.array_position(keywords, tag) - 1).alias("alerted"),
    )
    return AlertedPosts(rows.toArrow())


def nearness(keywords: Sequence[int] | Integers, sizes: Sequence[int] | Integers) -> Floats:
    """Return how close each post is to the others by the keywords they share.

    `keywords` are those of the first post, those of the second and so on, each once a post; `sizes` says how
    many each has. nearness = sum(posts with a keyword, over its keywords) / sqrt(number of its keywords): up
    to a constant factor, the cosine of the post's keywords and those of all posts.

    >>> nearness([1, 2, 1, 2, 1, 3], [2, 2, 2]).round(1)
    array([3.5, 3.5, 2.8])
    """
    sizes = np.asarray(sizes)
    _, keyword, posts = np.unique(np.asarray(keywords), return_inverse=True, return_counts=True)
    post = np.repeat(np.arange(len(sizes)), sizes)
    shared = np.bincount(post, weights=posts[keyword], minlength=len(sizes)).astype(np.float64)
    return shared / np.sqrt(np.maximum(sizes, 1))
