"""`python -m benchmarks beside [--posts 500000]`: ways to count keywords without Kafka and Java.

The same simulated posts, in files of one batch, are counted by plain Python with SQLite, by DuckDB and by
bytewax, each in a process of its own, in turns, with the keyword rule in Python. All counts must be equal;
exit code 1 if they are not. "warm" is the second half of the batches. `--quick` counts few posts, to compare
the counts alone.
"""

import json
import resource
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from benchmarks.beside.engines import ENGINES
from benchmarks.beside.posts import Result, files_in, write_posts
from benchmarks.stack import run
from core.settings import Settings

QUICK_POSTS, QUICK_BATCH = 20_000, 5_000
COLUMNS = ("engine", "posts/s cold", "posts/s warm", "CPU µs a post", "peak memory, MiB", "counts", "equal")


def main(
    posts: Annotated[int, typer.Option(help="posts to count")] = 500_000,
    batch: Annotated[int, typer.Option(help="posts of a batch")] = 50_000,
    rounds: Annotated[int, typer.Option(help="how often each engine counts them", min=1)] = 1,
    only: Annotated[str, typer.Option(help="engines, separated by commas; all by default")] = "",
    quick: Annotated[bool, typer.Option(help="count few posts, to compare the counts alone")] = False,
    out: Annotated[Path | None, typer.Option("--json", help="write the results to this file as JSON")] = None,
    engine: Annotated[str | None, typer.Option(hidden=True, help="run one engine on --folder")] = None,
    folder: Annotated[Path | None, typer.Option(hidden=True, help="where the posts are")] = None,
) -> None:
    """Count the same posts by several engines, compare the counts, and print a table."""
    if engine and folder:
        _count(engine, folder)
        return
    if quick:
        posts, batch = QUICK_POSTS, QUICK_BATCH
    names = [name for name in only.split(",") if name] or [*ENGINES]
    with tempfile.TemporaryDirectory(prefix="groundswell-beside-") as scratch:
        write_posts(Path(scratch), posts, batch)
        results = [_measured(name, Path(scratch)) for _ in range(rounds) for name in names]
    if out:
        out.write_text(json.dumps([_as_json(result) for result in results], indent=2) + "\n")
    equal = report(results)
    raise typer.Exit(0 if equal else 1)


def _count(name: str, folder: Path) -> None:
    scratch = folder / f"scratch-{name}"
    scratch.mkdir()
    result = ENGINES[name](files_in(folder), scratch)
    (folder / f"{name}.json").write_text(json.dumps(asdict(result)))
    shutil.rmtree(scratch, ignore_errors=True)


def _measured(name: str, folder: Path) -> Result:
    """Run an engine in a process of its own; raise RuntimeError if it fails."""
    cpu = _cpu_seconds()
    arguments = "benchmarks", "beside", "--engine", name, "--folder", str(folder)
    command = run(_settings(), folder / f"{name}.log", *arguments)
    result = Result(**json.loads((folder / f"{name}.json").read_bytes()))
    return replace(result, cpu_seconds=_cpu_seconds() - cpu, peak_bytes=command.peak_bytes)


def _settings() -> Settings:
    """Return settings without servers."""
    return Settings(
        kafka_bootstrap_servers="unused:9092",
        postgres_host="unused",
        postgres_password=SecretStr("unused"),
        s3_bucket="unused",
    )


def _cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _as_json(result: Result) -> dict[str, object]:
    return {**asdict(result), "cold": result.cold, "warm": result.warm}


def report(results: Sequence[Result]) -> bool:
    """Print a table and a last line; return whether all counts are equal."""
    digests = {(result.digest, result.keys) for result in results}
    table = Table(title=f"{results[0].posts:,} posts")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "engine" else "right")
    for result in results:
        table.add_row(
            result.engine,
            f"{result.cold:,.0f}",
            f"{result.warm:,.0f}" if result.warm else "",
            f"{result.cpu_seconds / result.posts * 1e6:.0f}",
            f"{result.peak_bytes / 2**20:,.0f}",
            f"{result.keys:,}",
            "yes" if len(digests) == 1 else "NO",
        )
    Console(width=110).print(table)
    print(f"summary: {summary(results)}; counts {'equal' if len(digests) == 1 else 'DIFFER'}")
    return len(digests) == 1


def summary(results: Sequence[Result]) -> str:
    """Return the medians of each engine in one line, and how often as fast the first one is.

    >>> summary([Result("a", 100, 1, "x", [1.0, 2.0]), Result("b", 100, 1, "x", [10.0])])
    'a 50 posts/s warm, 50 cold; 5.0 times b'
    """
    first, *others = dict.fromkeys(result.engine for result in results)
    cold = {name: median(r.cold for r in results if r.engine == name) for name in (first, *others)}
    warm = {name: median(r.warm or r.cold for r in results if r.engine == name) for name in (first, *others)}
    times = ", ".join(f"{warm[first] / warm[name]:.1f} times {name}" for name in others)
    return f"{first} {warm[first]:,.0f} posts/s warm, {cold[first]:,.0f} cold; {times}"
