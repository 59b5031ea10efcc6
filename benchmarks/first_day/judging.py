"""Judge the two days as the stream does: the first by what came before each window, the second by statistics.

Closed windows are judged by `detection.judge_day`. An early look is the same judgement with the posts so far
in place of the whole window; only keywords that could be an anomaly there are judged.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.first_day.bursts import SPAM, Stream
from benchmarks.first_day.worlds import BOTH_DAYS, LOOKS, WINDOW_MINUTES
from detection.arrays import Flags, Floats
from detection.day_counts import DayCounts
from detection.judge_day import judge_day
from detection.learn import default_rows, fit_day
from detection.lifecycle import LifecycleRule, decide
from detection.score import AnomalyRule
from detection.seasonality import WINDOWS
from detection.tracker import TrackedAlert, TrackedWindow
from detection.traffic_baseline import day_traffic, learn_traffic
from detection.verdicts import Verdicts

LIFECYCLE = LifecycleRule()
NOT_EARLY = LOOKS


@dataclass(frozen=True)
class JudgedStream:
    """Closed windows of both days, and the first day's early looks."""

    anomalous: Flags
    """[K, 192]."""
    threshold_ratio: Floats
    """[K, 192]."""
    early: NDArray[np.int64]
    """The earliest moment at which the window so far is an anomaly [K, 192]; `NOT_EARLY` if none is."""


@dataclass(frozen=True)
class Opened:
    """An alert of keyword row `keyword`."""

    keyword: int
    window: int
    minute: float
    """Minute of the two days in which it is first raised."""


def judge_stream(stream: Stream, rule: AnomalyRule) -> JudgedStream:
    """Judge both days; the second by the statistics that are learned from the first."""
    posts, total = stream.counts.posts, stream.counts.total[:, -1]
    first = _judge_first_day(stream, posts[:, :WINDOWS], total[:WINDOWS], np.arange(len(posts)), rule)
    second = _judge_second_day(stream, rule)
    early = np.full(posts.shape, NOT_EARLY)
    early[:, :WINDOWS] = _early_looks(stream, rule)
    return JudgedStream(
        anomalous=np.hstack([first.anomalous, second.anomalous]),
        threshold_ratio=np.hstack([first.threshold_ratio, second.threshold_ratio]),
        early=early,
    )


def opened_alerts(judged: JudgedStream) -> list[Opened]:
    """Return the alerts of both days whose first window remains an anomaly at its end."""
    return [
        Opened(keyword, alert.opened, _raised(judged, keyword, alert.opened))
        for keyword in np.flatnonzero(judged.anomalous.any(axis=1)).tolist()
        for alert in _alerts(judged, keyword)
    ]


def withdrawn_alerts(judged: JudgedStream) -> list[Opened]:
    """Return the early alerts that their window does not confirm."""
    withdrawn = (judged.early < NOT_EARLY) & ~judged.anomalous
    return [
        Opened(keyword, window, _raised(judged, keyword, window))
        for keyword in np.flatnonzero(withdrawn.any(axis=1)).tolist()
        for window in np.flatnonzero(withdrawn[keyword]).tolist()
        if _could_open(_alerts(judged, keyword), window)
    ]


def _judge_first_day(
    stream: Stream, posts: Floats, total: Floats, keywords: NDArray[np.int64], rule: AnomalyRule
) -> Verdicts:
    """Judge the first day of `keywords`, which have `posts` [k, 96]; nothing was posted before it."""
    counts = DayCounts(posts, np.zeros_like(posts), total, np.zeros(WINDOWS))
    authors = _authors(stream, keywords)
    rows = default_rows(len(posts))
    return judge_day(counts, rows, None, rule, authors=authors, hourly_authors=authors).verdicts


def _judge_second_day(stream: Stream, rule: AnomalyRule) -> Verdicts:
    posts, total = stream.counts.posts, stream.counts.total[:, -1]
    day = day_traffic(total[:WINDOWS], None)
    rows = fit_day(posts[:, :WINDOWS], day, default_rows(len(posts)), age=0.0)
    traffic = learn_traffic(None, total[:WINDOWS], day.learned_days)
    counts = DayCounts(posts[:, WINDOWS:], posts[:, :WINDOWS], total[WINDOWS:], total[:WINDOWS])
    authors = _authors(stream, np.arange(len(posts)))
    return judge_day(counts, rows, traffic, rule, authors=authors, hourly_authors=authors).verdicts


