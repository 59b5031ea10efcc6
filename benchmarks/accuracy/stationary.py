"""False alerts on many words where nothing takes off, and where the whole stream swells, shrinks or stops.

Words are simulated in chunks, each in a process of its own chunk by chunk, so that memory does not depend on their number.
"""

import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.worlds import WINDOWS, NoiseWorld, make_words, platform_posts, zipf_rates
from detection.judge_day import DayCounts, judge_day
from detection.learn import KeywordRows, Traffic, day_traffic, default_rows, fit_day, learn_traffic
from detection.lifecycle import LifecycleRule
from detection.score import KEPT_POSTS, AnomalyRule, rule_for
from detection.tracker import AlertTracker
from detection.verdicts import Floats, Verdicts

RULES = {"4.5": rule_for(4.5, 10), "6": rule_for(6.0, 10), "6, first look alone": AnomalyRule(6.0, 1e9, 10)}
_BEFORE = 3


@dataclass(frozen=True)
class Exposure:
    """What to simulate: the last `scored_days` of a history are judged, then one more day for each exposure."""

    words: int = 200_000
    history_days: int = 14
    scored_days: int = 7
    seed: int = 1
    chunk_words: int = 10_000
    """Words that one process has in memory at a time; other chunks are other draws."""


def exposures() -> dict[str, Floats]:
    """Factors [96] on all posts of a day, by what happens to the stream: from 10:00, or around 12:00."""
    usual, tripled, halved, out, backlog = (np.ones(WINDOWS) for _ in range(5))
    tripled[40:], halved[40:] = 3.0, 0.5
    out[48:52] = 0.0
    backlog[48:52], backlog[52:56] = 0.0, 2.0
    return {
        "as usual": usual,
        "tripled": tripled,
        "halved": halved,
        "out for an hour": out,
        "out, then its backlog": backlog,
    }


Counter = dict[str, int]


def count_false_alerts(world: NoiseWorld, plan: Exposure, workers: int) -> Counter:
    """Alerts by "RULE", and by "EXPOSURE|RULE" and "EXPOSURE|RULE|no ratio" on the day after; nothing took off."""
    firsts = range(1, plan.words + 1, plan.chunk_words)
    found: Counter = {}
    with ProcessPoolExecutor(workers) as pool:
        for part in pool.map(_chunk, [(world, plan, first) for first in firsts]):
            for name, count in part.items():
                found[name] = found.get(name, 0) + count
    return found


@dataclass
class WordsHistory:
    """What was learned of a chunk of words, and the end of the day before."""

    rows: KeywordRows
    traffic: Traffic | None
    before: Floats
    """Posts of the last three windows of the day before [K, 3]."""
    total_before: Floats
    """Those of all keywords [3]."""

    @classmethod
    def empty(cls, words: int) -> "WordsHistory":
        """Nothing learned of so many words yet."""
        return cls(default_rows(words), None, np.zeros((words, _BEFORE)), np.zeros(_BEFORE))

    def learn(self, posts: Floats, total: Floats) -> None:
        """Learn a day: posts of the words [K, 96] and of all keywords [96]."""
        day = day_traffic(total, self.traffic)
        age = self.traffic.history_days if self.traffic else 0.0
        self.rows = fit_day(posts, day, self.rows, age)
        self.traffic = learn_traffic(self.traffic, total, day.learned_days)
        self.before, self.total_before = posts[:, -_BEFORE:], total[-_BEFORE:]

    def judge(self, posts: Floats, total: Floats, rule: AnomalyRule) -> tuple[np.ndarray, Verdicts]:
        """The words with a window that is judged at all, and their verdicts."""
        loud = np.flatnonzero((posts >= KEPT_POSTS).any(axis=1))
        r = self.rows
        some = KeywordRows(
            r.level[loud], r.hour_deviation[loud], r.variance[loud], r.dispersion[loud], r.hourly_spread[loud]
        )
        counts = DayCounts(posts[loud], self.before[loud], total, self.total_before)
        return loud, judge_day(counts, some, self.traffic, rule).verdicts

    def usual_total(self) -> Floats:
        """Posts of all keywords [96] as they are expected."""
        assert self.traffic is not None
        return np.repeat(self.traffic.expected_posts, WINDOWS // 24)


def _chunk(task: tuple[NoiseWorld, Exposure, int]) -> Counter:
    """Simulate, learn and judge one chunk of words; the platform's posts are the same for all chunks."""
    world, plan, first = task
    rates = zipf_rates(first, min(first + plan.chunk_words, plan.words + 1))
    own = np.random.default_rng([plan.seed, zlib.crc32(world.name.encode()), first])
    platform = np.random.default_rng([plan.seed, zlib.crc32(world.name.encode())])
    words = make_words(world, rates, own)
    state = WordsHistory.empty(len(rates))
    for day in range(plan.history_days):
        state.learn(words.counts(day, own), platform_posts(world, day, platform))
    books = {name: AlertTracker(LifecycleRule()) for name in RULES}
    found = dict.fromkeys(RULES, 0)
    last = plan.history_days + plan.scored_days
    for day in range(plan.history_days, last):
        posts, total = words.counts(day, own), platform_posts(world, day, platform)
        for name, rule in RULES.items():
            found[name] += _ended(books[name], day, posts, *state.judge(posts, total, rule))
        state.learn(posts, total)
    for name in RULES:
        found[name] += sum(1 for _ in books[name].running())
    for exposure, factor in exposures().items():
        posts, total = words.counts(last, own, factor), platform_posts(world, last, platform, factor)
        for name, rule in RULES.items():
            for label, seen_total in ((name, total), (f"{name}|no ratio", state.usual_total())):
                book = AlertTracker(LifecycleRule())
                ended = _ended(book, last, posts, *state.judge(posts, seen_total, rule))
                found[f"{exposure}|{label}"] = ended + sum(1 for _ in book.running())
    return found


def _ended(book: AlertTracker, day: int, posts: Floats, loud: np.ndarray, verdicts: Verdicts) -> int:
    first = day * WINDOWS
    return sum(1 for _ in book.take(loud, first, posts[loud], verdicts)) + sum(
        1 for _ in book.close(first + WINDOWS)
    )
