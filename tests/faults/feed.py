"""The posts that a run of faults sends: portions in order of event time, the same for a seed, with bursts planted in them."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

START = datetime(2026, 3, 8, 5, 0, tzinfo=UTC)
"""Two hours before New York moves its clocks to summer time."""
SECONDS_A_POST = 3.0
POSTS_A_PORTION = 200
WINDOW_SECONDS = 900
BURST_EVERY_WINDOWS = 4
BURST_SHARE = 0.4


@dataclass(frozen=True)
class Record:
    """One record to send, and what must become of it."""

    value: bytes | None
    rejected: bool = False
    """Whether it is no usable post."""
    late: bool = False
    """Whether it is sent when its window is closed."""


def portion(seed: int, number: int) -> list[Record]:
    """Ten minutes of posts: words with a long tail, a word of its own in each fourth window, every tenth post delivered twice."""
    rng = random.Random(f"{seed} {number}")
    records = []
    for place in range(number * POSTS_A_PORTION, (number + 1) * POSTS_A_PORTION):
        at = START + timedelta(seconds=SECONDS_A_POST * place)
        words = [f"word{min(int(rng.paretovariate(0.7)), 500)}x" for _ in range(5)]
        window = window_of(at.timestamp())
        if is_burst(window) and rng.random() < BURST_SHARE:
            words.append(burst_word(window))
        post = Record(
            value_of(
                post_id_of(place, at),
                at,
                " ".join(words),
                author=rng.randrange(900),
                likes=rng.randrange(100),
            )
        )
        records += [post] * (2 if place % 10 == 0 else 1)
    return records


def value_of(post_id: int, at: datetime, text: str, *, author: int = 1, likes: int = 0) -> bytes:
    """A post as it stands in Kafka, with the fields that detection reads."""
    infos = {"id": str(post_id), "text": text, "authorId": str(author), "diggCount": likes}
    return json.dumps({"itemInfos": infos, "time_stamp": at.timestamp()}).encode()


def post_id_of(place: int, at: datetime) -> int:
    """Ids order by time, as TikTok's do."""
    return (int(at.timestamp()) << 32) + place


def window_of(seconds: float) -> int:
    """Number of the window that a moment in Unix seconds lies in."""
    return int(seconds // WINDOW_SECONDS)


def is_burst(window: int) -> bool:
    """Whether the window has a word that takes off."""
    return window % BURST_EVERY_WINDOWS == 1


def burst_word(window: int) -> str:
    """The word that is in two of five posts of that window and in no other."""
    return f"burst{window}x"


def planted(portions: int) -> Iterator[tuple[str, datetime]]:
    """(word, start of the window) of every burst whose window is whole in the first so many portions."""
    end = START.timestamp() + portions * POSTS_A_PORTION * SECONDS_A_POST
    for window in range(window_of(START.timestamp()), window_of(end)):
        if is_burst(window):
            yield burst_word(window), datetime.fromtimestamp(window * WINDOW_SECONDS, UTC)
