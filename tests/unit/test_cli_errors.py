"""Errors on the command line: expected ones are a sentence and an exit code, others keep their traceback."""

import re
from collections.abc import Callable
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from core.command_line import errors_as_sentences, new_app, run
from core.errors import BadInputError
from groundswell.command import app as groundswell


def command_that_raises(error: BaseException, **arguments: Any) -> typer.Typer:
    app = new_app()

    @app.command()
    @errors_as_sentences(**arguments)
    def command() -> None:
        raise error

    return app


def exit_of(action: Callable[[], object]) -> int | str | None:
    with pytest.raises(SystemExit) as raised:
        action()
    return raised.value.code


def test_an_expected_error_is_one_sentence_on_stderr() -> None:
    result = CliRunner().invoke(
        command_that_raises(BadInputError("Name a file."), prefix="Nothing was done. ")
    )
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "Nothing was done. Name a file.\n")


def test_a_command_may_have_an_exit_code_of_its_own() -> None:
    assert CliRunner().invoke(command_that_raises(BadInputError("No."), exit_code=2)).exit_code == 2


def test_the_error_of_a_library_needs_a_translation() -> None:
    def translate(error: Exception) -> str | None:
        return "The server is down." if isinstance(error, ConnectionError) else None

    down = CliRunner().invoke(command_that_raises(ConnectionError("111"), translate=translate))
    assert (down.exit_code, down.stderr) == (1, "The server is down.\n")
    other = CliRunner().invoke(command_that_raises(KeyError("posts"), translate=translate))
    assert isinstance(other.exception, KeyError)


def test_an_exit_code_passes_through() -> None:
    assert CliRunner().invoke(command_that_raises(typer.Exit(3))).exit_code == 3


def test_a_program_ends_with_the_code_of_its_command(capsys: pytest.CaptureFixture[str], monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["program"])

    def interrupted() -> None:
        raise KeyboardInterrupt

    def rejected() -> None:
        raise BadInputError("Name a file.")

    assert exit_of(lambda: run(interrupted)) == 130
    assert exit_of(lambda: run(rejected)) == 1
    assert capsys.readouterr().err == "Name a file.\n"
    assert exit_of(lambda: run(lambda: None)) in (0, None)


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of an environment whose Postgres does not answer."""
    for name, value in {
        "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1",
        "POSTGRES_HOST": "127.0.0.1",
        "POSTGRES_PORT": "1",
        "POSTGRES_PASSWORD": "unused",
        "S3_BUCKET": "unused",
    }.items():
        monkeypatch.setenv(f"GROUNDSWELL_{name}", value)


@pytest.mark.usefixtures("away")
@pytest.mark.parametrize(
    ("line", "exit_code"),
    [
        ("alerts", 1),
        ("explain word", 2),
        ("export --table posts", 1),
        ("status", 1),
        ("migrate", 1),
        ("batch 2026-01-05", 1),
        ("audit --from 2026-01-05 --to 2026-01-05", 1),
        ("rebuild", 1),
        ("register", 1),
        ("import posts.ndjson", 1),
        ("stream", 1),
    ],
)
def test_a_postgres_that_does_not_answer_is_the_same_sentence_everywhere(line: str, exit_code: int) -> None:
    result = CliRunner().invoke(groundswell, line.split())
    assert re.search(
        r"Postgres does not answer at 127\.0\.0\.1:1\. Start it and run this again\.", result.stderr
    )
    assert result.exit_code == exit_code
