"""The posts of an alert as columns of numbers: how many authors and texts they have, and which have a role.

Keywords, authors and texts are 64-bit hashes, so that a post of ten keywords takes about 130 bytes of memory
and has no text at all. That any two of a million have the same hash has a chance of 3 in 100 million.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from detection.arrays import Floats, Integers

ROLES = ("most liked", "typical", "first", "latest")
POSTS_PER_ROLE = 3

Role = tuple[str, int, tuple[int, int]]
"""Role, rank from 1, and which post: its id and the number of its window."""


@dataclass(frozen=True, slots=True)
class AlertedPosts:
    """Posts of an alert, one row per post and window in which it was delivered."""

    table: pa.Table
    """Columns: post_id, window (number), event_micros, likes (-1: unknown), author (hash; null: unknown),
    text (hash of the keywords in their order), keywords (list of hashes)."""

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
