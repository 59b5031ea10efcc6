"""Run the streams and print what became of them; `missed_goals` says which goals were missed."""

from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.first_day.bursts import MAY_BE_FOUND, MUST_BE_FOUND, plant
from benchmarks.first_day.outcome import Outcome, Tally, outcome_of
from benchmarks.first_day.rooms import MOMENT, rooms
from benchmarks.first_day.texts import PostTexts, stream_of_texts
from benchmarks.first_day.worlds import BURSTY, LASTING, FirstDays, simulate
from detection.score import rule_for

VOLUMES = (5_000, 20_000, 100_000, 500_000)
NOISES = (LASTING, BURSTY)
STARTS = {"00:00": 0, "06:37": 397, "20:00": 1_200}
TEXT_VOLUMES = (5_000, 20_000, 100_000)
RULE = rule_for(6.0, 10)
MOST_FALSE, LEAST_FOUND, MOST_MINUTES = 3, 0.95, 6.0


@dataclass
class Results:
    """All streams so far, by what they were drawn from."""

    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    rooms_over: list[str] = field(default_factory=list)

    def add(self, name: str, outcomes: Iterable[Outcome]) -> None:
        """Add the outcomes of one row, one per seed."""
        self.outcomes += [(name, outcome) for outcome in outcomes]

    def found(self, kinds: Iterable[str] = MUST_BE_FOUND) -> Tally:
        """Return the bursts of `kinds` on first days."""
        return _sum_of([outcome.tallies for _, outcome in self.outcomes], kinds)

    def median_minutes(self) -> float:
        """Return the median minutes from first post to first alert; NaN without any."""
        return _median([minutes for _, outcome in self.outcomes for minutes in outcome.minutes])

    def missed_goals(self) -> list[str]:
        """Return a phrase for each goal that was missed."""
        over = [f"{outcome.false} in {name}" for name, outcome in self.outcomes if outcome.false > MOST_FALSE]
        learning = sum(outcome.learning for _, outcome in self.outcomes)
        missed = [f"more than {MOST_FALSE} false alerts a day ({', '.join(over)})"] * bool(over)
        missed += [f"more alerts than allowed in {name}" for name in self.rooms_over]
        missed += [f"{learning} alerts in the first 45 minutes"] * bool(learning)
        return missed + (self._missed_by_bursts() if self.outcomes else [])

    def _missed_by_bursts(self) -> list[str]:
        share, minutes = self.found().share, self.median_minutes()
        missed = [f"{share:.3f} of the bursts found, not {LEAST_FOUND:g}"] * (not share >= LEAST_FOUND)
        return missed + [f"median of {minutes:.1f} minutes, not {MOST_MINUTES:g}"] * (
            not minutes <= MOST_MINUTES
        )

    def summary(self) -> str:
        """Return the last line."""
        false = [outcome.false for _, outcome in self.outcomes]
        found, missed = self.found(), self.missed_goals()
        goals = f"missed: {'; '.join(missed)}" if missed else "all goals reached"
        if not false:
            return f"summary: {goals}"
        return (
            f"summary: {len(false)} first days, {np.mean(false):.2f} false alerts a day, "
            f"at most {max(false)}; {found.found} of {found.planted} bursts found, "
            f"median {self.median_minutes():.1f} minutes; {goals}"
        )


def show_worlds(results: Results, volumes: Iterable[int], seeds: int, workers: int) -> None:
    """Print one row per world and start, and what was found by kind."""
    table = _streams_table(f"First days of simulated worlds, T = {RULE.threshold:g}, {seeds} seeds")
    before = len(results.outcomes)
    with ProcessPoolExecutor(workers) as pool:
        for volume in volumes:
            for noise in NOISES:
                for start, minute in STARTS.items():
                    name = f"{volume:,} a day, {noise.name}, from {start}"
                    tasks = [FirstDays(volume, noise, minute, seed) for seed in range(1, seeds + 1)]
                    _add_row(table, results, name, list(pool.map(_outcome_of_world, tasks)))
    console().print(table)
    _show_kinds([outcome for _, outcome in results.outcomes[before:]])


