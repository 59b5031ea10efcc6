"""The labelled events of a day: bursts that a detector must find, habits and outages that it must ignore."""

from collections.abc import Iterator
from dataclasses import dataclass

from producer.simulate.vocabulary import LANGUAGE_NUMBERS, LANGUAGES, coined_word
from producer.simulate.world import DAY_SECONDS, World

HISTORY_DAYS = 7
"""The first days, with few events, are for learning statistics; later days are full of events."""
SPACED_LANGUAGES = ("en", "es", "pt", "ru", "ar", "hi")
KNOWN_WORDS_PER_DAY = 4
COINED_WORDS_PER_DAY = 8
FIRST_COMPANION, COMPANIONS_PER_DAY = 500_000, 1_000
LARGEST_WORDS_PER_EVENT = 8
LEAST_KNOWN_RATE, LARGEST_KNOWN_RATE = 0.5, 10.0
LEAST_POOL = 40
LEAST_HABIT_RATE = 1.3
HABIT_POSTS = (40, 100)

ORGANIC, UNSEEN, CLIMB, COPY_PASTE, SPAM, HABIT, OUTAGE = (
    "organic_known",
    "organic_unseen",
    "slow_climb",
    "copy_paste",
    "spam",
    "habit",
    "outage",
)
MUST_ALERT: dict[str, bool | None] = {
    ORGANIC: True,
    UNSEEN: True,
    CLIMB: None,
    COPY_PASTE: False,
    SPAM: False,
    HABIT: False,
    OUTAGE: False,
}
"""True: must alert; False: must not alert; None: finding it is welcome, missing it is not an error."""
NEEDS = {
    ORGANIC: "counts",
    UNSEEN: "counts",
    CLIMB: "sixty minutes",
    COPY_PASTE: "authors",
    SPAM: "authors",
    HABIT: "history",
    OUTAGE: "totals",
}
"""What a detector must take into account to judge the event."""
SECONDS = {CLIMB: 5 * 3600, COPY_PASTE: 1800, SPAM: 2400}
POSTS = {CLIMB: 120, COPY_PASTE: 160, SPAM: 120}
AUTHORS = {COPY_PASTE: 6, SPAM: 1}
TEXTS = {COPY_PASTE: 3, SPAM: 12}


@dataclass(frozen=True)
class Event:
    """One labelled event: `posts` posts by `authors` authors with `texts` distinct texts."""

    kind: str
    keyword: str | None
    language: int
    start_second: int
    seconds: int
    posts: int
    authors: int
    texts: int
    companions: tuple[str, ...] = ()
    """Never-seen words besides the keyword, each in about half of the posts."""

    @property
    def end_second(self) -> int:
        """The second of the day when it ends."""
        return self.start_second + self.seconds


@dataclass(frozen=True)
class KnownWord:
    """A word of a language's ordinary vocabulary."""

    language: int
    word: str
    posts_per_window: float


def known_words(world: World) -> list[KnownWord]:
    """Return the known words that may burst or be a habit, in an order specific to the world."""
    words = [
        KnownWord(LANGUAGE_NUMBERS[name], word, world.posts_per_window(LANGUAGE_NUMBERS[name], rank))
        for name in SPACED_LANGUAGES
        for rank, word in enumerate(LANGUAGES[LANGUAGE_NUMBERS[name]].first_words)
    ]
    fitting = [word for word in words if LEAST_KNOWN_RATE <= word.posts_per_window <= LARGEST_KNOWN_RATE]
    most_frequent = sorted(words, key=lambda word: -word.posts_per_window)[:LEAST_POOL]
    pool = fitting if len(fitting) >= LEAST_POOL else most_frequent
    return [pool[position] for position in world.random("known words").permutation(len(pool))]


def habit_words(words: list[KnownWord]) -> list[KnownWord]:
    """Return the habits' words: frequent enough for an hourly profile, so that a habit can be learned."""
    frequent = [word for word in words if word.posts_per_window >= LEAST_HABIT_RATE]
    return (frequent + [word for word in words if word not in frequent])[: len(HABIT_POSTS)]


def events_of_day(world: World, day: int) -> list[Event]:
    """Return the events of day number `day` by start; they do not depend on which other days are made."""
    habits = [_habit(world, position) for position in range(len(HABIT_POSTS))]
    happenings = _happenings(world, day)
    outage = [_outage(world, day)] if has_outage(world, day) else []
    return sorted(habits + happenings + outage, key=lambda event: event.start_second)


