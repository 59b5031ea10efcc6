"""The producer's commands: `send` for files of posts, `simulate` for posts of a simulated world."""

import gc
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import orjson
import typer

from core.command_line import errors_as_sentences, group_with_default, new_app
from core.errors import BadInputError
from core.outputs import reject_overwriting
from core.settings import Settings, read_settings
from producer.arguments import parse_date, parse_moment, parse_speed
from producer.arranging import Times, arrange
from producer.clocks import ClockName
from producer.progress import StatusLine
from producer.replay import ReplayPlan, replay
from producer.resume import StateFile, state_path
from producer.signals import stop_on_signals
from producer.simulate.events import LARGEST_WORDS_PER_EVENT
from producer.simulate.files import simulate_days
from producer.simulate.world import World
from producer.sources import S3_SCHEME, STANDARD_INPUT, checked_inputs
from producer.summary import SendSummary

DEFAULT_COMMAND = "send"
GARBAGE_THRESHOLD = 100_000
CLOCK_HELP = (
    "time_stamp to send: now, the time of sending; original, the post's createTime; "
    "shifted, createTime moved so that the first post falls on --start-at."
)
START_AT_HELP = (
    "With --clock shifted: ISO date and time (UTC unless it has an offset) or Unix seconds. Default: now, or "
    "with --speed above 1 so much earlier that no post is ahead of the clock."
)
SPEED_HELP = (
    "With --clock original or shifted: multiple of the speed at which the posts were made; max for no limit."
)
SORT_HELP = (
    "With --clock original or shifted: send posts in order of creation. Default: if many would come too late."
)
STATE_HELP = (
    "File that stores how far the run has come. "
    "Default: one in GROUNDSWELL_PRODUCER_STATE_DIR, named by inputs, servers, topic and clock."
)

app = new_app(cls=group_with_default(DEFAULT_COMMAND), no_args_is_help=True)


@app.callback()
def commands() -> None:
    """Send posts to Kafka (`send`, the default), or write a simulated world to files (`simulate`)."""


@app.command(DEFAULT_COMMAND)
@errors_as_sentences()
def send_command(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="ndjson, plain or packed (gz, zst, xz, bz2, zip, tar); s3://bucket/key; -: standard input.",
        ),
    ],
    clock: Annotated[ClockName, typer.Option(help=CLOCK_HELP)] = ClockName.NOW,
    start_at: Annotated[str | None, typer.Option(help=START_AT_HELP, show_default=False)] = None,
    speed: Annotated[str, typer.Option(help=SPEED_HELP)] = "max",
    rate: Annotated[
        float | None, typer.Option(min=0.001, help="Maximum posts per second.", show_default=False)
    ] = None,
    sort: Annotated[bool | None, typer.Option("--sort/--no-sort", help=SORT_HELP, show_default=False)] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many posts.", show_default=False)
    ] = None,
    state: Annotated[Path | None, typer.Option(help=STATE_HELP, show_default=False)] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Resume a stopped run of the same inputs.")
    ] = True,
    summary_json: Annotated[
        Path | None, typer.Option(help="Write the summary to this file as JSON too.", show_default=False)
    ] = None,
) -> None:
    """Send posts from files to Kafka, adding time_stamp to each and changing nothing else.

    A run that was stopped or killed resumes after the last acknowledged post; one that reached --limit or the
    end of its files starts over. Lines that are not posts go to the topic of rejected records.

    Exit code 130 or 143: stopped by Ctrl-C or SIGTERM.
    """
    # Thousands of records in flight are no garbage, and looking for some often costs a tenth of the speed.
    gc.set_threshold(GARBAGE_THRESHOLD)
    settings = read_settings()
    local = (name for name in files if name != STANDARD_INPUT and not name.startswith(S3_SCHEME))
    reject_overwriting(
        {f"input {name}": Path(name) for name in local}, {"--state": state, "--summary-json": summary_json}
    )
    stop = stop_on_signals()
    inputs = checked_inputs(files, settings)
    times = Times(clock, start_at=parse_moment(start_at, clock), speed=parse_speed(speed, clock), sort=sort)
    summary = SendSummary()
    with ExitStack() as stack:
        status = stack.enter_context(StatusLine())
        arranged = stack.enter_context(
            arrange(inputs, times, settings, status=status, is_stopped=stop.event.is_set)
        )
        plan = ReplayPlan(
            inputs=inputs,
            clock=clock,
            start_at=arranged.start_at,
            speed=times.speed,
            rate=rate,
            limit=limit,
            handed_in_ms=arranged.handed_in_ms,
            sorted_lines=arranged.sorted_lines,
        )
        state_file = _state_file(settings, plan, state)
        if state_file:
            stack.enter_context(state_file.locked())
            if not resume:
                state_file.forget()
        try:
            replay(plan, settings, state=state_file, status=status, stop=stop.event, summary=summary)
        finally:
            _report(summary, summary_json)
    if stop.signal:
        raise typer.Exit(128 + stop.signal)


