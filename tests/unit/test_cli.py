"""The command `groundswell`: its help is quick and true, and `python -m ROOM` runs the same functions."""

import os
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from core.command_line import LazyCommand, command_from
from groundswell import __version__
from groundswell.command import COMMANDS, app

REPOSITORY = Path(__file__).resolve().parents[2]
HEAVY = {"airflow", "boto3", "duckdb", "kafka", "numpy", "pandas", "psycopg2", "pyarrow", "pyspark"}
LEVELS = {
    "alerts": "alerts.__main__:main",
    "explain": "alerts.explain.__main__:main",
    "finish": "streaming.finish:main",
    "keywords": "core.keywords_command:keywords_command",
    "stream": "streaming.__main__:stream_command",
    "web": "web.__main__:web_command",
    "backtest": "batch.backtest.__main__:app",
}
"""What `python -m` runs for a command that is a program of its own."""
OF_GROUPS = {
    "producer.__main__:app": {"send": "send", "simulate": "simulate"},
    "batch.__main__:app": {
        "batch": "days",
        "audit": "audit",
        "rebuild": "rebuild",
        "register": "register",
        "import": "import",
    },
    "sql.__main__:app": {name: name for name in ("export", "status", "metrics", "migrate")},
}
"""Commands that `python -m` has in a group, by their names there."""


def attribute_of(target: str) -> Any:
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def lazy(name: str) -> LazyCommand:
    command = command_from(app).commands[name]
    assert isinstance(command, LazyCommand)
    return command


def test_help_lists_every_command_and_imports_nothing_heavy() -> None:
    program = (
        "import sys, groundswell.command as c\n"
        "try: c.main()\n"
        "finally: print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--help"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "200"},
    )
    assert done.returncode == 0
    for name, (_, summary) in COMMANDS.items():
        assert f" {name} " in done.stdout
        assert summary in done.stdout
    assert set(done.stderr.split()) & HEAVY == set()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_summary_of_a_command_is_the_first_line_of_its_help(name: str) -> None:
    command = lazy(name)
    assert command.load().help.splitlines()[0] == command.help
    shown = CliRunner().invoke(app, [name, "--help"])
    assert (shown.exit_code, "Usage: " in shown.output) == (0, True)


def test_every_command_is_also_a_command_of_its_room() -> None:
    assert {*LEVELS}.union(*OF_GROUPS.values()) == set(COMMANDS)
    for name, target in LEVELS.items():
        assert attribute_of(target) is attribute_of(COMMANDS[name][0])
    for target, names in OF_GROUPS.items():
        group = command_from(attribute_of(target))
        assert set(group.commands) == set(names.values())
        for name, name_there in names.items():
            callbacks = [
                command.callback.__wrapped__ for command in (lazy(name).load(), group.commands[name_there])
            ]
            assert callbacks[0] is callbacks[1]


def test_the_version_is_that_of_the_project() -> None:
    shown = CliRunner().invoke(app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"groundswell {__version__}\n")
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    assert project["tool"]["setuptools"]["dynamic"]["version"]["attr"] == "groundswell.__version__"


def test_a_command_that_does_not_exist_is_a_usage_error_with_the_nearest() -> None:
    shown = CliRunner().invoke(app, ["statsu"])
    assert shown.exit_code == 2
    assert "Did you mean 'status'?" in shown.output
