"""Write simulated days: a file of posts for each day, the labelled events of all days, and daily totals."""

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import zstandard

from core.errors import BadInputError
from producer.simulate.damage import DAMAGE_KINDS, is_unusable
from producer.simulate.events import COPY_PASTE, MUST_ALERT, NEEDS, OUTAGE, SPAM
from producer.simulate.plan import EDITED, FIRST
from producer.simulate.render import cached_plan, render_slice
from producer.simulate.text import words_of
from producer.simulate.vocabulary import LANGUAGES
from producer.simulate.world import World

RECORDS_PER_TASK = 4_000
SMALL_RUN_RECORDS = 12_000
"""Below this, a pool of processes costs more than it gains."""
TRUTH_FILE, DAYS_FILE = "truth.ndjson", "days.ndjson"

Report = Callable[[int, int], None]
"""Called with the records and bytes written since the last call."""


def simulate_days(
    world: World, days: Iterable[int], folder: Path, *, compress: bool, report: Report
) -> list[Path]:
    """Write days of the world and their labels into `folder`; return the files of posts.

    An existing day is replaced by the same bytes. A file gets its name only once it is complete. Raises
    BadInputError if the folder has days of another world.
    """
    days = list(days)
    folder.mkdir(parents=True, exist_ok=True)
    kept_truth = _read_other_days(folder / TRUTH_FILE, world, days)
    kept_days = _read_other_days(folder / DAYS_FILE, world, days)
    estimated = sum(float(world.posts_per_minute(day).sum()) for day in days)
    processes = 1 if estimated < SMALL_RUN_RECORDS else (os.cpu_count() or 1)
    paths = []
    with ProcessPoolExecutor(processes) as pool:
        for day in days:
            path = folder / f"posts-{world.date_of(day)}.ndjson{'.zst' if compress else ''}"
            count = len(cached_plan(world, day).record_post)
            firsts = range(0, count, RECORDS_PER_TASK)
            slices = [(first, min(first + RECORDS_PER_TASK, count)) for first in firsts]
            render = partial(render_slice, world, day)
            parts = map(render, slices) if processes == 1 else pool.map(render, slices)
            _write_day(path, parts, slices, compress=compress, report=report)
            paths.append(path)
            kept_truth += truth_of_day(world, day)
            kept_days.append({**totals_of_day(world, day), "file": path.name})
    _write_lines(folder / TRUTH_FILE, sorted(kept_truth, key=lambda row: str(row["start"])))
    _write_lines(folder / DAYS_FILE, sorted(kept_days, key=lambda row: str(row["day"])))
    return paths


def _write_day(
    path: Path, parts: Iterator[bytes], slices: list[tuple[int, int]], *, compress: bool, report: Report
) -> None:
    unfinished = path.with_name(path.name + ".partial")
    with unfinished.open("wb") as file:
        writer = zstandard.ZstdCompressor(level=3).stream_writer(file, closefd=False) if compress else file
        for part, (first, last) in zip(parts, slices, strict=True):
            writer.write(part)
            report(last - first, len(part))
        if compress:
            writer.close()
    unfinished.replace(path)


def truth_of_day(world: World, day: int) -> list[dict[str, Any]]:
    """Return the day's labelled events, one row each.

    Columns: kind, keyword (null for an outage), keywords (all words that the event makes frequent), language,
    start and end (Unix seconds), posts, authors and texts (distinct, of the event alone), must_alert (true,
    false, or null: either is right), needs (what a detector must take into account), day, day_number, and the
    world: seed, world_start, posts_per_day, and words_per_event if there are several.
    """
    plan = cached_plan(world, day)
    rows = []
    for position, event in enumerate(plan.events):
        posts = np.flatnonzero(plan.event == position)
        sources = np.unique(plan.text_of[posts])
        bursting = set(event.companions) | (
            {word for source in sources for word in words_of(plan, int(source))}
            if event.kind in (COPY_PASTE, SPAM)
            else set()
        )
        start, end = (world.midnight(day) + second for second in (event.start_second, event.end_second))
        if event.kind == OUTAGE:
            posts = np.flatnonzero((plan.created >= start) & (plan.created < end))
            sources = posts
        rows.append(
            {
                "kind": event.kind,
                "keyword": event.keyword,
                "keywords": [event.keyword, *sorted(bursting - {event.keyword})] if event.keyword else [],
                "language": None if event.kind == OUTAGE else LANGUAGES[event.language].name,
                "start": start,
                "end": end,
                "posts": len(posts),
                "authors": len(np.unique(plan.author[posts])),
                "texts": len(sources),
                "must_alert": MUST_ALERT[event.kind],
                "needs": NEEDS[event.kind],
                **_labels(world, day),
            }
        )
    return rows


def totals_of_day(world: World, day: int) -> dict[str, Any]:
    """Return the day's totals and its damage by kind.

    records (lines) = posts (usable, distinct) + again + edited + unusable.
    """
    plan = cached_plan(world, day)
    kinds = Counter(DAMAGE_KINDS[kind - 1] for kind in plan.damage[plan.damage > 0].tolist())
    unusable = sum(is_unusable(kind) for kind in plan.damage.tolist())
    edited = int((plan.record_variant == EDITED).sum())
    again = int((plan.record_variant != FIRST).sum()) - edited
    return {
        **_labels(world, day),
        "records": len(plan.record_post),
        "posts": len(plan.created) - unusable,
        "again": again,
        "edited": edited,
        "unusable": unusable,
        "damage": dict(sorted(kinds.items())),
    }


def _labels(world: World, day: int) -> dict[str, Any]:
    return {"day": str(world.date_of(day)), "day_number": day, **_world_labels(world)}


def _world_labels(world: World) -> dict[str, Any]:
    several = {"words_per_event": world.words_per_event} if world.words_per_event > 1 else {}
    return {
        "seed": world.seed,
        "world_start": str(world.start),
        "posts_per_day": world.posts_per_day,
        **several,
    }


def _belongs_to(world: World, row: dict[str, Any]) -> bool:
    labels = {"words_per_event": world.words_per_event, **_world_labels(world)}
    return all({"words_per_event": 1, **row}[name] == value for name, value in labels.items())


def _read_other_days(path: Path, world: World, days: list[int]) -> list[dict[str, Any]]:
    if not path.exists():
        return []
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    for row in rows:
        if not _belongs_to(world, row):
            names = ("seed", "world_start", "posts_per_day", "words_per_event")
            other = ", ".join(f"{name} {row[name]}" for name in names if name in row)
            raise BadInputError(
                f"{path.parent} holds days of another world ({other}): "
                "choose another folder with --out, or empty this one."
            )
    return [row for row in rows if row["day_number"] not in days]


def _write_lines(path: Path, rows: list[dict[str, Any]]) -> None:
    unfinished = path.with_name(path.name + ".partial")
    unfinished.write_bytes(b"".join(orjson.dumps(row) + b"\n" for row in rows))
    unfinished.replace(path)
