"""Plan a day as numpy columns: who posts what and when, in which order records are delivered; no text yet."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from producer.simulate import events as kinds
from producer.simulate.damage import DAMAGE_KINDS
from producer.simulate.events import Event, events_of_day
from producer.simulate.vocabulary import HEAD as WORD_HEAD
from producer.simulate.vocabulary import ZIPF_EXPONENT, draw_ranks
from producer.simulate.wordlists import COMMON_TAGS
from producer.simulate.world import DAY_SECONDS, EMPTY_TEXT_SHARE, WORDS_PER_TEXT, World

Ints = NDArray[np.int64]
OUTAGE_LEFT = 0.02
FIRST_EVENT_AUTHOR = 60_000_000
"""Author ranks from here on belong only to copy-paste and spam events."""
LARGEST_AUTHOR = 50_000_000
TAGS_PER_TEXT, MENTIONS_PER_TEXT = 1.2, 1.8
COMMON_TAG_SHARE = 0.5
COPIED_WORDS = 2
"""Maximum words and hashtags of a copied text besides its keyword; each of them bursts with it."""
DAMAGED_SHARE, LATE_SHARE, VERY_LATE_SHARE, AGAIN_SHARE, AGAIN_LATER_SHARE = 0.004, 0.03, 0.0015, 0.01, 0.003
FIRST, AGAIN, EDITED = 0, 1, 2
"""Variants of a record: first delivery of a post, delivered again, or delivered again with an edited text."""


@dataclass(frozen=True)
class DayPlan:
    """Columns by post, in order of creation, and by record, in order of delivery.

    By post: created (Unix seconds), id_seconds (Unix seconds in the id), language, author and music (ranks),
    event (position in `events` or -1), text_of (the post whose words it uses), damage (0 or a kind), bits
    (64 random bits for small choices), plays. `word_ends`, `tag_ends`, `mention_ends`: where the post's part
    of `words`, `tags`, `mentions` ends. By record: post and variant.
    """

    events: list[Event]
    created: Ints
    id_seconds: Ints
    language: Ints
    author: Ints
    music: Ints
    event: Ints
    text_of: Ints
    damage: Ints
    bits: NDArray[np.uint64]
    plays: Ints
    words: Ints
    word_ends: Ints
    tags: Ints
    tag_ends: Ints
    mentions: Ints
    mention_ends: Ints
    record_post: Ints
    record_variant: Ints


def plan_day(world: World, day: int) -> DayPlan:
    """Return the plan of day number `day`, which depends only on the world and the day."""
    events = events_of_day(world, day)
    seconds, language, author, event, text_of = _posts(world, day, events)
    random = world.random("attributes", day)
    size = len(seconds)
    created = world.midnight(day) + seconds.astype(np.int64)
    damage = np.where(
        (random.random(size) < DAMAGED_SHARE) & (event < 0),
        random.integers(1, len(DAMAGE_KINDS) + 1, size),
        0,
    )
    empty = (random.random(size) < EMPTY_TEXT_SHARE) & (event < 0)
    words = np.where(empty, 0, 1 + random.poisson(WORDS_PER_TEXT - 1, size))
    tags, mentions = (
        np.where(empty, 0, random.poisson(mean, size)) for mean in (TAGS_PER_TEXT, MENTIONS_PER_TEXT)
    )
    copying = [number for number, one in enumerate(events) if one.kind in (kinds.COPY_PASTE, kinds.SPAM)]
    copied = np.isin(event, copying)
    words, tags = (np.where(copied, np.minimum(column, COPIED_WORDS), column) for column in (words, tags))
    arrival, record_post, record_variant = _deliveries(world, day, seconds, event, damage)
    order = np.argsort(arrival, kind="stable")
    tag_ranks = draw_ranks(random, int(tags.sum()), exponent=ZIPF_EXPONENT, head=WORD_HEAD)
    common = random.random(len(tag_ranks)) < COMMON_TAG_SHARE
    common_ranks = draw_ranks(random, len(tag_ranks), exponent=2.0, head=3.0) % len(COMMON_TAGS)
    return DayPlan(
        events=events,
        created=created,
        id_seconds=created - np.clip(random.lognormal(np.log(3.0), 0.8, size), 1, 222).astype(np.int64),
        language=language,
        author=author,
        music=draw_ranks(random, size, exponent=1.5, head=300.0),
        event=event,
        text_of=text_of,
        damage=damage,
        bits=random.integers(0, 2**63, size, dtype=np.uint64),
        plays=np.minimum(random.lognormal(6.0, 2.2, size), 2e9).astype(np.int64),
        words=draw_ranks(random, int(words.sum()), exponent=ZIPF_EXPONENT, head=WORD_HEAD),
        word_ends=np.cumsum(words),
        tags=np.where(common, -1 - common_ranks, tag_ranks),
        tag_ends=np.cumsum(tags),
        mentions=random.integers(0, LARGEST_AUTHOR, int(mentions.sum())),
        mention_ends=np.cumsum(mentions),
        record_post=record_post[order],
        record_variant=record_variant[order],
    )


def _posts(world: World, day: int, events: list[Event]) -> tuple[NDArray[np.float64], Ints, Ints, Ints, Ints]:
    """Return second of the day, language, author, event and text_of by post, in order of creation."""
    random = world.random("posts", day)
    rates = world.posts_per_minute(day)
    for event in events:
        if event.kind == kinds.OUTAGE:
            rates[event.start_second // 60 : event.end_second // 60] *= OUTAGE_LEFT
    counts = random.poisson(rates)
    minutes, languages = (axis.ravel() for axis in np.indices(counts.shape))
    ordinary = int(counts.sum())
    seconds = [np.repeat(minutes, counts.ravel()) * 60.0 + random.random(ordinary) * 60.0]
    language = [np.repeat(languages, counts.ravel())]
    author = [_ordinary_authors(random, ordinary)]
    event_of = [np.full(ordinary, -1, dtype=np.int64)]
    text_of = [np.arange(ordinary)]
    for position, event in enumerate(events):
        if event.posts:
            first = sum(map(len, seconds))
            seconds.append(_moments(random, event))
            language.append(np.full(event.posts, event.language))
            author.append(_event_authors(random, event, day, position))
            event_of.append(np.full(event.posts, position))
            own = np.arange(event.posts)
            text_of.append(
                first + np.where(own < event.texts, own, random.integers(0, event.texts, event.posts))
            )
    all_seconds = np.concatenate(seconds)
    order = np.argsort(all_seconds, kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    languages, authors, numbers, texts = (
        np.concatenate(parts)[order].astype(np.int64) for parts in (language, author, event_of, text_of)
    )
    return all_seconds[order], languages, authors, numbers, rank[texts]


def _ordinary_authors(random: np.random.Generator, size: int) -> Ints:
    return draw_ranks(random, size, exponent=1.6, head=3000.0, largest=LARGEST_AUTHOR)


def _moments(random: np.random.Generator, event: Event) -> NDArray[np.float64]:
    """Return seconds of the day for an event's posts: even for a habit, rising for a climb, else a peak."""
    share = random.random(event.posts) if event.kind == kinds.HABIT else random.beta(2, 3, event.posts)
    if event.kind == kinds.CLIMB:
        share = np.sqrt(random.random(event.posts))
    return np.minimum(event.start_second + share * event.seconds, DAY_SECONDS - 1.0)


