"""The command `groundswell` of a checkout runs in any folder, and set-up notices if it is missing."""

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.local.setup import install, launcher


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    """A virtual environment at a path with a space, whose Python is this one."""
    folder = tmp_path / "a space" / ".venv"
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n')
    python.chmod(0o755)
    launcher.write(folder)
    return folder


def test_the_command_runs_in_a_folder_with_packages_of_the_same_names(venv: Path, tmp_path: Path) -> None:
    (tmp_path / "groundswell").mkdir()
    (tmp_path / "groundswell" / "__init__.py").write_text("raise ImportError('not this one')")
    done = subprocess.run(
        [venv / "bin" / "groundswell", "--version"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("groundswell ")


def test_set_up_is_complete_only_with_the_command_of_this_checkout(
    venv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = venv / "spark-classes.jsa"
    archive.touch()
    monkeypatch.setattr(install, "VENV", venv)
    monkeypatch.setattr(install, "CLASS_ARCHIVE", archive)
    monkeypatch.setattr(install, "python_is_ready", lambda: True)
    monkeypatch.setattr(install, "missing_jars", list)
    monkeypatch.setattr(install, "rule_jar", lambda: archive)
    assert install.is_complete()
    (venv / "bin" / "groundswell").write_text("#!/bin/sh\nexec /another/checkout/.venv/bin/groundswell\n")
    assert not install.is_complete()
    (venv / "bin" / "groundswell").unlink()
    assert not install.is_complete()
    install.set_up()
    assert install.is_complete()


def test_a_run_starts_without_the_archive_of_classes(venv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install, "VENV", venv)
    monkeypatch.setattr(install, "CLASS_ARCHIVE", venv / "spark-classes.jsa")
    monkeypatch.setattr(install, "python_is_ready", lambda: True)
    monkeypatch.setattr(install, "missing_jars", list)
    monkeypatch.setattr(install, "rule_jar", lambda: venv)
    monkeypatch.setattr(install, "_archive_classes", (venv / "spark-classes.jsa").touch)
    install.set_up(quick=True)
    assert install.is_complete(quick=True)
    assert not install.is_complete()
    install.set_up()
    assert install.is_complete()
