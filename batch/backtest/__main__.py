"""`python -m batch.backtest --counts FILE.csv --out SCORES.csv`: what the rule would have said of counts of the past.

Columns in: window_start,keyword,posts[,total_posts], or timestamp,value of one series. See docs/backtest.md.
"""

from pathlib import Path
from typing import Annotated

import typer

from batch.backtest.counts_file import open_counts
from batch.backtest.walk import Walk
from batch.backtest.write import Summary, write_alerts, write_scores
from core.errors import GroundswellError
from core.incident_book import BookedIncident
from core.lifecycle import LifecycleRule
from core.score import AlarmRule, alarm_rule
from core.shape import Shape, shape_of

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command(help=__doc__)
def main(
    counts: Annotated[Path, typer.Option(help="CSV file of counts, plain or .gz", show_default=False)],
    out: Annotated[Path, typer.Option(help="CSV file for every row with its verdict", show_default=False)],
    window: Annotated[str, typer.Option(help="length of a window: 15m, or what divides an hour or a day, or 1d")] = "15m",
    alerts: Annotated[Path | None, typer.Option(help="CSV file for the incidents", show_default=False)] = None,
    threshold: Annotated[float, typer.Option(help="score of an anomaly: 4.5 for watched words, 6 for all words", min=0.1)] = 4.5,
    floor: Annotated[int, typer.Option(help="posts in a window below which nothing alarms", min=1)] = 10,
    cool_down: Annotated[int, typer.Option(help="windows in which a keyword's next incident must be twice as strong", min=0)] = 16,
    quiet: Annotated[int, typer.Option(help="quiet windows that end an incident", min=1)] = 4,
) -> None:
    """Parse the arguments, walk the days, turn errors into one sentence."""
    try:
        rule = LifecycleRule(cool_down_windows=cool_down, quiet_windows=quiet)
        typer.echo(backtest_counts(counts, out, alerts, shape_of(window), alarm_rule(threshold, floor), rule))
    except GroundswellError as error:
        typer.echo(f"Nothing more was done. {error}", err=True)
        raise typer.Exit(1) from error


def backtest_counts(counts: Path, out: Path, alerts: Path | None, shape: Shape, alarm: AlarmRule, rule: LifecycleRule) -> str:
    """Judge the file `counts`, write `out` and, if given, `alerts`; returns a sentence on what was found. Raises BadInputError."""
    with open_counts(counts, shape) as table:
        walk, summary = Walk(table, alarm, rule), Summary()
        incidents: list[tuple[int, BookedIncident]] = list(write_scores(out, table, walk.run(), summary))
        incidents.extend(walk.book.running())
        if alerts is not None:
            write_alerts(alerts, table, incidents, rule)
        return (
            f"{summary.rows:,} windows of {len(table.keywords):,} keywords over {len(table.cycles()):,} "
            f"{'weeks' if shape.window_seconds == 86_400 else 'days'}: {summary.anomalous:,} anomalous, {len(incidents):,} incidents."
        )


if __name__ == "__main__":
    app()