def _event_authors(random: np.random.Generator, event: Event, day: int, position: int) -> Ints:
    """Return the authors of an event's posts, each of its authors at least once."""
    if event.kind in (kinds.COPY_PASTE, kinds.SPAM):
        authors = FIRST_EVENT_AUTHOR + (day * 100 + position) * 100 + np.arange(event.authors)
    else:
        authors = random.permutation(np.unique(_ordinary_authors(random, 4 * event.authors)))[: event.authors]
    extra = authors[random.integers(0, len(authors), event.posts - len(authors))]
    return random.permutation(np.concatenate([authors, extra]))


def _deliveries(
    world: World, day: int, seconds: NDArray[np.float64], event: Ints, damage: Ints
) -> tuple[NDArray[np.float64], Ints, Ints]:
    """Return arrival (seconds of the day, past its end if late), post and variant of every record."""
    random = world.random("delivery", day)
    size = len(seconds)
    arrival = seconds + 1.0 + random.exponential(8.0, size)
    arrival += np.where(random.random(size) < LATE_SHARE, random.exponential(240.0, size), 0.0)
    arrival += np.where(
        (random.random(size) < VERY_LATE_SHARE) & (event < 0), random.uniform(3600, 6 * 3600, size), 0.0
    )
    soon, later = (
        np.flatnonzero((random.random(size) < share) & (damage == 0))
        for share in (AGAIN_SHARE, AGAIN_LATER_SHARE)
    )
    delays = random.uniform(5, 600, len(soon)), random.uniform(3600, 10 * 3600, len(later))
    again = np.concatenate([arrival[soon] + delays[0], arrival[later] + delays[1]])
    posts = np.concatenate([np.arange(size), soon, later])
    edited = np.where(random.random(len(again)) < 0.2, EDITED, AGAIN)
    return np.concatenate([arrival, again]), posts, np.concatenate([np.full(size, FIRST), edited])
