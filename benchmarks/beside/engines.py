"""The engines without Java: plain Python, DuckDB, and bytewax, a stream processor in Rust and Python.

Each counts distinct posts by window and keyword in files of posts, with the keyword rule in Python.
"""

import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from duckdb.sqltypes import VARCHAR

from benchmarks.beside.posts import Counts, Post, Result, digest_of, read_post
from core.errors import NotReadyError
from core.text_keywords import text_keywords
from core.windows import WINDOW

ALLOWED_LATENESS = timedelta(days=2)
"""Longer than the day of the posts, so that no engine leaves one out."""
SHARES = 16
"""Keys of the flow in bytewax: with a key for each word and post it counts some 400 posts a second."""
_UPSERT = """
INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (window, keyword) DO UPDATE SET posts = excluded.posts
"""
_COUNTS_IN_DUCKDB = """
SELECT window_number, keyword, count(*) FROM (
    SELECT window_number, unnest(keywords_of(said)) AS keyword FROM (
        SELECT CAST(floor(time_stamp / ?) AS BIGINT) AS window_number, itemInfos.id,
               arg_min(itemInfos.text, place) AS said
        FROM (
            SELECT *, row_number() OVER () AS place
            FROM read_json(?, columns = {itemInfos: 'STRUCT(id VARCHAR, text VARCHAR)', time_stamp: 'DOUBLE'})
        )
        GROUP BY ALL
    )
) GROUP BY ALL
"""


def plain_python(files: Sequence[Path], scratch: Path) -> Result:
    """Count in dicts; after each file the counts that changed go to SQLite in one transaction."""
    began = time.perf_counter()
    database = sqlite3.connect(scratch / "counts.sqlite")
    database.execute(
        "CREATE TABLE counts (window INTEGER, keyword TEXT, posts INTEGER, PRIMARY KEY (window, keyword))"
    )
    counts: dict[tuple[int, str], int] = defaultdict(int)
    seen: set[tuple[int, int]] = set()
    ended, posts = [], 0
    for path in files:
        changed: set[tuple[int, str]] = set()
        for post in _posts_in(path):
            posts += 1
            window = post.window
            if (window, post.post_id) not in seen:
                seen.add((window, post.post_id))
                for keyword in text_keywords(post.text):
                    counts[window, keyword] += 1
                    changed.add((window, keyword))
        with database:
            database.executemany(_UPSERT, ((*key, counts[key]) for key in changed))
        ended.append(time.perf_counter() - began)
    return _result("plain Python, SQLite", posts, counts, ended)


def _posts_in(path: Path) -> Iterable[Post]:
    with path.open("rb") as file:
        yield from map(read_post, file)


def in_duckdb(files: Sequence[Path], scratch: Path) -> Result:
    """Count in one query of DuckDB over all files, keywords by the rule in Python."""
    began = time.perf_counter()
    with duckdb.connect(scratch / "counts.duckdb") as connection:
        connection.create_function("keywords_of", _keywords_in, [VARCHAR], duckdb.list_type(VARCHAR))
        names = [str(path) for path in files]
        rows = connection.execute(_COUNTS_IN_DUCKDB, [WINDOW.total_seconds(), names]).fetchall()
        ended = [time.perf_counter() - began]
        posts = len(connection.execute("SELECT 1 FROM read_ndjson_objects(?)", [names]).fetchall())
    return _result("DuckDB, one query", posts, {(window, word): n for window, word, n in rows}, ended)


def _keywords_in(text: str) -> list[str]:
    return text_keywords(text)


def in_bytewax(files: Sequence[Path], scratch: Path) -> Result:
    """Count in a flow of bytewax in one worker; raises NotReadyError if it is not installed."""
    try:
        from bytewax import operators as op
        from bytewax.dataflow import Dataflow
        from bytewax.operators import windowing
        from bytewax.testing import TestingSink, TestingSource, run_main
    except ImportError as error:
        raise NotReadyError("bytewax is not installed: pip install '.[bench]'.") from error
    began = time.perf_counter()
    out: list[tuple[str, tuple[int, WindowShare]]] = []
    read = 0

    def lines() -> Iterable[bytes]:
        nonlocal read
        for path in files:
            with path.open("rb") as file:
                for line in file:
                    read += 1
                    yield line

    flow = Dataflow("keywords")
    posts = op.map("read", op.input("lines", flow, TestingSource(lines(), batch_size=1_000)), read_post)
    shares = op.key_on("by share", posts, lambda post: str(post.post_id % SHARES))
    clock = windowing.EventClock(_moment, wait_for_system_duration=ALLOWED_LATENESS)
    windower = windowing.TumblingWindower(WINDOW, align_to=datetime(1970, 1, 1, tzinfo=UTC))
    counted = windowing.fold_window(
        "count", shares, clock, windower, WindowShare, WindowShare.add, WindowShare.join
    )
    op.output("counts", counted.down, TestingSink(out))
    run_main(flow)  # type: ignore[no-untyped-call]
    counts: Counter[tuple[int, str]] = Counter()
    for _, (window, share) in out:
        counts.update({(window, keyword): posts for keyword, posts in share.counts.items()})
    return _result("bytewax", read, counts, [time.perf_counter() - began])


class WindowShare:
    """The posts of one window with one rest of their id, and the counts of their keywords."""

    def __init__(self) -> None:
        self.seen: set[int] = set()
        self.counts: Counter[str] = Counter()

    def add(self, post: Post) -> "WindowShare":
        """Count a post unless it was counted before; return self."""
        if post.post_id not in self.seen:
            self.seen.add(post.post_id)
            self.counts.update(text_keywords(post.text))
        return self

    def join(self, other: "WindowShare") -> "WindowShare":
        """Add the counts of a window that has joined this one, which fixed windows never do."""
        raise NotImplementedError


def _moment(post: Post) -> datetime:
    return datetime.fromtimestamp(post.seconds, UTC)


def _result(engine: str, posts: int, counts: Counts, ended: Sequence[float]) -> Result:
    return Result(engine, posts, len(counts), digest_of(counts), ended)


ENGINES: dict[str, Callable[[Sequence[Path], Path], Any]] = {
    "python": plain_python,
    "duckdb": in_duckdb,
    "bytewax": in_bytewax,
}
