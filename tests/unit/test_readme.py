"""What the pages tell users to type exists: commands, their options, make targets and their variables."""

import importlib
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup

from core.command_line import LazyCommand, command_from
from groundswell.command import app as groundswell

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = [
    path
    for path in (
        REPOSITORY / "README.md",
        REPOSITORY / "CONTRIBUTING.md",
        *sorted((REPOSITORY / "docs").rglob("*.md")),
    )
    if path.exists()
]
NO_COMMANDS_OF_OURS = {"pytest", "pip", "venv"}
OPTIONS_OF_OTHERS = {"--packages"}
"""Options of other programs that a page names without the program."""
ABOUT_OLD_COMMANDS = {"CHANGELOG.md", "upgrade.md"}


def snippets(page: Path) -> Iterator[str]:
    """The lines of code blocks, continued ones joined, and inline code, wrapped one joined."""
    blocks = re.compile(r"^```.*?\n(.*?)^```", re.MULTILINE | re.DOTALL)
    text = page.read_text()
    for block in blocks.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for code in re.findall(r"`([^`]+)`", blocks.sub("", text)):
        yield " ".join(code.split())


def words_of(snippet: str) -> list[str]:
    plain = re.sub(r"[\[\]]", " ", snippet)
    try:
        return shlex.split(plain, comments=True)
    except ValueError:
        return plain.split()


def commands(page: Path) -> Iterator[list[str]]:
    """Every command of a page as words, without variables set for it."""
    for snippet in snippets(page):
        command: list[str] = []
        for word in [*words_of(snippet), ";"]:
            if word in {";", "&&", "||", "|", "&"}:
                if command:
                    yield command
                command = []
            elif command or not re.fullmatch(r"[A-Z_]+=.*|exec|\$", word):
                command.append(word)


def written(name: str) -> list[Any]:
    """The page and the words after the name, for each command that is `name`."""
    return [
        pytest.param(words[1:], id=f"{page.name}: {' '.join(words)}")
        for page in PAGES
        for words in commands(page)
        if Path(words[0]).name == name and len(words) > 1 and page.name not in ABOUT_OLD_COMMANDS
    ]


@cache
def command_of_module(module: str) -> Any:
    """What `python -m module` runs; None for a program without options."""
    path = REPOSITORY / module.replace(".", "/")
    if path.is_dir():
        module, path = f"{module}.__main__", path / "__main__"
    text = path.with_suffix(".py").read_text()
    assert '__name__ == "__main__"' in text, f"{module} is not a program"
    started = re.search(r"^    run\((\w+)|^    app\.command\(.*\)\((\w+)\)", text, re.MULTILINE)
    name = started and (started.group(1) or started.group(2))
    return command_from(getattr(importlib.import_module(module), name)) if name else None


def options_of(command: Any) -> set[str]:
    names = {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
    return {name for name in names if name.startswith("-")} | {"--help"}


def leaf(command: Any, words: list[str]) -> tuple[Any, list[str]]:
    """The command that `words` name and the words after its name; a group for a placeholder of a name."""
    if isinstance(command, LazyCommand):
        command = command.load()
    if not isinstance(command, TyperGroup) or not words or words[0] == "--help" or words[0].isupper():
        return command, words
    if words[0] in command.commands:
        return leaf(command.commands[words[0]], words[1:])
    default = getattr(command, "default_command", None)
    assert default, f"there is no command {words[0]}"
    return leaf(command.commands[default], words)


def check(command: Any, words: list[str]) -> None:
    """Fail unless the commands and options in `words` exist."""
    command, arguments = leaf(command, words)
    given = [option for word in arguments for option in re.findall(r"^--?[a-zA-Z][\w-]*", word)]
    assert set(given) <= options_of(command), (
        f"{words}: there is no option {set(given) - options_of(command)}"
    )


@pytest.mark.parametrize(
    "line", ["statuss", "backtest count", "send --speeed 2", "batch 2026-01-05 --step load"]
)
def test_a_command_or_an_option_that_does_not_exist_is_noticed(line: str) -> None:
    with pytest.raises(AssertionError, match="there is no"):
        check(command_from(groundswell), line.split())


@pytest.mark.parametrize("words", written("groundswell"))
def test_every_groundswell_command_of_the_pages_exists(words: list[str]) -> None:
    check(command_from(groundswell), words)


@pytest.mark.parametrize("words", [*written("python"), *written("python3")])
def test_every_python_command_of_the_pages_exists(words: list[str]) -> None:
    if words[0] != "-m":
        assert words[0] == "-" or (REPOSITORY / words[0]).is_file()
    elif words[1] not in NO_COMMANDS_OF_OURS:
        command = command_of_module(words[1])
        if command is not None:
            check(command, words[2:])


@pytest.mark.parametrize("words", written("make"))
def test_every_make_target_and_variable_of_the_pages_exists(words: list[str]) -> None:
    makefile = (REPOSITORY / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    for word in words:
        variable = re.match(r"[A-Z]+(?==)", word)
        if variable:
            assert re.search(rf"^(export|ifdef) .*\b{variable.group()}\b", makefile, re.MULTILINE), word
        elif re.fullmatch(r"[a-z]+", word):
            assert word in targets, word


def leaves(command: Any) -> Iterator[Any]:
    command, _ = leaf(command, [])
    yield command
    if isinstance(command, TyperGroup):
        for name in command.commands:
            yield from leaves(command.commands[name])


def test_every_option_that_the_pages_name_belongs_to_a_command() -> None:
    modules = {
        words[2]
        for page in PAGES
        for words in commands(page)
        if words[:2] == ["python", "-m"]
        and words[2] not in NO_COMMANDS_OF_OURS
        and page.name not in ABOUT_OLD_COMMANDS
    }
    programs = [command_from(groundswell), *filter(None, map(command_of_module, modules))]
    known = OPTIONS_OF_OTHERS.union(
        *(options_of(command) for program in programs for command in leaves(program))
    )
    named = {
        (page.name, option)
        for page in PAGES
        if page.name not in ABOUT_OLD_COMMANDS
        for snippet in snippets(page)
        for option in re.findall(r"^--[a-zA-Z][\w-]*", snippet)
    }
    assert {(page, option) for page, option in named if option not in known} == set()


def test_every_linked_file_exists() -> None:
    for page in PAGES:
        for link in re.findall(r"\]\((?!https?:)([^)#`|]+)\)", page.read_text()):
            assert (page.parent / link).exists(), (page.name, link)


def test_no_line_of_the_readme_is_wider_than_a_laptops_terminal() -> None:
    assert [line for line in (REPOSITORY / "README.md").read_text().splitlines() if len(line) > 110] == []