def _state_file(settings: Settings, plan: ReplayPlan, path: Path | None) -> StateFile | None:
    """Return the file that stores a run's progress, None if standard input is read; raises BadInputError."""
    fingerprints = [source.fingerprint() for source in plan.inputs]
    if any(source.is_standard_input for source in plan.inputs):
        return None
    key = (
        settings.kafka_bootstrap_servers,
        settings.posts_topic,
        plan.clock,
        *(source.address for source in plan.inputs),
    )
    return StateFile(
        path or state_path(Path(settings.producer_state_dir), *key),
        fingerprints,
        in_order=plan.sorted_lines is not None,
    )


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
@errors_as_sentences()
def simulate_command(
    start: Annotated[str, typer.Option(help="First day to write, YYYY-MM-DD (UTC).")],
    out: Annotated[Path, typer.Option(help="Folder for posts-DAY.ndjson, truth.ndjson and days.ndjson.")],
    days: Annotated[int, typer.Option(min=1, help="Number of days to write.")] = 1,
    posts_per_day: Annotated[
        int, typer.Option(min=1, help="Posts on an average day of the world's first week.")
    ] = 24_000,
    seed: Annotated[int, typer.Option(min=0, help="Number of the world.")] = 1,
    world_start: Annotated[
        str | None,
        typer.Option(help="First day of the world, if earlier than --start.", show_default=False),
    ] = None,
    words_per_event: Annotated[
        int,
        typer.Option(
            min=1,
            max=LARGEST_WORDS_PER_EVENT,
            help="Words of a burst; from 2 on, bursts also come at the same time.",
        ),
    ] = 1,
    compress: Annotated[Literal["none", "zst"], typer.Option(help="zst writes .ndjson.zst.")] = "none",
) -> None:
    """Write the posts of a simulated world to files, day by day, with labelled events to find.

    A day depends on the options of the world and its date alone: with --world-start, a day can be
    written later and equals the one that a longer run would have written.
    """
    first_day = parse_date(start)
    world = World(
        seed=seed,
        start=parse_date(world_start) if world_start else first_day,
        posts_per_day=posts_per_day,
        words_per_event=words_per_event,
    )
    first = world.day_number(first_day)
    if first < 0:
        raise BadInputError(
            f"--start {first_day} is before the first day of the world, --world-start {world.start}. "
            f"Start with {world.start} or later."
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
    speed = f"{written.records / seconds:,.0f}/s"
    typer.echo(f"{written} in {len(paths)} files in {seconds:.1f} s ({speed}) written to {out}")


class Written:
    """Counts what a simulation has written, and shows it."""

    def __init__(self, status: StatusLine) -> None:
        """Show the counts on `status`."""
        self.records = 0
        self.bytes = 0
        self._status = status

    def add(self, records: int, size: int) -> None:
        """Add `records` of `size` bytes together."""
        self.records += records
        self.bytes += size
        self._status.show(f"simulating: {self}")

    def __str__(self) -> str:
        return f"{self.records:,} records, {self.bytes / 1e6:,.0f} MB,"