def has_outage(world: World, day: int) -> bool:
    """Return whether day number `day` has an outage: one in the third to sixth day of a week of the world."""
    return day % 7 == int(world.random("outage day").integers(2, 6))


def _habit(world: World, position: int) -> Event:
    word, posts = habit_words(known_words(world))[position], HABIT_POSTS[position]
    hour = int(world.random("habit hours").permutation(24)[position])
    return Event(HABIT, word.word, word.language, hour * 3600, 3600, posts, posts, posts)


def _outage(world: World, day: int) -> Event:
    habits = {_habit(world, position).start_second for position in range(len(HABIT_POSTS))}
    starts = [hour * 3600 for hour in range(8, 20) if hour * 3600 not in habits]
    start = starts[int(world.random("outage", day).integers(len(starts)))]
    return Event(OUTAGE, None, 0, start, 3600, 0, 0, 0)


def _kinds(day: int) -> list[str]:
    """Return the kinds of a day: a few in the history, all of them on later days; the first comes early."""
    if day < HISTORY_DAYS:
        return [ORGANIC, UNSEEN, (CLIMB, COPY_PASTE, SPAM)[day % 3]]
    return [ORGANIC, UNSEEN, ORGANIC, COPY_PASTE, UNSEEN, CLIMB, SPAM, ORGANIC, UNSEEN]


def _happenings(world: World, day: int) -> list[Event]:
    random = world.random("events", day)
    kinds = _kinds(day)
    order = [0, *(1 + random.permutation(len(kinds) - 1))]
    subjects = _subjects(world, day)
    hours = 20 / len(kinds)
    events = []
    for slot, kind in enumerate(kinds[position] for position in order):
        start = int((1.5 + _shared_slot(world, slot) * hours + random.random() * hours / 2) * 3600)
        seconds = SECONDS.get(kind, int(random.integers(20, 41)) * 60)
        posts = POSTS.get(kind, int(random.integers(70, 151)))
        keyword, language = next(subjects[kind in (ORGANIC, CLIMB)])
        authors, texts = AUTHORS.get(kind, int(posts * 0.94)), TEXTS.get(kind, posts)
        start = _outside_outage(world, day, start, seconds)
        others = _companions(world, day, slot) if kind in (ORGANIC, UNSEEN) else ()
        events.append(Event(kind, keyword, language, start, seconds, posts, authors, texts, others))
    return events


def _shared_slot(world: World, slot: int) -> int:
    """Return the slot in which a happening starts: two at a time if events have several words."""
    return slot - slot % 2 if world.words_per_event > 1 else slot


def _companions(world: World, day: int, slot: int) -> tuple[str, ...]:
    first = FIRST_COMPANION + day * COMPANIONS_PER_DAY + slot * LARGEST_WORDS_PER_EVENT
    return tuple(coined_word(first + number) for number in range(world.words_per_event - 1))


def _outside_outage(world: World, day: int, start: int, seconds: int) -> int:
    """Return the start, moved so that the event ends within the day and does not touch an outage."""
    start = min(start, DAY_SECONDS - 600 - seconds)
    outage = _outage(world, day) if has_outage(world, day) else None
    if outage and start < outage.end_second + 900 and start + seconds > outage.start_second - 900:
        return outage.start_second - 900 - seconds
    return start


def _subjects(world: World, day: int) -> dict[bool, Iterator[tuple[str, int]]]:
    """Return keywords and languages for the day's events: True has known words, False never-seen ones."""
    words = known_words(world)
    habits = habit_words(words)
    others = [(word.word, word.language) for word in words if word not in habits]
    first = day * KNOWN_WORDS_PER_DAY
    known = (others[(first + position) % len(others)] for position in range(KNOWN_WORDS_PER_DAY))
    number = int(world.random("coined words").integers(0, 10_000)) + day * COINED_WORDS_PER_DAY
    coined = (_coined(number + position, position) for position in range(COINED_WORDS_PER_DAY))
    return {True: known, False: coined}


def _coined(number: int, position: int) -> tuple[str, int]:
    """Return a never-seen word: every third in Cyrillic, the others in Latin script."""
    if position % 3 == 1:
        return coined_word(number, cyrillic=True), LANGUAGE_NUMBERS["ru"]
    return coined_word(number), LANGUAGE_NUMBERS["en" if position % 3 else "es"]
