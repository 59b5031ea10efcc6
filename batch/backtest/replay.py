"""Replays archived days with a rule: each judged by the statistics of the days before it, alerts followed from day to day."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from alerts.plans import Plans, Thresholds, load_plans, load_thresholds
from archive.days import read_archived_day
from batch.backtest.alerts import AlertSummary, summary_of, unfinished_alerts
from batch.backtest.judge_posts import CANDIDATES, WINDOWS, DayJudge
from batch.backtest.rule import ReplayRule
from batch.days import judged_as_of
from batch.statistics.candidates import candidates_of_table
from batch.statistics.keyword_batch import LOOKBACK_WINDOWS
from batch.statistics.learn import read_traffic, total_posts, with_rows_before
from core.errors import NotReadyError
from core.keywords import ALL_POSTS
from core.windows import ONE_DAY, WINDOW, day_start, window_number
from detection.budget import REPLAYED_DAYS, CandidateWindows, threshold_within
from detection.daily_counts import count_keywords_per_day, posts_in_windows
from detection.score import KEPT_POSTS
from detection.tracker import AlertTracker, TrackedWindow
from detection.traffic_baseline import Traffic
from sql.connection import query, transaction


@dataclass(frozen=True)
class _JudgedBy:
    """What a day is judged by: None where nothing was learned before it."""

    as_of: date | None
    traffic: Traffic | None


class PostsBacktest:
    """One replay with one rule, on one Spark session; reads the archive and Postgres and writes nothing."""

    def __init__(self, spark: SparkSession, rule: ReplayRule) -> None:
        self._spark = spark
        self._rule = rule
        self._settings = rule.settings
        with transaction(self._settings) as cursor:
            self._plans: Plans = load_plans(cursor)
            cursor.execute(query("watched_phrases"))
            self._phrases = tuple(row[0] for row in cursor.fetchall())
        self._tracker = AlertTracker(rule.lifecycle)
        self._keywords: list[str] = []
        self._numbers: dict[str, int] = {}
        self._alerts: list[AlertSummary] = []
        self._candidates: dict[date, pa.Table] = {}

    def run(self, days: Sequence[date]) -> list[AlertSummary]:
        """The alerts that the rule opens on `days` (in order, none left out), in order of window and keyword.

        The day before them is replayed as well, and begins with the alerts that the stream had then, so that what runs
        or cools down on the first day does. Raises NotReadyError where the statistics of a day are no longer kept.
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
        self._note(self._tracker.running())
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
        """Count and judge one day; without `alerts` only what thresholds for a budget follow from."""
        judged_by = self._judged_by(day)
        records = read_archived_day(self._spark, self._settings, day, lookback=LOOKBACK_WINDOWS * WINDOW)
        posts = records.transform(posts_in_windows, day=day, future_minutes=self._settings.future_minutes)
        counts = posts.transform(count_keywords_per_day, phrases=self._phrases).persist()
        try:
            totals = total_posts(counts)
            judge = DayJudge(
                day,
                judged_by.traffic,
                totals if judged_by.traffic else np.minimum(totals, 1.0),
                self._settings.min_posts,
                self._plans,
                self._thresholds(day) if alerts else Thresholds(0.0, 0.0),
                self._running(),
            )
            rows = self._enough(counts).transform(
                with_rows_before, settings=self._settings, as_of=judged_by.as_of, how="left"
            )
            if self._rule.new_budgets and judged_by.traffic is not None:
                self._candidates[day] = rows.mapInArrow(judge.candidates, CANDIDATES).toArrow()
            if alerts:
                self._follow(day, rows.mapInArrow(judge, WINDOWS).toArrow())
        finally:
            counts.unpersist()

    def _enough(self, counts: DataFrame) -> DataFrame:
        """Keywords with a window that is judged at all."""
        return counts.where((F.col("keyword") != ALL_POSTS) & (F.array_max("posts") >= KEPT_POSTS))

    def _follow(self, day: date, windows: pa.Table) -> None:
        over = window_number(day_start(day + ONE_DAY))
        by_keyword: dict[str, list[TrackedWindow]] = {}
        for row in windows.to_pylist():
            by_keyword.setdefault(row.pop("keyword"), []).append(TrackedWindow(**row))
        for keyword, found in by_keyword.items():
            self._note(self._tracker.follow(self._number(keyword), found, over))
        self._note(self._tracker.close(over))

    def _note(self, alerts: Iterable[tuple[int, object]]) -> None:
        self._alerts += [summary_of(self._keywords[number], alert) for number, alert in alerts]  # type: ignore[arg-type]

    def _running(self) -> frozenset[str]:
        return frozenset(self._keywords[number] for number, _ in self._tracker.running())

    def _number(self, keyword: str) -> int:
        if keyword not in self._numbers:
            self._numbers[keyword] = len(self._keywords)
            self._keywords.append(keyword)
        return self._numbers[keyword]

    def _thresholds(self, day: date) -> Thresholds:
        """The thresholds of the day: those that the batch stored, or those that follow from a changed budget."""
        with transaction(self._settings) as cursor:
            stored = load_thresholds(cursor, self._settings, day)
        changed = {
            scope: self._budgeted(day, scope, budget) for scope, budget in self._rule.new_budgets.items()
        }
        given: Mapping[str, float] = {
            scope: threshold for scope, threshold in changed.items() if threshold is not None
        }
        return Thresholds(given.get("discovery", stored.discovery), given.get("watched", stored.watched))

    def _budgeted(self, day: date, scope: str, budget: float) -> float | None:
        """The threshold for a budget from the candidates of the seven days before, as the batch derives it; None without any."""
        tables = [
            found for other, found in self._candidates.items() if day - REPLAYED_DAYS * ONE_DAY <= other < day
        ]
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
