"""Laws of the rebuild, on real servers: the archive gives back every alert, column by column."""

import json
import random
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from batch.rebuild import Rebuild
from core.errors import NotReadyError
from core.settings import Settings
from core.windows import WINDOW
from deploy.local.layout import layout_for
from deploy.local.servers.postgres import create_databases, drop_databases
from sql.connection import transaction
from sql.migrate import migrate
from streaming.checkpoints import without_streaming
from tests.archived import run_batch
from tests.integration.test_batch_command import batch
from tests.kafka_posts import REPOSITORY, drain_topics, let_time_decide, send
from tests.tables import rows

DAYS = [date(2026, 3, 7), date(2026, 3, 8), date(2026, 3, 9)]
MIDNIGHT = datetime(2026, 3, 8, tzinfo=UTC)
A_DAY = 96
VOCABULARY = "alpaca banjo cactus dolphin ember falcon garlic harbor indigo jungle kettle lantern".split()
USUAL = {
    **dict.fromkeys(range(-A_DAY, 2 * A_DAY), 20),
    **dict.fromkeys(range(A_DAY + 10, A_DAY + 14), 0),
}
"""Posts of a word by window: always 20, but none in four windows."""
BURSTS = {
    "steady": USUAL,
    "boomtown": {3: 40, 4: 70, 5: 25},
    "overnight": {
        -2: 30,
        -1: 60,
        0: 90,
        1: 30,
        2: 12,
        A_DAY - 2: 30,
        A_DAY - 1: 60,
        A_DAY: 90,
        A_DAY + 1: 30,
        A_DAY + 2: 12,
    },
    "phoenix": {1: 25, 6: 30, A_DAY - 6: 120, A_DAY + 3: 30},
    "simmer": dict.fromkeys(range(A_DAY - 3, A_DAY + 5), 8),
    "launch": {2: 40, A_DAY + 1: 60},
    "rings": {4: 60, A_DAY + 5: 80},
    "alpaca": {40: 120, A_DAY + 52: 150},
    "a slice of new york pizza": {1: 11, A_DAY + 6: 11},
    "ember": dict.fromkeys(range(A_DAY + 10, A_DAY + 14), 30),
    "lively": {number: number % 5 for number in USUAL},
}
"""Posts by text and window, numbered from the first midnight, on top of the usual ones."""
OF_ALERTS = ("anomaly_alerts", "alert_windows", "alert_evidence", "alert_terms", "evidence_runs")
"""Tables of alerts; withdrawn alerts do not come back."""
OTHERS = (
    "suppressed_windows",
    "drop_alerts",
    "traffic_windows",
    "incidents",
    "incident_members",
    "candidate_windows",
    "detection_thresholds",
    "keyword_statistics",
    "traffic_statistics",
    "posts",
    "daily_trends",
)
WHEN = {"created_at", "updated_at", "computed_at", "runs"}
"""Columns that say when and how often rows were written."""


def values(rng: random.Random, numbers: range) -> list[bytes | None]:
    """Posts in order of arrival: up to ten minutes late, every twelfth twice with other likes, some later."""
    arrivals: list[tuple[float, bytes | None]] = []
    for number in numbers:
        texts = [" ".join(rng.sample(VOCABULARY, 2)) for _ in range(24)]
        texts += [text for text, posts in BURSTS.items() for _ in range(posts.get(number, 0))]
        for index, text in enumerate(texts):
            at = (MIDNIGHT + number * WINDOW + rng.random() * WINDOW).timestamp()
            author = rng.randrange(3) if text == "rings" else rng.randrange(10_000)
            infos = {
                "id": str(7_100_000_000_000_000_000 + 1_000 * (number + 50) + index),
                "text": text,
                "authorId": str(author),
            }
            arrived = at + rng.random() * 600
            arrivals.append((arrived, record(infos, at, likes=rng.randrange(50))))
            if index % 12 == 0:
                arrivals.append((arrived + rng.random() * 60, record(infos, at, likes=rng.randrange(50))))
            if index % 40 == 0 and number + 1 in numbers:
                arrivals.append((arrived + 900, record(infos, at + 900, likes=3)))
            if index % 50 == 0:
                arrivals.append((arrived, b"not json"))
    return [value for _, value in sorted(arrivals, key=lambda pair: pair[0])]


