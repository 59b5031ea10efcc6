"""`python -m deploy.local.run`, behind `make run`: the whole pipeline on this machine."""

import fcntl
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import psycopg2
import typer

from core.errors import AlreadyRunningError, GroundswellError
from deploy.local import stack
from deploy.local.demo.own_posts import play_own_posts
from deploy.local.demo.session import Session
from deploy.local.demo.simulated import play_next_day
from deploy.local.demo.stages import Screen
from deploy.local.layout import Layout, layout_for
from deploy.local.setup import preflight

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def run(
    posts: Annotated[
        str,
        typer.Option(
            envvar="POSTS", help="replay these files (a pattern, or several separated by spaces) instead"
        ),
    ] = "",
    clock: Annotated[str, typer.Option(envvar="CLOCK", help="with POSTS: now, original or shifted")] = "",
    speed: Annotated[
        str,
        typer.Option(envvar="SPEED", help="how many times faster than real time; max: as fast as possible"),
    ] = "",
    rate: Annotated[str, typer.Option(envvar="RATE", help="maximum posts a second")] = "",
    limit: Annotated[str, typer.Option(envvar="LIMIT", help="stop after this many posts")] = "",
) -> None:
    """Start everything, replay posts, print alerts; in a terminal keep running until Ctrl-C."""
    if preflight.report():
        raise typer.Exit(1)
    layout = layout_for()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    with _only_run(layout), Screen() as screen:
        session = Session(layout, screen, started_at=float(os.environ.get("RUN_STARTED") or time.time()))
        try:
            if posts:
                play_own_posts(session, posts, clock=clock or "now", speed=speed, rate=rate, limit=limit)
            else:
                play_next_day(session, speed=speed, rate=rate, limit=limit)
            if screen.is_terminal:
                session.stay()
        except KeyboardInterrupt:
            screen.say("Stopping ...")
            if session.is_decided:
                return
            raise typer.Exit(130) from None
        finally:
            _stop_everything(session)


def _stop_everything(session: Session) -> None:
    """Stop the commands and the servers; a second Ctrl-C does not interrupt that."""
    if not session.is_prepared:
        return
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    session.stop_commands()
    stack.down(session.layout)
    session.screen.say(
        "Everything is stopped; the data stays. "
        "`make run` continues from here, `make up` starts only the servers."
    )


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


@contextmanager
def _only_run(layout: Layout) -> Iterator[None]:
    layout.run.mkdir(parents=True, exist_ok=True)
    with (layout.run / "run.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(
                f"`make run` is already running in {layout.root}: stop it with Ctrl-C or `make stop`."
            ) from error
        yield


def main() -> None:
    """Run the command; an expected error is printed without a traceback, with exit code 1."""
    try:
        app()
    except (GroundswellError, psycopg2.OperationalError) as error:
        typer.echo(str(error).strip(), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
