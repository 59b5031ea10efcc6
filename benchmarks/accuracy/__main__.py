"""`python -m benchmarks.accuracy`: how well the rule finds what takes off, and how seldom it cries wolf.

nab: labelled series of a folder, scored as the Numenta Anomaly Benchmark does. simulation: false alerts on many words where
nothing takes off. budget: alerts a day that come of a budget. power: bursts found, by size. history: what a burst leaves
behind. The same seed gives the same figures.
"""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.accuracy import tables
from benchmarks.accuracy.nab import load_folder
from benchmarks.accuracy.stationary import Exposure
from core.errors import GroundswellError

COUNTS_DIR = Path("../shared/data/counts")


class Part(StrEnum):
    """What can be measured."""

    nab = "nab"
    simulation = "simulation"
    budget = "budget"
    power = "power"
    history = "history"


def main(
    counts_dir: Annotated[
        Path, typer.Option(help="folder of labelled series, *.csv with anomaly_windows.json beside them")
    ] = COUNTS_DIR,
    only: Annotated[
        list[Part] | None, typer.Option(help="measure this alone; may be given again", show_default=False)
    ] = None,
    words: Annotated[int, typer.Option(help="words of the simulation", min=1)] = 200_000,
    days: Annotated[
        int, typer.Option(help="days of the simulation that are judged, after 14 that are learned", min=1)
    ] = 7,
    seeds: Annotated[int, typer.Option(help="words per burst size", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="seed of all randomness")] = 1,
    workers: Annotated[int, typer.Option(help="processes", min=1)] = os.cpu_count() or 1,
) -> None:
    """Measure and print the tables."""
    parts = only or list(Part)
    began = time.perf_counter()
    try:
        if Part.nab in parts:
            tables.show_nab(load_folder(counts_dir))
    except GroundswellError as error:
        typer.echo(
            f"Nothing was measured. {error} Or measure the rest: --only simulation --only budget --only power --only history.",
            err=True,
        )
        raise typer.Exit(1) from error
    if Part.simulation in parts:
        tables.show_simulation(Exposure(words=words, scored_days=days, seed=seed), workers)
    if Part.budget in parts:
        tables.show_budgets(Exposure(words=words, scored_days=days, seed=seed), workers)
    if Part.power in parts:
        tables.show_power(seeds, seed)
    if Part.history in parts:
        tables.show_history(seeds, seed)
    processor = sum(os.times()[:4])
    typer.echo(f"{time.perf_counter() - began:,.0f} s, {processor:,.0f} s of processor time")


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)
    app.command(help=__doc__)(main)
    app()
