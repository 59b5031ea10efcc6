"""`python -m benchmarks tables [--posts 1000000] [--days 10]`: the whole batch, compared with DuckDB.

Simulated posts, spread evenly over the days, are imported into the archive. `groundswell batch` runs every
step of every day, measured as in `benchmarks load`. Then the questions of docs/questions.md are asked, and
every query of `benchmarks.oracle.SAME_IN_BOTH` is run in Postgres and in DuckDB, which read only the lines.
The exit code is 1 if one of them differs.
"""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import duckdb
import typer

from benchmarks.measured import ask_questions, measure
from benchmarks.oracle import SAME_IN_BOTH, Oracle, with_time_stamps
from benchmarks.stack import benchmark_stack, run
from core.settings import Settings


def main(
    posts: Annotated[int, typer.Option(help="Posts of all days together.")] = 1_000_000,
    days: Annotated[int, typer.Option(help="Days.")] = 10,
    seed: Annotated[int, typer.Option(help="Seed of the simulated world.")] = 1,
) -> None:
    """Load, measure, ask and compare."""
    all_days = [(datetime.now(UTC) - timedelta(days=days + 1 - number)).date() for number in range(days)]
    with benchmark_stack() as (settings, folder), duckdb.connect(folder / "oracle.duckdb") as database:
        oracle = Oracle(database)
        _import_days(settings, folder, all_days, posts // days, seed, oracle)
        first, last = all_days[0].isoformat(), all_days[-1].isoformat()
        command = f"batch --from {first} --to {last} --assume-complete".split()
        measure(settings, folder / "batch.log", "batch", *command)
        ask_questions(settings)
        oracle.conclude(keep_ranks=settings.trends_keep_ranks)
        differing = [name for name in SAME_IN_BOTH if not oracle.agrees_with(settings, name)]
    for name in SAME_IN_BOTH:
        print(f"{'DIFFERS' if name in differing else 'same as in DuckDB':<18} {name}")
    raise typer.Exit(1 if differing else 0)


def _import_days(
    settings: Settings, folder: Path, days: list[date], posts_a_day: int, seed: int, oracle: Oracle
) -> None:
    """Import simulated posts of `days`, stamped with times of their day, and add them to the oracle."""
    log = folder / "commands.log"
    for day in days:
        world = f"--world-start {days[0]} --start {day} --posts-per-day {posts_a_day} --seed {seed}".split()
        run(settings, log, "producer", "simulate", *world, "--out", str(folder / "posts"))
        path = folder / "posts" / f"posts-{day}.ndjson"
        lines = list(with_time_stamps(path.read_bytes().splitlines(), day))
        path.write_bytes(b"\n".join(lines) + b"\n")
        oracle.add(lines)
    run(settings, log, "streaming", "--only", "archive", "--once")  # creates the archive's table
    run(settings, log, "batch", "import", str(folder / "posts" / "posts-*"), "--clock", "kept")
    print(f"{posts_a_day:,} posts of each of {len(days)} days are in the archive", flush=True)


if __name__ == "__main__":
    typer.run(main)
