"""Which room may use which: arrows point downward only, and what is pure stays pure.

The batch uses the producer's reading of files and lines, because an import must treat a line as the producer
does; and its rebuild, nothing else in it, uses the stream's checkpoints, because it must not run beside the
stream.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from tools.rooms import REPOSITORY, arrows, files_of, imports_of

MAY_USE = {
    "core": set(),
    "sql": {"core"},
    "archive": {"core", "sql"},
    "detection": {"core"},
    "alerts": {"core", "sql", "archive", "detection"},
    "producer": {"core"},
    "streaming": {"core", "sql", "archive", "detection", "alerts"},
    "batch": {"core", "sql", "archive", "detection", "alerts", "producer", "streaming"},
    "web": {"core", "sql", "detection", "alerts"},
    "groundswell": {"core", "sql", "archive", "detection", "alerts", "producer", "streaming", "batch", "web"},
    "dags": set(),
}
"""The rooms that run in production, by what they may import."""
OTHERS = {"deploy", "tools", "benchmarks", "tests"}
CLIENTS = {"kafka", "boto3", "psycopg2", "requests", "pyiceberg", "duckdb"}
PURE = {
    *(
        f"core.{name}"
        for name in (
            "catalog",
            "command_line",
            "dropped_parts",
            "errors",
            "function_words",
            "health",
            "kafka_options",
            "keyword_rule",
            "letters",
            "post_fields",
            "settings",
            "text_folding",
            "text_keywords",
            "windows",
        )
    ),
    *(
        f"detection.{name}"
        for name in (
            "authors",
            "budget",
            "dominant",
            "first_day",
            "judge_day",
            "labels",
            "learn",
            "lifecycle",
            "plain_counts",
            "score",
            "seasonality",
        )
    ),
    *(
        "detection.arrays",
        "detection.tracker",
        "detection.traffic_baseline",
        "detection.verdicts",
        "alerts.incidents",
        "alerts.evidence.terms",
        "alerts.explain.sentence",
    ),
}
"""Formulas and texts: they and all that they import need neither Spark nor a server."""
SETUP = {f"deploy.local.setup.{name}" for name in ("archives", "install", "launcher", "preflight", "steps")}
"""Run before anything is installed."""


def file_of(module: str) -> Path | None:
    path = Path(module.replace(".", "/"))
    files = (path.with_suffix(".py"), path / "__init__.py")
    return next((file for file in files if (REPOSITORY / file).is_file()), None)


def reached_from(module: str, seen: set[str]) -> Iterator[str]:
    """Every module that `module` imports, directly or through others of ours."""
    path = file_of(module)
    for imported, name in imports_of(path) if path else ():
        for candidate in (f"{imported}.{name}" if name and file_of(f"{imported}.{name}") else imported,):
            if candidate not in seen:
                seen.add(candidate)
                yield candidate
                yield from reached_from(candidate, seen)


def test_a_room_uses_only_rooms_below_it() -> None:
    for room, allowed in MAY_USE.items():
        used = {
            (path, module)
            for path, module in arrows(room)
            if module in (set(MAY_USE) | OTHERS) - {room} - allowed
        }
        assert used == set(), room


def test_no_two_rooms_use_each_other() -> None:
    below: dict[str, set[str]] = {}
    for room, allowed in MAY_USE.items():
        below[room] = set(allowed).union(*(below.get(other, set()) for other in allowed))
    assert [room for room in below if room in below[room]] == []


def test_of_the_batch_only_the_rebuild_uses_the_stream() -> None:
    assert {path for path, module in arrows("batch") if module == "streaming"} == {"batch/rebuild.py"}


def test_only_tests_and_the_embedded_stack_use_the_front_door() -> None:
    rooms = {*MAY_USE, *OTHERS} - {"groundswell", "tests", "deploy"}
    assert {arrow for room in rooms for arrow in arrows(room) if arrow[1] == "groundswell"} == set()


def test_core_and_detection_open_nothing() -> None:
    for room in ("core", "detection"):
        assert {(path, module) for path, module in arrows(room) if module in CLIENTS} == set()
        assert [
            str(path) for path in files_of(room) if ("pyspark.sql", "SparkSession") in imports_of(path)
        ] == []


def test_formulas_and_texts_need_neither_spark_nor_a_client() -> None:
    for module in PURE:
        assert file_of(module), module
        heavy = {
            found
            for found in reached_from(module, set())
            if found.split(".")[0] in CLIENTS | {"pyspark", "pyarrow"}
        }
        assert heavy == set(), module


def test_set_up_needs_the_standard_library_alone() -> None:
    for module in SETUP:
        found = {found.split(".")[0] for found in reached_from(module, set())}
        assert found <= {*sys.stdlib_module_names, "deploy"}, module


def test_no_command_is_imported_from_a_main_module() -> None:
    rooms = [*MAY_USE, *OTHERS]
    assert [
        (str(path), module)
        for room in rooms
        for path in files_of(room)
        for module, _ in imports_of(path)
        if module.endswith("__main__")
    ] == []


def test_a_dag_file_holds_wiring_only() -> None:
    assert {module for _, module in arrows("dags")} & (CLIENTS | {"pyspark", "pandas"}) == set()


def test_a_file_stays_small_enough_to_read() -> None:
    long = [
        str(path)
        for room in [*MAY_USE, *OTHERS]
        for path in files_of(room)
        if len((REPOSITORY / path).read_text().splitlines()) > 300
    ]
    assert long == []
