"""`python -m streaming.finish`: after a replay has ended, close its windows now instead of waiting for the wall clock."""

import time
from contextlib import closing
from typing import Annotated

import typer

from alerts.step import FAR, advance_on_idle, load_clock, lock_detection
from core.errors import GroundswellError, NotReadyError
from core.settings import Settings, read_settings
from sql.connection import transaction
from streaming.progress import EndOffsets, offsets_reached


def main(
    patience_seconds: Annotated[
        float, typer.Option(help="how long to wait until detection has read all of the topic")
    ] = 120,
) -> None:
    """Decide every window up to the newest post, and resolve what is quiet, as if time had passed."""
    try:
        settings = read_settings()
        wait_until_caught_up(settings, patience_seconds=patience_seconds)
        with transaction(settings, application_name="groundswell decide") as cursor:
            lock_detection(cursor)
            advance_on_idle(cursor, settings, now=FAR)
            typer.echo(f"Every window up to {load_clock(cursor).closed_until:%Y-%m-%d %H:%M} UTC is decided.")
    except GroundswellError as error:
        raise SystemExit(f"streaming.finish: {error}") from error


def wait_until_caught_up(settings: Settings, *, patience_seconds: float) -> None:
    """Wait until detection has committed all that Kafka holds now; raises NotReadyError where it does not get there."""
    with closing(EndOffsets(settings)) as ends:
        wanted = {
            (partition.topic, partition.partition): end
            for partition, end in ends.end_offsets([settings.posts_topic]).items()
        }
    deadline = time.monotonic() + patience_seconds
    while True:
        reached = offsets_reached(settings, "detect")
        behind = sum(max(end - reached.get(partition, 0), 0) for partition, end in wanted.items())
        if behind == 0:
            return
        if time.monotonic() > deadline:
            raise NotReadyError(
                f"Detection is {behind} records behind after {patience_seconds:.0f} s. "
                "Is `python -m streaming` running? Its log says what it does; try again when it has caught up."
            )
        time.sleep(0.3)


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
