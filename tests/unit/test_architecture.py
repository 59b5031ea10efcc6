"""Who may use whom: producer, streaming and batch build on core and sql, nobody builds on what schedules or deploys them.

Batch uses the producer's reading of files and lines, because an import must say of a line what the producer says; and its
rebuild, nothing else of it, uses the stream's decision, because it must say of a window what the stream said.
"""

import ast
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = {"core", "producer", "streaming", "batch", "dags", "sql", "deploy", "benchmarks", "tests"}
MAY_USE = {
    "core": set(),
    "sql": {"core"},
    "producer": {"core"},
    "streaming": {"core", "sql"},
    "batch": {"core", "sql", "producer", "streaming"},
    "dags": set(),
}
OPENS_SOMETHING = {"kafka", "boto3", "psycopg2", "requests", "pyiceberg", "duckdb"}


def imported_modules(room: str) -> set[tuple[str, str]]:
    """(file, top-level module) of every import in a room."""
    found = set()
    for path in (REPOSITORY / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module:
                names = [node.module]
            found |= {(str(path.relative_to(REPOSITORY)), name.split(".")[0]) for name in names}
    return found


def test_a_room_uses_only_the_rooms_it_may() -> None:
    for room, allowed in MAY_USE.items():
        used = {(path, module) for path, module in imported_modules(room) if module in ROOMS - {room} - allowed}
        assert used == set(), room


def test_of_batch_only_the_rebuild_uses_the_stream() -> None:
    assert {path for path, module in imported_modules("batch") if module == "streaming"} == {"batch/rebuild.py"}


def test_core_opens_neither_kafka_nor_s3_nor_postgres() -> None:
    assert {(path, module) for path, module in imported_modules("core") if module in OPENS_SOMETHING} == set()


def test_a_dag_file_holds_wiring_only() -> None:
    assert {module for _, module in imported_modules("dags")} & (OPENS_SOMETHING | {"pyspark", "pandas"}) == set()


def test_files_stay_in_the_size_of_one_room() -> None:
    long = [str(path) for room in ROOMS for path in (REPOSITORY / room).rglob("*.py") if len(path.read_text().splitlines()) > 300]
    assert long == []