def record(infos: dict[str, str], at: float, *, likes: int) -> bytes:
    return json.dumps({"itemInfos": {**infos, "diggCount": likes}, "time_stamp": at}).encode()


def configure(settings: Settings) -> None:
    """Plan a time, and watch keywords, one of them for drops too."""
    with transaction(settings) as cursor:
        launch = MIDNIGHT + A_DAY * WINDOW
        cursor.execute(
            "INSERT INTO calendar VALUES ('launch', %s, %s, 'the launch')", (launch, launch + 4 * WINDOW)
        )
        cursor.execute(
            "INSERT INTO watchlist (phrase, drops) "
            "VALUES ('alpaca', false), ('new york pizza', false), ('steady', true)"
        )


@pytest.fixture(scope="module")
def lived(module_settings: Settings, spark_for: Callable[[Settings], SparkSession]) -> Settings:
    """Three days processed by the stream in several batches, each learned before the next begins."""
    settings = module_settings.model_copy(
        update={
            "spark_jars_dir": str(layout_for().jars / "spark"),
            "spark_driver_memory": "1g",
            "max_offsets_per_trigger": 2_000,
            "alerts_per_day": 6,
        }
    )
    configure(settings)
    rng = random.Random(12)
    for index, day in enumerate(DAYS):
        begin = (index - 1) * A_DAY
        # To one partition, because all deliveries of a post share one.
        send(settings, values(rng, range(begin, begin + A_DAY)), topic=settings.posts_topic)
        drain_topics(spark_for(settings), settings)
        over = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
        let_time_decide(settings, over + timedelta(minutes=settings.lateness_minutes))
        run_batch(spark_for(settings), settings, [day])
    drain_topics(spark_for(settings), settings)
    return settings


@contextmanager
def emptied(settings: Settings) -> Iterator[Settings]:
    """The same archive with new databases for tables and catalog, configured the same way."""
    names = [f"{settings.postgres_database}_again", f"lake_{settings.postgres_database}_again"]
    catalog = f"jdbc:postgresql://{settings.postgres_host}:{settings.postgres_port}/{names[1]}"
    empty = settings.model_copy(update={"postgres_database": names[0], "catalog_uri": catalog})
    create_databases(settings, names)
    try:
        migrate(empty)
        configure(empty)
        yield empty
    finally:
        drop_databases(settings, names)


