"""Laws of the archive of the keyword rule's Java form."""

import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from core.keywords import CATALOG_PROPERTIES
from deploy.local.setup import install, launcher, rule_jar
from deploy.local.setup.steps import SetupError

COMPILER = "import pathlib, sys; pathlib.Path(sys.argv[1], 'groundswell').mkdir(); " + (
    "pathlib.Path(sys.argv[1], 'groundswell', 'Functions.class').write_bytes(b'class')"
)


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a source file, beside a folder of archives and a compiler that writes one class."""
    sources = tmp_path / "java"
    sources.mkdir()
    (tmp_path / "jars" / "spark").mkdir(parents=True)
    monkeypatch.setattr(rule_jar, "SOURCES", sources)
    monkeypatch.setattr(rule_jar, "JARS", tmp_path / "jars")
    monkeypatch.setattr("deploy.local.setup.steps.LOG", tmp_path / "setup.log")
    monkeypatch.setattr(
        rule_jar, "_compiler_command", lambda classes: [sys.executable, "-c", COMPILER, str(classes)]
    )
    (sources / "Functions.java").write_text("class Functions {}")
    return sources / "Functions.java"


def test_the_archive_has_the_classes_and_is_the_same_for_the_same_sources(source: Path) -> None:
    rule_jar.build_rule_jar()
    first = rule_jar.rule_jar().read_bytes()
    assert ZipFile(rule_jar.rule_jar()).namelist() == ["groundswell/Functions.class"]
    rule_jar.build_rule_jar()
    assert rule_jar.rule_jar().read_bytes() == first


def test_changed_sources_need_another_archive_which_replaces_the_earlier_one(source: Path) -> None:
    rule_jar.build_rule_jar()
    source.write_text("class Functions { }")
    assert not rule_jar.rule_jar().exists()
    rule_jar.build_rule_jar()
    assert list(rule_jar.rule_jar().parent.iterdir()) == [rule_jar.rule_jar()]


def test_sources_that_do_not_compile_are_an_error_and_leave_the_earlier_archive(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule_jar.build_rule_jar()
    earlier = rule_jar.rule_jar()
    source.write_text("class")
    monkeypatch.setattr(
        rule_jar, "_compiler_command", lambda _: [sys.executable, "-c", "raise SystemExit(1)"]
    )
    with pytest.raises(SetupError, match="Compiling the keyword rule for Spark failed"):
        rule_jar.build_rule_jar()
    assert earlier.exists() and not rule_jar.rule_jar().exists()


def test_set_up_is_not_complete_without_the_archive(
    source: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(install, "python_is_ready", lambda: True)
    monkeypatch.setattr(launcher, "is_written", lambda _: True)
    monkeypatch.setattr(install, "CLASS_ARCHIVE", source)
    monkeypatch.setattr(install, "missing_jars", list)
    assert not install.is_complete()
    rule_jar.build_rule_jar()
    assert install.is_complete()


def test_the_catalog_of_functions_is_a_class_of_the_sources() -> None:
    package, _, name = next(iter(CATALOG_PROPERTIES.values())).partition(".")
    text = (Path(__file__).parents[2] / "core" / "java" / f"{name}.java").read_text()
    assert text.startswith(f"package {package};") and f"class {name} implements FunctionCatalog" in text
