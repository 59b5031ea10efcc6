"""Laws of counts kept in memory: as counted post by post, whatever the batches, each post once."""

import random
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pytest
import xxhash

from core.windows import window_start
from detection.open_windows import POSTS, OpenWindows
from detection.plain_counts import PostInWindow, counts_of_posts, hashed_bit, hashed_text_bit, top_order
from detection.score import KEPT_POSTS
from detection.sorted_keys import SortedKeys

WINDOW_MICROS = 900_000_000


def a_bit(number: int) -> int:
    return 0 if number < 0 else int(np.uint64(1 << number).astype(np.int64))


def hashed(word: str) -> int:
    return int(np.uint64(xxhash.xxh64_intdigest(word.encode())).astype(np.int64))


def table_of(posts: Sequence[PostInWindow]) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {
                "post_id": post.post_id,
                "window": post.event_micros // WINDOW_MICROS,
                "event_micros": post.event_micros,
                "likes": -1 if post.likes is None else post.likes,
                "top_order": top_order(post),
                "author_bit": a_bit(hashed_bit(post.author_id)),
                "text_bit": a_bit(hashed_text_bit(post.keywords)),
                "keywords": post.keywords,
                "hashes": [hashed(word) for word in post.keywords],
            }
            for post in posts
        ],
        POSTS,
    )


def some_posts(seed: int, posts: int) -> list[PostInWindow]:
    """Posts of four windows: some delivered twice, with authors or likes unknown, or without keywords."""
    rng = random.Random(seed)
    words = [f"word{number}" for number in range(60)]
    made: list[PostInWindow] = []
    for number in range(posts):
        if made and rng.random() < 0.1:
            again = rng.choice(made)
            made.append(
                again._replace(
                    likes=10**6, event_micros=again.event_micros + rng.randrange(2) * WINDOW_MICROS
                )
            )
            continue
        made.append(
            PostInWindow(
                10**18 + rng.randrange(10**6) * 10**3 + number,
                rng.randrange(4 * WINDOW_MICROS),
                rng.choice([None, f"author{rng.randrange(200)}"]),
                rng.choice([None, 0, rng.randrange(10**9)]),
                rng.sample(words, rng.randrange(8)) + rng.choice([[], [f"new{number}"]]),
            )
        )
    return made


def counted_one_by_one(posts: Sequence[PostInWindow]) -> tuple[dict, dict]:
    """Return counts of three posts and more by window and keyword, and distinct posts by window."""
    by_window: dict[int, dict[int, PostInWindow]] = defaultdict(dict)
    for post in posts:
        by_window[post.event_micros // WINDOW_MICROS].setdefault(post.post_id, post)
    counts = {}
    for number, first in by_window.items():
        by_keyword = defaultdict(list)
        for post in first.values():
            for keyword in post.keywords:
                by_keyword[keyword].append(post)
        for keyword, of_keyword in by_keyword.items():
            if len(of_keyword) >= KEPT_POSTS:
                counts[window_start(number), keyword] = counts_of_posts(of_keyword)
    return counts, {window_start(number): len(first) for number, first in by_window.items()}


@pytest.mark.parametrize("sizes", [(700,), (1, 699), (350, 350), (7,) * 100])
def test_counts_are_those_of_counting_one_by_one_whatever_the_batches(sizes: tuple[int, ...]) -> None:
    posts = some_posts(3, 700)
    windows, begin = OpenWindows(), 0
    counts: dict = {}
    totals: dict = {}
    for size in sizes:
        changed = windows.add(table_of(posts[begin : begin + size]))
        begin += size
        totals |= changed.posts_by_window
        for row in changed.counts.to_pylist():
            counts[row.pop("window_start"), row.pop("keyword")] = row
    expected_counts, expected_totals = counted_one_by_one(posts)
    assert len(expected_counts) > 100
    assert (counts, totals) == (expected_counts, expected_totals)
    assert windows.posts == sum(expected_totals.values())


def test_only_what_a_batch_changed_is_returned() -> None:
    posts = [PostInWindow(number, number, "ann", 1, ["a", "b"]) for number in range(3)]
    windows = OpenWindows()
    assert windows.add(table_of(posts[:2])).counts.num_rows == 0
    assert windows.add(table_of(posts[2:])).counts["keyword"].to_pylist() == ["a", "b"]
    again = windows.add(table_of(posts))
    assert (again.counts.num_rows, again.posts_by_window, again.last_post_at) == (0, {}, None)
    more = windows.add(table_of([PostInWindow(9, 9, "ann", 1, ["b", "c"])]))
    assert (more.counts["keyword"].to_pylist(), list(more.posts_by_window.values())) == (["b"], [4])


def test_closed_windows_are_forgotten() -> None:
    windows = OpenWindows()
    windows.add(table_of([PostInWindow(1, at * WINDOW_MICROS, None, None, ["a"]) for at in range(4)]))
    windows.close(3)
    assert (windows.posts, windows.keywords) == (1, 1)


@pytest.mark.parametrize("batch", [1, 10, 1_000])
def test_keys_in_segments_are_found_and_combined(batch: int) -> None:
    rng = np.random.default_rng(batch)
    kept = SortedKeys(lambda older, newer: {"sum": older["sum"] + newer["sum"]})
    plain: dict[int, int] = defaultdict(int)
    for _ in range(40):
        keys = np.unique(rng.integers(-2_000, 2_000, batch))
        values = rng.integers(0, 9, len(keys))
        rows = kept.update(keys, {"sum": values})
        for key, value, now in zip(keys.tolist(), values.tolist(), rows["sum"].tolist(), strict=True):
            plain[key] += value
            assert now == plain[key]
    assert len(kept) == len(plain)
    asked = np.arange(-2_100, 2_100)
    assert kept.contains(asked).tolist() == [key in plain for key in asked.tolist()]
