"""The counts of the windows that are open, kept in memory: a batch of posts in, the counts it changed out.

Equal to what `detection.window_counts.count_keywords_per_window` counts of the same records. A keyword is
known by a 64-bit hash; that any two of four million in a window share one has a chance of 4 in ten million.
Its name comes with the posts that change its count, so none is kept.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from core.windows import window_start
from detection.arrays import Integers
from detection.plain_counts import COLUMNS
from detection.score import KEPT_POSTS
from detection.sorted_keys import Columns, SortedKeys

POSTS = pa.schema(
    {
        "post_id": pa.int64(),
        "window": pa.int64(),
        "event_micros": pa.int64(),
        "likes": pa.int64(),
        "top_order": pa.int64(),
        "author_bit": pa.int64(),
        "text_bit": pa.int64(),
        "keywords": pa.list_(pa.string()),
        "hashes": pa.list_(pa.int64()),
    }
)
"""A batch of posts in order of delivery. window: its number; likes: -1 if unknown; top_order: likes, then
bits of the id's hash; author_bit, text_bit: one bit of 64, or 0; hashes: those of the keywords."""
_MOMENT = pa.timestamp("us", tz="UTC")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """The counts that a batch changed, as far as decisions need them."""

    counts: pa.Table
    """Columns `COLUMNS`, of keywords with three or more posts in a window."""
    posts_by_window: Mapping[datetime, int]
    """Distinct posts of all keywords by window start."""
    last_post_at: datetime | None
    """Newest event time among them; None without posts."""


class OpenWindows:
    """The distinct posts of each open window, and the counts of its keywords."""

    def __init__(self) -> None:
        self._windows: dict[int, _Window] = {}

    @property
    def posts(self) -> int:
        """Posts in all windows."""
        return sum(len(window.seen) for window in self._windows.values())

    @property
    def keywords(self) -> int:
        """Counts of keywords in all windows."""
        return sum(len(window.counts) for window in self._windows.values())

    @property
    def nbytes(self) -> int:
        """Bytes that they take."""
        return sum(window.seen.nbytes + window.counts.nbytes for window in self._windows.values())

    def close(self, before: int) -> None:
        """Forget the windows numbered below `before`."""
        self._windows = {number: window for number, window in self._windows.items() if number >= before}

    def add(self, posts: pa.Table) -> Counted:
        """Count a batch of `POSTS` and return what it changed; a post counts once in a window."""
        return self.count(self.enter(posts))

    def enter(self, posts: pa.Table) -> pa.Table:
        """Note the ids of `posts`; return the first delivery of each that is new in its window, in order."""
        numbers, ids = posts["window"].to_numpy(), posts["post_id"].to_numpy()
        new = [
            self._windows.setdefault(number, _Window()).enter(ids, np.flatnonzero(numbers == number))
            for number in np.unique(numbers).tolist()
        ]
        return posts.take(pa.array(np.sort(np.concatenate(new)))) if new else posts

    def count(self, posts: pa.Table) -> Counted:
        """Count posts that `enter` has returned, and return what they changed."""
        numbers = posts["window"].to_numpy()
        parts = [_NOTHING]
        totals: dict[datetime, int] = {}
        for number in np.unique(numbers).tolist():
            window = self._windows[number]
            totals[window_start(number)] = len(window.seen)
            of_window = posts.filter(pa.array(numbers == number)).combine_chunks()
            parts.append(window.count(of_window.to_batches()[0], number))
        return Counted(
            counts=pa.concat_tables(parts),
            posts_by_window=totals,
            last_post_at=_moment(posts["event_micros"].to_numpy().max()) if totals else None,
        )


