"""Laws of the posts that evidence is made from, and of the terms counted in them, without an archive."""

import json
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pyarrow.parquet as pq
import pytest

from alerts.evidence import posts
from alerts.evidence.gather import AlertedWindows, Evidence, gather_evidence
from alerts.evidence.tally import PostsWithTerms
from alerts.evidence.terms import MIN_POSTS, TermCount
from archive.records import Record
from archive.spans import Span
from core.windows import WINDOW, window_number
from tests.factories import settings_without_servers

NOON = datetime(2026, 1, 6, 12, tzinfo=UTC)
FIRST = window_number(NOON)
MICROS = int(WINDOW.total_seconds()) * 1_000_000


def a_record(post_id: int, text: str, *, window: int = 0, offset: int = 0, **infos: Any) -> Record:
    parts = {name: infos.pop(name) for name in ("authorInfos", "musicInfos") if name in infos}
    value = json.dumps({"itemInfos": {"id": str(post_id), "text": text, **infos}, **parts})
    return Record((FIRST + window) * MICROS + offset, offset, 0, value.encode())


class Archive:
    """What the archive's reader does, for records in memory."""

    def __init__(self, records: list[Record]) -> None:
        self._records = records

    def count(self, spans: Iterable[Span]) -> dict[int, int]:
        return dict(sorted(Counter(record.event_micros // MICROS for record in self.read(spans)).items()))

    def read(self, spans: Iterable[Span]) -> Iterator[Record]:
        within = list(spans)
        for record in self._records:
            at = datetime.fromtimestamp(record.event_micros / 1e6, UTC)
            if any(start <= at < end for start, end in within):
                yield record

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *_: object) -> None:
        pass


def archived(monkeypatch: pytest.MonkeyPatch, records: list[Record]) -> None:
    monkeypatch.setattr(posts, "open_records", lambda settings, threads: Archive(records))


def an_alert(keyword: str, *windows: int) -> AlertedWindows:
    return AlertedWindows(uuid4(), keyword, frozenset(NOON + window * WINDOW for window in windows))


def gathered(*alerts: AlertedWindows) -> list[Evidence]:
    return gather_evidence(settings_without_servers(), alerts)


def test_a_post_counts_as_first_delivered_even_if_only_a_later_delivery_has_the_keyword(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    deliveries = [
        a_record(1, "flood", offset=5, diggCount=9),
        a_record(1, "nothing of it", offset=2),
        a_record(2, "flood later", offset=6, diggCount=7),
        a_record(2, "flood first", offset=3, diggCount=5),
        a_record(2, "flood first", offset=3, diggCount=5),
        a_record(1, "flood", offset=7, window=1),
    ]
    archived(monkeypatch, deliveries)
    (evidence,) = gathered(an_alert("flood", 0, 1))
    assert (evidence.counted, evidence.post_ids) == (2, [1, 2])
    most_liked = [post for post in evidence.posts if post.role == "most liked"]
    assert [(post.post_id, post.text, post.likes) for post in most_liked] == [
        (2, "flood first", 5),
        (1, "flood", None),
    ]


def test_a_record_that_cannot_be_read_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable = Record(FIRST * MICROS, 8, 0, b'{"itemInfos": {"id": "3", "text": "flood"}, "x": [}')
    archived(monkeypatch, [a_record(1, "flood"), unreadable, a_record(2, "flood", offset=1)])
    (evidence,) = gathered(an_alert("flood", 0))
    assert evidence.post_ids == [1, 2]


def test_an_alert_whose_posts_are_not_archived_has_no_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    archived(monkeypatch, [])
    (evidence,) = gathered(an_alert("flood", 0))
    assert (evidence.counted, evidence.posts, evidence.terms, evidence.post_ids) == (0, [], [], [])


def some_records(seed: int) -> list[Record]:
    """Posts of three windows with words, hashtags, music and authors; some unknown, some delivered again.

    All posts with word1 have another word, which is in a tenth of the others.
    """
    rng = random.Random(seed)
    words = [f"word{number}" for number in range(30)]

    def text() -> str:
        some = rng.sample(words, 4)
        another = ["another"] if "word1" in some or rng.random() < 0.1 else []
        return " ".join([*(rng.choice(["", "#"]) + word for word in some), *another])

    return [
        a_record(
            rng.randrange(1, 20_001),
            text(),
            window=rng.randrange(3),
            offset=offset,
            authorId=rng.choice([None, str(rng.randrange(50))]),
            musicId=rng.choice(["0", "7", str(rng.randrange(20))]),
            musicInfos={"musicName": f"song{rng.randrange(3)}"},
        )
        for offset in range(700)
    ]


def counted_post_by_post(rows: list[dict[str, Any]], keyword: str, windows: set[int]) -> set[TermCount]:
    """Count terms as the tables' definition has them, one post after another."""
    own: Counter[tuple[str, str]] = Counter()
    others: Counter[tuple[str, str]] = Counter()
    names: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for row in (row for row in rows if row["window"] in windows):
        terms = {("hashtag" if word in row["hashtags"] else "word", word) for word in row["keywords"]}
        for kind in ("music", "author"):
            if row[f"{kind}_id"] is not None:
                terms.add((kind, row[f"{kind}_id"]))
                if row[f"{kind}_name"] and (row["sampled"] or keyword in row["tags"]):
                    names[kind, row[f"{kind}_id"]].add(row[f"{kind}_name"])
        if keyword in row["tags"]:
            own.update(terms)
        elif row["sampled"]:
            others.update(terms)
    return {
        TermCount(kind, term, max(names[kind, term], default=None), posts, others[kind, term])
        for (kind, term), posts in own.items()
        if posts >= MIN_POSTS
    }


@pytest.mark.parametrize("sampled_posts", [20_000, 60])
@pytest.mark.parametrize("seed", range(3))
def test_terms_are_counted_in_the_alerts_posts_and_in_the_sample(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, seed: int, sampled_posts: int
) -> None:
    monkeypatch.setattr(posts, "SAMPLED_POSTS", sampled_posts)
    archived(monkeypatch, some_records(seed))
    spans = an_alert("word1", 0, 1, 2).spans
    files = posts.write_posts(settings_without_servers(), spans, ["word1", "word2"], tmp_path)
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    with posts.scratch(tmp_path) as database:
        tallied = PostsWithTerms(database, files)
        for keyword, windows in (("word1", {FIRST}), ("word2", {FIRST, FIRST + 2})):
            found = tallied.terms(keyword, windows)
            assert len(found) > 20
            assert set(found) == counted_post_by_post(rows, keyword, windows)
            assert tallied.other_posts(keyword, windows) == sum(
                row["sampled"] and row["window"] in windows and keyword not in row["tags"] for row in rows
            )
    assert {row["sampled"] for row in rows} == ({True} if sampled_posts > 700 else {True, False})


def test_a_sample_of_other_posts_is_the_same_every_time_and_leaves_the_alerts_posts_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    alerts = [an_alert("word1", 0, 1, 2), an_alert("word2", 1)]
    archived(monkeypatch, some_records(1))
    whole = gathered(*alerts)
    monkeypatch.setattr(posts, "SAMPLED_POSTS", 60)
    sampled = gathered(*alerts)
    assert sampled == gathered(*alerts) != whole
    assert [term.term for term in sampled[0].terms] == [term.term for term in whole[0].terms] == ["another"]
    for part, all_of_it in zip(sampled, whole, strict=True):
        for name in ("counted", "authors", "texts", "posts", "post_ids"):
            assert getattr(part, name) == getattr(all_of_it, name)


def test_of_a_text_that_no_person_writes_only_the_beginning_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    archived(monkeypatch, [a_record(1, "flood " + 20_000 * "ab " + "end"), a_record(2, "flood", offset=1)])
    evidence = {found.post_id: found.text for found in gathered(an_alert("flood", 0))[0].posts}
    assert evidence == {1: ("flood " + 20_000 * "ab ")[: posts.SHOWN_CHARACTERS], 2: "flood"}
