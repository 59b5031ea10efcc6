"""The commands of the backtest (docs/backtest.md): `counts` judges a file, `posts` replays archived days."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from batch import failures
from batch.arguments import parse_days
from batch.backtest.counts_file import open_counts
from batch.backtest.posts import backtest_posts
from batch.backtest.rule import live_rule, read_rule
from batch.backtest.walk import Walk
from batch.backtest.write import ScoresSummary, write_alerts, write_scores
from batch.session import lazy_session
from core.command_line import errors_as_sentences, new_app
from core.errors import BadInputError
from core.outputs import reject_overwriting
from core.settings import read_settings
from detection.lifecycle import LifecycleRule
from detection.score import AnomalyRule, rule_for
from detection.seasonality import Seasonality, seasonality_for
from detection.tracker import TrackedAlert

NOTHING_MORE = "Nothing more was done. "
_MODES = (
    "Give counts of a file (backtest counts FILE.csv --out SCORES.csv) or days of the archive "
    "(backtest posts --from DAY --to DAY)"
)


class BacktestGroup(TyperGroup):
    """Two commands of which the options tell which is meant, as when they were one command."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Insert the command's name before arguments that name none and ask for no help."""
        if not args or args[0] not in {*self.commands, "--help"}:
            options = {
                name: {option for parameter in command.params for option in parameter.opts}
                for name, command in self.commands.items()
            }
            with errors_as_sentences(NOTHING_MORE):
                args = with_command(args, options)
        return super().parse_args(ctx, args)


def with_command(arguments: Sequence[str], options: Mapping[str, set[str]]) -> list[str]:
    """Return the arguments after the name of the command that has these options, out of `options` by command.

    The file of counts may be given as `--counts FILE`. Raises BadInputError for options of both or neither.
    """
    given = {argument.partition("=")[0] for argument in arguments if argument.startswith("--")}
    of_counts = given & ({"--counts"} | options["counts"] - options["posts"])
    of_posts = given & (options["posts"] - options["counts"])
    if of_counts and of_posts:
        raise BadInputError(f"{min(of_counts)} and {min(of_posts)} cannot be combined. {_MODES}.")
    if of_posts:
        return ["posts", *arguments]
    if not {"--counts", "--out"} <= given:
        raise BadInputError(f"{_MODES}.")
    return [
        "counts",
        *(argument.removeprefix("--counts=") for argument in arguments if argument != "--counts"),
    ]


app = new_app(cls=BacktestGroup)


@app.callback()
def commands() -> None:
    """Apply a rule to past posts: `counts` in a file, or the archived `posts` of some days."""


@app.command("counts")
@errors_as_sentences(NOTHING_MORE)
def counts_command(
    counts: Annotated[Path, typer.Argument(metavar="FILE", help="CSV file of counts, plain or .gz.")],
    out: Annotated[Path, typer.Option(help="CSV file to write: every row with its verdict.")],
    alerts: Annotated[
        Path | None, typer.Option(help="CSV file to write: the alerts.", show_default=False)
    ] = None,
    window: Annotated[
        str, typer.Option(help="Length of a window: 15m or another divisor of an hour or a day, or 1d.")
    ] = "15m",
    threshold: Annotated[
        float, typer.Option(min=0.1, help="Score of an anomaly: 4.5 for watched words, 6 for all words.")
    ] = 4.5,
    min_posts: Annotated[int, typer.Option(min=1, help="Posts in a window below which nothing alerts.")] = 10,
    cool_down: Annotated[
        int, typer.Option(min=0, help="Windows in which the next alert needs twice the threshold ratio.")
    ] = 16,
    quiet: Annotated[int, typer.Option(min=1, help="Quiet windows that end an alert.")] = 4,
) -> None:
    """Judge counts in a file, each day by the statistics of the days before it; needs no server.

    Columns: window_start,keyword,posts[,total_posts], or timestamp,value for a single series.
    """
    rule = LifecycleRule(cool_down_windows=cool_down, quiet_windows=quiet)
    anomaly_rule = rule_for(threshold, min_posts)
    typer.echo(backtest_counts(counts, out, alerts, seasonality_for(window), anomaly_rule, rule))


@app.command("posts")
@failures.errors_as_sentences(NOTHING_MORE)
def posts_command(
    first: Annotated[
        str | None, typer.Option("--from", help="First day, YYYY-MM-DD (UTC).", show_default=False)
    ] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last day.", show_default=False)] = None,
    config: Annotated[
        Path | None, typer.Option(help="TOML file of what the rule changes.", show_default=False)
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="CSV file to write: alerts of both rules.", show_default=False)
    ] = None,
    assume_complete: Annotated[bool, typer.Option(help="Do not check that the archive is complete.")] = False,
) -> None:
    """Replay archived days with another rule and compare its alerts with those of the stream."""
    reject_overwriting({"--config": config}, {"--out": out})
    days, settings = parse_days(None, first, last), read_settings()
    rule = read_rule(settings, config) if config else live_rule(settings)
    with lazy_session(settings) as session:
        typer.echo(backtest_posts(session, rule, days, out, assume_complete=assume_complete))


def backtest_counts(
    counts: Path,
    out: Path,
    alerts_out: Path | None,
    seasonality: Seasonality,
    anomaly_rule: AnomalyRule,
    rule: LifecycleRule,
) -> str:
    """Judge the file `counts`, write `out` and `alerts_out`, return a summary; raises BadInputError."""
    reject_overwriting({"the file of counts": counts}, {"--out": out, "--alerts": alerts_out})
    with open_counts(counts, seasonality) as table:
        walk, summary = Walk(table, anomaly_rule, rule), ScoresSummary()
        alerts: list[tuple[int, TrackedAlert]] = list(write_scores(out, table, walk.run(), summary))
        alerts.extend(walk.tracker.running())
        if alerts_out is not None:
            write_alerts(alerts_out, table, alerts, rule)
        cycles = f"{len(table.cycles()):,} {'weeks' if seasonality.window_seconds == 86_400 else 'days'}"
        return "\n".join(
            [
                f"{summary.rows:,} windows of {len(table.keywords):,} keywords over {cycles}: "
                f"{summary.anomalous:,} anomalous, {len(alerts):,} alerts.",
                *([table.hint] if table.hint else []),
            ]
        )
