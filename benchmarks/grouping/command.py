"""`python -m benchmarks grouping quality|speed`: how far an event is one incident, and what that costs."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Annotated

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from alerts.incidents import group_incidents
from benchmarks.first_day.texts import load_texts
from benchmarks.grouping.quality import Quality, quality_of
from benchmarks.grouping.rules import RULES
from benchmarks.grouping.speed import SHAPES, make_alerts
from benchmarks.grouping.texts import events_of_texts
from benchmarks.grouping.worlds import (
    World,
    event_in_parts,
    large_event,
    long_event,
    simultaneous_events,
)
from core.command_line import errors_as_sentences

POSTS = Path("../shared/data/posts/trending_december_2020_1000.ndjson")
Maker = Callable[[np.random.Generator], World]

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


def simulated_worlds() -> dict[str, Maker]:
    """Return what makes each of the simulated worlds, by its name."""
    plain = {
        f"{words} words, each in {probability:.0%} of the posts": partial(
            simultaneous_events, words=words, probability=probability
        )
        for words in (2, 4, 8)
        for probability in (0.3, 0.5, 0.7, 1.0)
    }
    four, eight = (partial(simultaneous_events, words=words) for words in (4, 8))
    return {
        **plain,
        "a headline in all, 8 words in 15 %": partial(eight, probability=0.15, headline=1.0),
        "4 words in 50 %, a third of their posts about others": partial(
            four, probability=0.5, background=0.5
        ),
        "4 words in 50 %, a tag in half of all posts": partial(four, probability=0.5, tagged=True),
        "4 words in 100 %, a tag in half of all posts": partial(four, probability=1.0, tagged=True),
        "4 words in 50 %, 3 words shared by two events": partial(four, probability=0.5, shared=3),
        "4 words in 100 %, 3 words shared by two events": partial(four, probability=1.0, shared=3),
        "one large event, 1,000 of 9,160 posts": partial(
            large_event, posts=1_000, other_posts=8_000, headline=0.5
        ),
        "one large event, 4,000 of 4,660 posts": partial(
            large_event, posts=4_000, other_posts=500, headline=0.8
        ),
        "an event of four hours whose words change": long_event,
        "two parts that share only their headline": partial(event_in_parts, parts=2),
        "five parts that share only their headline": partial(event_in_parts, parts=5),
    }


def worlds_of_texts(posts: Path) -> dict[str, Maker]:
    """Return what makes the worlds of the texts in an ndjson file, by name."""
    texts = [text for text in load_texts(posts).keywords if text]
    four = {
        f"real texts, words kept in {probability:.0%}": partial(
            events_of_texts, texts=texts, probability=probability
        )
        for probability in (0.3, 0.5, 0.7, 1.0)
    }
    return {
        **four,
        "real texts, 50 %, 10 events": partial(events_of_texts, texts=texts, probability=0.5, events=10),
    }


@app.command("quality")
@errors_as_sentences("Nothing was measured. ")
def quality(
    seeds: Annotated[int, typer.Option(help="Seeds per world.", min=1)] = 5,
    posts: Annotated[Path, typer.Option(help="File of real posts, as ndjson.")] = POSTS,
) -> None:
    """Print precision and recall of pairs, and incidents per event: the rule in use and others.

    The same seed gives the same figures.
    """
    table = Table("events", *RULES, title="precision / recall / incidents per event", title_justify="left")
    rows = {
        name: list(measure(maker, seeds).values())
        for name, maker in {**simulated_worlds(), **worlds_of_texts(posts)}.items()
    }
    for name, qualities in rows.items():
        table.add_row(name, *(_figures([quality]) for quality in qualities))
    table.add_row("mean", *map(_figures, zip(*rows.values(), strict=True)))
    Console(width=170, soft_wrap=True).print(table)


def measure(maker: Maker, seeds: int) -> dict[str, Quality]:
    """Return the quality of each rule, summed over worlds with different seeds."""
    totals = dict.fromkeys(RULES, Quality())
    for seed in range(seeds):
        world = maker(np.random.default_rng(seed))
        for name, rule in RULES.items():
            totals[name] += quality_of(rule(world.members), world.events)
    return totals


def _figures(qualities: Sequence[Quality]) -> str:
    precision, recall, groups = (
        mean(getattr(quality, name) for quality in qualities)
        for name in ("precision", "recall", "groups_per_event")
    )
    return f"{precision:.2f} / {recall:.2f} / {groups:.1f}"


@app.command("speed")
def speed(
    alerts: Annotated[list[int] | None, typer.Option(help="Numbers of alerts; repeatable.")] = None,
    posts: Annotated[int, typer.Option(help="Posts of an alert.", min=1)] = 60,
    shape: Annotated[list[str] | None, typer.Option(help=f"{', '.join(SHAPES)}; repeatable.")] = None,
) -> None:
    """Print the seconds and CPU seconds that grouping takes, for alerts that share posts in several ways."""
    table = Table("alerts", "posts each", "shape", "seconds", "CPU seconds", "incidents")
    for name in shape or SHAPES:
        for count in alerts or (2_500, 5_000, 10_000):
            table.add_row(f"{count:,}", f"{posts:,}", name, *_timed(name, count, posts))
    Console(width=120, soft_wrap=True).print(table)


def _timed(shape: str, count: int, posts: int) -> Iterator[str]:
    members = make_alerts(np.random.default_rng(1), shape, count, posts)
    began, cpu = time.perf_counter(), time.process_time()
    incidents = group_incidents(members)
    yield f"{time.perf_counter() - began:.2f}"
    yield f"{time.process_time() - cpu:.2f}"
    yield f"{len(incidents):,}"
