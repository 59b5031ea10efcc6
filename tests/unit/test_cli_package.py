"""The package: it holds every file that the programs read, and names the dependencies of requirements.in."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
SETUPTOOLS = PROJECT["tool"]["setuptools"]
ROOMS = [pattern.removesuffix("*") for pattern in SETUPTOOLS["packages"]["find"]["include"]]


def names(requirements: Iterable[str]) -> set[str]:
    return {
        re.split(r"[\[<>=~! ]", line)[0].lower() for line in requirements if line.strip() and line[0] != "#"
    }


def test_every_dependency_is_in_requirements_in_and_the_other_way_round() -> None:
    project = PROJECT["project"]
    packaged = names(project["dependencies"]).union(*map(names, project["optional-dependencies"].values()))
    assert packaged == names((REPOSITORY / "requirements.in").read_text().splitlines())


def test_every_folder_with_code_is_a_package() -> None:
    for room in ROOMS:
        folders = {path.parent for path in (REPOSITORY / room).rglob("*.py")}
        assert [str(folder) for folder in folders if not (folder / "__init__.py").exists()] == []


def test_every_file_that_a_program_reads_is_packaged() -> None:
    data = SETUPTOOLS["package-data"]
    packaged = {
        path
        for room in ROOMS
        for package in (REPOSITORY / room).rglob("__init__.py")
        for pattern in [*data["*"], *(data.get(room, []) if package.parent.name == room else [])]
        for path in package.parent.glob(pattern)
    }
    files = {path for room in ROOMS for path in (REPOSITORY / room).rglob("*") if path.is_file()}
    assert {path for path in files - packaged if path.suffix not in {".py", ".pyc"}} == set()
