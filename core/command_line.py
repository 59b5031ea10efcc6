"""What the command lines of several rooms share."""

from typing import Any

from typer.core import TyperGroup


def group_with_default(name: str) -> type[TyperGroup]:
    """A group of commands of which one, `name`, needs no name."""

    class GroupWithDefault(TyperGroup):
        def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
            """Put the default command's name in front unless a command or a request for help stands there."""
            if not args or (args[0] not in self.commands and args[0] not in ("--help", "-h")):
                args = [name, *args]
            return super().parse_args(ctx, args)

    return GroupWithDefault
