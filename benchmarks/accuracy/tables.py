"""Run the measurements and print them as tables."""

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
"""Worlds noisy enough for a budget: in the others the lowest threshold opens under 2 alerts a day."""
_EXTRA_POSTS_BY_MINUTES = {
    0.0: {10: (0, 15, 30), 60: (30,)},
    1.0: {10: (0, 15, 30), 60: (30,)},
    10.0: {10: (0, 30, 60, 100), 60: (80, 100, 120)},
    100.0: {10: (0, 300, 500, 1_000), 60: (800, 1_000, 1_200)},
}
BURSTS = {
    rate: tuple(Burst(extra, minutes) for minutes, extras in by_minutes.items() for extra in extras)
    for rate, by_minutes in _EXTRA_POSTS_BY_MINUTES.items()
}
"""Bursts by the baseline posts a window of the word."""


def new_console() -> Console:
    """Return a console wide enough for the tables."""
    return Console(width=130, highlight=False)


def new_table(title: str, *columns: str) -> Table:
    """Return an empty table of figures; its first column names the rows."""
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def show_nab(series: list[Series]) -> None:
    """Print the benchmark's scores by detector, for each series and for all."""
    table = new_table(
        f"Numenta Anomaly Benchmark, {len(series)} series",
        "detector",
        "series",
        "standard",
        "low FP",
        "low FN",
        "found",
        "false alerts",
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
    new_console().print(table)


def _scores(score: SeriesScore) -> list[str]:
    return [
        *(f"{score.normalised(profile):.1f}" for profile in PROFILES),
        f"{score.found} of {score.windows}",
        f"{score.false_alerts:,}",
    ]


def show_simulation(plan: Exposure, workers: int) -> None:
    """Print false alerts a day by world and threshold, and on a day on which the whole stream changes."""
    console = new_console()
    thresholds = [f"T = {name}" for name in RULES]
    daily = new_table(
        f"False alerts a day, {plan.words:,} words, mean of {plan.scored_days} days", "world", *thresholds
    )
    title = (
        f"False alerts on a day when the stream changes, {plan.words:,} words; in parentheses without `ratio`"
    )
    changed = new_table(title, "world", "day", *thresholds)
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
    """Print the nightly thresholds of each budget, and the alerts a day that they open."""
    console = new_console()
    for world in BUDGET_WORLDS:
        title = f"A budget of alerts a day, {world.name}, {plan.words:,} words, {plan.scored_days} days"
        table = new_table(
            title, "budget", "T, first night", "T, min", "T, max", "alerts a day", "min a day", "max a day"
        )
        with console.status(world.name):
            outcomes = try_budgets(world, plan, workers)
        for budget, outcome in outcomes.items():
            first, low, high = outcome.thresholds[0], min(outcome.thresholds), max(outcome.thresholds)
            thresholds = (f"{threshold:.2f}" for threshold in (first, low, high))
            table.add_row(
                str(budget),
                *thresholds,
                f"{np.mean(outcome.opened):.1f}",
                str(min(outcome.opened)),
                str(max(outcome.opened)),
            )
        console.print(table)


def show_power(seeds: int, seed: int) -> None:
    """Print the share of bursts that is found, and the median minutes from first post to alert."""
    console = new_console()
    for world in POWER_WORLDS:
        table = new_table(
            f"Bursts found, {world.name}, {seeds} seeds",
            "posts a window",
            "extra posts",
            "in minutes",
            "T = 4.5",
            "no hourly window",
            "minutes, provisional",
            "minutes, closed",
            "T = 6",
        )
        for rate, bursts in BURSTS.items():
            history = learn_history(world, rate, seeds, seed)
            for burst in bursts:
                watched = find(history, burst, _WATCHED, seed)
                discovery = find(history, burst, _DISCOVERY, seed)
                window_only = find(history, burst, without_hourly_window(_WATCHED), seed)
                table.add_row(
                    f"{rate:g}" if rate else "never seen",
                    f"{burst.extra:,}",
                    str(burst.minutes),
                    f"{watched.share:.3f}",
                    f"{window_only.share:.3f}",
                    as_minutes(watched.median_early),
                    as_minutes(watched.median_closed),
                    f"{discovery.share:.3f}",
                )
        console.print(table)


def as_minutes(minutes: float) -> str:
    """Return whole minutes, or nothing for NaN."""
    return "" if np.isnan(minutes) else f"{minutes:.0f}"


def show_history(seeds: int, seed: int) -> None:
    """Print how far and for how long a burst of 20 times the baseline raises the smallest anomalous count."""
    table = new_table(
        f"After a burst of 20 times the baseline, dispersion .1, {seeds} seeds",
        "posts a window",
        "hours",
        "smallest anomalous count",
        "factor after 1 day",
        "after 7 days",
        "after 14 days",
        "false alerts in 14 days",
        "without the burst",
    )
    for rate in (1.0, 10.0, 100.0):
        for hours in (2, 24):
            after = after_burst(WORLDS[1], rate, hours, seeds, _WATCHED, seed)
            grown = (f"{factor:.2f}" for factor in after.grown.values())
            figures = (f"{after.usual:.0f}", *grown, str(after.false_alerts), str(after.usual_false_alerts))
            table.add_row(f"{rate:g}", str(hours), *figures)
    new_console().print(table)
