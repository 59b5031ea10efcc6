"""`python -m benchmarks open-windows`: what it costs to count a batch as the open windows fill up.

One window takes posts of ten keywords, three of them never seen before, in batches as at full speed; at some
sizes, live batches are measured in between. Only the counting in memory is measured: neither Spark nor
Postgres takes part.
"""

import time
from typing import Annotated

import numpy as np
import pyarrow as pa
import typer
from rich.console import Console
from rich.table import Table

from detection.open_windows import POSTS, OpenWindows

KNOWN_KEYWORDS, NEW_KEYWORDS, VOCABULARY = 7, 3, 200_000
WINDOW, WINDOW_MICROS = 1_000, 900_000_000
LIVE_BATCHES = 50


def main(
    keywords: Annotated[int, typer.Option(help="keywords at the end, in millions", min=1)] = 4,
    live_posts: Annotated[int, typer.Option(help="posts of a live batch", min=1)] = 400,
    full_posts: Annotated[int, typer.Option(help="posts of a batch at full speed", min=1)] = 50_000,
    seed: Annotated[int, typer.Option(help="seed of the posts")] = 1,
) -> None:
    """Fill a window and print milliseconds a batch, posts a second and bytes by millions of keywords."""
    table = Table(title=f"Batches of {live_posts:,} posts live and of {full_posts:,} at full speed")
    columns = ("keywords", "posts", "live ms: median", "p90", "most", "posts/s at full speed", "MB")
    for column in columns:
        table.add_column(column, justify="right")
    windows, posts = OpenWindows(), _Posts(seed)
    windows.add(posts.batch(full_posts))
    for millions in range(1, keywords + 1):
        seconds, counted = 0.0, 0
        while windows.keywords < millions * 1_000_000:
            seconds += _seconds(windows, posts.batch(full_posts))
            counted += full_posts
        live = [1_000 * _seconds(windows, posts.batch(live_posts)) for _ in range(LIVE_BATCHES)]
        table.add_row(
            f"{windows.keywords:,}",
            f"{windows.posts:,}",
            *(f"{figure:.1f}" for figure in (np.median(live), np.quantile(live, 0.9), max(live))),
            f"{counted / seconds:,.0f}",
            f"{windows.nbytes / 1e6:,.0f}",
        )
    Console(width=110).print(table)


def _seconds(windows: OpenWindows, batch: pa.Table) -> float:
    began = time.perf_counter()
    windows.add(batch)
    return time.perf_counter() - began


class _Posts:
    """Makes batches of posts of one window."""

    def __init__(self, seed: int) -> None:
        self._random = np.random.default_rng(seed)
        self._made = 0

    def batch(self, size: int) -> pa.Table:
        """Return the next `size` posts (`POSTS`)."""
        each = KNOWN_KEYWORDS + NEW_KEYWORDS
        ids = self._made + np.arange(size, dtype=np.int64)
        new = VOCABULARY + ids[:, None] * NEW_KEYWORDS + np.arange(NEW_KEYWORDS)
        known = self._random.zipf(1.2, (size, KNOWN_KEYWORDS)) % VOCABULARY
        words = np.hstack([known, new]).astype(np.int64).ravel()
        self._made += size
        bits = [np.left_shift(np.int64(1), self._random.integers(0, 63, size)) for _ in range(2)]
        likes = self._random.integers(0, 1_000, size)
        offsets = np.arange(0, size * each + 1, each, dtype=np.int32)
        # Multiplied by an odd number, a word number becomes its hash.
        hashes = words * np.int64(-7046029254386353131)
        lists = (pa.array(words).cast(pa.string()), pa.array(hashes))
        columns = [
            *(ids, np.full(size, WINDOW), WINDOW * WINDOW_MICROS + ids, likes, likes << 20, *bits),
            *(pa.ListArray.from_arrays(offsets, values) for values in lists),
        ]
        return pa.table([pa.array(column) for column in columns], schema=POSTS)
