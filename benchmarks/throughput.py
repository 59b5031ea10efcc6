"""`python -m benchmarks throughput [--posts 300000] [--rounds 2]`: top speed of producer and queries.

Simulated posts with a realistic long tail of words are written to a file; then, round by round, the producer
sends them and the archive query and the detection query drain them, one after the other, each in its own
process. A round is a day, and its words are compared with what the daily batch learned from a day before all
rounds; with `--no-history` there are no statistics, so every frequent word is new and alerts. "cold"
includes start-up and the first batch, in which Java compiles itself; "warm" leaves both out.
"""

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.stack import benchmark_stack, run
from core.settings import Settings
from sql.connection import transaction


def main(
    posts: Annotated[int, typer.Option(help="posts per round")] = 300_000,
    rounds: Annotated[int, typer.Option(help="number of rounds")] = 2,
    batch_records: Annotated[int, typer.Option(help="most records in a batch")] = 50_000,
    history: Annotated[bool, typer.Option(help="learn a day before the rounds")] = True,
) -> None:
    """Measure posts per second of producer, archive and detection, and print a table."""
    table = Table(title=f"{posts:,} posts per round")
    for column in ("round", "part", "posts/s cold", "posts/s warm", "seconds", "peak memory, MiB"):
        table.add_column(column, justify="left" if column == "part" else "right")
    with benchmark_stack() as (base, folder):
        settings = base.model_copy(update={"max_offsets_per_trigger": batch_records})
        if history:
            _learn_a_day(settings, folder, posts)
        for number in range(1, rounds + 1):
            for row in _round(settings, folder, posts, number):
                table.add_row(str(number), *row)
    Console(width=110).print(table)


def _round(settings: Settings, folder: Path, posts: int, number: int) -> list[tuple[str, ...]]:
    """Measure the posts of one day, another day each round so that nothing is late; return table rows."""
    data, log = folder / f"round{number}", folder / "commands.log"
    rows = [_timed(settings, log, "simulate", posts, _simulate(posts, number, data))]
    with transaction(settings) as cursor:
        # Else the archive query would also gather evidence for the last round, as benchmarks.evidence does.
        cursor.execute("TRUNCATE anomaly_alerts CASCADE")
    files = [str(path) for path in sorted(data.glob("posts-*"))]
    rows.append(_timed(settings, log, "produce", posts, _send(files)))
    for query in ("archive", "detect"):
        command = ("streaming", "--only", query, "--once")
        rows.append(_timed(settings, log, query, posts, command, warm_query=query))
    for path in files:
        Path(path).unlink()
    return rows


def _learn_a_day(settings: Settings, folder: Path, posts: int) -> None:
    """Archive and learn the day before the rounds; detection reads it too, but cannot alert on it."""
    data, log = folder / "history", folder / "commands.log"
    run(settings, log, *_simulate(posts, 0, data))
    run(settings, log, *_send([str(path) for path in sorted(data.glob("posts-*"))]))
    run(settings.model_copy(update={"min_posts": 1_000_000}), log, "streaming", "--once")
    run(settings, log, "batch", _day(0), "--steps", "statistics", "--assume-complete")
    with transaction(settings) as cursor:
        cursor.execute("DELETE FROM pipeline_metrics")


def _day(number: int) -> str:
    return (datetime.now(UTC) - timedelta(days=30 - number)).date().isoformat()


def _simulate(posts: int, number: int, out: Path) -> tuple[str, ...]:
    """Return the command that writes day `number` of one world."""
    options = f"--start {_day(number)} --posts-per-day {posts} --seed 1"
    return ("producer", "simulate", *options.split(), "--out", str(out))


def _send(files: list[str]) -> tuple[str, ...]:
    return ("producer", "send", *files, "--clock", "original", "--no-resume")


def _timed(
    settings: Settings,
    log: Path,
    part: str,
    posts: int,
    arguments: tuple[str, ...],
    warm_query: str | None = None,
) -> tuple[str, ...]:
    """Run a command; return its cells of the table from "part" on."""
    began = time.perf_counter()
    command = run(settings, log, *arguments)
    seconds = time.perf_counter() - began
    warm_rate = f"{_warm_rate(settings, warm_query):,.0f}" if warm_query else ""
    return part, f"{posts / seconds:,.0f}", warm_rate, f"{seconds:.1f}", f"{command.peak_bytes / 2**20:,.0f}"


def _warm_rate(settings: Settings, query: str) -> float:
    """Return records per second over all batches of the newest run except its first."""
    with transaction(settings) as cursor:
        cursor.execute(
            "SELECT input_records, duration_ms FROM pipeline_metrics WHERE query = %s ORDER BY observed_at",
            (query,),
        )
        batches = cursor.fetchall()
        cursor.execute("DELETE FROM pipeline_metrics WHERE query = %s", (query,))
    warm = batches[1:]
    records, milliseconds = (sum(batch[i] for batch in warm) for i in (0, 1))
    return 1000.0 * float(records) / max(float(milliseconds), 1.0)


if __name__ == "__main__":
    typer.run(main)
