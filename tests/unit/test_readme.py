"""What the README and the docs tell a person to type exists."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").glob("*.md"))]
TEXT = "\n".join(page.read_text() for page in PAGES)
MODULES = sorted(set(re.findall(r"python -m ([a-z][\w.]*)", TEXT)))
TARGETS = sorted(
    set(
        re.findall(r"\bmake ([a-z]+)\b(?=[`\s]|$)", "\n".join(re.findall(r"`[^`\n]+`|^make .*$", TEXT, re.M)))
    )
)


def test_every_make_target_exists() -> None:
    targets = re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.M)
    assert "run" in TARGETS and set(TARGETS) <= set(targets)


@pytest.mark.parametrize("module", MODULES)
def test_every_command_exists_and_explains_itself(module: str) -> None:
    told = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert told.returncode == 0 and "Usage" in told.stdout, told.stderr


def test_every_linked_file_exists() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)
