"""Process the days of a table of counts in order: judge each by the days before it, then learn it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from batch.backtest.counts import CountsTable, CycleCounts
from detection.arrays import Floats, Integers
from detection.clock_changes import judge_by_clocks
from detection.clocks import Clocks, clocks
from detection.day_counts import DayCounts, traffic_beside, windows_before
from detection.dominant import dominant
from detection.judge_day import JudgedDay, unknown_traffic
from detection.learn import KeywordRows, as_stored, default_rows, fit_day, forgettable
from detection.lifecycle import LifecycleRule
from detection.score import AnomalyRule
from detection.seasonality import HOURS, Seasonality
from detection.tracker import AlertTracker, TrackedAlert
from detection.traffic_baseline import Traffic, day_traffic, following_clocks, learn_traffic, suffices

BATCH_KEYWORDS = 4_096
_NEVER = np.iinfo(np.int32).min
_SECONDS_A_DAY = 86_400
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class JudgedRows:
    """Rows of the input with their verdicts as parallel arrays, and the alerts that ended, by keyword."""

    keyword: Integers
    window: Integers
    posts: Floats
    expected: Floats
    scale: Floats
    score: Floats
    anomalous: NDArray[np.bool_]
    ended: list[tuple[int, TrackedAlert]] = field(default_factory=list)


class _Statistics:
    """The baselines of all keywords of the file, as Postgres would store them."""

    def __init__(self, keywords: int, seasonality: Seasonality) -> None:
        self._columns = [
            column.astype(np.float32) for column in _columns(default_rows(keywords, seasonality))
        ]
        self._default = _columns(default_rows(1, seasonality))
        self.last_seen = np.full(keywords, _NEVER, dtype=np.int32)
        self.before = np.zeros((keywords, seasonality.windows))
        """Posts of the last windows of the cycle before [K, B]."""
        self.after = self.before
        """The same of the current cycle, for the next one."""

    @property
    def known(self) -> NDArray[np.bool_]:
        known: NDArray[np.bool_] = self.last_seen != _NEVER
        return known

    def load(self, keywords: Integers) -> KeywordRows:
        """Return the rows of `keywords`; defaults are not rounded, because they are not stored."""
        rows = [column[keywords].astype(np.float64) for column in self._columns]
        unknown = ~self.known[keywords]
        for column, default in zip(rows, self._default, strict=True):
            column[unknown] = default
        return KeywordRows(*rows)

    def store(self, keywords: Integers, rows: KeywordRows) -> None:
        for column, fitted in zip(self._columns, _columns(as_stored(rows)), strict=True):
            column[keywords] = fitted

    def forget(self, keywords: Integers) -> None:
        self.last_seen[keywords] = _NEVER


def _columns(rows: KeywordRows) -> tuple[Floats, ...]:
    return rows.level, rows.hour_deviation, rows.variance, rows.dispersion, rows.hourly_spread


class Walk:
    """One pass through a table, by cycle (a day of 15-minute windows) and in batches of keywords."""

    def __init__(self, table: CountsTable, anomaly_rule: AnomalyRule, lifecycle: LifecycleRule) -> None:
        self._table, self._seasonality, self._anomaly_rule = table, table.seasonality, anomaly_rule
        self.tracker = AlertTracker(lifecycle)
        """The alerts; `running()` has those that have not ended when the table ends."""
        self._statistics = _Statistics(len(table.keywords), table.seasonality)
        self._traffic: Traffic | None = None
        self._learned_from: int | None = None
        """The last cycle that was learned."""
        self._clocks = Clocks()
        """Clock changes that the current cycle is judged and learned with."""
        self._total_before = np.zeros(table.seasonality.windows)

    def run(self) -> Iterator[JudgedRows]:
        """Yield all rows of the table with their verdicts, ordered by cycle, keyword and window."""
        read = self._table.read()
        rows = next(read, None)
        for cycle in self._table.cycles():
            if rows is not None and rows.cycle == cycle:
                yield from self._cycle(cycle, rows)
                rows = next(read, None)
            else:
                nothing = np.zeros(0, dtype=np.int64)
                yield from self._cycle(cycle, CycleCounts(cycle, nothing, nothing, nothing.astype(float)))

    def _cycle(self, cycle: int, rows: CycleCounts) -> Iterator[JudgedRows]:
        total = self._table.totals(cycle)
        self._clocks = self._clocks_of(cycle)
        traffic_after = self._learned_traffic(total)
        lookback = self._lookback(traffic_after)
        self._statistics.after = np.zeros((len(self._statistics.last_seen), lookback))
        seen = np.unique(rows.keyword)
        keywords = np.union1d(np.flatnonzero(self._statistics.known), seen)
        beside = self._beside(rows, total)
        edges = [*np.searchsorted(rows.keyword, keywords[::BATCH_KEYWORDS]).tolist(), len(rows.keyword)]
        for number, begin in enumerate(range(0, len(keywords), BATCH_KEYWORDS)):
            part = slice(edges[number], edges[number + 1])
            some = CycleCounts(cycle, rows.keyword[part], rows.window[part], rows.posts[part])
            yield self._batch(keywords[begin : begin + BATCH_KEYWORDS], some, total, beside)
        ended = list(self.tracker.close(self._seasonality.first_window(cycle + 1)))
        if ended:
            yield _no_rows(ended)
        self._traffic, self._total_before = traffic_after, total[len(total) - lookback :]
        self._statistics.before = self._statistics.after
        if total.any():
            self._learned_from = cycle

    def _clocks_of(self, cycle: int) -> Clocks:
        """Return the clock changes of a cycle; none if its profile is not one of hours."""
        if self._learned_from is None or self._seasonality.slots != HOURS:
            return Clocks()
        return clocks(*(_EPOCH + timedelta(days=one) for one in (self._learned_from, cycle)))

    def _lookback(self, traffic: Traffic | None) -> int:
        """Return the windows before a cycle that it is judged with: all of one if statistics lack slots."""
        return windows_before(self._seasonality) if suffices(traffic) else self._seasonality.windows

    def _beside(self, rows: CycleCounts, total: Floats) -> Floats | float:
        """Return the highest traffic ratio beside the dominant keywords; inf: no bound."""
        if self._traffic is None or not self._table.has_total:
            return np.inf
        first, before = self._seasonality.first_window(rows.cycle), windows_before(self._seasonality)
        start = self._statistics.before.shape[1] - before
        earlier = dominant(self._statistics.before[:, start:], self._total_before[start:])
        here = rows.keyword[dominant(rows.posts, total[rows.window - first])]
        keywords = np.union1d(np.flatnonzero(earlier.any(axis=1)), here)
        some = np.flatnonzero(np.isin(rows.keyword, keywords))
        posts = np.zeros((len(keywords), self._seasonality.windows))
        posts[np.searchsorted(keywords, rows.keyword[some]), rows.window[some] - first] = rows.posts[some]
        counts = DayCounts(posts, self._statistics.before[keywords], total, self._total_before)
        return traffic_beside(counts, self._statistics.load(keywords), self._traffic, self._seasonality)

    def _batch(
        self, keywords: Integers, rows: CycleCounts, total: Floats, beside: Floats | float
    ) -> JudgedRows:
        """Judge `keywords` by their rows, then learn the cycle."""
        first = self._seasonality.first_window(rows.cycle)
        index, window = np.searchsorted(keywords, rows.keyword), rows.window - first
        posts = np.zeros((len(keywords), self._seasonality.windows))
        posts[index, window] = rows.posts
        before = self._statistics.load(keywords)
        present = np.unique(index)
        judged = self._judge(posts[present], keywords[present], before, present, total, beside)
        ended = list(self.tracker.add_day(keywords[present], first, posts[present], judged.verdicts))
        self._fit(keywords, posts, before, total, rows.cycle)
        at = np.searchsorted(present, index), window
        return JudgedRows(
            keyword=rows.keyword,
            window=rows.window,
            posts=rows.posts,
            expected=judged.expected[at],
            scale=judged.scale[at],
            score=judged.verdicts.score[at],
            anomalous=judged.verdicts.anomalous[at],
            ended=ended,
        )

    def _judge(
        self,
        posts: Floats,
        keywords: Integers,
        before: KeywordRows,
        present: Integers,
        total: Floats,
        beside: Floats | float,
    ) -> JudgedDay:
        counts = DayCounts(posts, self._statistics.before[keywords], total, self._total_before)
        rows = before.part(present)
        traffic = self._expected_traffic() if self._traffic is not None else None
        return judge_by_clocks(
            self._clocks.unlearned,
            counts,
            rows,
            traffic,
            self._anomaly_rule,
            self._seasonality,
            beside=beside,
        )

    def _fit(self, keywords: Integers, posts: Floats, before: KeywordRows, total: Floats, cycle: int) -> None:
        """Learn the cycle as the daily batch does: skip it if nothing was posted, forget rare keywords."""
        statistics = self._statistics
        statistics.after[keywords] = posts[:, posts.shape[1] - statistics.after.shape[1] :]
        if not total.any():
            return
        seen = posts.any(axis=1)
        statistics.last_seen[keywords[seen]] = cycle
        learned = np.flatnonzero(statistics.known[keywords])
        some = before.part(learned)
        age = self._traffic.history_days if self._traffic else 0.0
        fitted = fit_day(
            posts[learned],
            day_traffic(total, self._followed_traffic(total), self._seasonality, self._clocks),
            some,
            age,
            self._seasonality,
        )
        statistics.store(keywords[learned], fitted)
        days = self._seasonality.windows * self._seasonality.window_seconds // _SECONDS_A_DAY
        unseen = (cycle - statistics.last_seen[keywords[learned]].astype(np.int64)) * days
        statistics.forget(keywords[learned][forgettable(fitted, unseen)])

    def _expected_traffic(self) -> Traffic | None:
        return self._traffic if self._table.has_total else unknown_traffic(self._seasonality)

    def _followed_traffic(self, total: Floats) -> Traffic | None:
        """Return the expected traffic that a cycle with these totals is learned on top of."""
        expected = self._expected_traffic()
        if expected is None or self._traffic is None:
            return expected
        return following_clocks(expected, total, self._clocks, self._seasonality)

    def _learned_traffic(self, total: Floats) -> Traffic | None:
        """Return the traffic baseline after a cycle with these totals."""
        if not total.any():
            return self._traffic
        followed = self._followed_traffic(total)
        learned = day_traffic(total, followed, self._seasonality).learned_days
        before = followed if self._table.has_total else self._traffic
        after = learn_traffic(before, total, learned, self._seasonality, self._clocks)
        stored = after.expected_posts.astype(np.float32).astype(np.float64)
        return Traffic(stored, float(np.float32(after.history_days)))


def _no_rows(ended: list[tuple[int, TrackedAlert]]) -> JudgedRows:
    none, zero = np.zeros(0, dtype=np.int64), np.zeros(0)
    return JudgedRows(none, none, zero, zero, zero, zero, np.zeros(0, dtype=bool), ended)
