"""`python -m benchmarks first-day`: what is found, and falsely, before any statistics were learned.

Two simulated days each: the first is judged by the windows that came before, with early looks every half
minute, the second by the statistics that are learned from the first. Exits with 1 if a goal is missed: at
most 3 false alerts on a first day, none in the first 45 minutes, .95 of the bursts that must be found, and a
median of 6 minutes from a burst's first post to its alert.
"""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.first_day import tables
from benchmarks.first_day.texts import load_texts
from core.command_line import errors_as_sentences
from core.errors import NotReadyError

POSTS = Path("../shared/data/posts/trending_december_2020_1000.ndjson")


class Part(StrEnum):
    """What can be measured."""

    worlds = "worlds"
    rooms = "rooms"
    texts = "texts"


@errors_as_sentences("Nothing was measured. ")
def main(
    only: Annotated[
        list[Part] | None, typer.Option(help="Measure this part only; repeatable.", show_default=False)
    ] = None,
    posts_a_day: Annotated[
        list[int] | None, typer.Option(help="Posts a day of the worlds; repeatable.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option(help="Seeds per world.", min=1)] = 3,
    posts: Annotated[Path, typer.Option(help="File of real posts, as ndjson.")] = POSTS,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = os.cpu_count() or 1,
) -> None:
    """Measure the first day of streams without history: false alerts, bursts found, and how soon.

    worlds: simulated words, from 5,000 to 500,000 posts a day, from midnight, the morning and the evening.

    rooms: a live event, a handful of posts, outages, and ingest that grows.

    texts: the posts of a file, drawn again and again.

    The same seed gives the same figures.
    """
    parts = only or list(Part)
    started = time.perf_counter()
    results = tables.Results()
    if Part.worlds in parts:
        tables.show_worlds(results, posts_a_day or tables.VOLUMES, seeds, workers)
    if Part.rooms in parts:
        tables.show_rooms(results, seeds)
    if Part.texts in parts:
        _show_texts(results, posts, seeds)
    typer.echo(f"{time.perf_counter() - started:,.0f} s, {sum(os.times()[:4]):,.0f} s of processor time")
    typer.echo(results.summary())
    raise typer.Exit(1 if results.missed_goals() else 0)


def _show_texts(results: tables.Results, posts: Path, seeds: int) -> None:
    try:
        tables.show_texts(results, load_texts(posts), seeds)
    except NotReadyError as error:
        typer.echo(f"The part texts is skipped. {error}")