def whole(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """All rows of the rebuilt tables, by table."""
    confirmed = "WHERE alert_id IN (SELECT alert_id FROM anomaly_alerts WHERE status <> 'withdrawn')"
    found = {}
    for name in (*OF_ALERTS, *OTHERS):
        some = confirmed if name in OF_ALERTS else ""
        found[name] = [
            row[0]
            for row in rows(
                settings, f"SELECT to_jsonb({name}) FROM {name} {some} ORDER BY to_jsonb({name})::text"
            )
        ]
    return found


def timeless(tables: dict[str, list[dict[str, object]]]) -> dict[str, list[dict[str, object]]]:
    """The same without the columns that say when a row was written."""
    return {
        name: sorted(({key: cell for key, cell in row.items() if key not in WHEN} for row in found), key=str)
        for name, found in tables.items()
    }


def differences(
    found: dict[str, list[dict[str, object]]], wanted: dict[str, list[dict[str, object]]]
) -> dict[str, list[object]]:
    """By table, the first rows that only one side has."""
    return {
        name: [
            *[row for row in rows if row not in wanted[name]][:2],
            "wanted",
            *[row for row in wanted[name] if row not in rows][:2],
        ]
        for name, rows in found.items()
        if rows != wanted[name]
    }


@pytest.fixture(scope="module")
def rebuilt(lived: Settings, spark_for: Callable[[Settings], SparkSession]) -> Iterator[Settings]:
    """A new database rebuilt from the archive, interrupted between the second day's alerts and its tables."""
    with emptied(lived) as empty:
        lake = spark_for(empty)
        interrupted = Rebuild(empty, session=lambda: lake, now=lambda: datetime.now(UTC)).run(None, None)
        assert next(interrupted).startswith("The catalog had no archive; registered s3://")
        assert next(line for line in interrupted if line.startswith("2026-03-08  alerts "))
        interrupted.close()
        assert rows(empty, "SELECT max(day) FROM batch_days WHERE status = 'fitted'") == [(DAYS[0],)]
        lines = list(Rebuild(empty, session=lambda: lake, now=lambda: datetime.now(UTC)).run(None, None))
        assert [line[:20].strip() for line in lines][:2] == ["2026-03-08  load", "2026-03-08  trends"]
        yield empty


def test_a_lost_database_gets_every_alert_back_column_by_column(lived: Settings, rebuilt: Settings) -> None:
    before = timeless(whole(lived))
    suppressed = {(row["keyword"], row["reason"]) for row in before["suppressed_windows"]}
    assert {("rings", "few authors"), ("launch", "calendar")} <= suppressed
    assert {"overnight", "phoenix", "boomtown", "alpaca", "new york pizza"} <= {
        row["keyword"] for row in before["anomaly_alerts"]
    }
    assert {row["keyword"] for row in before["drop_alerts"]} == {"steady"}
    assert {row["as_of"] for row in before["detection_thresholds"]} == {"2026-03-08", "2026-03-09"}
    assert {row["statistics_as_of"] for row in before["alert_windows"]} == {None, "2026-03-07", "2026-03-08"}
    assert differences(timeless(whole(rebuilt)), before) == {}


def test_a_second_run_changes_nothing(rebuilt: Settings) -> None:
    before = whole(rebuilt)
    again = batch(rebuilt, "rebuild", "--from", str(DAYS[0]), "--to", str(DAYS[-1]))
    nothing_to_do = (
        "2026-03-07 to 2026-03-09 are rebuilt, and none of their windows will be judged again. "
        "Start the stream: groundswell stream\n"
    )
    assert (again.returncode, again.stdout) == (0, nothing_to_do), again.stderr[-3000:]
    assert differences(whole(rebuilt), before) == {}


def test_detection_starts_on_a_new_checkpoint_and_judges_nothing_again(rebuilt: Settings, spark_for) -> None:
    before = whole(rebuilt)
    assert [
        path.name.startswith("detect-until-") for path in Path(rebuilt.checkpoint_dir).glob("detect*")
    ] == [True]
    drain_topics(spark_for(rebuilt), rebuilt, "detect")
    let_time_decide(rebuilt, MIDNIGHT + timedelta(days=2))
    assert rows(rebuilt, "SELECT count(*) FROM detect_batches")[0][0] >= 3
    assert differences(whole(rebuilt), before) == {}


def test_where_detection_itself_has_decided_a_rebuild_fails_and_changes_nothing(
    lived: Settings, spark_for
) -> None:
    before, lake = whole(lived), spark_for(lived)
    sentence = (
        "Detection itself has decided windows up to 2026-03-10 00:00 UTC, and a rebuild of 2026-03-07 would"
    )
    with pytest.raises(NotReadyError, match=sentence):
        list(Rebuild(lived, session=lambda: lake, now=lambda: datetime.now(UTC)).run(None, None))
    assert differences(whole(lived), before) == {}


def test_beside_a_streaming_process_a_rebuild_fails(lived: Settings) -> None:
    with without_streaming(lived):
        failed = batch(lived, "rebuild")
    assert failed.returncode == 1
    assert (
        "A streaming process is at work on this database. Stop it (`make stop`) and run this again."
        in failed.stderr
    )


def test_a_day_that_is_not_over_is_not_rebuilt(lived: Settings) -> None:
    failed = batch(lived, "rebuild", "--to", f"{datetime.now(UTC):%Y-%m-%d}")
    assert failed.returncode == 1
    assert failed.stderr.startswith("Nothing more was done. ")
    assert "is not complete before" in failed.stderr
    assert "UTC. Run this again after that." in failed.stderr


def test_alerts_alone_are_rebuilt_with_the_statistics_in_place(lived: Settings, spark_for) -> None:
    before = timeless(whole(lived))
    emptying, forgetting = re.findall(r'make psql Q="(.*)"', (REPOSITORY / "docs" / "rebuild.md").read_text())
    with transaction(lived) as cursor:
        cursor.execute(emptying)
        cursor.execute(forgetting)
    lake = spark_for(lived)
    lines = list(Rebuild(lived, session=lambda: lake, now=lambda: datetime.now(UTC)).run(DAYS[0], None))
    assert [line.split()[1] for line in lines] == [*["alerts", "evidence"] * 3, "to"]
    assert differences(timeless(whole(lived)), before) == {}
