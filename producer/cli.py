"""The producer's command line: files of posts by default, `simulate` for posts of a simulated world."""

import gc
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer
from typer.core import TyperGroup

from core.errors import BadInputError, GroundswellError
from core.settings import read_settings
from producer.arguments import parse_date, parse_moment, parse_speed
from producer.clocks import ClockName
from producer.progress import StatusLine
from producer.replay import Replay, ReplayPlan
from producer.resume import StateFile, state_path
from producer.signals import stop_on_signals
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from producer.sources import Input
from producer.summary import SendSummary

DEFAULT_COMMAND = "send"
GARBAGE_THRESHOLD = 100_000
CLOCK_HELP = "time_stamp: now, the moment of sending; original, createTime; shifted, moved so that the first post falls on --start-at"
START_AT_HELP = (
    "for --clock shifted: ISO date and time (UTC unless it says otherwise) or Unix seconds; default now"
)
SPEED_HELP = "for --clock original and shifted: how many times faster than the posts were made; max: as fast as possible"
STATE_HELP = "file that remembers how far the run came; default: one in GROUNDSWELL_PRODUCER_STATE_DIR, named by inputs, topic and clock"


class GroupWithDefault(TyperGroup):
    """A group of commands of which one, `send`, needs no name."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the default command's name in front unless a command or a request for help stands there."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "-h"):
            args = [DEFAULT_COMMAND, *args]
        return super().parse_args(ctx, args)


app = typer.Typer(
    cls=GroupWithDefault,
    add_completion=False,
    no_args_is_help=True,
    help=__doc__,
    pretty_exceptions_enable=False,
)


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


@app.command(DEFAULT_COMMAND)
def send_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="ndjson, plain, .gz or .zst; s3://bucket/key; - standard input"
        ),
    ],
    clock: Annotated[ClockName, typer.Option(help=CLOCK_HELP)] = ClockName.NOW,
    start_at: Annotated[str | None, typer.Option(help=START_AT_HELP)] = None,
    speed: Annotated[str, typer.Option(help=SPEED_HELP)] = "max",
    rate: Annotated[float | None, typer.Option(min=0.001, help="posts a second at most")] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="stop after so many posts")] = None,
    state: Annotated[Path | None, typer.Option(help=STATE_HELP)] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="go on where a stopped run of the same inputs was")
    ] = True,
    summary_json: Annotated[Path | None, typer.Option(help="also write the summary here as JSON")] = None,
) -> None:
    """Send posts from files into Kafka, each with time_stamp added and nothing else changed. `send` may be left out.

    A run that is stopped or killed goes on, the next time, behind what was acknowledged; one that reached its end or its
    --limit starts over. Lines that are no post go to the topic of the rejected. Exit code 130 or 143: stopped by Ctrl-C
    or SIGTERM.
    """
    # Thousands of records on their way are many objects but no garbage: looking through them often costs a tenth of the speed.
    gc.set_threshold(GARBAGE_THRESHOLD)
    settings = read_settings()
    stop = stop_on_signals()
    inputs = [Input(name, settings) for name in files]
    fingerprints = [source.fingerprint() for source in inputs]
    plan = ReplayPlan(
        inputs=inputs,
        clock=clock,
        start_at=parse_moment(start_at, clock),
        speed=parse_speed(speed, clock),
        rate=rate,
        limit=limit,
    )
    remembers = not any(source.is_standard_input for source in inputs)
    what = (
        settings.kafka_bootstrap_servers,
        settings.posts_topic,
        clock,
        *(source.address for source in inputs),
    )
    where = state or state_path(Path(settings.producer_state_dir), *what)
    state_file = StateFile(where, fingerprints) if remembers else None
    with ExitStack() as stack:
        if state_file:
            stack.enter_context(state_file.locked())
            if not resume:
                state_file.forget()
        replay = Replay(
            plan, settings, state=state_file, status=stack.enter_context(StatusLine()), stop=stop.event
        )
        try:
            replay.run()
        finally:
            _report(replay.summary, summary_json)
    if stop.signal:
        raise typer.Exit(128 + stop.signal)


def _report(summary: SendSummary, summary_json: Path | None) -> None:
    typer.echo(summary.as_text())
    if summary_json:
        try:
            summary_json.write_bytes(orjson.dumps(summary.as_json(), option=orjson.OPT_INDENT_2) + b"\n")
        except OSError as error:
            raise BadInputError(
                f"Cannot write {summary_json}: {error.strerror}. Name another file with --summary-json."
            ) from error


@app.command("simulate")
def simulate_command(
    start: Annotated[str, typer.Option(help="first day to write, YYYY-MM-DD (UTC)")],
    out: Annotated[Path, typer.Option(help="folder for posts-DAY.ndjson, truth.ndjson and days.ndjson")],
    days: Annotated[int, typer.Option(min=1, help="how many days")] = 1,
    posts_per_day: Annotated[
        int, typer.Option(min=1, help="posts on an average day of the world's first week")
    ] = 24_000,
    seed: Annotated[int, typer.Option(min=0, help="number of the world")] = 1,
    world_start: Annotated[
        str | None, typer.Option(help="first day of the world, if earlier than --start")
    ] = None,
    compress: Annotated[Literal["none", "zst"], typer.Option(help="zst: write .ndjson.zst")] = "none",
) -> None:
    """Write posts of a simulated world, day by day, with labelled events to find.

    A day depends on seed, world start, posts a day and its date alone: with --world-start a day can be written later
    and equals the one that a longer run would have written.
    """
    first_day = parse_date(start)
    world = World(
        seed=seed, start=parse_date(world_start) if world_start else first_day, posts_per_day=posts_per_day
    )
    first = world.day_number(first_day)
    if first < 0:
        raise BadInputError(
            f"--start {first_day} lies before --world-start {world.start}: a world has no days before its first."
        )
    started = time.monotonic()
    with StatusLine() as status:
        written = Written(status)
        try:
            paths = simulate_days(
                world, range(first, first + days), out, compress=compress == "zst", report=written.add
            )
        except OSError as error:
            raise BadInputError(
                f"Cannot write to {out}: {error.strerror}. Choose another folder with --out."
            ) from error
    seconds = max(time.monotonic() - started, 1e-9)
    typer.echo(
        f"{written.text()} in {len(paths)} files in {seconds:.1f} s ({written.records / seconds:,.0f}/s) written to {out}"
    )


class Written:
    """Counts what the simulation has written, and shows it."""

    def __init__(self, status: StatusLine) -> None:
        self.records = 0
        self.bytes = 0
        self._status = status

    def add(self, records: int, size: int) -> None:
        """Records and bytes written just now."""
        self.records += records
        self.bytes += size
        self._status.show(f"simulating: {self.text()}")

    def text(self) -> str:
        """The counts for people."""
        return f"{self.records:,} records, {self.bytes / 1e6:,.0f} MB,"
