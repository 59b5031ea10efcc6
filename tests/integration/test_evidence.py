"""Laws of evidence on real Kafka, S3, Postgres and Spark: posts in roles, terms that stand out, incidents."""

import json
import multiprocessing
import os
import random
import time
from datetime import UTC, date, datetime, timedelta

import psutil
import pytest

from alerts.evidence.store import store_due_evidence
from alerts.listing import BEGINNING, incident_lines
from batch.run import Step
from core.settings import Settings
from sql.connection import transaction
from streaming.evidence_worker import NICENESS, EvidenceWorker
from tests.archived import run_batch
from tests.factories import a_post
from tests.kafka_posts import drain_topics, let_time_decide, send
from tests.tables import learn_nothing, rows

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
STORM = "landslide #storm flooding evacuated riverbank"
WORDS = "alpaca banjo cactus dolphin ember falcon garlic harbor indigo jungle kettle lantern".split()
FIRST_ID = 7_000_000_000_000_000_000


def posts_of_an_hour() -> list[dict]:
    """2,000 posts of two of twelve words; from 10:31 also a storm's five words in 60 and `concert` in 40."""
    rng = random.Random(5)
    posts = []
    for i in range(2_000):
        at = START + timedelta(seconds=1.8 * i)
        storm, concert = 1_050 <= i < 1_170 and i % 2 == 0, 1_050 <= i < 1_130 and i % 2 == 1
        text = " ".join(rng.sample(WORDS, 2)) + (
            f" {STORM}" if storm else " #concert tonight" if concert else ""
        )
        author = str(50_000 + i if storm or concert else rng.randrange(1, 400))
        music = ("99", "Storm Warning") if storm and i % 4 == 0 else (str(rng.randrange(100, 200)), "a song")
        posts.append(
            a_post(
                time_stamp=at.timestamp(),
                itemInfos={
                    "id": str(FIRST_ID + i),
                    "text": text,
                    "authorId": author,
                    "musicId": music[0],
                    "diggCount": i % 977,
                },
                authorInfos={"userId": author, "uniqueId": f"user{author}"},
                musicInfos={"musicId": music[0], "musicName": music[1]},
            )
        )
    return posts


@pytest.fixture(scope="module")
def world(module_settings: Settings, spark_for) -> Settings:
    """A stack whose streaming process has processed that hour, 30 posts of it delivered twice."""
    posts = posts_of_an_hour()
    repeated = [
        {**post, "itemInfos": {**post["itemInfos"], "diggCount": 5_000_000}} for post in posts[1_050:1_080]
    ]
    learn_nothing(module_settings)
    send(module_settings, [json.dumps(post).encode() for post in [*posts, *repeated]])
    drain_topics(spark_for(module_settings), module_settings)
    return module_settings


def evidence_of(settings: Settings) -> list[list[tuple]]:
    ordered = "ORDER BY 1, 2, 3"
    return [
        rows(settings, f"SELECT * FROM alert_evidence {ordered}"),
        rows(settings, f"SELECT * FROM alert_terms {ordered}"),
        rows(settings, "SELECT alert_id, posts, post_ids FROM evidence_runs ORDER BY alert_id"),
        rows(settings, "SELECT incident_id, keyword, posts, members FROM incidents ORDER BY incident_id"),
        rows(settings, "SELECT * FROM incident_members ORDER BY 1, 2"),
    ]


def test_every_alert_has_evidence_when_the_streaming_process_ends(world: Settings) -> None:
    alerts = "FROM anomaly_alerts LEFT JOIN evidence_runs USING (alert_id) WHERE status <> 'withdrawn'"
    assert rows(world, f"SELECT count(*) {alerts} AND runs IS NOT NULL")[0][0] >= 8
    missing = f"SELECT keyword {alerts} AND runs IS NULL"
    assert rows(world, missing) == []


