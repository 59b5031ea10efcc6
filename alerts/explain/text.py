"""Turn explanations into the lines that `groundswell explain` prints."""

from collections.abc import Iterator, Mapping
from typing import Any

from alerts.explain.explanation import Explanation
from alerts.explain.recompute import Comparison
from alerts.explain.sentence import ORIGINS, post_line, reason_of, terms_line
from alerts.listing import shown_distinct
from core.settings import Settings

TERMS_PER_KIND = 5


def explanation_lines(explanation: Explanation, settings: Settings) -> Iterator[str]:
    """Yield the lines of one explanation."""
    alert = explanation.stored.alert
    yield f"{alert['keyword']}  ({alert['status']}, {alert['severity']}, alert {alert['alert_id']})"
    for lines in (
        _alert_lines(explanation, settings),
        _evidence_lines(explanation),
        _rule_lines(explanation, settings),
        _comparison_lines(explanation),
    ):
        yield from (f"  {line}" for line in lines)


def _alert_lines(explanation: Explanation, settings: Settings) -> Iterator[str]:
    alert, windows = explanation.stored.alert, explanation.stored.windows
    yield f"{reason_of(alert, windows, min_posts=settings.min_posts)}."
    end = f"ended {alert['resolved_at']:%Y-%m-%d %H:%M}" if alert["resolved_at"] else "ongoing"
    yield (
        f"Started {alert['opened_window']:%Y-%m-%d %H:%M} UTC, "
        f"first post at {alert['first_post_at']:%H:%M:%S}, "
        f"last unusual window {alert['last_window']:%H:%M}, {end}; {alert['posts']:,} posts in total."
    )
    yield f"Posted by: {ORIGINS[alert['origin']]} ({people_and_texts(alert, explanation.run)})."


def people_and_texts(alert: Mapping[str, Any], run: Mapping[str, Any] | None) -> str:
    """Return how many authors and texts an alert has, counted by its evidence or estimated.

    `alert` holds columns of anomaly_alerts, `run` those of its row in evidence_runs. Posts that the alert won
    since its evidence was gathered are not in the count, so that the estimate comes first.

    >>> alert = {"posts": 4592, "distinct_authors": 310.5, "distinct_texts": 88.2}
    >>> people_and_texts(alert, {"posts": 4593, "authors": 3012, "texts": 91})
    '3,012 people and 91 texts in 4,593 archived posts'
    >>> people_and_texts(alert, None)
    '300+ people and about 88 texts, estimated'
    >>> people_and_texts(alert, {"posts": 2000, "authors": 1500, "texts": 50}).partition("; ")[2]
    '1,500 people and 50 texts in the 2,000 posts that its evidence was gathered from'
    """
    authors, texts = (
        shown_distinct(round(alert[name]), counted=False) for name in ("distinct_authors", "distinct_texts")
    )
    estimate = f"{authors} people and {texts} texts, estimated"
    if run is None or run["authors"] is None:
        return estimate
    counted = f"{run['authors']:,} people and {run['texts']:,} texts in"
    if run["posts"] >= alert["posts"]:
        return f"{counted} {run['posts']:,} archived posts"
    return f"{estimate}; {counted} the {run['posts']:,} posts that its evidence was gathered from"


def _evidence_lines(explanation: Explanation) -> Iterator[str]:
    if not explanation.evidence:
        yield (
            "No example posts yet: the streaming process stores them after its next commit to the archive, "
            "`groundswell batch DAY` stores them now."
        )
    yield from map(post_line, explanation.evidence)
    for kind in ("word", "hashtag", "music", "author"):
        terms = [term for term in explanation.terms if term["kind"] == kind][:TERMS_PER_KIND]
        if terms:
            yield terms_line(kind, terms, explanation.stored.alert["posts"])


def _rule_lines(explanation: Explanation, settings: Settings) -> Iterator[str]:
    alert = explanation.stored.alert
    as_of = alert["statistics_as_of"]
    statistics = (
        f"with the statistics of {as_of}"
        if as_of
        else "by the windows before it, as on a first day (no statistics of its hour yet)"
    )
    yield (
        f"Judged {statistics}; threshold {explanation.stored.windows[0]['threshold']:g}; "
        f"min_posts {settings.min_posts} (current setting); {alert['rule_version']}."
    )
    windows = explanation.stored.windows
    if moved := sum(window["moved_hours"] != 0 for window in windows):
        yield (
            f"Clocks had just changed: {moved} of its {len(windows)} windows are judged by the old habits "
            "moved by an hour, by which they are less unusual."
        )
    if alert["status"] == "withdrawn":
        yield "Withdrawn: by the time its first window closed, it was no longer unusual."
    elif not explanation.stored.is_final:
        yield (
            "Provisional: a window is still open, so its figures and the alert's may still change. "
            "Only closed windows are compared."
        )


def _comparison_lines(explanation: Explanation) -> Iterator[str]:
    comparison = explanation.comparison
    if comparison is None:
        yield f"Not checked: {explanation.problem}"
        return
    if explanation.matches:
        yield f"All {comparison.figures} stored figures match the archive exactly."
    else:
        yield from _difference_lines(comparison)
    if explanation.extra_posts:
        yield extra_posts_line(explanation.extra_posts)


def _difference_lines(comparison: Comparison) -> Iterator[str]:
    count = len(comparison.differences)
    differ = "differs" if count == 1 else "differ"
    yield (
        f"Mismatch: {count} of {comparison.figures} stored figures {differ} from those recomputed from the "
        "archive and the statistics:"
    )
    yield from (f"  {difference}" for difference in comparison.differences)


def extra_posts_line(extra_posts: int) -> str:
    """Return what it means that the archive holds more posts than were counted, or fewer.

    >>> extra_posts_line(-2).partition(". ")[0]
    "The archive holds 2 fewer posts in the alert's windows than were counted"
    >>> extra_posts_line(1).partition(": ")[0]
    "The archive holds 1 more post in the alert's windows than was counted"
    """
    count = abs(extra_posts)
    posts, were = ("post", "was") if count == 1 else ("posts", "were")
    more = "more" if extra_posts > 0 else "fewer"
    held = f"The archive holds {count:,} {more} {posts} in the alert's windows than {were} counted"
    if extra_posts < 0:
        return f"{held}. Run this again once the archive has caught up with Kafka."
    return f"{held}: posts that arrive after their window has closed are archived but never counted."
