"""The producer's command line: files of posts by default, `simulate` for posts of a simulated world."""

import sys
import time
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

import typer
from typer.core import TyperGroup

from core.errors import BadInputError, GroundswellError
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from producer.simulation_progress import SimulationProgress

DEFAULT_COMMAND = "send"


class GroupWithDefault(TyperGroup):
    """A group of commands of which one, `send`, needs no name."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the default command's name in front unless a command or a request for help stands there."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)  # type: ignore[arg-type]


app = typer.Typer(cls=GroupWithDefault, add_completion=False, no_args_is_help=True, help=__doc__, pretty_exceptions_enable=False)


def main() -> None:
    """Run the command line; an expected error is one sentence on stderr and exit code 1."""
    try:
        app()
    except GroundswellError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


@app.callback()
def commands() -> None:
    """Posts into Kafka, or posts of a simulated world into files."""


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise BadInputError(f"{text} is no date: write YYYY-MM-DD.") from error


@app.command("simulate")
def simulate_command(
    start: Annotated[str, typer.Option(help="first day to write, YYYY-MM-DD (UTC)")],
    out: Annotated[Path, typer.Option(help="folder for posts-DAY.ndjson, truth.ndjson and days.ndjson")],
    days: Annotated[int, typer.Option(min=1, help="how many days")] = 1,
    posts_per_day: Annotated[int, typer.Option(min=1, help="posts on an average day of the world's first week")] = 24_000,
    seed: Annotated[int, typer.Option(min=0, help="number of the world")] = 1,
    world_start: Annotated[str | None, typer.Option(help="first day of the world, if earlier than --start")] = None,
    compress: Annotated[Literal["none", "zst"], typer.Option(help="zst: write .ndjson.zst")] = "none",
) -> None:
    """Write posts of a simulated world, day by day, with labelled events to find.

    A day depends on seed, world start, posts a day and its date alone: with --world-start a day can be written later
    and equals the one that a longer run would have written.
    """
    first_day = _date(start)
    world = World(seed=seed, start=_date(world_start) if world_start else first_day, posts_per_day=posts_per_day)
    first = world.day_number(first_day)
    if first < 0:
        raise BadInputError(f"--start {first_day} lies before --world-start {world.start}: a world has no days before its first.")
    started = time.monotonic()
    with SimulationProgress(expected=sum(float(world.posts_per_minute(day).sum()) for day in range(first, first + days))) as progress:
        try:
            paths = simulate_days(world, range(first, first + days), out, compress=compress == "zst", report=progress.advance)
        except OSError as error:
            raise BadInputError(f"Cannot write to {out}: {error.strerror}. Choose another folder with --out.") from error
    seconds = max(time.monotonic() - started, 1e-9)
    typer.echo(
        f"{progress.records:,} records ({progress.bytes / 1e6:,.0f} MB) on {len(paths)} days in {seconds:.1f} s "
        f"({progress.records / seconds:,.0f}/s) written to {out}"
    )


