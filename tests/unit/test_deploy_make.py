"""`make` lists its targets, and set-up downloads the Java archives of the lock file."""

import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from deploy.local.setup import archives
from deploy.local.setup.steps import SetupError

REPOSITORY = Path(__file__).resolve().parents[2]


def test_make_alone_lists_the_targets_with_a_line_each() -> None:
    answer = subprocess.run(["make", "-s", "-C", str(REPOSITORY)], capture_output=True, text=True, check=True)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("  make ")]
    targets = {line.split()[1] for line in lines}
    assert {"run", "test", "stop", "clean", "alerts", "psql", "sql", "airflow", "lint"} <= targets
    assert all(len(line.split()) > 3 for line in lines)


def test_every_archive_of_the_lock_has_a_folder_an_exact_revision_and_no_descriptor() -> None:
    dependencies = list(ET.parse(archives.IVY_LOCK).iter("dependency"))
    assert len(dependencies) > 100
    assert {dependency.attrib["transitive"] for dependency in dependencies} == {"false"}
    folders = {dependency.attrib["conf"].partition("-")[0] for dependency in dependencies}
    assert folders == {"spark", "kafka", "s3", "compiler"}
    assert not [d.attrib["name"] for d in dependencies if not d.attrib["rev"][0].isdigit()]


def names_and_revisions(file: Path) -> set[tuple[str, str]]:
    return {(d.attrib["name"], d.attrib["rev"]) for d in ET.parse(file).iter("dependency")}


def test_direct_dependencies_are_in_the_lock_of_the_archives() -> None:
    direct = names_and_revisions(archives.IVY_LOCK.with_name("ivy.xml"))
    assert direct <= names_and_revisions(archives.IVY_LOCK)


def test_the_lock_of_the_packages_names_no_index() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in text
    assert "index" not in text.split("#")[0]


def fetched(monkeypatch: pytest.MonkeyPatch, folder: Path, *, failures: int) -> Path:
    """Fetch two parts, one of which fails `failures` times; return the folder of the archives."""
    parts = folder / "jars.lock.xml"
    parts.write_text(
        '<ivy-module><configurations><conf name="spark"/><conf name="s3-1"/></configurations></ivy-module>'
    )
    fetcher = f"""
import pathlib, sys
part = sys.argv[sys.argv.index("-confs") + 1]
jar = pathlib.Path(sys.argv[-1].replace("[artifact]-[revision].[ext]", "a-1.jar"))
tries = pathlib.Path({str(folder)!r}, part + ".tries")
tries.write_text(tries.read_text() + "." if tries.exists() else ".")
if part == "s3-1" and len(tries.read_text()) <= {failures}:
    sys.exit("Host not found")
jar.parent.mkdir(parents=True, exist_ok=True)
jar.write_text(part)
"""
    (folder / "ivy").mkdir()
    monkeypatch.setattr(archives, "IVY_LOCK", parts)
    monkeypatch.setattr(archives, "IVY", folder / "ivy")
    monkeypatch.setattr(archives, "JARS", folder / "jars")
    monkeypatch.setattr(archives, "LOG", folder / "setup.log")
    monkeypatch.setattr(archives, "PAUSE_SECONDS", 0)
    program = [sys.executable, "-c", fetcher]
    monkeypatch.setattr(archives, "ivy_command", lambda _, *arguments: [*program, *arguments])
    archives.finish_fetching(archives.start_fetching())
    return folder / "jars"


def test_only_what_failed_is_fetched_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jars = fetched(monkeypatch, tmp_path, failures=2)
    parts = {path.parent.name: path.read_text() for path in jars.glob("*/*.jar")}
    tries = {path.stem: len(path.read_text()) for path in tmp_path.glob("*.tries")}
    assert parts == {"spark": "spark", "s3": "s3-1"}
    assert tries == {"spark": 1, "s3-1": 3}


def test_a_network_that_stays_down_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(
        SetupError,
        match=r"could not be fetched: check the network and run `make setup` again(?s:.*)Host not found",
    ):
        fetched(monkeypatch, tmp_path, failures=3)
    assert not (tmp_path / "jars").exists()
