"""`python -m tests.faults [--seed N] [--only F1,F3] [--kills N]`: faults on the real stack, audited."""

import random
import time
from collections.abc import Callable
from typing import Annotated

import typer

from tests.faults import checkpoints, clocks, kills, records, servers
from tests.faults.oracle import Audit
from tests.faults.report import Outcome, heading, last_line, lines_of
from tests.faults.stage import Stage, a_stage

FAULTS: dict[str, Callable[[Stage], Outcome]] = {
    "F1": kills.random_kills,
    "F2": kills.kills_in_a_row,
    "F3": servers.broker,
    "F4": servers.postgres,
    "F5": servers.s3,
    "F6": records.poison,
    "F7": records.impossible_times,
    "F8": records.delivered_again,
    "F9": records.late_posts,
    "F10": checkpoints.corrupt_checkpoints,
    "F11": checkpoints.other_settings,
    "F12": checkpoints.full_disk,
    "F13": checkpoints.expired_records,
    "F14": clocks.quiet_topic,
    "F15": clocks.other_time_zone,
}


def main(
    seed: Annotated[
        int | None, typer.Option(help="Repeat the run that printed this seed; a new one by default.")
    ] = None,
    only: Annotated[str, typer.Option(help="Faults to run, separated by commas; all by default.")] = "",
    number_of_kills: Annotated[
        int, typer.Option("--kills", min=1, help="Kills of F1; F2 has a fifth as many.")
    ] = 20,
) -> None:
    """Run faults on a stack of their own and print for each whether anything was lost or duplicated."""
    chosen = [name.strip() for name in only.split(",") if name.strip()] or list(FAULTS)
    unknown = sorted(set(chosen) - FAULTS.keys())
    if unknown:
        raise typer.BadParameter(f"Unknown fault {', '.join(unknown)}; choose from {', '.join(FAULTS)}.")
    seed = random.SystemRandom().randrange(1_000_000) if seed is None else seed
    began = time.monotonic()
    print(f"seed {seed}; kills {number_of_kills}", flush=True)
    outcomes = []
    with a_stage(seed, number_of_kills) as stage:
        print(heading(), flush=True)
        for name in chosen:
            outcomes.append(run(name, stage))
            print(*lines_of(outcomes[-1]), sep="\n", flush=True)
    print(f"seed {seed}; {(time.monotonic() - began) / 60:.1f} minutes")
    print(last_line(outcomes))
    raise typer.Exit(0 if all(outcome.passed for outcome in outcomes) else 1)


def run(name: str, stage: Stage) -> Outcome:
    """Run one fault; whatever it raises is reported as its failure, and the next fault runs."""
    try:
        return FAULTS[name](stage)
    except Exception as error:
        stage.up()
        return Outcome(name, "ended early", Audit(problems=[f"{type(error).__name__}: {error}"]))


if __name__ == "__main__":
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(main)
    app()
