"""Gather the evidence for alerts from the archive: posts in roles, terms that stand out, ids of all posts."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from pyspark import StorageLevel
from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from alerts.evidence.alerted import AlertedPosts, Role, collect_alerted
from alerts.evidence.posts import POST_COLUMNS, count_by_window, posts_with_terms
from alerts.evidence.terms import MIN_POSTS, Term, TermCount, standing_out
from alerts.incidents import sample_posts
from core.windows import WINDOW, window_number

_ALL, _EVERY_POST = "", "all"


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
    def spans(self) -> list[tuple[datetime, datetime]]:
        """The windows as time spans."""
        return [(start, start + WINDOW) for start in self.windows]

    @property
    def numbers(self) -> set[int]:
        """The windows as numbers (`core.windows.window_number`)."""
        return {window_number(start) for start in self.windows}


@dataclass(frozen=True, slots=True)
class EvidencePost:
    """A post in a role; `rank` starts at 1 within the role."""

    role: str
    rank: int
    post_id: int
    author_id: str | None
    author_name: str | None
    text: str | None
    likes: int | None
    posted_micros: int
    """Event time, microseconds since 1970 in UTC."""

    @property
    def link(self) -> str:
        """The post's address on TikTok."""
        return f"https://www.tiktok.com/@{self.author_name or '_'}/video/{self.post_id}"


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


@dataclass(slots=True)
class _Tallies:
    """Numbers of posts by term and by the group in which they were counted."""

    totals: Counter[tuple[int, str, bool]] = field(default_factory=Counter)
    """All posts by window, group (an alert's keyword, or `_ALL`) and whether they are in the sample."""
    by_keyword: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))


def gather_evidence(
    records: DataFrame, alerts: Sequence[AlertedWindows], *, future_minutes: int
) -> list[Evidence]:
    """Gather the evidence for `alerts` from `records` of their windows, read once for all alerts.

    The archived `records` (from `archive.table.read_archive`) may include other windows. The alerts' posts,
    and the sample of all posts with which their terms are compared, are cached on the executors' disks
    meanwhile; what is collected on the driver is bounded by the alerts' own posts and their terms.
    """
    alerted = sorted({alert.keyword for alert in alerts})
    posts = records.transform(
        posts_with_terms, alerted=alerted, by_window=count_by_window(records), future_minutes=future_minutes
    )
    posts.persist(StorageLevel.DISK_ONLY)
    try:
        tallies, of_all = _tally(posts), collect_alerted(posts, alerted)
        gathered = [
            _evidence(alert, of_all.of_alert(alerted.index(alert.keyword), alert.numbers), tallies)
            for alert in alerts
        ]
        described = _describe(posts, {post for _, roles in gathered for _, _, post in roles})
        return [
            replace(
                evidence, posts=[_evidence_post(role, rank, described[post]) for role, rank, post in roles]
            )
            for evidence, roles in gathered
        ]
    finally:
        posts.unpersist()


def _tally(posts: DataFrame) -> _Tallies:
    """Count posts by term, in the sample and in the alerts' posts; only for terms that may stand out."""
    groups = F.when(F.col("sampled"), F.concat(F.array(F.lit(_ALL)), "tags")).otherwise(F.col("tags"))
    counted = (
        posts.select("window", "sampled", groups.alias("groups"), F.explode(_terms()).alias("term"))
        .select("window", "sampled", "term.*", F.explode("groups").alias("group"))
        .groupBy("kind", "term", "window", "group", "sampled")
        .agg(F.count(F.lit(1)).alias("posts"), F.max("name").alias("name"))
        .groupBy("kind", "term")
        .agg(
            F.collect_list(F.struct("window", "group", "sampled", "posts")).alias("counts"),
            F.max("name").alias("name"),
        )
        .where(F.exists("counts", _may_stand_out))
    )
    tallies = _Tallies()
    for row in counted.toLocalIterator():
        if row.kind == _EVERY_POST:
            tallies.totals.update(
                {(count.window, count.group, count.sampled): count.posts for count in row["counts"]}
            )
            continue
        for group in {count.group for count in row["counts"]} - {_ALL}:
            tallies.by_keyword[group].append(row)
    return tallies


def _may_stand_out(count: Column) -> Column:
    """Return whether a term is in enough posts of the alert whose keyword is the group of `count`."""
    of_group = F.filter("counts", lambda other: other["group"] == count["group"])
    posts = F.aggregate(of_group, F.lit(0).cast("long"), lambda total, other: total + other["posts"])
    enough = (F.col("kind") == _EVERY_POST) | (posts >= MIN_POSTS)
    return (count["group"] != _ALL) & enough


def _terms() -> Column:
    def of_kind(kind: str, terms: Column) -> Column:
        return F.transform(terms, lambda term: _term(kind, term, F.lit(None).cast("string")))

    terms = F.concat(
        of_kind("word", F.array_except("keywords", "hashtags")),
        of_kind("hashtag", F.array_intersect("hashtags", "keywords")),
        F.array(_term("music", F.col("music_id"), F.col("music_name"))),
        F.array(_term("author", F.col("author_id"), F.col("author_name"))),
        F.array(_term(_EVERY_POST, F.lit(""), F.lit(None).cast("string"))),
    )
    return F.filter(terms, lambda term: term["term"].isNotNull())


def _term(kind: str, term: Column, name: Column) -> Column:
    return F.struct(F.lit(kind).alias("kind"), term.alias("term"), name.alias("name"))


def _describe(posts: DataFrame, chosen: set[tuple[int, int]]) -> dict[tuple[int, int], Row]:
    if not chosen:
        return {}
    rows = (
        posts.where(F.col("post_id").isin(sorted({post_id for post_id, _ in chosen})))
        .select(*POST_COLUMNS)
        .collect()
    )
    return {(row.post_id, row.window): row for row in rows}


def _evidence(alert: AlertedWindows, posts: AlertedPosts, tallies: _Tallies) -> tuple[Evidence, list[Role]]:
    """Return the evidence for an alert, still without posts, and the posts in roles."""
    numbers = alert.numbers
    others = sum(
        tallies.totals[number, _ALL, True] - tallies.totals[number, alert.keyword, True] for number in numbers
    )
    counts = [_term_count(row, numbers, alert.keyword) for row in tallies.by_keyword.get(alert.keyword, [])]
    evidence = Evidence(
        alert_id=alert.alert_id,
        counted=len(posts),
        authors=posts.authors,
        texts=posts.texts,
        posts=[],
        terms=standing_out(counts, total=len(posts), other_total=others, keyword=alert.keyword),
        post_ids=sample_posts(posts.post_ids),
    )
    return evidence, posts.in_roles(alert.top_post_id)


def _term_count(row: Row, numbers: set[int], keyword: str) -> TermCount:
    by_group: Counter[tuple[str, bool]] = Counter()
    for count in row["counts"]:
        if count.window in numbers:
            by_group[count.group, count.sampled] += count.posts
    sampled = by_group[keyword, True]
    return TermCount(
        kind=row.kind,
        term=row.term,
        name=row.name,
        posts=sampled + by_group[keyword, False],
        other_posts=by_group[_ALL, True] - sampled,
    )


def _evidence_post(role: str, rank: int, row: Any) -> EvidencePost:
    return EvidencePost(
        role=role,
        rank=rank,
        post_id=row.post_id,
        author_id=row.author_id,
        author_name=row.author_name,
        text=row.text,
        likes=row.likes,
        posted_micros=row.event_micros,
    )
