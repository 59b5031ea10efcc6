"""`python -m benchmarks load [--posts 1000000]`: seconds and memory of a day's tables, part by part.

The producer and the archive query process simulated posts of one day. Then the batch, in its own process,
loads the day, counts its trends and learns its statistics, and does so once more, as after a late delivery.
CPU is that of the batch, its JVM and Postgres; memory is the peak of the batch and its JVM together, and that
of the largest Postgres process. The timed parts of a step may overlap, and so do load and statistics. Finally
the questions of docs/questions.md are asked.
"""

import logging
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from batch.run import Batch, Step
from batch.session import lazy_session
from benchmarks.measured import ask_questions, measure
from benchmarks.stack import benchmark_stack, run
from core.settings import Settings, read_settings
from sql.connection import transaction

ROUNDS = ("first load", "loaded again")


def main(
    posts: Annotated[int, typer.Option(help="Posts of the day.")] = 1_000_000,
    quick_start: Annotated[bool, typer.Option(help="Let the JVM compile little, as by default.")] = False,
    again: Annotated[bool, typer.Option(help="Load the day a second time.")] = True,
    batch_of: Annotated[
        str | None,
        typer.Option(
            hidden=True, help="Only run the batch of this day, which is what the benchmark measures."
        ),
    ] = None,
) -> None:
    """Measure the load and print its parts."""
    if batch_of:
        _run_batch(date.fromisoformat(batch_of))
        return
    day = (datetime.now(UTC) - timedelta(days=2)).date()
    with benchmark_stack() as (base, folder):
        settings = base.model_copy(
            update={"batch_quick_start": quick_start, "max_offsets_per_trigger": 50_000}
        )
        _fill_archive(settings, folder, day, posts)
        for name in ROUNDS if again else ROUNDS[:1]:
            command = "benchmarks", "load", "--batch-of", day.isoformat()
            measure(settings, folder / f"{name}.log", name, *command)
        _print_sizes(settings)
        ask_questions(settings)


def _run_batch(day: date) -> None:
    logging.basicConfig(stream=sys.stdout, format="  %(message)s")
    logging.getLogger("batch.timing").setLevel(logging.INFO)
    settings = read_settings()
    with lazy_session(settings) as session:
        batch = Batch(settings, session=session, now=lambda: datetime.now(UTC), assume_complete=True)
        for line in batch.run_days([day], [Step.LOAD, Step.TRENDS, Step.STATISTICS]):
            print(line, flush=True)


def _fill_archive(settings: Settings, folder: Path, day: date, posts: int) -> None:
    """Archive a day of `posts` simulated posts."""
    log = folder / "commands.log"
    simulated = f"--start {day} --posts-per-day {posts} --seed 1".split()
    run(settings, log, "producer", "simulate", *simulated, "--out", str(folder / "posts"))
    files = sorted((folder / "posts").glob("posts-*"))
    run(settings, log, "producer", "send", *map(str, files), "--clock", "original", "--no-resume")
    run(settings, log, "streaming", "--only", "archive", "--once")
    for path in files:
        path.unlink()
    print(f"{posts:,} posts of {day} are in the archive", flush=True)


def _print_sizes(settings: Settings) -> None:
    with transaction(settings) as cursor:
        cursor.execute("SELECT kind, count(*), min(posts) FROM daily_trends GROUP BY kind ORDER BY kind")
        for kind, trends, least in cursor.fetchall():
            print(f"trends of kind {kind}: {trends:,}, the last with {least:,} posts")


if __name__ == "__main__":
    typer.run(main)
