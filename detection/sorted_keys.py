"""Columns of numbers by 64-bit key, in sorted arrays: millions of keys in few bytes, updated in batches.

New keys become a sorted segment of their own, and segments of similar size are merged (a log-structured
merge tree): a batch of n keys costs n binary searches in a few segments, and a key is moved a few times.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

from detection.arrays import Flags, Integers

Columns = Mapping[str, Integers]
"""Columns by name, of equal length."""
MERGE_RATIO = 4
"""A segment is merged with the one before it unless that has at least this many times its keys."""


class _Segment(NamedTuple):
    keys: Integers
    """Ascending."""
    columns: Columns


Combine = Callable[[Columns, Columns], Columns]
"""Return the rows of n keys from their older and their newer ones."""


class SortedKeys:
    """Rows of int64 columns by distinct key."""

    def __init__(self, combine: Combine) -> None:
        self._combine = combine
        self._segments: list[_Segment] = []

    def __len__(self) -> int:
        return sum(len(segment.keys) for segment in self._segments)

    @property
    def nbytes(self) -> int:
        """Bytes that the arrays take."""
        return sum(
            segment.keys.nbytes + sum(column.nbytes for column in segment.columns.values())
            for segment in self._segments
        )

    def update(self, keys: Integers, columns: Columns) -> Columns:
        """Combine `columns` with the rows of `keys` (distinct, ascending); return those rows as they are now.

        >>> counts = SortedKeys(lambda older, newer: {"posts": older["posts"] + newer["posts"]})
        >>> _ = counts.update(np.array([3, 7]), {"posts": np.array([1, 1])})
        >>> counts.update(np.array([5, 7]), {"posts": np.array([2, 2])})["posts"].tolist()
        [2, 3]
        """
        rows = {name: column.copy() for name, column in columns.items()}
        new = np.ones(len(keys), dtype=bool)
        for segment in self._segments:
            here, at = _found(segment.keys, keys)
            if not len(here):
                continue
            new[here] = False
            older = {name: column[at] for name, column in segment.columns.items()}
            newer = {name: column[here] for name, column in columns.items()}
            for name, column in self._combine(older, newer).items():
                segment.columns[name][at] = column
                rows[name][here] = column
        if new.any():
            self._append(_Segment(keys[new], {name: column[new] for name, column in rows.items()}))
        return rows

    def contains(self, keys: Integers) -> Flags:
        """Return which of `keys` there are."""
        contained = np.zeros(len(keys), dtype=bool)
        for segment in self._segments:
            here, _ = _found(segment.keys, keys)
            contained[here] = True
        return contained

    def _append(self, segment: _Segment) -> None:
        self._segments.append(segment)
        while len(self._segments) > 1 and (
            len(self._segments[-1].keys) * MERGE_RATIO > len(self._segments[-2].keys)
        ):
            newer, older = self._segments.pop(), self._segments.pop()
            self._segments.append(_merged(older, newer))


def _found(segment: Integers, keys: Integers) -> tuple[Integers, Integers]:
    """Return the indices in `keys` of those that `segment` has, and where it has them."""
    at = np.searchsorted(segment, keys)
    at[at == len(segment)] = 0
    here = np.flatnonzero(segment[at] == keys)
    return here, at[here]


def _merged(older: _Segment, newer: _Segment) -> _Segment:
    """Merge two segments that have no key in common."""
    at = np.searchsorted(older.keys, newer.keys) + np.arange(len(newer.keys))
    is_older = np.ones(len(older.keys) + len(newer.keys), dtype=bool)
    is_older[at] = False
    elsewhere = np.flatnonzero(is_older)

    def merged(first: Integers, second: Integers) -> Integers:
        both = np.empty(len(is_older), dtype=np.int64)
        both[elsewhere], both[at] = first, second
        return both

    columns = {name: merged(column, newer.columns[name]) for name, column in older.columns.items()}
    return _Segment(merged(older.keys, newer.keys), columns)
