"""`python -m benchmarks explain`: seconds from the start of `groundswell explain ALERT` to its end.

Simulated days go through the whole pipeline: the first is judged as a first day, the others by the statistics
of the days before. Then alerts of both kinds are explained, each in a process of its own. Files that Python
and DuckDB load are in the machine's cache, as where `groundswell` was used before.
"""

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from benchmarks.stack import REPOSITORY, benchmark_stack, run
from core.settings import Settings
from core.windows import ONE_DAY
from deploy.local.shell import settings_variables
from sql.connection import transaction

FIRST_DAY = date(2026, 3, 2)
LIMIT_SECONDS = 3.0
_ALERTS = """
SELECT alert_id::text FROM anomaly_alerts
WHERE status <> 'withdrawn' AND (statistics_as_of IS NULL) = %(first_day)s
ORDER BY md5(alert_id::text) LIMIT %(most)s
"""


def main(
    posts_per_day: Annotated[int, typer.Option(help="posts on an average day", min=1_000)] = 24_000,
    days: Annotated[int, typer.Option(help="simulated days", min=2)] = 3,
    alerts: Annotated[int, typer.Option(help="alerts of each kind to explain", min=1)] = 10,
    seed: Annotated[int, typer.Option(help="seed of the simulated world")] = 11,
) -> None:
    """Explain alerts of simulated days and print how long it took; exit code 1: one took over 3 seconds."""
    table = Table(title=f"{days} days of {posts_per_day:,} posts; seconds of a cold process")
    for column in ("alerts judged by", "alerts", "all figures match", "median", "most"):
        table.add_column(column, justify="left" if column == "alerts judged by" else "right")
    slowest = 0.0
    with benchmark_stack() as (settings, folder):
        _play(settings, folder, f"--posts-per-day {posts_per_day} --days {days} --seed {seed}", days)
        for name, first_day in (("the windows before", True), ("statistics", False)):
            runs = [_explain(settings, alert) for alert in _chosen(settings, first_day, alerts)]
            seconds, matching = [took for took, _ in runs], sum(code == 0 for _, code in runs)
            if runs:
                cells = f"{matching}", f"{median(seconds):.2f}", f"{max(seconds):.2f}"
                table.add_row(name, f"{len(runs)}", *cells)
            slowest = max([slowest, *seconds])
    Console(width=100).print(table)
    raise typer.Exit(int(not 0 < slowest <= LIMIT_SECONDS))


def _play(settings: Settings, folder: Path, world: str, days: int) -> None:
    """Send the days one by one, detect, and learn each day before the next."""
    log = folder / "commands.log"
    run(
        settings, log, "producer", "simulate", "--start", f"{FIRST_DAY}", *world.split(), "--out", str(folder)
    )
    for number in range(days):
        day = FIRST_DAY + number * ONE_DAY
        run(
            settings,
            log,
            "producer",
            str(folder / f"posts-{day}.ndjson"),
            "--clock",
            "original",
            "--no-resume",
        )
        run(settings, log, "streaming", "--once")
        if number < days - 1:
            run(settings, log, "batch", f"{day}", "--assume-complete", "--steps", "statistics")
    run(settings, log, "streaming.finish")


def _chosen(settings: Settings, first_day: bool, most: int) -> list[str]:
    with transaction(settings) as cursor:
        cursor.execute(_ALERTS, {"first_day": first_day, "most": most})
        return [row[0] for row in cursor.fetchall()]


def _explain(settings: Settings, alert: str) -> tuple[float, int]:
    """Return the seconds of one run of the command, and its exit code."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "groundswell", "explain", alert],
        cwd=REPOSITORY,
        env={**os.environ, **settings_variables(settings)},
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return time.perf_counter() - began, done.returncode
