"""The examples in docstrings are what the code does."""

import doctest
import importlib
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = [
    "core",
    "sql",
    "archive",
    "detection",
    "alerts",
    "producer",
    "streaming",
    "batch",
    "deploy",
    "tools",
    "benchmarks",
]
MODULES = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
    for room in ROOMS
    for path in (REPOSITORY / room).rglob("*.py")
    if ">>> " in path.read_text()
)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_of_a_module_run(module: str) -> None:
    result = doctest.testmod(importlib.import_module(module))
    assert (result.failed, result.attempted > 0) == (0, True)


def test_the_maths_has_examples() -> None:
    assert {"detection.score", "detection.learn"} <= set(MODULES)
