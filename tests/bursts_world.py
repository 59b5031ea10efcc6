"""Posts around a midnight: usual words, sixty bursts, and a word with most of the posts of a window."""

import json
import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

MIDNIGHT = datetime(2026, 1, 6, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
HEAVY = MIDNIGHT + timedelta(hours=23)
"""Window in which one word has most of the posts."""
WORDS = [f"word{number}" for number in range(90)]
"""Word n is usually in about 20/(n + 1) posts per window."""


def usual_posts(rng: random.Random, start: datetime, windows: int) -> Iterator[tuple[datetime, str]]:
    """Times and texts of the posts of `windows` ordinary windows from `start`."""
    for window in range(windows):
        for number, word in enumerate(WORDS):
            for _ in range(rng.randrange(1 + 40 // (number + 1)) if number < 40 else int(rng.random() < 0.3)):
                yield start + window * WINDOW + rng.random() * WINDOW, f"{word} usual"


def bursts(rng: random.Random, start: datetime, windows: int) -> Iterator[tuple[datetime, str]]:
    """Bursts of sixty words: 60 posts in 10 minutes, 100 in 100, or a slow climb of 60 in 90."""
    for number, word in enumerate(WORDS[3:63]):
        begin = start + rng.randrange(1, windows - 9) * WINDOW
        posts, minutes = [(60, 10), (100, 100), (60, 90)][number % 3]
        for _ in range(posts):
            yield (
                begin + rng.random() * timedelta(minutes=minutes),
                f"{word} burst of many{rng.randrange(300) if number % 2 else ''}",
            )


def heavy(rng: random.Random, start: datetime) -> Iterator[tuple[datetime, str]]:
    """A word with most of the posts of a window, and a usual word beside it."""
    for text, posts in (("avalanche", 600), (WORDS[2], 160)):
        for _ in range(posts):
            yield start + rng.random() * WINDOW, text


def values(rng: random.Random, posts: Iterable[tuple[datetime, str]], first_id: int) -> list[bytes]:
    """Records in order of time; every thirtieth is delivered again with other likes."""
    records: list[bytes] = []
    again: tuple[int, bytes] | None = None
    for number, (at, text) in enumerate(sorted(posts)):
        infos = {
            "id": str(first_id + number),
            "text": text,
            "authorId": str(rng.randrange(3_000)),
            "diggCount": rng.randrange(99),
        }
        records.append(json.dumps({"itemInfos": infos, "time_stamp": at.timestamp()}).encode())
        if number % 30 == 0:
            again = (
                len(records) - 1,
                json.dumps(
                    {"itemInfos": {**infos, "diggCount": 10**6}, "time_stamp": at.timestamp()}
                ).encode(),
            )
        elif again is not None and (len(records) - again[0]) % 2 == 0:
            # `send` takes partitions in turn, and deliveries of a post share one.
            records.append(again[1])
            again = None
    return records