def test_an_alert_has_its_true_number_of_authors_and_texts_beyond_what_an_estimate_can_tell(
    world: Settings,
) -> None:
    found = rows(
        world,
        "SELECT keyword, distinct_authors, distinct_texts, authors_counted, array_agg(window_start) "
        "FROM recent_alerts JOIN alert_windows USING (alert_id) WHERE keyword = ANY (%s) GROUP BY 1, 2, 3, 4",
        [*WORDS, "landslide", "concert"],
    )
    assert len(found) >= 8
    for keyword, authors, texts, counted, windows in found:
        posts = [
            post["itemInfos"]
            for post in posts_of_an_hour()
            if keyword in post["itemInfos"]["text"].replace("#", "").split()
            and any(start.timestamp() <= post["time_stamp"] < start.timestamp() + 900 for start in windows)
        ]
        assert counted
        assert authors == len({post["authorId"] for post in posts})
        assert texts == len({post["text"] for post in posts})
    assert max(authors for _, authors, *_ in found) > 200


def test_an_alert_that_has_grown_since_its_evidence_shows_the_estimate_and_says_so(world: Settings) -> None:
    with transaction(world) as cursor:
        cursor.execute(
            "UPDATE anomaly_alerts SET posts = posts + 1, distinct_authors = 310.53, distinct_texts = 9.4"
        )
        cursor.execute("SELECT DISTINCT distinct_authors, distinct_texts, authors_counted FROM recent_alerts")
        found = cursor.fetchall()
        cursor.connection.rollback()
    assert found == [(311, 9, False)]


def test_a_post_that_was_delivered_twice_counts_once_as_first_delivered(world: Settings) -> None:
    counted = (
        "SELECT runs.posts, alerts.posts, cardinality(post_ids) "
        "FROM evidence_runs runs JOIN anomaly_alerts alerts USING (alert_id) WHERE keyword = 'landslide'"
    )
    assert rows(world, counted) == [(60, 60, 60)]
    assert rows(world, "SELECT max(likes) < 1000 FROM alert_evidence") == [(True,)]


def test_each_role_names_three_posts_with_author_text_time_and_link(world: Settings) -> None:
    found = rows(
        world,
        "SELECT role, rank, post_id, author_name, text, likes, posted_at, link "
        "FROM alert_evidence JOIN anomaly_alerts USING (alert_id) "
        "WHERE keyword = 'landslide' ORDER BY role, rank",
    )
    storm = [post for post in posts_of_an_hour() if "landslide" in post["itemInfos"]["text"]]
    ids = [int(post["itemInfos"]["id"]) for post in storm]
    by_likes = sorted(storm, key=lambda post: -post["itemInfos"]["diggCount"])
    chosen = {
        role: [row[2] for row in found if row[0] == role]
        for role in ("first", "latest", "most liked", "typical")
    }
    assert chosen["first"] == ids[:3]
    assert chosen["latest"] == ids[:-4:-1]
    assert chosen["most liked"] == [int(post["itemInfos"]["id"]) for post in by_likes[:3]]
    assert len(chosen["typical"]) == 3
    first = storm[0]
    author = first["authorInfos"]["uniqueId"]
    link = f"https://www.tiktok.com/@{author}/video/{ids[0]}"
    at = datetime.fromtimestamp(first["time_stamp"], UTC)
    text, likes = (first["itemInfos"][name] for name in ("text", "diggCount"))
    assert found[0] == ("first", 1, ids[0], author, text, likes, at, link)


def test_terms_of_the_alerts_posts_stand_out_and_common_terms_do_not(world: Settings) -> None:
    found = rows(
        world,
        "SELECT kind, coalesce(name, term), t.posts, share, usual_share "
        "FROM alert_terms t JOIN anomaly_alerts USING (alert_id) WHERE keyword = 'landslide'",
    )
    words = {term for kind, term, *_ in found if kind == "word"}
    assert words == {"flooding", "evacuated", "riverbank"}
    assert [row[1:] for row in found if row[0] == "hashtag"] == [("storm", 60, 1.0, 0.0)]
    assert [row[1:] for row in found if row[0] == "music"] == [("Storm Warning", 30, 0.5, 0.0)]