def show_texts(results: Results, texts: PostTexts, seeds: int) -> None:
    """Print the same for streams of real posts."""
    table = _streams_table(f"First days of {len(texts.keywords):,} real posts, drawn again and again")
    for volume in TEXT_VOLUMES:
        for start, minute in STARTS.items():
            worlds = [FirstDays(volume, LASTING, minute, seed) for seed in range(1, seeds + 1)]
            outcomes = [outcome_of(stream_of_texts(texts, world), RULE) for world in worlds]
            _add_row(table, results, f"{volume:,} a day, real posts, from {start}", outcomes)
    console().print(table)


def show_rooms(results: Results, seeds: int) -> None:
    """Print the alerts of streams in which something happens to all posts."""
    table = _new_table(
        "First days with something special, alerts by seed", "stream", "may", "false", "withdrawn", "found"
    )
    by_name: dict[str, list[Outcome]] = {}
    may_raise = {}
    for seed in range(1, seeds + 1):
        for room in rooms(seed):
            console().print(f"{room.name}, seed {seed}")
            may_raise[room.name] = room.may_raise
            by_name.setdefault(room.name, []).append(outcome_of(room.stream, RULE))
    for name, outcomes in by_name.items():
        found = _sum_of([outcome.tallies for outcome in outcomes], (MOMENT,))
        table.add_row(name, str(may_raise[name]), *_by_seed(outcomes, "false", "withdrawn"), _share(found))
        if max(outcome.false for outcome in outcomes) > may_raise[name] or found.found < found.planted:
            results.rooms_over.append(name)
    console().print(table)


def console() -> Console:
    """Return a console wide enough for the tables."""
    return Console(width=150, highlight=False)


def _outcome_of_world(world: FirstDays) -> Outcome:
    return outcome_of(plant(world, simulate(world)), RULE)


def _add_row(table: Table, results: Results, name: str, outcomes: list[Outcome]) -> None:
    """Add a row to the table and its outcomes to the results, and say how far it is."""
    results.add(name, outcomes)
    found = _sum_of([outcome.tallies for outcome in outcomes], MUST_BE_FOUND)
    minutes = _median([minutes for outcome in outcomes for minutes in outcome.minutes])
    cells = _by_seed(outcomes, "false", "withdrawn", "learning")
    table.add_row(
        name, *cells, _share(found), f"{minutes:.1f}", *_by_seed(outcomes, "next_day_false", "repeated")
    )
    console().print(f"{name}: {cells[0]} false, {_share(found)} found")


def _show_kinds(outcomes: list[Outcome]) -> None:
    table = _new_table("Found by kind", "burst", "first day", "next day, by statistics of the first")
    for kind in (*MUST_BE_FOUND, *MAY_BE_FOUND):
        days = [[outcome.tallies for outcome in outcomes], [outcome.next_day for outcome in outcomes]]
        table.add_row(kind, *(_share(_sum_of(tallies, (kind,))) for tallies in days))
    console().print(table)


def _streams_table(title: str) -> Table:
    return _new_table(
        title,
        "stream",
        "false",
        "withdrawn",
        "in 45 minutes",
        "found",
        "minutes",
        "next day: false",
        "repeated",
    )


def _new_table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for number, column in enumerate(columns):
        table.add_column(column, justify="left" if number == 0 else "right")
    return table


def _by_seed(outcomes: list[Outcome], *names: str) -> list[str]:
    return [" ".join(str(getattr(outcome, name)) for outcome in outcomes) for name in names]


def _sum_of(tallies: list[dict[str, Tally]], kinds: Iterable[str]) -> Tally:
    total = Tally()
    for kind in kinds:
        for by_kind in tallies:
            total.add(by_kind.get(kind, Tally()))
    return total


def _share(tally: Tally) -> str:
    return f"{tally.found} of {tally.planted}" if tally.planted else ""


def _median(minutes: list[float]) -> float:
    return float(np.median(minutes)) if minutes else float("nan")
