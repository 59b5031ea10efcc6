"""The posts that fault runs send: portions in order of event time, seeded, with planted bursts."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
"""Two hours before New York changes to daylight saving time."""
SECONDS_A_POST = 3.0
POSTS_A_PORTION = 200
WINDOW_SECONDS = 900
BURST_EVERY_WINDOWS = 4
BURST_SHARE = 0.4


@dataclass(frozen=True)
class Record:
    """One record to send, and what must happen to it."""

    value: bytes | None
    rejected: bool = False
    """Whether it is not a usable post."""
    late: bool = False
    """Whether it is sent after its window has closed."""


def portion(seed: int, number: int) -> list[Record]:
    """Return ten minutes of posts.

    Words have a long tail, every fourth window has a burst of a word of its own, and every tenth post is
    delivered twice.
    """
    rng = random.Random(f"{seed} {number}")
    records = []
    for index in range(number * POSTS_A_PORTION, (number + 1) * POSTS_A_PORTION):
        at = START + timedelta(seconds=SECONDS_A_POST * index)
        words = [f"word{min(int(rng.paretovariate(0.7)), 500)}x" for _ in range(5)]
        window = window_of(at.timestamp())
        if is_burst(window) and rng.random() < BURST_SHARE:
            words.append(burst_word(window))
        post = Record(
            value_of(
                post_id_of(index, at),
                at,
                " ".join(words),
                author=rng.randrange(900),
                likes=rng.randrange(100),
            )
        )
        records += [post] * (2 if index % 10 == 0 else 1)
    return records


def value_of(post_id: int, at: datetime, text: str, *, author: int = 1, likes: int = 0) -> bytes:
    """Return a post as Kafka holds it, with the fields that detection reads."""
    infos = {"id": str(post_id), "text": text, "authorId": str(author), "diggCount": likes}
    return json.dumps({"itemInfos": infos, "time_stamp": at.timestamp()}).encode()


def post_id_of(number: int, at: datetime) -> int:
    """Return an id that sorts by time, as TikTok's ids do."""
    return (int(at.timestamp()) << 32) + number


def window_of(seconds: float) -> int:
    """Return the number of the window that contains a time in Unix seconds."""
    return int(seconds // WINDOW_SECONDS)


def is_burst(window: int) -> bool:
    """Return whether the window has a word that takes off."""
    return window % BURST_EVERY_WINDOWS == 1


def burst_word(window: int) -> str:
    """Return the word that is in two of five posts of that window and in no other window."""
    return f"burst{window}x"


def planted(portions: int) -> Iterator[tuple[str, datetime]]:
    """Yield (word, window start) of every burst whose whole window is in the first `portions` portions."""
    end = START.timestamp() + portions * POSTS_A_PORTION * SECONDS_A_POST
    for window in range(window_of(START.timestamp()), window_of(end)):
        if is_burst(window):
            yield burst_word(window), datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)
