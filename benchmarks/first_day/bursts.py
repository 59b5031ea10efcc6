"""What takes off on the two days: bursts that must be found, slower ones, spam and habits."""

from dataclasses import dataclass, field

import numpy as np

from benchmarks.first_day.worlds import BOTH_DAYS, LOOKS, WINDOW_MINUTES, Counts, FirstDays
from detection.arrays import Floats
from detection.seasonality import WINDOWS

DAY_MINUTES = WINDOWS * WINDOW_MINUTES
NEVER_SEEN, KNOWN, RARER_KNOWN = "never seen", "known, 5 to 10 a window", "known, 1 to 5 a window"
SLOW, SPAM, HABIT, MIDNIGHT = "40 in an hour", "spam", "habit", "over midnight"
TRIPLE, FIVEFOLD, TENFOLD = "three times", "five times", "ten times"
MUST_BE_FOUND = (NEVER_SEEN, RARER_KNOWN)
"""Kinds that the goals are about."""
MAY_BE_FOUND = (KNOWN, SLOW, TRIPLE, FIVEFOLD, TENFOLD, HABIT, MIDNIGHT)
GRACE_MINUTES = 60
"""An alert this long after a burst's end still belongs to it."""
_FACTORS = {TRIPLE: 3, FIVEFOLD: 5, TENFOLD: 10}
_SPAM_AUTHORS = 2
_AUTHOR_SHARE = 0.94


@dataclass(frozen=True)
class Burst:
    """`posts` posts by `authors` authors within `minutes` minutes, each with all of its keywords."""

    kind: str
    keywords: tuple[int, ...]
    start: float
    """Minute of the two days."""
    minutes: float
    posts: int
    authors: float
    first_post: float
    """Minute of its first post."""

    def covers(self, minute: float) -> bool:
        """Return whether an alert in `minute` belongs to the burst."""
        return self.start <= minute <= self.start + self.minutes + GRACE_MINUTES

    @property
    def day(self) -> int:
        """Day that it begins on: 0 or 1."""
        return int(self.start // DAY_MINUTES)


@dataclass
class Stream:
    """Counts with bursts."""

    world: FirstDays
    counts: Counts
    bursts: list[Burst] = field(default_factory=list)
    extra: dict[int, Floats] = field(default_factory=dict)
    """Posts of bursts by keyword, by look of each window [192, 30]."""


def plant(world: FirstDays, counts: Counts) -> Stream:
    """Add the bursts of both days to the counts; each begins an hour or more after the stream."""
    planter = _Planter(world, Stream(world, counts), world.random("bursts"))
    for day in range(BOTH_DAYS // WINDOWS):
        planter.plant_day(day)
    planter.plant_habit()
    start = DAY_MINUTES - planter.random.uniform(15, 45)
    planter.add(MIDNIGHT, [planter.coin()], start, minutes=75, posts=120)
    return planter.finished()


@dataclass
class _Planter:
    world: FirstDays
    stream: Stream
    random: np.random.Generator
    used: set[int] = field(default_factory=set)
    coined: int = 0

    def plant_day(self, day: int) -> None:
        for keywords in (1, 2):
            self.add(NEVER_SEEN, [self.coin() for _ in range(keywords)], self.time(day), 10, 30)
            start = self.time(day)
            word = self.known_word(start)
            if word is not None:
                kind = RARER_KNOWN if self.rate(word, start) < 5 else KNOWN
                self.add(kind, [word] + [self.coin()] * (keywords - 1), start, 30, 100)
        for kind, factor in _FACTORS.items():
            start = self.time(day)
            word = self.known_word(start)
            if word is not None:
                usual = self.rate(word, start) * 60 / WINDOW_MINUTES
                self.add(kind, [word], start, 60, max(int(self.random.poisson(usual * (factor - 1))), 1))
        self.add(SLOW, [self.coin()], self.time(day), 60, 40)
        self.add(SPAM, [self.coin(), self.coin()], self.time(day), 40, 120, authors=_SPAM_AUTHORS)

    def plant_habit(self) -> None:
        """Give a word sixty posts in the same hour of both days: news on the first, none on the second."""
        start = self.time(0)
        word = self.known_word(start)
        if word is not None:
            for day in (0, 1):
                self.add(HABIT, [word], start + day * DAY_MINUTES, 60, 60)

    def add(
        self,
        kind: str,
        keywords: list[int],
        start: float,
        minutes: float,
        posts: int,
        authors: float = np.inf,
    ) -> None:
        times = start + self.random.uniform(0, minutes, posts)
        looks = np.zeros((BOTH_DAYS, LOOKS))
        within = times[times < BOTH_DAYS * WINDOW_MINUTES]
        windows, looked = np.divmod((within * LOOKS / WINDOW_MINUTES).astype(int), LOOKS)
        np.add.at(looks, (windows, looked), 1.0)
        for keyword in keywords:
            self.stream.extra[keyword] = self.stream.extra.get(keyword, np.zeros_like(looks)) + looks
        self.stream.counts.total += looks.cumsum(axis=1)
        known_authors = min(authors, posts * _AUTHOR_SHARE)
        self.stream.bursts.append(
            Burst(kind, tuple(keywords), start, minutes, posts, known_authors, float(times.min()))
        )

    def coin(self) -> int:
        """Return the row of a never-seen word."""
        self.coined += 1
        return len(self.stream.counts.posts) + self.coined - 1

    def known_word(self, start: float) -> int | None:
        """Draw an unused word at 1 to 10 posts a window at that time, every order of size as likely."""
        rate = np.exp(self.random.uniform(0, np.log(10)))
        means = self.stream.counts.means[:, int(start) // WINDOW_MINUTES]
        fitting = set(np.flatnonzero((means >= 0.7 * rate) & (means < 1.4 * rate)).tolist()) - self.used
        if not fitting:
            return None
        word = int(self.random.choice(sorted(fitting)))
        self.used.add(word)
        return word

    def rate(self, word: int, start: float) -> float:
        return float(self.stream.counts.means[word, int(start) // WINDOW_MINUTES])

    def time(self, day: int) -> float:
        """Draw a start: from an hour after the stream's on the first day, not in a day's last hour."""
        earliest = self.world.start + 60 if day == 0 else DAY_MINUTES + WINDOW_MINUTES
        return float(self.random.uniform(earliest, (day + 1) * DAY_MINUTES - 60))

    def finished(self) -> Stream:
        counts = self.stream.counts
        posts = np.vstack([counts.posts, np.zeros((self.coined, BOTH_DAYS))])
        for keyword, looks in self.stream.extra.items():
            posts[keyword] += looks.sum(axis=1)
        counts.posts = posts
        return self.stream
