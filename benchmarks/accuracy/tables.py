"""Runs the measurements and prints them as tables."""

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.accuracy.aftermath import after_burst
from benchmarks.accuracy.budget import try_budgets
from benchmarks.accuracy.nab import Series, clock_totals, detectors, total
from benchmarks.accuracy.nab_score import PROFILES, STANDARD, SeriesScore
from benchmarks.accuracy.power import Burst, find, learn_history, without_hourly_window
from benchmarks.accuracy.stationary import RULES, Exposure, count_false_alerts, exposures
from benchmarks.accuracy.worlds import WORLDS, NoiseWorld
from detection.score import rule_for

_WATCHED, _DISCOVERY = rule_for(4.5, 10), rule_for(6.0, 10)
POWER_WORLDS = (
    NoiseWorld("steady, dispersion .1", 0.1, season=False),
    NoiseWorld("steady, dispersion .2", 0.2, season=False),
    NoiseWorld("with seasons, dispersion .1", 0.1),
    NoiseWorld("with seasons, dispersion .2", 0.2),
)
BUDGET_WORLDS = WORLDS[3:]
"""Worlds that are restless enough for a budget: in the others the lowest threshold opens fewer than 2 alerts a day."""
BURSTS = {
    0.0: (Burst(0, 10), Burst(15, 10), Burst(30, 10), Burst(30, 60)),
    1.0: (Burst(0, 10), Burst(15, 10), Burst(30, 10), Burst(30, 60)),
    10.0: (
        Burst(0, 10),
        Burst(30, 10),
        Burst(60, 10),
        Burst(100, 10),
        Burst(80, 60),
        Burst(100, 60),
        Burst(120, 60),
    ),
    100.0: (
        Burst(0, 10),
        Burst(300, 10),
        Burst(500, 10),
        Burst(1_000, 10),
        Burst(800, 60),
        Burst(1_000, 60),
        Burst(1_200, 60),
    ),
}
"""Bursts by the posts a window that the word usually has."""


def _console() -> Console:
    return Console(width=130, highlight=False)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def show_nab(series: list[Series]) -> None:
    """The benchmark's scores, of each series and of all, by detector."""
    table = _table(
        f"Numenta Anomaly Benchmark, {len(series)} series",
        "detector",
        "series",
        "standard",
        "low FP",
        "low FN",
        "found",
        "false alarms",
    )
    for name, detector in detectors().items():
        for one in series:
            table.add_row(name, one.name, *_scores(one.score(detector(one))))
        table.add_row(name, "all", *_scores(total(series, detector)), end_section=True)
    clocks = list(clock_totals(series))
    means = [np.mean([clock.normalised(profile) for clock in clocks]) for profile in PROFILES]
    best = max(clocks, key=lambda clock: clock.normalised(STANDARD))
    table.add_row("blind clock, once a day", "mean of 24 hours", *(f"{mean:.1f}" for mean in means), "", "")
    table.add_row("blind clock, once a day", "its best hour", *_scores(best))
    _console().print(table)


def _scores(score: SeriesScore) -> list[str]:
    return [
        *(f"{score.normalised(profile):.1f}" for profile in PROFILES),
        f"{score.found} of {score.windows}",
        f"{score.false_alarms:,}",
    ]


def show_simulation(plan: Exposure, workers: int) -> None:
    """False alerts a day by world and threshold, and on a day on which the whole stream changes."""
    console = _console()
    thresholds = [f"T = {name}" for name in RULES]
    daily = _table(
        f"False alerts a day, {plan.words:,} words, mean of {plan.scored_days} days", "world", *thresholds
    )
    title = (
        f"False alerts on a day when the stream changes, {plan.words:,} words; in brackets without `ratio`"
    )
    changed = _table(title, "world", "the day", *thresholds)
    for world in WORLDS:
        with console.status(world.name):
            found = count_false_alerts(world, plan, workers)
        daily.add_row(world.name, *(f"{found[name] / plan.scored_days:.1f}" for name in RULES))
        for exposure in exposures():
            cells = (
                f"{found[f'{exposure}|{name}']:,} ({found[f'{exposure}|{name}|no ratio']:,})"
                for name in RULES
            )
            changed.add_row(world.name, exposure, *cells)
    console.print(daily)
    console.print(changed)


def show_budgets(plan: Exposure, workers: int) -> None:
    """The threshold that each budget leads to, night after night, and the alerts a day that come of it in the days after."""
    console = _console()
    for world in BUDGET_WORLDS:
        title = f"A budget of alerts a day, {world.name}, {plan.words:,} words, {plan.scored_days} days"
        table = _table(
            title,
            "budget",
            "T, first night",
            "least",
            "most",
            "alerts a day",
            "least on a day",
            "most on a day",
        )
        with console.status(world.name):
            found = try_budgets(world, plan, workers)
        for budget, came in found.items():
            thresholds = (
                f"{threshold:.2f}"
                for threshold in (came.thresholds[0], min(came.thresholds), max(came.thresholds))
            )
            table.add_row(
                str(budget),
                *thresholds,
                f"{np.mean(came.opened):.1f}",
                str(min(came.opened)),
                str(max(came.opened)),
            )
        console.print(table)


def show_power(seeds: int, seed: int) -> None:
    """The part of the bursts that is found, and the median minutes from the first post to the alert."""
    console = _console()
    for world in POWER_WORLDS:
        table = _table(
            f"Bursts found, {world.name}, {seeds} seeds",
            "posts a window",
            "extra posts",
            "in minutes",
            "T = 4.5",
            "first look alone",
            "minutes, early",
            "at a window's end",
            "T = 6",
        )
        for rate, bursts in BURSTS.items():
            history = learn_history(world, rate, seeds, seed)
            for burst in bursts:
                watched, discovery = (
                    find(history, burst, _WATCHED, seed),
                    find(history, burst, _DISCOVERY, seed),
                )
                alone = find(history, burst, without_hourly_window(_WATCHED), seed)
                table.add_row(
                    f"{rate:g}" if rate else "never seen",
                    f"{burst.extra:,}",
                    str(burst.minutes),
                    f"{watched.share:.3f}",
                    f"{alone.share:.3f}",
                    _minutes(watched.median_early),
                    _minutes(watched.median_closed),
                    f"{discovery.share:.3f}",
                )
        console.print(table)


def _minutes(minutes: float) -> str:
    return "" if np.isnan(minutes) else f"{minutes:.0f}"


def show_history(seeds: int, seed: int) -> None:
    """How much a burst of twenty times the usual raises the smallest alarming count, and for how long."""
    table = _table(
        f"After a burst of 20 times the usual, dispersion .1, {seeds} seeds",
        "posts a window",
        "hours",
        "smallest alarming count",
        "times as high a day later",
        "7 days",
        "14 days",
        "false alerts in 14 days",
        "without the burst",
    )
    for rate in (1.0, 10.0, 100.0):
        for hours in (2, 24):
            after = after_burst(WORLDS[1], rate, hours, seeds, _WATCHED, seed)
            grown = (f"{factor:.2f}" for factor in after.grown.values())
            figures = (f"{after.usual:.0f}", *grown, str(after.false_alerts), str(after.usual_false_alerts))
            table.add_row(f"{rate:g}", str(hours), *figures)
    _console().print(table)
