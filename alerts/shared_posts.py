"""Count the posts that sets share through an index from posts to sets, instead of comparing every pair."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from detection.arrays import Floats, Integers

ROWS_A_BLOCK = 64
LEAST_FREQUENT, FREQUENT_SHARE = 64, 1 / 8
"""A post in more than this many sets, and this share of them, is counted by a product of matrices."""


@dataclass(frozen=True, slots=True)
class SharedPosts:
    """What one set shares with others."""

    row: int
    """The set."""
    others: Integers
    """The sets that share a post with it, ascending."""
    weighted: Floats
    """Sum over the posts that both have of the product of their weights."""
    posts: Floats
    """Number of posts that both have."""


def shared_posts(
    posts: Sequence[Integers], weights: Sequence[Integers], rows: Integers
) -> Iterator[SharedPosts]:
    """Yield what each of the sets `rows` shares with any other set.

    `posts` has distinct post numbers from 0, `weights` a number for each, set by set. A post in d of n sets
    costs d steps for each of them up to d = n/8; those in more sets are at most eight times as many as an
    average set has, and are multiplied as a dense matrix.
    """
    sizes = np.array([len(some) for some in posts], dtype=np.int64)
    every, weight = np.concatenate(posts), np.concatenate(weights).astype(float)
    row_of = np.repeat(np.arange(len(posts)), sizes)
    in_sets = np.bincount(every)
    frequent = in_sets > max(LEAST_FREQUENT, FREQUENT_SHARE * len(posts))
    index = _Index.of(every, row_of, weight, in_sets)
    dense = _dense(every, row_of, weight, frequent, len(posts))
    for start in range(0, len(rows), ROWS_A_BLOCK):
        block = rows[start : start + ROWS_A_BLOCK]
        products = dense[block] @ dense.T
        alike = (dense[block] > 0).astype(np.float32) @ (dense.T > 0).astype(np.float32)
        for position, row in enumerate(block):
            rare = ~frequent[posts[row]]
            weighted, common = index.count(posts[row][rare], weights[row][rare], len(posts))
            weighted, common = weighted + products[position], common + alike[position]
            common[row] = 0
            others = np.flatnonzero(common)
            yield SharedPosts(int(row), others, weighted[others], common[others])


@dataclass(frozen=True, slots=True)
class _Index:
    """The sets of each post, post after post."""

    rows: Integers
    weights: Floats
    starts: Integers
    lengths: Integers

    @classmethod
    def of(cls, posts: Integers, row_of: Integers, weights: Floats, lengths: Integers) -> "_Index":
        order = np.argsort(posts, kind="stable")
        return cls(row_of[order], weights[order], np.cumsum(lengths) - lengths, lengths)

    def count(self, posts: Integers, weights: Integers, rows: int) -> tuple[Floats, Floats]:
        """Return weighted and plain numbers of `posts` by set."""
        lengths = self.lengths[posts]
        before = np.cumsum(lengths) - lengths
        entries = np.repeat(self.starts[posts] - before, lengths) + np.arange(lengths.sum())
        others = self.rows[entries]
        products = np.repeat(weights, lengths) * self.weights[entries]
        weighted, plain = np.bincount(others, products, rows), np.bincount(others, minlength=rows)
        return weighted.astype(np.float64), plain.astype(np.float64)


def _dense(
    posts: Integers, row_of: Integers, weights: Floats, frequent: NDArray[np.bool_], rows: int
) -> NDArray[np.float32]:
    """Return the weights of the frequent posts: one row for each set, one column for each post."""
    chosen = frequent[posts]
    column = np.cumsum(frequent) - 1
    dense = np.zeros((rows, int(frequent.sum())), dtype=np.float32)
    dense[row_of[chosen], column[posts[chosen]]] = weights[chosen]
    return dense
