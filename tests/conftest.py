"""Real Kafka, S3, Postgres and Spark for the tests that need them: started once, with a world for each test.

`settings` (one test) and `module_settings` (one module) have topics, databases, a warehouse and checkpoints
of their own. `spark` is one session for all tests; `spark_for(settings)` returns a view of it whose catalog
`lake` is that of `settings`. STACK=containers runs the servers in containers instead of the embedded stack.
"""

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from core.settings import ENV_PREFIX, Settings
from tests.factories import settings_without_servers

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

TEMPLATE = "template_groundswell"

# The tests' JVMs live for seconds: the second compiler would cost a third of the time and never pay off.
# Without it Java reserves a fifth of the room for compiled code, which the tests' Spark fills: discarding and
# recompiling would then cost a tenth of its time.
os.environ.setdefault("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")


GARBAGE = ("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
"""Sockets that pyspark, pyiceberg and kafka-python leave to the garbage collector."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let unclosed sockets fail unit tests only: elsewhere third-party clients leave some."""
    for item in items:
        if "unit" not in item.path.parts:
            for warning in GARBAGE:
                item.add_marker(pytest.mark.filterwarnings(warning))


@pytest.fixture(scope="session", autouse=True)
def _clean_environment() -> Iterator[None]:
    """Remove settings that the caller's shell has set."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.startswith(ENV_PREFIX) and not name.startswith("GROUNDSWELL_LOCAL"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def stack() -> Iterator[Settings]:
    """Start the three servers for the whole test run, with a migrated database to copy from."""
    from tests.servers import container_stack, embedded_stack

    start = container_stack if os.environ.get("STACK") == "containers" else embedded_stack
    with start() as servers:
        make_template(servers)
        yield servers


def make_template(servers: Settings) -> None:
    """Create the migrated database that worlds are copied from."""
    from deploy.local.servers.postgres import create_databases
    from sql.migrate import migrate

    create_databases(servers, [TEMPLATE])
    template = servers.model_copy(update={"postgres_database": TEMPLATE})
    write_without_waiting_for_the_disk(template)
    migrate(template)


def write_without_waiting_for_the_disk(settings: Settings) -> None:
    """Let Postgres not wait for the disk, which no test needs: they kill programs, not the machine."""
    from sql.connection import connect

    connection = connect(settings)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute("ALTER SYSTEM SET fsync = off")
            cursor.execute("ALTER SYSTEM SET full_page_writes = off")
            cursor.execute("SELECT pg_reload_conf()")
    finally:
        connection.close()


@pytest.fixture
def settings(stack: Settings, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a world for one test."""
    yield from _world(stack, tmp_path)


@pytest.fixture(scope="module")
def module_settings(stack: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Settings of a world for one module."""
    yield from _world(stack, tmp_path_factory.mktemp("world"))


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[SparkSession]":
    """One Spark session for all tests; it needs no server, only the jars."""
    from archive.session import start_session
    from deploy.local.layout import layout_for
    from streaming.session import FAIR_SHARES

    settings = settings_without_servers(
        spark_jars_dir=str(layout_for().jars / "spark"),
        spark_local_dir=str(tmp_path_factory.mktemp("spark")),
        spark_driver_memory="1g",
    )
    warehouse = tmp_path_factory.mktemp("spark-warehouse").as_uri()
    options = {
        "spark.sql.warehouse.dir": warehouse,
        # As the batch has it: compiling a query takes longer than running it on a few posts. The stream's own
        # process, which compiles, runs in the tests of kills, restarts and simulated days.
        "spark.sql.codegen.wholeStage": "false",
    }
    session = start_session(settings, "tests", **options, **FAIR_SHARES)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def spark_for(spark: "SparkSession") -> "Callable[[Settings], SparkSession]":
    """`spark_for(settings)` is a session in the JVM of `spark` whose catalog `lake` is that of `settings`."""
    from core.catalog import spark_properties

    def session_for(settings: Settings) -> "SparkSession":
        session = spark.newSession()
        for name, value in spark_properties(settings).items():
            session.conf.set(name, value)
        return session

    return session_for


def _world(stack: Settings, folder: Path) -> Iterator[Settings]:
    with own_world(stack, folder) as settings:
        yield settings


def world_named(stack: Settings, name: str, folder: Path) -> Settings:
    """Return `stack` with topics, databases and warehouse `name`, and checkpoints in `folder`."""
    return stack.model_copy(
        update={
            "posts_topic": f"posts-{name}",
            "rejected_topic": f"rejected-{name}",
            "postgres_database": name,
            "catalog_uri": f"jdbc:postgresql://{stack.postgres_host}:{stack.postgres_port}/lake_{name}",
            "s3_prefix": name,
            "checkpoint_dir": str(folder / "checkpoints"),
        }
    )


@contextmanager
def own_world(stack: Settings, folder: Path) -> Iterator[Settings]:
    """Yield settings with topics, databases, warehouse and checkpoints of their own, on `stack`."""
    from deploy.local.servers.kafka import create_topics
    from deploy.local.servers.postgres import create_databases, drop_databases

    name = "t" + uuid.uuid4().hex[:12]
    world = world_named(stack, name, folder)
    create_databases(stack, [name], template=TEMPLATE)
    create_databases(stack, [f"lake_{name}"])
    create_topics(world)
    try:
        yield world
    finally:
        drop_databases(stack, [name, f"lake_{name}"])
