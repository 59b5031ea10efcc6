"""Replay archived days with a rule: each is judged by the statistics before it, and alerts carry over."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from alerts.plans import Plans, Thresholds, load_plans, load_thresholds
from alerts.watchlist import watched_phrases
from archive.days import read_archived_day
from batch.backtest.alerts import AlertSummary, summarize, unfinished_alerts
from batch.backtest.judge_posts import CANDIDATES, WINDOWS, DayJudge
from batch.backtest.rule import ReplayRule
from batch.days import judged_as_of
from batch.statistics.beside import dominant_counts, ratios_beside
from batch.statistics.candidates import candidates_of_table
from batch.statistics.counts import total_posts
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.learn import read_traffic
from batch.statistics.rows_before import with_rows_before
from core.errors import NotReadyError
from core.keyword_rule import ALL_POSTS
from core.windows import ONE_DAY, WINDOW, WINDOWS_PER_DAY, day_start, window_number
from detection.budget import REPLAYED_DAYS, CandidateWindows, threshold_within
from detection.clocks import clocks
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.first_day import past_gap
from detection.score import KEPT_POSTS
from detection.tracker import AlertTracker, TrackedAlert, TrackedWindow
from detection.traffic_baseline import Traffic, suffices
from sql.connection import transaction


@dataclass(frozen=True)
class _JudgedBy:
    """What a day is judged by; None if nothing was learned before it."""

    as_of: date | None
    traffic: Traffic | None


class PostsBacktest:
    """One replay with one rule, in one Spark session; reads the archive and Postgres, and writes nothing."""

    def __init__(self, spark: SparkSession, rule: ReplayRule) -> None:
        self._spark = spark
        self._rule = rule
        self._settings = rule.settings
        with transaction(self._settings) as cursor:
            self._plans: Plans = load_plans(cursor)
            self._phrases = watched_phrases(cursor)
        self._tracker = AlertTracker(rule.lifecycle)
        self._keywords: list[str] = []
        self._numbers: dict[str, int] = {}
        self._alerts: list[AlertSummary] = []
        self._candidates: dict[date, pa.Table] = {}

    def run(self, days: Sequence[date]) -> list[AlertSummary]:
        """Return the alerts that the rule opens on `days` (consecutive), ordered by window and keyword.

        The day before them is replayed too, starting with the stream's alerts at that time, so that the first
        day knows which alerts are running or cooling down. Raises NotReadyError if the statistics for a day
        are no longer kept.
        """
        for day in days:
            self._judged_by(day)
        begin = days[0] - ONE_DAY if self._can_judge(days[0] - ONE_DAY) else days[0]
        if self._rule.new_budgets:
            for day in _days(begin - REPLAYED_DAYS * ONE_DAY, begin):
                if self._can_judge(day):
                    self._judge(day, alerts=False)
        self._resume(day_start(begin))
        for day in _days(begin, days[-1] + ONE_DAY):
            self._judge(day)
        self._add_alerts(self._tracker.running())
        first, before = window_number(day_start(days[0])), window_number(day_start(days[-1] + ONE_DAY))
        return sorted(
            (alert for alert in self._alerts if first <= alert.opened < before),
            key=lambda alert: (alert.opened, alert.keyword),
        )

    def _resume(self, start: datetime) -> None:
        with transaction(self._settings) as cursor:
            for keyword, alert in unfinished_alerts(cursor, start, self._rule.lifecycle):
                self._tracker.resume(self._number(keyword), alert)

    def _can_judge(self, day: date) -> bool:
        try:
            self._judged_by(day)
        except NotReadyError:
            return False
        return True

    def _judged_by(self, day: date) -> _JudgedBy:
        with transaction(self._settings) as cursor:
            as_of = judged_as_of(cursor, day)
        return _JudgedBy(as_of, read_traffic(self._settings, as_of) if as_of else None)

    def _judge(self, day: date, *, alerts: bool = True) -> None:
        """Count and judge one day; without `alerts`, only for the candidates that a budget needs."""
        judged_by = self._judged_by(day)
        lookback = LOOKBACK_WINDOWS if suffices(judged_by.traffic) else WINDOWS_PER_DAY
        records = read_archived_day(self._spark, self._settings, day, lookback=lookback * WINDOW)
        posts = records.transform(posts_in_windows, day=day, future_minutes=self._settings.future_minutes)
        counts = posts.transform(count_keywords_per_day, phrases=self._phrases).persist()
        try:
            totals = total_posts(counts, lookback)
            judge = DayJudge(
                day,
                judged_by.traffic,
                totals,
                ratios_beside(
                    partial(dominant_counts, counts),
                    totals,
                    self._settings,
                    traffic=judged_by.traffic,
                    as_of=judged_by.as_of,
                ),
                clocks(judged_by.as_of, day).unlearned,
                past_gap(self._settings.lateness_minutes),
                self._settings.min_posts,
                self._plans,
                self._thresholds(day) if alerts else Thresholds(0.0, 0.0),
                self._running(),
            )
            rows = self._judgeable(counts).transform(
                with_rows_before, settings=self._settings, as_of=judged_by.as_of, how="left"
            )
            if self._rule.new_budgets and judged_by.traffic is not None:
                self._candidates[day] = rows.mapInArrow(judge.candidates, CANDIDATES).toArrow()
            if alerts:
                self._follow(day, rows.mapInArrow(judge, WINDOWS).toArrow())
        finally:
            counts.unpersist()

    def _judgeable(self, counts: DataFrame) -> DataFrame:
        """Return the keywords that have enough posts in some window to be judged."""
        return counts.where((F.col("keyword") != ALL_POSTS) & (F.array_max("posts") >= KEPT_POSTS))

    def _follow(self, day: date, windows: pa.Table) -> None:
        quiet_before = window_number(day_start(day + ONE_DAY))
        by_keyword: dict[str, list[TrackedWindow]] = {}
        for row in windows.to_pylist():
            by_keyword.setdefault(row.pop("keyword"), []).append(TrackedWindow(**row))
        for keyword, tracked in by_keyword.items():
            self._add_alerts(self._tracker.follow(self._number(keyword), tracked, quiet_before))
        self._add_alerts(self._tracker.close(quiet_before))

    def _add_alerts(self, alerts: Iterable[tuple[int, TrackedAlert]]) -> None:
        self._alerts += [summarize(self._keywords[number], alert) for number, alert in alerts]

    def _running(self) -> frozenset[str]:
        return frozenset(self._keywords[number] for number, _ in self._tracker.running())

    def _number(self, keyword: str) -> int:
        if keyword not in self._numbers:
            self._numbers[keyword] = len(self._keywords)
            self._keywords.append(keyword)
        return self._numbers[keyword]

    def _thresholds(self, day: date) -> Thresholds:
        """Return the thresholds of the day: those the batch stored, or those for a changed budget."""
        with transaction(self._settings) as cursor:
            stored = load_thresholds(cursor, self._settings, day)
        changed = {
            scope: threshold
            for scope, budget in self._rule.new_budgets.items()
            if (threshold := self._threshold_for(day, scope, budget)) is not None
        }
        return Thresholds(changed.get("discovery", stored.discovery), changed.get("watched", stored.watched))

    def _threshold_for(self, day: date, scope: str, budget: float) -> float | None:
        """Derive the threshold for a budget from the candidates of the seven days before, as the batch does.

        None if there are no candidates.
        """
        first = day - REPLAYED_DAYS * ONE_DAY
        tables = [table for other, table in self._candidates.items() if first <= other < day]
        if not tables:
            return None
        table = pa.concat_tables(tables).sort_by([("keyword", "ascending"), ("number", "ascending")])
        watched = np.array(
            [keyword in self._plans.watched for keyword in table["keyword"].to_pylist()], dtype=bool
        )
        candidates: CandidateWindows = candidates_of_table(
            table.filter(pa.array(watched == (scope == "watched")))
        )
        return threshold_within(
            candidates,
            alerts=budget * len(tables),
            min_posts=self._settings.min_posts,
            rule=self._rule.lifecycle,
        ).threshold


def _days(first: date, before: date) -> list[date]:
    return [first + timedelta(days=number) for number in range((before - first).days)]
