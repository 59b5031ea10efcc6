"""`groundswell finish`: at the end of a replay, close its windows without waiting for the wall clock."""

import time
from contextlib import closing
from typing import Annotated

import typer

from alerts.step import FAR, advance_on_idle, load_clock, lock_detection
from core.command_line import errors_as_sentences, run
from core.errors import NotReadyError
from core.settings import Settings, read_settings
from sql.connection import transaction
from sql.failures import postgres_sentence
from streaming.progress import EndOffsets, offsets_reached


@errors_as_sentences(translate=postgres_sentence)
def main(
    patience_seconds: Annotated[
        float, typer.Option(help="Seconds to wait until detection has read the whole topic.")
    ] = 120,
) -> None:
    """Close every window up to the newest post now, without waiting for the wall clock.

    Alerts that have become quiet by then are resolved. For the end of a replay: later posts for these windows
    are late.
    """
    settings = read_settings()
    wait_until_caught_up(settings, patience_seconds=patience_seconds)
    with transaction(settings, application_name="groundswell finish") as cursor:
        lock_detection(cursor)
        advance_on_idle(cursor, settings, now=FAR)
        typer.echo(f"Every window up to {load_clock(cursor).closed_until:%Y-%m-%d %H:%M} UTC is decided.")


def wait_until_caught_up(settings: Settings, *, patience_seconds: float) -> None:
    """Wait until detection has committed all that Kafka holds; raises NotReadyError if it takes too long."""
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
                "Is `groundswell stream` running? Check its log, and try again when it has caught up."
            )
        time.sleep(0.3)


if __name__ == "__main__":
    run(main)
