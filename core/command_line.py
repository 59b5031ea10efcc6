"""What all command lines share: errors as one sentence, lazy commands, groups with a default command."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from core.errors import GroundswellError

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells report it."""

Translator = Callable[[Exception], str | None]
"""Returns the sentence for an expected error of a library, None for any other error."""


@contextmanager
def errors_as_sentences(
    prefix: str = "", *, exit_code: int = 1, translate: Translator | None = None
) -> Iterator[None]:
    """Print an expected error as `prefix` and one sentence on stderr, then exit with `exit_code`.

    Expected are GroundswellError and whatever `translate` has a sentence for; other errors propagate. Ctrl-C
    exits with 130. Also a decorator for the function of a command.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        raise typer.Exit(INTERRUPTED) from error
    except (typer.Exit, typer.Abort):
        raise
    except Exception as error:
        sentence = str(error) if isinstance(error, GroundswellError) else translate and translate(error)
        if sentence is None:
            raise
        typer.echo(f"{prefix}{sentence}", err=True)
        raise typer.Exit(exit_code) from error


def new_app(**attributes: Any) -> typer.Typer:
    """Return an empty group of commands that leaves unexpected errors to Python's own traceback."""
    return typer.Typer(add_completion=False, pretty_exceptions_enable=False, **attributes)


def command_from(target: Callable[..., object] | typer.Typer) -> Any:
    """Return the click command of a group, or of a function with typer's annotations."""
    if isinstance(target, typer.Typer):
        return get_command(target)
    app = new_app()
    app.command()(target)
    return get_command(app)


def run(
    target: Callable[..., object] | typer.Typer,
    *,
    program: str | None = None,
    translate: Translator | None = None,
) -> NoReturn:
    """Run a function or a group as this process's command line, named `program` in its help, and exit."""
    try:
        with errors_as_sentences(translate=translate):
            command_from(target)(prog_name=program)
    except typer.Exit as error:
        sys.exit(error.exit_code)
    sys.exit()


class LazyCommand(TyperCommand):
    """A command, or a group of them, whose module is imported only when it runs or shows its own help."""

    def __init__(self, name: str, target: str, summary: str) -> None:
        """Name a function or a group as `module:attribute`."""
        super().__init__(name, help=summary)
        self._target = target

    def load(self) -> Any:
        """Import the module and return the command itself."""
        module, _, attribute = self._target.partition(":")
        command = command_from(getattr(import_module(module), attribute))
        command.name = self.name
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Hand the arguments to the command itself."""
        return self.load().make_context(info_name, args, parent, **extra)


def lazy_group(commands: dict[str, tuple[str, str]]) -> type[TyperGroup]:
    """Return a group of lazy commands: `module:attribute` and summary by name."""

    class LazyGroup(TyperGroup):
        def __init__(self, **attributes: Any) -> None:
            super().__init__(**attributes)
            for name, (target, summary) in commands.items():
                self.add_command(LazyCommand(name, target, summary))

    return LazyGroup


def group_with_default(name: str) -> type[TyperGroup]:
    """Return a group in which one command, `name`, may be left out."""

    class GroupWithDefault(TyperGroup):
        default_command = name

        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Insert the default command's name before arguments that name no command and ask for no help."""
            names_command = bool(args) and args[0] in {*self.commands, "--help", "-h"}
            shows_help = not args and self.no_args_is_help
            if not (names_command or shows_help):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return GroupWithDefault
