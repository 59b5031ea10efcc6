"""False alerts on many words while nothing takes off, and while the whole stream swells, shrinks or stops.

Words are simulated in chunks, each in one process, so that memory use does not depend on their number.
"""

import zlib
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np

from benchmarks.accuracy.worlds import NoiseWorld, make_words, platform_posts, zipf_rates
from detection.arrays import Floats
from detection.day_counts import DayCounts, dominant_keywords, traffic_beside
from detection.judge_day import judge_day
from detection.learn import KeywordRows, default_rows, fit_day
from detection.lifecycle import LifecycleRule
from detection.score import KEPT_POSTS, AnomalyRule, rule_for
from detection.seasonality import WINDOWS
from detection.tracker import AlertTracker
from detection.traffic_baseline import Traffic, day_traffic, learn_traffic
from detection.verdicts import Verdicts

RULES = {"4.5": rule_for(4.5, 10), "6": rule_for(6.0, 10), "6, no hour": AnomalyRule(6.0, 1e9, 10)}
_BEFORE = 3


@dataclass(frozen=True)
class Exposure:
    """What to simulate: the last `scored_days` of a history are judged, then one more day per exposure."""

    words: int = 200_000
    history_days: int = 14
    scored_days: int = 7
    seed: int = 1
    chunk_words: int = 10_000
    """Words that one process has in memory at a time; another chunk size gives other draws."""


def exposures() -> dict[str, Floats]:
    """Return factors [96] on all posts of a day by what happens to the stream, from 10:00 or around 12:00."""
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
    """Count alerts by "RULE", and by "EXPOSURE|RULE" and "EXPOSURE|RULE|no ratio" on the day after.

    Nothing takes off, so every alert is false.
    """
    firsts = range(1, plan.words + 1, plan.chunk_words)
    found: Counter = {}
    with ProcessPoolExecutor(workers) as pool:
        for part in pool.map(_chunk, [(world, plan, first) for first in firsts]):
            for name, count in part.items():
                found[name] = found.get(name, 0) + count
    return found


@dataclass
class WordsHistory:
    """What was learned about a chunk of words, and the last windows of the day before."""

    rows: KeywordRows
    traffic: Traffic | None
    before: Floats
    """Posts of the last three windows of the day before [K, 3]."""
    total_before: Floats
    """The same for all keywords [3]."""

    @classmethod
    def empty(cls, words: int) -> "WordsHistory":
        """Return a history of `words` words before the first day."""
        return cls(default_rows(words), None, np.zeros((words, _BEFORE)), np.zeros(_BEFORE))

    def learn(self, posts: Floats, total: Floats) -> None:
        """Learn a day: posts of the words [K, 96] and of all keywords [96]."""
        day = day_traffic(total, self.traffic)
        age = self.traffic.history_days if self.traffic else 0.0
        self.rows = fit_day(posts, day, self.rows, age)
        self.traffic = learn_traffic(self.traffic, total, day.learned_days)
        self.before, self.total_before = posts[:, -_BEFORE:], total[-_BEFORE:]

    def judge(self, posts: Floats, total: Floats, rule: AnomalyRule) -> tuple[np.ndarray, Verdicts]:
        """Return the words with a window that has enough posts to be judged, and their verdicts."""
        frequent = np.flatnonzero((posts >= KEPT_POSTS).any(axis=1))
        heavy = dominant_keywords(DayCounts(posts, self.before, total, self.total_before))
        beside = traffic_beside(*self._of(heavy, posts, total), self.traffic)
        counts, rows = self._of(frequent, posts, total)
        return frequent, judge_day(counts, rows, self.traffic, rule, beside=beside).verdicts

    def _of(self, words: np.ndarray, posts: Floats, total: Floats) -> tuple[DayCounts, KeywordRows]:
        rows = KeywordRows(
            level=self.rows.level[words],
            hour_deviation=self.rows.hour_deviation[words],
            variance=self.rows.variance[words],
            dispersion=self.rows.dispersion[words],
            hourly_spread=self.rows.hourly_spread[words],
        )
        return DayCounts(posts[words], self.before[words], total, self.total_before), rows

    def expected_total(self) -> Floats:
        """Return the expected posts of all keywords [96]."""
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
    trackers = {name: AlertTracker(LifecycleRule()) for name in RULES}
    found = dict.fromkeys(RULES, 0)
    last = plan.history_days + plan.scored_days
    for day in range(plan.history_days, last):
        posts, total = words.counts(day, own), platform_posts(world, day, platform)
        for name, rule in RULES.items():
            found[name] += _ended(trackers[name], day, posts, *state.judge(posts, total, rule))
        state.learn(posts, total)
    for name in RULES:
        found[name] += sum(1 for _ in trackers[name].running())
    for exposure, factor in exposures().items():
        posts, total = words.counts(last, own, factor), platform_posts(world, last, platform, factor)
        for name, rule in RULES.items():
            for label, seen_total in ((name, total), (f"{name}|no ratio", state.expected_total())):
                tracker = AlertTracker(LifecycleRule())
                ended = _ended(tracker, last, posts, *state.judge(posts, seen_total, rule))
                found[f"{exposure}|{label}"] = ended + sum(1 for _ in tracker.running())
    return found


def _ended(tracker: AlertTracker, day: int, posts: Floats, words: np.ndarray, verdicts: Verdicts) -> int:
    """Add a day of `words`, end it, and return the number of alerts that ended."""
    first = day * WINDOWS
    ended = sum(1 for _ in tracker.add_day(words, first, posts[words], verdicts))
    return ended + sum(1 for _ in tracker.close(first + WINDOWS))
