"""Laws of backup and restore: the commands of docs/backup.md restore everything, on real servers."""

import os
import random
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.catalog import RAW_POSTS
from core.errors import CheckpointError
from core.settings import Settings
from deploy.local.layout import layout_for
from deploy.local.servers.postgres import drop_databases, installation
from deploy.local.shell import client_variables
from sql.connection import transaction
from tests.integration.test_detection import a_value
from tests.kafka_posts import REPOSITORY, drain_topics, environment, let_time_decide, send
from tests.tables import learn_nothing, rows

START = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
WORDS = ["alpaca", "banjo", "cactus", "dolphin", "ember", "falcon"]
TABLES = (
    "anomaly_alerts",
    "alert_windows",
    "suppressed_windows",
    "traffic_windows",
    "watchlist",
    "rejected_records",
    "alert_evidence",
)


def values(rng: random.Random, first_window: int, windows: int, bursts: dict[str, int]) -> list[bytes | None]:
    """Return 30 posts per window, 40 more of each word in its window of `bursts`, and a rejected record."""
    sent: list[bytes | None] = [b"not json"]
    for window in range(first_window, first_window + windows):
        texts = [" ".join(rng.sample(WORDS, 2)) for _ in range(30)] + [
            word for word, when in bursts.items() if when == window
        ] * 40
        for place, text in enumerate(texts):
            at = START + timedelta(minutes=15 * window, seconds=10 * place)
            sent.append(
                a_value(
                    7_000_000_000_000_000_000 + window * 1_000 + place, at, text, author=rng.randrange(9_000)
                )
            )
    return sent


def whole(settings: Settings) -> dict[str, list[object]]:
    """Return every row that must be restored, without the columns with the time of writing."""
    without = "- 'created_at' - 'updated_at' - 'computed_at' - 'kafka_time' - 'rejected_at' - 'runs'"
    some = {name: "WHERE status <> 'withdrawn'" if name == "anomaly_alerts" else "" for name in TABLES}
    return {
        name: [
            row[0]
            for row in rows(
                settings, f"SELECT to_jsonb({name}) {without} AS row FROM {name} {some[name]} ORDER BY 1"
            )
        ]
        for name in TABLES
    }


def commands(section: str) -> list[str]:
    """Return the lines of the code blocks in a section of docs/backup.md."""
    page = (REPOSITORY / "docs" / "backup.md").read_text()
    [text] = re.findall(rf"^## {section}\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL)
    return [line for block in re.findall(r"```\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]


def shell(settings: Settings, folder: Path, line: str) -> None:
    """Run a line of the page as a user would after sourcing the variables of the stack."""
    path = os.pathsep.join(
        [str(installation() / "bin"), str(Path(sys.executable).parent), os.environ["PATH"]]
    )
    variables = {**environment(settings, PATH=path, PYTHONPATH=str(REPOSITORY)), **client_variables(settings)}
    done = subprocess.run(["bash", "-c", line], cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"[-3000:]


@pytest.fixture
def world(settings: Settings) -> Settings:
    jars = str(layout_for().jars / "spark")
    return settings.model_copy(
        update={"spark_jars_dir": jars, "spark_driver_memory": "1g", "max_offsets_per_trigger": 200}
    )


def test_after_the_loss_of_both_databases_a_dump_restores_everything(
    world: Settings, spark_for, tmp_path: Path
) -> None:
    rng, lake = random.Random(3), spark_for(world)
    with transaction(world) as cursor:
        cursor.execute("INSERT INTO watchlist (phrase) VALUES ('falcon')")
    learn_nothing(world)
    send(world, values(rng, 0, 8, {"meteor": 4, "comet": 7}))
    drain_topics(lake, world)
    for line in commands("Backup"):
        shell(world, tmp_path, line)
    send(world, values(rng, 8, 8, {"comet": 8, "eclipse": 11}))
    drain_topics(lake, world)
    let_time_decide(world, START + timedelta(hours=9))
    before = whole(world)
    assert {row["keyword"] for row in before["anomaly_alerts"]} >= {"meteor", "comet", "eclipse"}  # type: ignore[index]

    catalog = world.catalog_database
    drop_databases(world, [world.postgres_database, catalog])
    for line in commands("Restore"):
        if line.startswith("mv "):
            with pytest.raises(CheckpointError, match="are older than its checkpoint, or others"):
                drain_topics(spark_for(world), world, "detect")
        if not line.startswith(("groundswell stream", "groundswell batch --from")):
            shell(world, tmp_path, line.replace("createdb lake", f"createdb {catalog}"))
    lake = spark_for(world)
    drain_topics(lake, world)
    let_time_decide(world, START + timedelta(hours=9))

    after = whole(world)
    assert {name: after[name] == before[name] for name in TABLES} == dict.fromkeys(TABLES, True)
    places = Counter(
        (row.partition, row.offset) for row in lake.table(RAW_POSTS).select("partition", "offset").collect()
    )
    assert len(places) == places.total() == 2 * (8 * 30 + 1) + 4 * 40


def test_registering_an_archive_that_is_registered_changes_nothing(world: Settings, spark_for) -> None:
    from archive.register import register_archive
    from sql.lake import metadata_location

    lake = spark_for(world)
    send(world, values(random.Random(4), 0, 1, {}))
    drain_topics(lake, world, "archive")
    before = metadata_location(world)
    assert register_archive(lake, world) is None
    assert metadata_location(world) == before


def test_a_catalog_older_than_the_archive_is_updated_even_if_its_metadata_is_deleted(
    world: Settings, spark_for
) -> None:
    from archive.register import register_archive
    from archive.storage import s3_client

    lake = spark_for(world)
    catalog = world.model_copy(update={"postgres_database": world.catalog_database})
    rng = random.Random(5)
    send(world, values(rng, 0, 1, {}))
    drain_topics(lake, world, "archive")
    [(old,)] = rows(catalog, "SELECT metadata_location FROM iceberg_tables")
    send(world, values(rng, 1, 1, {}))
    drain_topics(lake, world, "archive")
    with transaction(catalog) as cursor:
        cursor.execute("UPDATE iceberg_tables SET metadata_location = %s", (old,))
    # As Iceberg does with all metadata files but the newest twenty.
    s3_client(world).delete_object(Bucket=world.s3_bucket, Key=old.partition(f"{world.s3_bucket}/")[2])
    lake = spark_for(world)
    assert register_archive(lake, world) not in (None, old)
    assert lake.table(RAW_POSTS).count() == 2 * 31
