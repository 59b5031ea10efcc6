"""Before anything starts, one sentence names each obstacle and what to do about it."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.setup import preflight


def _java(folder: Path, answer: str) -> dict[str, str]:
    """An environment whose JAVA_HOME holds a program that gives this answer to `java -version`."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho '{answer}' >&2\n")
    program.chmod(0o755)
    return {"JAVA_HOME": str(folder), "PATH": "/usr/bin:/bin"}


@pytest.mark.parametrize(
    "answer",
    ['openjdk version "17.0.15" 2025-04-15', 'openjdk version "21" 2023-09-19', 'java version "25.0.1"'],
)
def test_java_17_and_newer_is_accepted(tmp_path: Path, answer: str) -> None:
    assert preflight.java_problem(_java(tmp_path, answer)) is None


def test_java_8_is_too_old(tmp_path: Path) -> None:
    problem = preflight.java_problem(_java(tmp_path, 'java version "1.8.0_402"'))
    assert problem is not None
    assert problem.startswith(
        f"Java 17 or newer is needed, and {tmp_path}/bin/java is Java 8: install Java 17 or newer"
    )


def test_no_java_at_all(tmp_path: Path) -> None:
    problem = preflight.java_problem({"PATH": str(tmp_path)})
    assert problem is not None
    assert problem.startswith("Java is missing: install Java 17 or newer")


def test_a_java_home_without_java(tmp_path: Path) -> None:
    problem = preflight.java_problem({"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]})
    assert problem is not None
    assert problem.startswith(f"JAVA_HOME is {tmp_path}, where there is no bin/java: correct or unset it")


def test_a_program_that_is_not_java(tmp_path: Path) -> None:
    problem = preflight.java_problem(_java(tmp_path, "No Java runtime present"))
    assert problem is not None
    assert "-version answers 'No Java runtime present': install Java 17" in problem


def test_python_3_10_is_too_old() -> None:
    problem = preflight.python_problem((3, 10, 12))
    assert problem is not None
    assert problem.startswith("Python 3.11 or newer is needed, and ")
    assert "is 3.10.12: install a newer one, or name it, e.g. `make run PYTHON=python3.12`." in problem
    assert preflight.python_problem((3, 11, 0)) is None


def test_a_python_without_ssl_is_refused_before_anything_is_installed(tmp_path: Path) -> None:
    (tmp_path / "ssl.py").write_text("raise ImportError(\"No module named '_ssl'\")")
    done = subprocess.run(
        [sys.executable, preflight.__file__, "--setup"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    [sentence] = [line for line in done.stderr.splitlines() if "ssl" in line]
    assert sentence.startswith("Python's ssl module is missing")
    assert "`make run PYTHON=/usr/bin/python3`" in sentence


def test_a_python_with_ssl_is_accepted() -> None:
    assert preflight.ssl_problem() is None


def test_an_old_python_can_read_the_check() -> None:
    source = Path(preflight.__file__).read_text()
    ast.parse(source, feature_version=(3, 6))


def test_a_port_is_a_number() -> None:
    assert preflight.port_problems({"GROUNDSWELL_LOCAL_KAFKA_PORT": "9092"}) == []
    assert preflight.port_problems({"GROUNDSWELL_LOCAL_S3_PORT": "http"}) == [
        "GROUNDSWELL_LOCAL_S3_PORT is 'http': a port is a number from 1 to 65535; "
        "unset it to have a free one chosen."
    ]
    assert len(preflight.port_problems({"GROUNDSWELL_LOCAL_S3_PORT": "70000"})) == 1


@pytest.mark.parametrize(
    "path", ["/home/anna", "/home/anna maria/my copy (2)", "/home/jörg/ground-swell_1.0", "/srv/東京"]
)
def test_paths_that_are_fine(path: str) -> None:
    assert preflight.path_problem(path) is None


@pytest.mark.parametrize(
    "path", ["/home/a:b", "/home/a,b", '/home/a"b', "/home/$HOME", "/home/a\nb", "/home/a*", "/home/50%"]
)
def test_paths_that_are_not(path: str) -> None:
    problem = preflight.path_problem(path)
    assert problem is not None
    assert "move the folder to a path of letters, digits, spaces" in problem


def test_a_folder_on_a_read_only_file_system() -> None:
    problem = preflight.write_problem("/proc/groundswell")
    assert problem is not None
    assert problem.startswith("/proc cannot be written to")


def test_a_disk_that_is_too_small(tmp_path: Path) -> None:
    problem = preflight.disk_problem(str(tmp_path / "not yet there"), 10**9)
    assert problem is not None
    assert problem.endswith("and 1000000000 GB are needed: free space or use another disk.")
    assert preflight.disk_problem(str(tmp_path), 0) is None


def test_the_command_prints_the_sentences_and_fails(tmp_path: Path) -> None:
    environment = {"PATH": str(tmp_path), "GROUNDSWELL_LOCAL_KAFKA_PORT": "none"}
    answer = subprocess.run(
        [sys.executable, preflight.__file__], env=environment, capture_output=True, text=True, check=False
    )
    assert answer.returncode == 1
    assert [line.split(":")[0] for line in answer.stderr.splitlines()] == [
        "Java is missing",
        "GROUNDSWELL_LOCAL_KAFKA_PORT is 'none'",
    ]