def test_five_words_of_a_storm_are_one_incident_and_a_burst_at_the_same_time_another(world: Settings) -> None:
    found = rows(
        world,
        "SELECT keyword, other_keywords, posts, members FROM recent_incidents "
        "WHERE keyword IN ('storm', 'concert')",
    )
    assert sorted(found) == [
        ("concert", "tonight", 40, 2),
        ("storm", "evacuated, flooding, landslide, riverbank", 60, 5),
    ]
    overlaps = (
        "SELECT DISTINCT overlap FROM incident_members JOIN incidents USING (incident_id) "
        "WHERE keyword = 'storm'"
    )
    assert rows(world, overlaps) == [(1.0,)]


def test_an_incident_is_printed_as_one_line(world: Settings) -> None:
    (line,) = [line for line in incident_lines(world, since=BEGINNING) if "storm" in line]
    assert line.startswith(
        "OPEN      2026-03-02 10:30 to 10:30  "
        "storm (with evacuated, flooding, landslide, riverbank): 60 posts  https://"
    )


def test_every_alert_belongs_to_one_incident(world: Settings) -> None:
    found = rows(
        world,
        "SELECT count(*), count(incident_id) FROM evidence_runs LEFT JOIN incident_members USING (alert_id)",
    )
    assert found[0][0] == found[0][1]
    assert rows(
        world,
        "SELECT count(*) FROM incidents i WHERE members <> (SELECT count(*) FROM incident_members m "
        "WHERE m.incident_id = i.incident_id)",
    ) == [(0,)]


def test_the_batch_stores_the_same_as_the_stream_and_may_run_again(world: Settings, spark_for) -> None:
    before = evidence_of(world)
    (line,) = run_batch(spark_for(world), world, [date(2026, 3, 2)], [Step.EVIDENCE])
    assert evidence_of(world) == before
    assert line.startswith(f"2026-03-02  evidence    {len(before[2])} alerts, ")


def test_the_stream_gathers_in_a_process_that_yields_to_all_others_and_again_if_that_is_killed(
    world: Settings,
) -> None:
    before = evidence_of(world)
    with transaction(world) as cursor:
        cursor.execute("DELETE FROM evidence_runs")
    worker = EvidenceWorker(world.model_copy(update={"archive_trigger_seconds": 0}))
    worker.start()
    try:
        worker.archived()
        first = a_child_process()
        first.kill()
        deadline = time.monotonic() + 60
        while len(rows(world, "SELECT FROM evidence_runs")) < len(before[2]) and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        worker.stop()
    assert evidence_of(world) == before


def a_child_process() -> psutil.Process:
    """Return the process that gathers evidence, once it yields to this one."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        for child in multiprocessing.active_children():
            process = psutil.Process(child.pid)
            if process.nice() == min(os.nice(0) + NICENESS, 19):
                return process
        time.sleep(0.02)
    raise AssertionError("no process gathers evidence and yields to others")


def test_evidence_of_an_ended_alert_is_gathered_once_more_and_incidents_end_with_their_alerts(
    world: Settings,
) -> None:
    let_time_decide(world, START + timedelta(days=1))
    before = rows(world, "SELECT incident_id, keyword FROM incidents WHERE keyword = 'storm'")
    while store_due_evidence(world):
        pass
    assert rows(world, "SELECT DISTINCT status FROM incidents") == [("resolved",)]
    assert rows(world, "SELECT incident_id, keyword FROM incidents WHERE keyword = 'storm'") == before
    assert rows(world, "SELECT count(*) FROM evidence_runs WHERE NOT final") == [(0,)]
    assert store_due_evidence(world) == 0


def test_a_withdrawn_alert_leaves_its_incident(world: Settings) -> None:
    with transaction(world) as cursor:
        cursor.execute("UPDATE anomaly_alerts SET status = 'withdrawn' WHERE keyword = 'storm'")
    store_due_evidence(world)
    found = rows(
        world,
        "SELECT keyword, other_keywords, members FROM recent_incidents "
        "WHERE keyword = 'landslide' OR members = 4",
    )
    assert found == [("evacuated", "flooding, landslide, riverbank", 4)] or found == [
        ("flooding", "evacuated, landslide, riverbank", 4)
    ]
