"""Judge a day of posts on Spark's workers: counts and statistics in, windows that matter to alerts out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from alerts.plans import Plans, Thresholds
from batch.statistics.candidates import JudgedKeywords, candidate_windows, judge_keywords, may_open
from batch.statistics.keyword_batch import EPOCH, KeywordBatch, keyword_batch
from core.windows import WINDOW, WINDOWS_PER_DAY, day_start
from detection.arrays import Flags, Floats
from detection.budget import LOWEST_THRESHOLD
from detection.lifecycle import ACTIVE_THRESHOLD_RATIO
from detection.score import WINDOWS_PER_HOUR, rule_for
from detection.traffic_baseline import Traffic

WINDOWS = "keyword string, number int, posts int, score double, threshold_ratio double, anomalous boolean"
CANDIDATES = (
    "day date, keyword string, number int, posts int, expected float, scale float, hourly_posts int, "
    "hourly_expected float, hourly_spread float, authors float, hourly_authors float"
)


@dataclass(frozen=True)
class DayJudge:
    """What all keywords of a day are judged by, and which of them had a running alert when it began."""

    day: date
    traffic: Traffic | None
    total_posts: Floats
    """Posts of all keywords [B + 96], with B windows before the day."""
    beside: Floats
    """Highest traffic ratio beside dominant keywords [3 + 96]."""
    hours: tuple[int, ...]
    """Clock changes of the day that its statistics do not know."""
    past_gap: int
    min_posts: int
    plans: Plans
    thresholds: Thresholds
    running: frozenset[str]

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield rows of `WINDOWS` with a threshold ratio of at least a half.

        Only of keywords that have an anomaly on the day or are in `running`.
        """
        for batch in batches:
            yield from self._windows(keyword_batch(batch, self._lookback))

    def candidates(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield rows of `CANDIDATES`, as the nightly fit keeps them; nothing if `traffic` is None."""
        if self.traffic is not None:
            anomaly_rule = rule_for(LOWEST_THRESHOLD, self.min_posts)
            for batch in batches:
                yield candidate_windows(
                    keyword_batch(batch, self._lookback),
                    day=self.day,
                    traffic=self.traffic,
                    total_posts=self.total_posts,
                    beside=self.beside,
                    anomaly_rule=anomaly_rule,
                    hours=self.hours,
                )

    @property
    def _lookback(self) -> int:
        return len(self.total_posts) - WINDOWS_PER_DAY

    def _windows(self, batch: KeywordBatch) -> Iterator[pa.RecordBatch]:
        keywords = batch.keyword.to_pylist()
        running = np.array([keyword in self.running for keyword in keywords], dtype=bool)
        may_alert = may_open(batch.counts, self.min_posts) | running
        unlearned = ~batch.known if self.traffic and not self.traffic.same_rule else np.zeros_like(running)
        for chosen, traffic in ((may_alert & ~unlearned, self.traffic), (may_alert & unlearned, None)):
            yield from self._judged(batch, keywords, np.flatnonzero(chosen), traffic, running)

    def _judged(
        self,
        batch: KeywordBatch,
        keywords: list[str],
        chosen: NDArray[np.int64],
        traffic: Traffic | None,
        running: Flags,
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the keywords at the indices `chosen`, judged by their past without `traffic`."""
        thresholds = np.array(
            [self.thresholds.of(keywords[index], self.plans) for index in chosen], dtype=float
        )
        for threshold in np.unique(thresholds):
            indices = chosen[thresholds == threshold]
            names = [keywords[index] for index in indices]
            judged = judge_keywords(
                batch,
                indices,
                traffic=traffic,
                total_posts=self.total_posts,
                beside=self.beside,
                anomaly_rule=rule_for(float(threshold), self.min_posts),
                hours=self.hours,
                past_gap=self.past_gap,
                planned=self._planned(names, 1),
                hourly_planned=self._planned(names, WINDOWS_PER_HOUR),
            )
            yield self._rows(judged, batch.keyword, running[indices])

    def _planned(self, keywords: list[str], windows: int) -> Flags:
        """Return where a window of the day touches a time in its keyword's calendar [K, 96].

        With `windows` above 1, the windows before it count as well, so many in all.
        """
        planned = np.zeros((len(keywords), WINDOWS_PER_DAY), dtype=bool)
        starts = [day_start(self.day) + number * WINDOW for number in range(WINDOWS_PER_DAY)]
        for row, keyword in enumerate(keywords):
            if keyword in self.plans.calendar:
                planned[row] = self.plans.planned([keyword] * WINDOWS_PER_DAY, starts, windows=windows)
        return planned

    def _rows(self, judged: JudgedKeywords, names: pa.Array, running: Flags) -> pa.RecordBatch:
        verdicts = judged.day.verdicts
        wanted = running | np.any(verdicts.anomalous, axis=1)
        active: Flags = (verdicts.threshold_ratio >= ACTIVE_THRESHOLD_RATIO) & wanted[:, None]
        keyword, window = np.nonzero(active)
        return pa.record_batch(
            {
                "keyword": names.take(pa.array(judged.chosen[keyword])),
                "number": pa.array(((self.day - EPOCH).days * WINDOWS_PER_DAY + window).astype(np.int32)),
                "posts": pa.array(judged.posts[active].astype(np.int32)),
                "score": pa.array(verdicts.score[active]),
                "threshold_ratio": pa.array(verdicts.threshold_ratio[active]),
                "anomalous": pa.array(verdicts.anomalous[active]),
            }
        )
