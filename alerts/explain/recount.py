"""Count keywords in archived posts as the stream counted them, without Spark, to check what is stored."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from multiprocessing import get_context
from sys import intern
from typing import Any, NamedTuple

from alerts.explain.mentions import Mentions
from archive.records import Record, RecordReader, open_records, pieces
from archive.spans import Span
from core.errors import BadInputError, NotReadyError
from core.function_words import is_counted_only_if_watched
from core.post_fields import PostFields, read_post_fields
from core.settings import Settings
from core.text_keywords import text_keywords
from core.windows import WINDOW, window_number, window_start
from detection.dominant import DOMINANT_SHARE
from detection.plain_counts import PostInWindow, counts_of_posts

_WINDOW_MICROS = int(WINDOW.total_seconds()) * 1_000_000
_PARTITION_BITS = 32
PIECE_RECORDS = 250_000
"""Records that a process counts at a time, in 5 to 10 s; fewer would not repay the start of another one."""


@dataclass(frozen=True, slots=True)
class Recount:
    """Counts from the archive."""

    counts: dict[tuple[str, int], dict[str, Any]]
    """Columns of `live_counts` by keyword and window number."""
    total_posts: dict[int, int]
    """Distinct posts of all keywords by window number; a window without posts is absent."""

    def since(self, start: datetime) -> "Recount":
        """Return the counts of the windows from `start` on."""
        first = window_number(start)
        return Recount(
            counts={at: count for at, count in self.counts.items() if at[1] >= first},
            total_posts={number: posts for number, posts in self.total_posts.items() if number >= first},
        )


def recount(
    settings: Settings,
    keywords: Iterable[str],
    spans: Sequence[Span],
    *,
    past_spans: Sequence[Span] = (),
    watched: Iterable[str] = (),
) -> Recount:
    """Count `keywords`, and all posts, in the windows of `spans` and `past_spans`.

    In `spans`, counts every other keyword as well that is in DOMINANT_SHARE of a window's posts or more; in
    `past_spans`, which takes half as long a post, `keywords` alone. Spans begin and end with windows. More
    than PIECE_RECORDS are shared between processes, one for each core. The stream searches
    for `watched` phrases and function words; here they count if they are among `keywords`. Raises
    NotReadyError if there is no archive, S3 does not answer, or an archived record cannot be read.
    """
    wanted_keywords, searched = frozenset(keywords), frozenset(watched)
    wanted = _Wanted(
        wanted_keywords,
        frozenset(
            number for start, end in spans for number in range(window_number(start), window_number(end))
        ),
        frozenset(
            keyword
            for keyword in wanted_keywords
            if keyword in searched or is_counted_only_if_watched(keyword)
        ),
    )
    with open_records(settings) as reader:
        shares = pieces(reader.count([*spans, *past_spans]), most=PIECE_RECORDS)
        if len(shares) <= 1:
            parts = [_count(reader, share, wanted) for share in shares]
        else:
            parts = _in_processes(settings, shares, wanted)
    return Recount(
        {at: count for part in parts for at, count in part.counts.items()},
        {number: posts for part in parts for number, posts in part.total_posts.items()},
    )


class _Wanted(NamedTuple):
    """What is counted."""

    keywords: frozenset[str]
    whole: frozenset[int]
    """Numbers of the windows in which dominant keywords are counted too."""
    phrases: frozenset[str]
    """Those of the keywords that texts are searched for."""


def _in_processes(settings: Settings, shares: Sequence[list[Span]], wanted: _Wanted) -> list[Recount]:
    workers = min(len(shares), os.cpu_count() or 1)
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        counted = [pool.submit(_count_piece, settings, share, wanted) for share in shares]
        return [part.result() for part in counted]


def _count_piece(settings: Settings, piece: list[Span], wanted: _Wanted) -> Recount:
    with open_records(settings) as reader:
        return _count(reader, piece, wanted)


def _count(reader: RecordReader, piece: list[Span], wanted: _Wanted) -> Recount:
    counting = _Counting(wanted)
    for record in reader.read(piece):
        counting.add(record)
    return counting.result()


class _Window:
    """The posts of one window."""

    def __init__(self) -> None:
        self.places: dict[int, int] = {}
        """By post, where its first delivery is: offset, then partition, as one number that orders them."""
        self.counted: dict[int, PostInWindow] = {}
        """By post, the first delivery as it counts; without posts that count as one of all posts only."""


class _Counting:
    """Gathers the first delivery of each post in each window."""

    def __init__(self, wanted: _Wanted) -> None:
        self._keywords, self._whole, phrases = wanted
        self._phrases = sorted(phrases)
        self._mentions = Mentions(self._keywords)
        self._windows: defaultdict[int, _Window] = defaultdict(_Window)

    def add(self, record: Record) -> None:
        """Count a record, unless an earlier delivery of its post in the same window is known."""
        try:
            fields = read_post_fields(record.value)
        except BadInputError as error:
            raise NotReadyError(
                f"The record at offset {record.offset:,} of partition {record.partition} cannot be read "
                f"without Spark ({error}), so the figures of its window cannot be recomputed."
            ) from error
        number = record.event_micros // _WINDOW_MICROS
        window, place = self._windows[number], (record.offset << _PARTITION_BITS) + record.partition
        if place >= window.places.get(fields.post_id, place + 1):
            return
        window.places[fields.post_id] = place
        if (post := self._counted(number, record.event_micros, fields)) is not None:
            window.counted[fields.post_id] = post
        else:
            window.counted.pop(fields.post_id, None)

    def _counted(self, number: int, event_micros: int, fields: PostFields) -> PostInWindow | None:
        """Return the post as it counts, None where it has none of the keywords that are counted there."""
        if number not in self._whole and not self._mentions.may_be_in(fields.text):
            return None
        found = text_keywords(fields.text, self._phrases)
        if number not in self._whole and self._keywords.isdisjoint(found):
            return None
        shared = tuple(map(intern, found))  # a word of many posts is kept once
        return PostInWindow(fields.post_id, event_micros, fields.author_id, fields.known_likes, shared)

    def result(self) -> Recount:
        """Return the counts."""
        counts: dict[tuple[str, int], dict[str, Any]] = {}
        for number, window in self._windows.items():
            for keyword, posts in self._by_keyword(number, window).items():
                row = {"window_start": window_start(number), "keyword": keyword, **counts_of_posts(posts)}
                counts[keyword, number] = row
        return Recount(counts, {number: len(window.places) for number, window in self._windows.items()})

    def _by_keyword(self, number: int, window: _Window) -> dict[str, list[PostInWindow]]:
        """Return the posts of each keyword that is counted in window `number`."""
        wanted = set(self._keywords)
        if number in self._whole:
            often = Counter(keyword for post in window.counted.values() for keyword in post.keywords)
            least = DOMINANT_SHARE * len(window.places)
            wanted |= {keyword for keyword, count in often.items() if count >= least}
        by_keyword: defaultdict[str, list[PostInWindow]] = defaultdict(list)
        for post in window.counted.values():
            for keyword in wanted.intersection(post.keywords):
                by_keyword[keyword].append(post)
        return by_keyword