def _authors(stream: Stream, keywords: NDArray[np.int64]) -> Floats:
    """Return the authors of each keyword [k, 1]: too many to tell, unless it belongs to spam."""
    authors = {
        keyword: burst.authors for burst in stream.bursts if burst.kind == SPAM for keyword in burst.keywords
    }
    return np.array([[authors.get(int(keyword), np.inf)] for keyword in keywords])


def _early_looks(stream: Stream, rule: AnomalyRule) -> NDArray[np.int64]:
    """Return the earliest moment [K, 96] at which the window so far is an anomaly."""
    posts, total = stream.counts.posts[:, :WINDOWS], stream.counts.total[:WINDOWS]
    so_far = _posts_so_far(stream, posts, rule)
    early = np.full(posts.shape, NOT_EARLY)
    for window, looks in so_far.items():
        for look in range(LOOKS):
            waiting = [keyword for keyword in looks if early[keyword, window] == NOT_EARLY]
            keywords = np.array([k for k in waiting if looks[k][look] >= rule.min_posts], dtype=np.int64)
            if len(keywords) == 0:
                continue
            seen, seen_total = posts[keywords].copy(), total[:, -1].copy()
            seen[:, window] = [looks[keyword][look] for keyword in keywords.tolist()]
            seen_total[window] = total[window, look]
            found = _judge_first_day(stream, seen, seen_total, keywords, rule).anomalous[:, window]
            early[keywords[found], window] = look
    return early


def _posts_so_far(stream: Stream, posts: Floats, rule: AnomalyRule) -> dict[int, dict[int, Floats]]:
    """Return by window and keyword the posts at each look [30], of keywords that could be an anomaly.

    A keyword in steady use is left out: it had as many posts as this in each of the two windows before.
    """
    random = stream.world.random("looks")
    before = np.zeros_like(posts)
    before[:, 3:] = np.minimum(posts[:, 1:-2], posts[:, :-3])
    plausible = (posts >= rule.min_posts) & (posts >= rule.min_posts + before)
    windows: dict[int, dict[int, Floats]] = {}
    for keyword, window in zip(*(index.tolist() for index in np.nonzero(plausible)), strict=True):
        looks = _spread(stream, keyword, window, int(posts[keyword, window]), random)
        windows.setdefault(window, {})[keyword] = looks
    return windows


def _spread(stream: Stream, keyword: int, window: int, posts: int, random: np.random.Generator) -> Floats:
    """Return the posts of a keyword at each look [30]: some of those of all keywords, drawn without order."""
    planted = stream.extra.get(keyword, np.zeros((BOTH_DAYS, LOOKS)))[window]
    everything = np.diff(stream.counts.total[window], prepend=0.0) - planted
    usual = random.multivariate_hypergeometric(
        everything.astype(np.int64), posts - int(planted.sum()), method="marginals"
    )
    so_far: Floats = (usual + planted).cumsum()
    return so_far


def _raised(judged: JudgedStream, keyword: int, window: int) -> float:
    look = min(int(judged.early[keyword, window]) + 1, LOOKS)
    return window * WINDOW_MINUTES + look * WINDOW_MINUTES / LOOKS


def _alerts(judged: JudgedStream, keyword: int) -> list[TrackedAlert]:
    windows = list(_active_windows(judged, keyword))
    newest = {alert.opened: alert for alert in decide(LIFECYCLE, None, windows, quiet_before=BOTH_DAYS)}
    return [newest[opened] for opened in sorted(newest)]


def _active_windows(judged: JudgedStream, keyword: int) -> Iterator[TrackedWindow]:
    ratio = judged.threshold_ratio[keyword]
    for window in np.flatnonzero(ratio > 0).tolist():
        yield TrackedWindow(window, 0, 0.0, float(ratio[window]), bool(judged.anomalous[keyword, window]))


def _could_open(alerts: list[TrackedAlert], window: int) -> bool:
    """Return whether an alert could open in `window`: none is running, and none opened not long before."""
    before = [alert for alert in alerts if alert.opened <= window]
    return not before or (
        window - before[-1].last > LIFECYCLE.quiet_windows
        and window - before[-1].opened > LIFECYCLE.cool_down_windows
    )