class _Window:
    """One window."""

    def __init__(self) -> None:
        self.seen = SortedKeys(lambda older, newer: newer)
        """Ids of its posts."""
        self.counts = SortedKeys(_combined)
        """Counts by the hash of the keyword."""

    def enter(self, ids: Integers, rows: Integers) -> Integers:
        """Note the `ids` at `rows`, and return the rows with the first of each that is new."""
        distinct, first = np.unique(ids[rows], return_index=True)
        new = ~self.seen.contains(distinct)
        self.seen.update(distinct[new], {})
        return rows[first[new]]

    def count(self, posts: pa.RecordBatch, number: int) -> pa.Table:
        """Count `posts`, and return the keywords among theirs that now have three posts or more."""
        hashes = posts["hashes"].flatten().to_numpy()
        order = np.argsort(hashes, kind="stable")
        if not len(order):
            return _NOTHING
        begins = np.flatnonzero(np.diff(hashes[order], prepend=~hashes[order[0]]))
        post = pc.list_parent_indices(posts["hashes"]).to_numpy()[order]
        rows = self.counts.update(hashes[order[begins]], _aggregated(posts, post, begins))
        enough = np.flatnonzero(rows["posts"] >= KEPT_POSTS)
        names = posts["keywords"].flatten().take(pa.array(order[begins[enough]]))
        return _table(number, names, {name: column[enough] for name, column in rows.items()})


def _moment(micros: int) -> datetime:
    return _EPOCH + timedelta(microseconds=int(micros))


def _aggregated(posts: pa.RecordBatch, post: Integers, begins: Integers) -> Columns:
    """Aggregate the posts of each keyword: `post` are row numbers, grouped by keyword from `begins` on."""

    def column(name: str, combine: np.ufunc) -> Integers:
        aggregated: Integers = combine.reduceat(posts[name].to_numpy()[post], begins)
        return aggregated

    top_order = column("top_order", np.maximum)
    sizes = np.diff(begins, append=len(post))
    is_top = posts["top_order"].to_numpy()[post] == np.repeat(top_order, sizes)
    top_ids = np.where(is_top, posts["post_id"].to_numpy()[post], -1)
    return {
        "posts": sizes,
        "authors_bitmap": column("author_bit", np.bitwise_or),
        "texts_bitmap": column("text_bit", np.bitwise_or),
        "first_micros": column("event_micros", np.minimum),
        "first_post_id": column("post_id", np.minimum),
        "latest_post_id": column("post_id", np.maximum),
        "top_order": top_order,
        "top_post_id": np.maximum.reduceat(top_ids, begins),
        "top_likes": column("likes", np.maximum),
    }


def _combined(older: Columns, newer: Columns) -> Columns:
    newer_is_top = newer["top_order"] > older["top_order"]
    return {
        "posts": older["posts"] + newer["posts"],
        "authors_bitmap": older["authors_bitmap"] | newer["authors_bitmap"],
        "texts_bitmap": older["texts_bitmap"] | newer["texts_bitmap"],
        "first_micros": np.minimum(older["first_micros"], newer["first_micros"]),
        "first_post_id": np.minimum(older["first_post_id"], newer["first_post_id"]),
        "latest_post_id": np.maximum(older["latest_post_id"], newer["latest_post_id"]),
        "top_order": np.maximum(older["top_order"], newer["top_order"]),
        "top_post_id": np.where(newer_is_top, newer["top_post_id"], older["top_post_id"]),
        "top_likes": np.maximum(older["top_likes"], newer["top_likes"]),
    }


def _table(number: int, names: pa.Array, rows: Columns) -> pa.Table:
    """Return counts of window `number` with the columns `COLUMNS`."""
    start = pa.scalar(window_start(number), _MOMENT)
    columns: dict[str, pa.Array] = {
        "window_start": pa.repeat(start, len(names)),
        "keyword": names,
        "first_post_at": pa.array(rows["first_micros"]).cast(_MOMENT),
    }
    return pa.table([columns.get(name, rows.get(name)) for name in COLUMNS], names=list(COLUMNS))


_NOTHING = _table(
    0,
    pa.array([], pa.string()),
    dict.fromkeys(("first_micros", *COLUMNS), np.zeros(0, dtype=np.int64)),
)
