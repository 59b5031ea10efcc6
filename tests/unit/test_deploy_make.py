"""`make` says what it can do, and set-up knows whether it is done."""

import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

from deploy.local import setup

REPOSITORY = Path(__file__).resolve().parents[2]


def test_make_alone_lists_the_targets_with_a_line_each() -> None:
    answer = subprocess.run(["make", "-s", "-C", str(REPOSITORY)], capture_output=True, text=True, check=True)
    lines = [line for line in answer.stdout.splitlines() if line.startswith("  make ")]
    assert {"run", "test", "stop", "clean", "alerts", "psql", "sql", "airflow", "lint"} <= {line.split()[1] for line in lines}
    assert all(len(line.split()) > 3 for line in lines)


def test_every_archive_of_the_lock_has_a_folder_an_exact_revision_and_no_descriptor() -> None:
    dependencies = list(ET.parse(setup.IVY_LOCK).iter("dependency"))
    assert len(dependencies) > 100
    assert {dependency.attrib["transitive"] for dependency in dependencies} == {"false"}
    assert {dependency.attrib["conf"].partition("-")[0] for dependency in dependencies} == {"spark", "kafka", "s3"}
    assert not [d.attrib["name"] for d in dependencies if not d.attrib["rev"][0].isdigit()]


def test_what_is_asked_for_directly_is_in_the_lock_of_the_archives() -> None:
    direct = {(d.attrib["name"], d.attrib["rev"]) for d in ET.parse(REPOSITORY / "deploy/local/ivy.xml").iter("dependency")}
    locked = {(d.attrib["name"], d.attrib["rev"]) for d in ET.parse(setup.IVY_LOCK).iter("dependency")}
    assert direct <= locked


def test_the_lock_of_the_packages_names_no_index() -> None:
    text = (REPOSITORY / "requirements.lock").read_text()
    assert "://" not in text
    assert "index" not in text.split("#")[0]
