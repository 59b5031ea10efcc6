"""`python -m batch.backtest`: what a rule would have said of the past; in one of two ways, see docs/backtest.md.

`--counts FILE.csv --out SCORES.csv` judges counts of a file (window_start,keyword,posts[,total_posts], or timestamp,value of
one series) and needs no server. `--from DAY --to DAY [--config RULE.toml]` replays archived days and says how that differs
from the alerts of the stream.
"""

from pathlib import Path
from typing import Annotated

import typer

from batch.__main__ import lazy_session, parse_days
from batch.backtest.counts_file import open_counts
from batch.backtest.posts import backtest_posts
from batch.backtest.rule import live_rule, read_rule
from batch.backtest.walk import Walk
from batch.backtest.write import ScoresSummary, write_alerts, write_scores
from batch.failures import sentence_for
from core.errors import BadInputError, GroundswellError
from core.settings import Settings, read_settings
from detection.lifecycle import LifecycleRule
from detection.score import AnomalyRule, rule_for
from detection.seasonality import Seasonality, seasonality_for
from detection.tracker import TrackedAlert

OF_COUNTS = ("alerts", "window", "threshold", "min_posts", "cool_down", "quiet")
OF_POSTS = ("first", "last", "config", "assume_complete")
"""Options that only one of the two ways has, by parameter."""
_WAYS = (
    "Give counts of a file (--counts FILE.csv --out SCORES.csv) or days of the archive (--from DAY --to DAY)"
)

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, help=__doc__)


@app.command(help=__doc__)
def main(
    context: typer.Context,
    counts: Annotated[
        Path | None, typer.Option(help="CSV file of counts, plain or .gz", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="CSV file: every row with its verdict, or every alert", show_default=False),
    ] = None,
    alerts: Annotated[
        Path | None, typer.Option(help="counts: CSV file for the alerts", show_default=False)
    ] = None,
    window: Annotated[
        str, typer.Option(help="counts: length of a window, 15m, or what divides an hour or a day, or 1d")
    ] = "15m",
    threshold: Annotated[
        float,
        typer.Option(help="counts: score of an anomaly, 4.5 for watched words, 6 for all words", min=0.1),
    ] = 4.5,
    min_posts: Annotated[
        int, typer.Option(help="counts: posts in a window below which nothing alarms", min=1)
    ] = 10,
    cool_down: Annotated[
        int, typer.Option(help="counts: windows in which the next alert must be twice as strong", min=0)
    ] = 16,
    quiet: Annotated[int, typer.Option(help="counts: quiet windows that end an alert", min=1)] = 4,
    first: Annotated[
        str | None, typer.Option("--from", help="posts: first day, YYYY-MM-DD", show_default=False)
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="posts: last day", show_default=False)] = None,
    config: Annotated[
        Path | None, typer.Option(help="posts: TOML file with what the rule changes", show_default=False)
    ] = None,
    assume_complete: Annotated[
        bool, typer.Option(help="posts: do not ask whether the archive is complete")
    ] = False,
) -> None:
    """Parse the arguments, do one of the two, turn errors into one sentence."""
    settings: Settings | None = None
    try:
        check_way(context, counts, out)
        if counts is not None and out is not None:
            rule = LifecycleRule(cool_down_windows=cool_down, quiet_windows=quiet)
            typer.echo(
                backtest_counts(
                    counts, out, alerts, seasonality_for(window), rule_for(threshold, min_posts), rule
                )
            )
            return
        days, settings = parse_days(None, first, last), read_settings()
        changed = read_rule(settings, config) if config else live_rule(settings)
        with lazy_session(settings) as session:
            typer.echo(backtest_posts(session, changed, days, out, assume_complete=assume_complete))
    except GroundswellError as error:
        typer.echo(f"Nothing more was done. {error}", err=True)
        raise typer.Exit(1) from error
    except Exception as error:
        sentence = sentence_for(error, settings) if settings else None
        if sentence is None:
            raise
        typer.echo(f"Nothing more was done. {sentence}", err=True)
        raise typer.Exit(1) from error


def check_way(context: typer.Context, counts: Path | None, out: Path | None) -> None:
    """Raise BadInputError unless the options are those of one of the two ways."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    given = {name for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"}
    of_counts, of_posts = given & {*OF_COUNTS, "counts"}, given & set(OF_POSTS)
    if of_counts and of_posts:
        raise BadInputError(
            f"{_option(min(of_counts))} and {_option(min(of_posts))} do not go together. {_WAYS}."
        )
    if not of_posts and (counts is None or out is None):
        raise BadInputError(f"{_WAYS}.")


def _option(parameter: str) -> str:
    return {"first": "--from", "last": "--to"}.get(parameter, "--" + parameter.replace("_", "-"))


def backtest_counts(
    counts: Path,
    out: Path,
    alerts_out: Path | None,
    seasonality: Seasonality,
    anomaly_rule: AnomalyRule,
    rule: LifecycleRule,
) -> str:
    """Judge the file `counts`, write `out` and, if given, `alerts_out`; returns a sentence on what was found. Raises BadInputError."""
    with open_counts(counts, seasonality) as table:
        walk, summary = Walk(table, anomaly_rule, rule), ScoresSummary()
        alerts: list[tuple[int, TrackedAlert]] = list(write_scores(out, table, walk.run(), summary))
        alerts.extend(walk.book.running())
        if alerts_out is not None:
            write_alerts(alerts_out, table, alerts, rule)
        return (
            f"{summary.rows:,} windows of {len(table.keywords):,} keywords over {len(table.cycles()):,} "
            f"{'weeks' if seasonality.window_seconds == 86_400 else 'days'}: {summary.anomalous:,} anomalous, {len(alerts):,} alerts."
        )


if __name__ == "__main__":
    app()
