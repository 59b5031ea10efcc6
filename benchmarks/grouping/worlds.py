"""Alerts of simulated events at the same time, and which event each is about.

Posts are numbers. An event's posts have each of its words with a probability; other posts have them, too. A
word becomes an alert if the rule of detection says so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import NAMESPACE_OID, UUID, uuid5

import numpy as np

from alerts.incidents import Member, sample_posts
from detection.arrays import Integers
from detection.score import anomalous, rule_for, score, threshold_ratio

RULE = rule_for(4.5, 10)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
EVENT_POSTS = (60, 240)
OTHER_POSTS = 6_000
"""Posts at the same time that are about none of the events."""
SINGLE_WORDS, SINGLE_POSTS = 5, (20, 120)
"""Words that alert beside the events, each in posts of its own, and how many."""
TAG_SHARE = 0.5


@dataclass(frozen=True)
class Word:
    """A word of simulated posts."""

    keyword: str
    posts: Integers
    """Numbers of the posts with it, in any order."""
    expected: float
    events: frozenset[str]
    """The events that it is about; several if they share it."""
    windows: tuple[int, int] = (0, 0)
    """First and last window in which it stands out."""


@dataclass(frozen=True)
class World:
    """Alerts, and the events that each is about, by alert id."""

    members: list[Member] = field(default_factory=list)
    events: dict[UUID, frozenset[str]] = field(default_factory=dict)


def world_of(words: Iterable[Word], traffic: int) -> World:
    """Return the alerts of the `words` that stand out among `traffic` posts."""
    world = World()
    for word in words:
        posts = np.unique(word.posts)
        how_far = float(score(float(len(posts)), word.expected, 1.0))
        if not anomalous(float(len(posts)), word.expected, how_far, RULE):
            continue
        alert_id = uuid5(NAMESPACE_OID, word.keyword)
        world.members.append(
            Member(
                alert_id=alert_id,
                keyword=word.keyword,
                opened_window=NOON + word.windows[0] * WINDOW,
                last_window=NOON + word.windows[1] * WINDOW,
                threshold_ratio=float(threshold_ratio(how_far, 0.0, RULE)),
                posts=len(posts),
                expected=word.expected,
                traffic=traffic,
                post_ids=sample_posts(posts.tolist()),
            )
        )
        world.events[alert_id] = word.events
    return world


def simultaneous_events(
    random: np.random.Generator,
    words: int,
    probability: float,
    *,
    headline: float | None = None,
    events: int = 4,
    shared: int = 1,
    background: float = 0.25,
    tagged: bool = False,
) -> World:
    """Return the alerts of `events` events at the same time.

    Each post of an event has each of its `words` words with `probability`, the first with `headline` if
    given. `shared` words belong to two events each. Other posts have a word `background` times as often as
    the event's, on average. With `tagged` half of all posts have a tag, which rises, too.
    """
    sizes = random.integers(*EVENT_POSTS, events)
    traffic = OTHER_POSTS + int(sizes.sum())
    ends = OTHER_POSTS + np.cumsum(sizes)
    posts_of = [np.arange(end - size, end) for end, size in zip(ends, sizes, strict=True)]
    users = {f"event{event} word{word}": [event] for event in range(events) for word in range(words)}
    users |= {f"shared{word}": random.choice(events, 2, replace=False).tolist() for word in range(shared)}
    every = [
        _word(
            random,
            keyword,
            [posts_of[event] for event in about],
            headline if headline and keyword.endswith("word0") else probability,
            background * 2 * random.random(),
            traffic,
            frozenset(f"event{event}" for event in about),
        )
        for keyword, about in users.items()
    ]
    if tagged:
        posts = np.flatnonzero(random.random(traffic) < TAG_SHARE)
        every.append(Word("tag", posts, 0.4 * len(posts), frozenset({"tag"})))
    return world_of([*every, *_single_words(random, OTHER_POSTS)], traffic)


def large_event(random: np.random.Generator, *, posts: int, other_posts: int, headline: float) -> World:
    """Return the alerts of one large event, and of two small ones of 80 posts beside it.

    The large one has a headline word, 60 words of all frequencies, and six parts of a twentieth of its posts
    with four words each.
    """
    traffic = other_posts + posts + 160
    whole, small = np.arange(other_posts, other_posts + posts), traffic - 160 + np.arange(160)
    users = [("headline", whole, headline, "large")]
    users += [(f"word{rank}", whole, 0.4 / (1 + rank) ** 0.7, "large") for rank in range(60)]
    for number in range(6):
        part = whole[random.random(posts) < 0.05]
        users += [(f"part{number} word{word}", part, 0.6, "large") for word in range(4)]
    for event, some in enumerate(np.split(small, 2)):
        users += [(f"small{event} word{word}", some, 0.6, f"small{event}") for word in range(4)]
    every = [
        _word(random, keyword, [some], probability, 0.4 * random.random(), traffic, frozenset({event}))
        for keyword, some, probability, event in users
    ]
    return world_of([*every, *_single_words(random, other_posts)], traffic)


def event_in_parts(random: np.random.Generator, *, parts: int = 5, part_posts: int = 100) -> World:
    """Return the alerts of an event in parts that share nothing but its headline word, in four of five posts.

    Each part has four words in three of five of its posts.
    """
    traffic = OTHER_POSTS + parts * part_posts
    whole = np.arange(OTHER_POSTS, traffic)
    about = frozenset({"whole"})
    every = [_word(random, "headline", [whole], 0.8, 0.2, traffic, about)]
    for part, some in enumerate(np.split(whole, parts)):
        every += [
            _word(random, f"part{part} word{word}", [some], 0.6, 0.2, traffic, about) for word in range(4)
        ]
    return world_of([*every, *_single_words(random, OTHER_POSTS)], traffic)


def long_event(random: np.random.Generator, *, windows: int = 16, words: int = 4) -> World:
    """Return the alerts of an event of many windows whose words change with every fourth window.

    Its headline word is in four of five posts throughout. Beside it, every fourth window has another event.
    """
    a_window, an_event = 100, 80
    traffic = windows * (OTHER_POSTS // 4)
    long = np.arange(windows * a_window)
    about = frozenset({"long"})
    users = [_during(_word(random, "headline", [long], 0.8, 0.2, traffic, about), 0, windows - 1)]
    for start in range(0, windows, 4):
        part = long[start * a_window : (start + 4) * a_window]
        other = len(long) + start * an_event + np.arange(an_event)
        for number in range(words):
            now = _word(random, f"from{start} word{number}", [part], 0.4, 0.2, traffic, about)
            beside = frozenset({f"beside{start}"})
            also = _word(random, f"beside{start} word{number}", [other], 0.6, 0.2, traffic, beside)
            users += [_during(now, start, start + 3), _during(also, start, start + 3)]
    return world_of(users, traffic)


def _during(word: Word, first: int, last: int) -> Word:
    return Word(word.keyword, word.posts, word.expected, word.events, (first, last))


def _word(
    random: np.random.Generator,
    keyword: str,
    posts: Sequence[Integers],
    probability: float,
    background: float,
    traffic: int,
    events: frozenset[str],
) -> Word:
    """Return a word of `posts` with a probability, and of any posts `background` times as often."""
    own = [some[random.random(len(some)) < probability] for some in posts]
    expected = background * sum(map(len, own)) / len(own)
    elsewhere = random.integers(0, traffic, random.poisson(expected))
    return Word(keyword, np.concatenate([*own, elsewhere]), expected, events)


def _single_words(random: np.random.Generator, among: int) -> list[Word]:
    """Return words that alert for reasons of their own, among the first posts."""
    return [
        Word(
            f"single{number}",
            random.integers(0, among, int(random.integers(*SINGLE_POSTS))),
            1.0,
            frozenset({f"single{number}"}),
        )
        for number in range(SINGLE_WORDS)
    ]
