"""`python -m benchmarks accuracy`: how well the rule finds what takes off, and its false alerts."""

import os
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.accuracy import tables
from benchmarks.accuracy.clocks import show_clocks
from benchmarks.accuracy.nab import load_folder
from benchmarks.accuracy.share_tables import show_share
from benchmarks.accuracy.stationary import Exposure
from core.command_line import errors_as_sentences
from core.errors import NotReadyError

COUNTS_DIR = Path("../shared/data/counts")
OTHER_PARTS = (
    "Or measure the rest: --only simulation --only budget --only power --only history --only share "
    "--only clocks."
)


class Part(StrEnum):
    """What can be measured."""

    nab = "nab"
    simulation = "simulation"
    budget = "budget"
    power = "power"
    history = "history"
    share = "share"
    clocks = "clocks"


@errors_as_sentences("Nothing was measured. ")
def main(
    counts_dir: Annotated[
        Path, typer.Option(help="Folder of labelled series: *.csv and anomaly_windows.json.")
    ] = COUNTS_DIR,
    only: Annotated[
        list[Part] | None, typer.Option(help="Measure this part only; repeatable.", show_default=False)
    ] = None,
    words: Annotated[int, typer.Option(help="Words in the simulation.", min=1)] = 200_000,
    days: Annotated[
        int, typer.Option(help="Simulated days that are judged, after 14 that are learned.", min=1)
    ] = 7,
    seeds: Annotated[int, typer.Option(help="Words per burst size.", min=1)] = 400,
    seed: Annotated[int, typer.Option(help="Seed of all randomness.")] = 1,
    workers: Annotated[int, typer.Option(help="Processes.", min=1)] = os.cpu_count() or 1,
) -> None:
    """Measure how well the rule finds what takes off, and how often it alerts on nothing.

    nab: labelled series of a folder, scored as in the Numenta Anomaly Benchmark.

    simulation: false alerts on many words of which none takes off.

    budget: alerts per day that a budget leads to.

    power: bursts found, by size.

    history: what a burst leaves behind in the statistics.

    share: streams of which one word makes a large share, as those collected by a topic.

    clocks: habits that move by an hour of UTC when clocks change.

    The same seed gives the same figures.
    """
    parts = only or list(Part)
    started = time.perf_counter()
    if Part.nab in parts:
        try:
            series = load_folder(counts_dir)
        except NotReadyError as error:
            raise NotReadyError(f"{error} {OTHER_PARTS}") from error
        tables.show_nab(series)
    exposure = Exposure(words=words, scored_days=days, seed=seed)
    if Part.simulation in parts:
        tables.show_simulation(exposure, workers)
    if Part.budget in parts:
        tables.show_budgets(exposure, workers)
    if Part.power in parts:
        tables.show_power(seeds, seed)
    if Part.history in parts:
        tables.show_history(seeds, seed)
    if Part.share in parts:
        show_share(seeds // 10 + 1, seed)
    if Part.clocks in parts:
        show_clocks(seed)
    processor = sum(os.times()[:4])
    typer.echo(f"{time.perf_counter() - started:,.0f} s, {processor:,.0f} s of processor time")
