"""Words that docs/glossary.md rules out do not come back in code, docs or messages."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
GLOSSARY = REPOSITORY / "docs" / "glossary.md"
MAY_NAME_OLD_WORDS = {
    "docs/glossary.md",
    "docs/upgrade.md",
    "CHANGELOG.md",
    "sql/migrations/0034.words.sql",
    "tests/unit/test_words.py",
}
ENDINGS = {".py", ".sql", ".md", ".toml", ".env", ".sh", ".yaml", ".yml"}
OLDEST_CHECKED_MIGRATION = 34


def old_words() -> list[str]:
    """Return the regular expressions of the glossary's second table."""
    table = GLOSSARY.read_text().partition("## Words that are not used")[2]
    cells = [re.split(r"(?<!\\)\|", line)[1] for line in table.splitlines() if line.startswith("| `")]
    return [pattern.replace(r"\|", "|") for cell in cells for pattern in re.findall(r"`([^`]+)`", cell)]


def is_checked(name: str) -> bool:
    path = Path(name)
    if name in MAY_NAME_OLD_WORDS or path.suffix not in ENDINGS or "first_version" in path.parts:
        return False
    return path.parent.name != "migrations" or int(path.name[:4]) >= OLDEST_CHECKED_MIGRATION


def checked_files() -> list[Path]:
    command = ["git", "ls-files"]
    names = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    paths = [REPOSITORY / name for name in names.splitlines() if is_checked(name)]
    return [path for path in paths if path.exists()]


@cache
def checked_texts() -> dict[str, str]:
    return {str(path.relative_to(REPOSITORY)): path.read_text() for path in checked_files()}


def found_in(text: str, pattern: str) -> list[str]:
    flags = 0 if re.search(r"(?<!\\)[A-Z]", pattern) else re.IGNORECASE
    return [match.group() for match in re.finditer(pattern, text, flags)]


def test_the_glossary_names_old_words() -> None:
    assert len(old_words()) > 25


@pytest.mark.parametrize("pattern", old_words())
def test_an_old_word_does_not_come_back(pattern: str) -> None:
    found = {name: found_in(text, pattern) for name, text in checked_texts().items()}
    assert {name: words for name, words in found.items() if words} == {}


@pytest.mark.parametrize(
    "text",
    [
        "posts60 of the hour",
        "the second look found it",
        "12 refused records",
        "a vetoed window",
        "it goes on behind line 7",
    ],
)
def test_what_is_ruled_out_is_found(text: str) -> None:
    assert any(found_in(text, pattern) for pattern in old_words())


def test_every_module_of_the_glossary_exists() -> None:
    terms = GLOSSARY.read_text().partition("## Words that are not used")[0]
    rows = [re.split(r"(?<!\\)\|", line)[1:-1] for line in terms.splitlines() if re.match(r"\| [a-z]", line)]
    modules = {module for *_, cell in rows for module in re.findall(r"`([a-z_.]+)`", cell)}
    places = {module: REPOSITORY / module.replace(".", "/") for module in modules}
    assert len(modules) > 30
    assert [
        module for module, path in places.items() if not (path.is_dir() or path.with_suffix(".py").exists())
    ] == []
