"""Gather the evidence for alerts from the archive: posts in roles, terms that stand out, ids of all posts."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from alerts.evidence.posts import scratch, write_posts
from alerts.evidence.tally import EvidencePost, PostsWithTerms
from alerts.evidence.terms import Term, standing_out
from alerts.incidents import sample_posts
from archive.spans import Span
from core.settings import Settings
from core.windows import WINDOW, window_number


@dataclass(frozen=True, slots=True)
class AlertedWindows:
    """An alert to gather evidence for."""

    alert_id: UUID
    keyword: str
    windows: frozenset[datetime]
    """Starts of the alert's windows."""
    top_post_id: int | None = None
    """Breaks ties between posts with equally many likes."""

    @property
    def spans(self) -> list[Span]:
        """The windows as time spans."""
        return [(start, start + WINDOW) for start in self.windows]

    @property
    def numbers(self) -> set[int]:
        """The windows as numbers (`core.windows.window_number`)."""
        return {window_number(start) for start in self.windows}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The evidence for one alert."""

    alert_id: UUID
    counted: int
    """Posts with the keyword, each counted once per window."""
    authors: int
    """Distinct authors of those posts."""
    texts: int
    """Distinct texts: posts with the same keywords in the same order have the same text, as in the stream."""
    posts: list[EvidencePost]
    terms: list[Term]
    post_ids: list[int]
    """Ids of the alert's posts, sampled if there are many (`alerts.incidents.sample_posts`)."""


def gather_evidence(
    settings: Settings, alerts: Sequence[AlertedWindows], *, processes: int = 1
) -> list[Evidence]:
    """Gather the evidence for `alerts` from the archive, whose records are read once for all alerts.

    At most `processes` processes read. The alerts' posts, and the sample of all posts with which their terms
    are compared, are on disk meanwhile; in memory are the posts of one alert at a time, as numbers. Raises
    NotReadyError if there is no archive, or S3 does not answer.
    """
    alerted = sorted({alert.keyword for alert in alerts})
    spans = [span for alert in alerts for span in alert.spans]
    with TemporaryDirectory(prefix="groundswell-evidence-", dir=settings.spark_local_dir) as name:
        folder = Path(name)
        files = write_posts(settings, spans, alerted, folder, processes=processes)
        with scratch(folder / "scratch") as database:
            posts = PostsWithTerms(database, files)
            return [_evidence(alert, posts) for alert in alerts]


def _evidence(alert: AlertedWindows, posts: PostsWithTerms) -> Evidence:
    of_alert = posts.of_alert(alert.keyword, alert.numbers)
    counts = posts.terms(alert.keyword, alert.numbers)
    others = posts.other_posts(alert.keyword, alert.numbers)
    return Evidence(
        alert_id=alert.alert_id,
        counted=len(of_alert),
        authors=of_alert.authors,
        texts=of_alert.texts,
        posts=posts.in_roles(of_alert.in_roles(alert.top_post_id)),
        terms=standing_out(counts, total=len(of_alert), other_total=others, keyword=alert.keyword),
        post_ids=sample_posts(of_alert.post_ids),
    )
